package nl80211

import (
	"golang.org/x/sys/unix"

	"manofwar/netmgr/ieee80211"
)

// Event is something that happened: one of the types of this file.
type Event interface {
	of() int // the index of the interface; 0: of none
}

type (
	// Overrun says that events were lost.
	Overrun struct{}
	// RadioChanged says that a radio has come, or is not what it was.
	RadioChanged struct{ Phy int }
	// RadioGone says that a radio was taken away.
	RadioGone struct{ Phy int }
	// InterfaceChanged says that an interface has come, or is not what it was.
	InterfaceChanged struct{ Interface Interface }
	// InterfaceGone says that an interface was taken away.
	InterfaceGone struct{ Index, Phy int }
	// RegulatoryChanged says that other channels may be allowed from now on. Radios have changed without a further event.
	RegulatoryChanged struct{ Country string }
	// ScanStarted says that a radio looks for networks.
	ScanStarted struct{ Index int }
	// ScanDone says that it has ended. What it found is in [Conn.Results], even when it was aborted.
	ScanDone struct {
		Index   int
		Aborted bool
	}
	// Authenticated is the access point's answer to [Conn.Authenticate].
	Authenticated struct {
		Index    int
		BSSID    ieee80211.MAC
		TimedOut bool // there was none
		Auth     ieee80211.Auth
	}
	// Associated is the access point's answer to [Conn.Associate].
	Associated struct {
		Index    int
		BSSID    ieee80211.MAC
		TimedOut bool // there was none
		Status   ieee80211.Status
	}
	// Connected is how [Conn.Connect] went.
	Connected struct {
		Index    int
		BSSID    ieee80211.MAC
		TimedOut bool
		Status   ieee80211.Status
		Request  ieee80211.Elements // as the driver sent them in the association request; nil: unknown
	}
	// DriverRoamed says that the driver went to another access point by itself.
	DriverRoamed struct {
		Index      int
		BSSID      ieee80211.MAC
		Request    ieee80211.Elements
		Authorized bool // the driver has made the keys too
	}
	// PortAuthorized says that the driver has secured the link.
	PortAuthorized struct {
		Index int
		BSSID ieee80211.MAC
	}
	// Disconnected says that an association made by Connect is over.
	Disconnected struct {
		Index  int
		ByPeer bool // it was the access point that ended it
		Reason ieee80211.Reason
	}
	// Deauthenticated says that an association is over, or, for an access point, that a station left. Both
	// deauthentication and disassociation do that.
	Deauthenticated struct {
		Index    int
		From, To ieee80211.MAC
		BSSID    ieee80211.MAC
		Reason   ieee80211.Reason
	}
	// Unprotected says that an access point whose management frames are protected seems to have sent away the station
	// with a frame that is not. The kernel has ignored it.
	Unprotected struct {
		Index int
		BSSID ieee80211.MAC
	}
	// ExternalAuth asks to authenticate for the driver, by SAE.
	ExternalAuth struct {
		Index int
		Start bool // else it is called off
		BSSID ieee80211.MAC
		SSID  ieee80211.SSID
		AKM   ieee80211.Suite
	}
	// ControlPort is a received frame of 802.1X.
	ControlPort struct {
		Index     int
		From      ieee80211.MAC
		Protocol  uint16 // EtherType
		Encrypted bool
		Data      []byte // without Ethernet's header
	}
	// FrameReceived is a management frame that was asked for with REGISTER_FRAME.
	FrameReceived struct {
		Index, MHz int
		Signal     int    // dBm; 0: unknown
		Frame      []byte // see [ieee80211.ParseFrame]
	}
	// FrameSent tells what became of a management frame.
	FrameSent struct {
		Index  int
		Cookie uint64
		Acked  bool
		Frame  []byte
	}
	// StationAdded says that a station is known now: for a station, its access point.
	StationAdded struct {
		Index   int
		MAC     ieee80211.MAC
		Request ieee80211.Elements // of its association, where the firmware has answered that ([Features.APSME])
	}
	// StationGone says that a station is known no more.
	StationGone struct {
		Index  int
		MAC    ieee80211.MAC
		Reason ieee80211.Reason
	}
	// StationProbed tells whether a station gave a sign of life ([Conn.ProbeStation]).
	StationProbed struct {
		Index int
		MAC   ieee80211.MAC
		Acked bool
	}
	// Stray says that somebody sent data to an access point who is not associated ([Conn.RegisterStrays]).
	Stray struct {
		Index int
		MAC   ieee80211.MAC
	}
	// BeaconLost says that the access point has fallen silent. The kernel is still trying to reach it.
	BeaconLost struct{ Index int }
	// ChannelSwitching says that the interface will change its channel soon.
	ChannelSwitching struct{ Index, MHz, Beacons int }
	// ChannelSwitched says that it has changed it.
	ChannelSwitched struct{ Index, MHz int }
	// AccessPointStopped says that the driver took an access point down.
	AccessPointStopped struct{ Index int }
)

func (Overrun) of() int              { return 0 }
func (RadioChanged) of() int         { return 0 }
func (RadioGone) of() int            { return 0 }
func (e InterfaceChanged) of() int   { return e.Interface.Index }
func (e InterfaceGone) of() int      { return e.Index }
func (RegulatoryChanged) of() int    { return 0 }
func (e ScanStarted) of() int        { return e.Index }
func (e ScanDone) of() int           { return e.Index }
func (e Authenticated) of() int      { return e.Index }
func (e Associated) of() int         { return e.Index }
func (e Connected) of() int          { return e.Index }
func (e DriverRoamed) of() int       { return e.Index }
func (e PortAuthorized) of() int     { return e.Index }
func (e Disconnected) of() int       { return e.Index }
func (e Deauthenticated) of() int    { return e.Index }
func (e Unprotected) of() int        { return e.Index }
func (e ExternalAuth) of() int       { return e.Index }
func (e ControlPort) of() int        { return e.Index }
func (e FrameReceived) of() int      { return e.Index }
func (e FrameSent) of() int          { return e.Index }
func (e StationAdded) of() int       { return e.Index }
func (e StationGone) of() int        { return e.Index }
func (e StationProbed) of() int      { return e.Index }
func (e Stray) of() int              { return e.Index }
func (e BeaconLost) of() int         { return e.Index }
func (e ChannelSwitching) of() int   { return e.Index }
func (e ChannelSwitched) of() int    { return e.Index }
func (e AccessPointStopped) of() int { return e.Index }

// decoders read the events by the command that they are.
var decoders = map[uint8]func(attributes) Event{
	unix.NL80211_CMD_NEW_WIPHY:                func(a attributes) Event { return RadioChanged{int(a.u32(unix.NL80211_ATTR_WIPHY))} },
	unix.NL80211_CMD_DEL_WIPHY:                func(a attributes) Event { return RadioGone{int(a.u32(unix.NL80211_ATTR_WIPHY))} },
	unix.NL80211_CMD_NEW_INTERFACE:            func(a attributes) Event { return InterfaceChanged{decodeInterface(a)} },
	unix.NL80211_CMD_SET_INTERFACE:            func(a attributes) Event { return InterfaceChanged{decodeInterface(a)} },
	unix.NL80211_CMD_DEL_INTERFACE:            func(a attributes) Event { return InterfaceGone{a.index(), int(a.u32(unix.NL80211_ATTR_WIPHY))} },
	unix.NL80211_CMD_REG_CHANGE:               func(a attributes) Event { return RegulatoryChanged{a.text(unix.NL80211_ATTR_REG_ALPHA2)} },
	unix.NL80211_CMD_WIPHY_REG_CHANGE:         func(a attributes) Event { return RegulatoryChanged{a.text(unix.NL80211_ATTR_REG_ALPHA2)} },
	unix.NL80211_CMD_TRIGGER_SCAN:             func(a attributes) Event { return ScanStarted{a.index()} },
	unix.NL80211_CMD_NEW_SCAN_RESULTS:         func(a attributes) Event { return ScanDone{Index: a.index()} },
	unix.NL80211_CMD_SCAN_ABORTED:             func(a attributes) Event { return ScanDone{Index: a.index(), Aborted: true} },
	unix.NL80211_CMD_AUTHENTICATE:             decodeAuthenticated,
	unix.NL80211_CMD_ASSOCIATE:                decodeAssociated,
	unix.NL80211_CMD_CONNECT:                  decodeConnected,
	unix.NL80211_CMD_ROAM:                     decodeRoamed,
	unix.NL80211_CMD_PORT_AUTHORIZED:          func(a attributes) Event { return PortAuthorized{a.index(), a.mac(unix.NL80211_ATTR_MAC)} },
	unix.NL80211_CMD_DISCONNECT:               decodeDisconnected,
	unix.NL80211_CMD_DEAUTHENTICATE:           decodeDeauthenticated,
	unix.NL80211_CMD_DISASSOCIATE:             decodeDeauthenticated,
	unix.NL80211_CMD_UNPROT_DEAUTHENTICATE:    decodeUnprotected,
	unix.NL80211_CMD_UNPROT_DISASSOCIATE:      decodeUnprotected,
	unix.NL80211_CMD_EXTERNAL_AUTH:            decodeExternalAuth,
	unix.NL80211_CMD_CONTROL_PORT_FRAME:       decodeControlPort,
	unix.NL80211_CMD_FRAME:                    decodeFrame,
	unix.NL80211_CMD_FRAME_TX_STATUS:          decodeFrameSent,
	unix.NL80211_CMD_NEW_STATION:              decodeStationAdded,
	unix.NL80211_CMD_DEL_STATION:              decodeStationGone,
	unix.NL80211_CMD_PROBE_CLIENT:             decodeStationProbed,
	unix.NL80211_CMD_UNEXPECTED_FRAME:         func(a attributes) Event { return Stray{a.index(), a.mac(unix.NL80211_ATTR_MAC)} },
	unix.NL80211_CMD_NOTIFY_CQM:               decodeQuality,
	unix.NL80211_CMD_CH_SWITCH_STARTED_NOTIFY: decodeSwitching,
	unix.NL80211_CMD_CH_SWITCH_NOTIFY:         func(a attributes) Event { return ChannelSwitched{a.index(), int(a.u32(unix.NL80211_ATTR_WIPHY_FREQ))} },
	unix.NL80211_CMD_STOP_AP:                  func(a attributes) Event { return AccessPointStopped{a.index()} },
}

// decodeEvent returns nil for what is no event of this package, or malformed.
func decodeEvent(command uint8, b []byte) Event {
	decode := decoders[command]
	if decode == nil {
		return nil
	}
	return decode(parse(b))
}

func (a attributes) index() int { return int(a.u32(unix.NL80211_ATTR_IFINDEX)) }

func decodeAuthenticated(a attributes) Event {
	ev := Authenticated{Index: a.index(), BSSID: a.mac(unix.NL80211_ATTR_MAC), TimedOut: a.has(unix.NL80211_ATTR_TIMED_OUT)}
	if ev.TimedOut {
		return ev
	}
	f, err := ieee80211.ParseFrame(a[unix.NL80211_ATTR_FRAME])
	if err != nil {
		return nil
	}
	ev.BSSID = f.BSSID
	if ev.Auth, err = ieee80211.ParseAuth(f.Body); err != nil {
		return nil
	}
	return ev
}

func decodeAssociated(a attributes) Event {
	ev := Associated{Index: a.index(), BSSID: a.mac(unix.NL80211_ATTR_MAC), TimedOut: a.has(unix.NL80211_ATTR_TIMED_OUT)}
	if ev.TimedOut {
		return ev
	}
	f, err := ieee80211.ParseFrame(a[unix.NL80211_ATTR_FRAME])
	if err != nil {
		return nil
	}
	r, err := ieee80211.ParseAssocResponse(f.Body)
	if err != nil {
		return nil
	}
	ev.BSSID, ev.Status = f.BSSID, r.Status
	return ev
}

func decodeConnected(a attributes) Event {
	return Connected{
		Index: a.index(), BSSID: a.mac(unix.NL80211_ATTR_MAC), TimedOut: a.has(unix.NL80211_ATTR_TIMED_OUT),
		Status: ieee80211.Status(a.u16(unix.NL80211_ATTR_STATUS_CODE)), Request: a[unix.NL80211_ATTR_REQ_IE],
	}
}

func decodeRoamed(a attributes) Event {
	return DriverRoamed{
		Index: a.index(), BSSID: a.mac(unix.NL80211_ATTR_MAC), Request: a[unix.NL80211_ATTR_REQ_IE],
		Authorized: a.has(unix.NL80211_ATTR_PORT_AUTHORIZED),
	}
}

func decodeDisconnected(a attributes) Event {
	return Disconnected{
		Index: a.index(), ByPeer: a.has(unix.NL80211_ATTR_DISCONNECTED_BY_AP), Reason: ieee80211.Reason(a.u16(unix.NL80211_ATTR_REASON_CODE)),
	}
}

func decodeDeauthenticated(a attributes) Event {
	f, err := ieee80211.ParseFrame(a[unix.NL80211_ATTR_FRAME])
	if err != nil {
		return nil
	}
	reason, err := ieee80211.ParseReason(f.Body)
	if err != nil {
		reason = ieee80211.ReasonUnspecified // it is over all the same
	}
	return Deauthenticated{Index: a.index(), From: f.From, To: f.To, BSSID: f.BSSID, Reason: reason}
}

func decodeUnprotected(a attributes) Event {
	f, err := ieee80211.ParseFrame(a[unix.NL80211_ATTR_FRAME])
	if err != nil {
		return nil
	}
	return Unprotected{a.index(), f.BSSID}
}

func decodeExternalAuth(a attributes) Event {
	return ExternalAuth{
		Index: a.index(), Start: a.u32(unix.NL80211_ATTR_EXTERNAL_AUTH_ACTION) == unix.NL80211_EXTERNAL_AUTH_START,
		BSSID: a.mac(unix.NL80211_ATTR_BSSID), SSID: ieee80211.SSID(a[unix.NL80211_ATTR_SSID]),
		AKM: ieee80211.Suite(a.u32(unix.NL80211_ATTR_AKM_SUITES)),
	}
}

func decodeControlPort(a attributes) Event {
	return ControlPort{
		Index: a.index(), From: a.mac(unix.NL80211_ATTR_MAC), Protocol: a.u16(unix.NL80211_ATTR_CONTROL_PORT_ETHERTYPE),
		Encrypted: !a.has(unix.NL80211_ATTR_CONTROL_PORT_NO_ENCRYPT), Data: a[unix.NL80211_ATTR_FRAME],
	}
}

func decodeFrame(a attributes) Event {
	return FrameReceived{
		Index: a.index(), MHz: int(a.u32(unix.NL80211_ATTR_WIPHY_FREQ)), Signal: int(int32(a.u32(unix.NL80211_ATTR_RX_SIGNAL_DBM))),
		Frame: a[unix.NL80211_ATTR_FRAME],
	}
}

func decodeFrameSent(a attributes) Event {
	return FrameSent{
		Index: a.index(), Cookie: a.u64(unix.NL80211_ATTR_COOKIE), Acked: a.has(unix.NL80211_ATTR_ACK), Frame: a[unix.NL80211_ATTR_FRAME],
	}
}

func decodeStationAdded(a attributes) Event {
	return StationAdded{a.index(), a.mac(unix.NL80211_ATTR_MAC), a[unix.NL80211_ATTR_IE]}
}

func decodeStationProbed(a attributes) Event {
	return StationProbed{a.index(), a.mac(unix.NL80211_ATTR_MAC), a.has(unix.NL80211_ATTR_ACK)}
}

func decodeStationGone(a attributes) Event {
	return StationGone{a.index(), a.mac(unix.NL80211_ATTR_MAC), ieee80211.Reason(a.u16(unix.NL80211_ATTR_REASON_CODE))}
}

func decodeQuality(a attributes) Event {
	if !parse(a[unix.NL80211_ATTR_CQM]).has(unix.NL80211_ATTR_CQM_BEACON_LOSS_EVENT) {
		return nil
	}
	return BeaconLost{a.index()}
}

func decodeSwitching(a attributes) Event {
	return ChannelSwitching{a.index(), int(a.u32(unix.NL80211_ATTR_WIPHY_FREQ)), int(a.u32(unix.NL80211_ATTR_CH_SWITCH_COUNT))}
}
