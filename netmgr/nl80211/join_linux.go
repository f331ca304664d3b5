package nl80211

import (
	"context"

	"golang.org/x/sys/unix"

	"manofwar/netmgr/ieee80211"
)

// Authentication is a frame of authentication to send to an access point, which a scan has found within the last seconds.
type Authentication struct {
	Index int
	BSSID ieee80211.MAC
	MHz   int
	SSID  ieee80211.SSID
	SAE   *ieee80211.Auth // nil: open
}

// Authenticate sends it. The answer is an [Authenticated]. A station in another network leaves that one by this.
func (c *Conn) Authenticate(ctx context.Context, r Authentication) error {
	a := on(r.Index)
	a.mac(unix.NL80211_ATTR_MAC, r.BSSID)
	a.u32(unix.NL80211_ATTR_WIPHY_FREQ, uint32(r.MHz))
	a.bytes(unix.NL80211_ATTR_SSID, []byte(r.SSID))
	if r.SAE == nil {
		a.u32(unix.NL80211_ATTR_AUTH_TYPE, unix.NL80211_AUTHTYPE_OPEN_SYSTEM)
	} else {
		const algorithm = 2 // bytes of it, which are not part of the data
		a.u32(unix.NL80211_ATTR_AUTH_TYPE, unix.NL80211_AUTHTYPE_SAE)
		a.bytes(unix.NL80211_ATTR_AUTH_DATA, r.SAE.Append(nil)[algorithm:])
	}
	return c.do(ctx, "authenticate", unix.NL80211_CMD_AUTHENTICATE, a)
}

// Security is how an association is secured.
type Security struct {
	AKM, Group ieee80211.Suite
	MFP        bool               // management frames are protected
	Elements   ieee80211.Elements // of the request
}

// encode writes the security with CCMP for the pair, and mfp, of enum nl80211_mfp, where management frames can be protected.
// Frames of 802.1X come and go over nl80211 where port is set.
func (s *Security) encode(a *encoder, port bool, mfp uint32) {
	a.u32(unix.NL80211_ATTR_WPA_VERSIONS, unix.NL80211_WPA_VERSION_2)
	a.u32(unix.NL80211_ATTR_CIPHER_SUITES_PAIRWISE, uint32(ieee80211.CipherCCMP))
	a.u32(unix.NL80211_ATTR_CIPHER_SUITE_GROUP, uint32(s.Group))
	a.u32(unix.NL80211_ATTR_AKM_SUITES, uint32(s.AKM))
	a.bytes(unix.NL80211_ATTR_IE, s.Elements)
	if s.MFP {
		a.u32(unix.NL80211_ATTR_USE_MFP, mfp)
	}
	a.flag(unix.NL80211_ATTR_CONTROL_PORT)
	if port {
		a.flag(unix.NL80211_ATTR_CONTROL_PORT_OVER_NL80211)
	}
}

// Association is a request to an access point that has accepted the authentication.
type Association struct {
	Index    int
	BSSID    ieee80211.MAC
	MHz      int
	SSID     ieee80211.SSID
	Previous ieee80211.MAC // of the network's other access points, the one that the station comes from; zero: none
	Security *Security     // nil: open
	Port     bool          // 802.1X frames come and go over nl80211 ([Features.ControlPort])
}

// Associate sends it. The answer is an [Associated]. The association ends with the connection.
func (c *Conn) Associate(ctx context.Context, r Association) error {
	a := on(r.Index)
	a.mac(unix.NL80211_ATTR_MAC, r.BSSID)
	a.u32(unix.NL80211_ATTR_WIPHY_FREQ, uint32(r.MHz))
	a.bytes(unix.NL80211_ATTR_SSID, []byte(r.SSID))
	a.flag(unix.NL80211_ATTR_SOCKET_OWNER)
	if r.Previous != (ieee80211.MAC{}) {
		a.mac(unix.NL80211_ATTR_PREV_BSSID, r.Previous)
	}
	if r.Security != nil {
		r.Security.encode(&a, r.Port, unix.NL80211_MFP_REQUIRED)
	}
	return c.do(ctx, "associate", unix.NL80211_CMD_ASSOCIATE, a)
}

// Connection is a request to join by the driver's own means.
type Connection struct {
	Association
	SAE         bool   // by SAE, with Password or External
	PMK         []byte // for a firmware that does the 4-way handshake ([Features.HandshakeOffload]); nil: we do
	Password    string // for a firmware that does SAE ([Features.SAEOffload])
	External    bool   // the driver may ask for SAE by [ExternalAuth]
	OptionalMFP bool   // the driver decides about protected management frames ([Features.MFPOptional])
}

// Connect starts it. The answer is a [Connected], maybe after an [ExternalAuth], and with PMK or Password a
// [PortAuthorized] when the link is secured. The association ends with the connection to nl80211.
func (c *Conn) Connect(ctx context.Context, r Connection) error {
	return c.do(ctx, "connect", unix.NL80211_CMD_CONNECT, r.encode())
}

func (r *Connection) encode() encoder {
	a := on(r.Index)
	a.mac(unix.NL80211_ATTR_MAC, r.BSSID)
	a.u32(unix.NL80211_ATTR_WIPHY_FREQ, uint32(r.MHz))
	a.bytes(unix.NL80211_ATTR_SSID, []byte(r.SSID))
	a.flag(unix.NL80211_ATTR_SOCKET_OWNER)
	if r.Previous != (ieee80211.MAC{}) {
		a.mac(unix.NL80211_ATTR_PREV_BSSID, r.Previous)
	}
	kind := uint32(unix.NL80211_AUTHTYPE_OPEN_SYSTEM)
	if r.SAE {
		kind = unix.NL80211_AUTHTYPE_SAE
	}
	a.u32(unix.NL80211_ATTR_AUTH_TYPE, kind)
	if r.Security == nil {
		return a
	}
	a.flag(unix.NL80211_ATTR_PRIVACY)
	mfp := uint32(unix.NL80211_MFP_REQUIRED)
	if r.OptionalMFP {
		mfp = unix.NL80211_MFP_OPTIONAL
	}
	r.Security.encode(&a, r.Port, mfp)
	if r.PMK != nil {
		a.bytes(unix.NL80211_ATTR_PMK, r.PMK)
	}
	if r.Password != "" {
		a.bytes(unix.NL80211_ATTR_SAE_PASSWORD, []byte(r.Password))
	}
	if r.External {
		a.flag(unix.NL80211_ATTR_EXTERNAL_AUTH_SUPPORT)
	}
	return a
}

// FinishExternalAuth tells the driver how the authentication that it asked for went.
func (c *Conn) FinishExternalAuth(ctx context.Context, request ExternalAuth, status ieee80211.Status, id *ieee80211.PMKID) error {
	a := on(request.Index)
	a.mac(unix.NL80211_ATTR_BSSID, request.BSSID)
	a.bytes(unix.NL80211_ATTR_SSID, []byte(request.SSID))
	a.u16(unix.NL80211_ATTR_STATUS_CODE, uint16(status))
	if id != nil {
		a.bytes(unix.NL80211_ATTR_PMKID, id[:])
	}
	return c.do(ctx, "finish external authentication", unix.NL80211_CMD_EXTERNAL_AUTH, a)
}

// Deauthenticate ends an authentication or association of a station, and tells the access point.
func (c *Conn) Deauthenticate(ctx context.Context, index int, bssid ieee80211.MAC, reason ieee80211.Reason) error {
	a := on(index)
	a.mac(unix.NL80211_ATTR_MAC, bssid)
	a.u16(unix.NL80211_ATTR_REASON_CODE, uint16(reason))
	return c.do(ctx, "deauthenticate", unix.NL80211_CMD_DEAUTHENTICATE, a)
}

// Disconnect ends whatever association a station has, by whomever it was made.
func (c *Conn) Disconnect(ctx context.Context, index int, reason ieee80211.Reason) error {
	a := on(index)
	a.u16(unix.NL80211_ATTR_REASON_CODE, uint16(reason))
	return c.do(ctx, "disconnect", unix.NL80211_CMD_DISCONNECT, a)
}

// Authorize lets data of a station pass, or stops them: for a station's own side the station is its access point.
func (c *Conn) Authorize(ctx context.Context, index int, station ieee80211.MAC, pass bool) error {
	const authorized = 1 << unix.NL80211_STA_FLAG_AUTHORIZED
	flags := [2]uint32{authorized} // of which mask, and what they shall be (struct nl80211_sta_flag_update)
	if pass {
		flags[1] = authorized
	}
	a := on(index)
	a.mac(unix.NL80211_ATTR_MAC, station)
	a.words(unix.NL80211_ATTR_STA_FLAGS2, flags[:]...)
	return c.do(ctx, "authorize", unix.NL80211_CMD_SET_STATION, a)
}

// EAPOL is the EtherType of 802.1X.
const EAPOL = 0x888e

// ControlFrame is an 802.1X frame to send.
type ControlFrame struct {
	Index int
	To    ieee80211.MAC
	Plain bool   // not encrypted, even where there is a key
	Data  []byte // without Ethernet's header
}

// SendControlFrame sends it, where the association was made with [Association.Port].
func (c *Conn) SendControlFrame(ctx context.Context, f ControlFrame) error {
	a := on(f.Index)
	a.mac(unix.NL80211_ATTR_MAC, f.To)
	a.u16(unix.NL80211_ATTR_CONTROL_PORT_ETHERTYPE, EAPOL)
	if f.Plain {
		a.flag(unix.NL80211_ATTR_CONTROL_PORT_NO_ENCRYPT)
	}
	a.bytes(unix.NL80211_ATTR_FRAME, f.Data)
	return c.do(ctx, "send 802.1X frame", unix.NL80211_CMD_CONTROL_PORT_FRAME, a)
}

// StationInfo is what the kernel knows of a station, or of a station's access point.
type StationInfo struct {
	Signal     int // dBm; 0: unknown
	Authorized bool
}

// Station returns what is known of one. It wraps [unix.ENOENT] where it is no more.
func (c *Conn) Station(ctx context.Context, index int, station ieee80211.MAC) (StationInfo, error) {
	a := on(index)
	a.mac(unix.NL80211_ATTR_MAC, station)
	answer, err := c.get(ctx, "look at station", unix.NL80211_CMD_GET_STATION, a)
	if err != nil {
		return StationInfo{}, err
	}
	info := parse(answer[unix.NL80211_ATTR_STA_INFO])
	signal := info.u8(unix.NL80211_STA_INFO_SIGNAL_AVG)
	if signal == 0 {
		signal = info.u8(unix.NL80211_STA_INFO_SIGNAL)
	}
	s := StationInfo{Signal: int(int8(signal))}
	if flags := set(info[unix.NL80211_STA_INFO_STA_FLAGS]); len(flags) == 2 {
		s.Authorized = flags[0]&flags[1]&(1<<unix.NL80211_STA_FLAG_AUTHORIZED) != 0
	}
	return s, nil
}
