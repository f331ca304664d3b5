package station

import (
	"encoding/binary"
	"log/slog"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"manofwar/netmgr/ieee80211"
	"manofwar/netmgr/nl80211"
	"manofwar/netmgr/nl80211/nl80211test"
	"manofwar/netmgr/wpa"
	"manofwar/netmgr/wpa/sae"
)

// driver is a driver together with the access points that it hears. Its firmware joins by itself (FullMAC), as no radio
// does that the kernel simulates, or sends what it is told (SoftMAC).
type driver struct {
	t        *testing.T
	password string // of the access points
	akm      ieee80211.Suite
	heard    []ieee80211.MAC
	refuse   func(*nl80211test.Kernel, nl80211test.Request) (_ nl80211test.Answer, is bool) // before all else; nil: nothing

	soft   bool
	status ieee80211.Status // with which the access points answer requests to associate
	silent bool             // they answer nothing
	asked  int              // security association queries

	at            ieee80211.MAC // the access point it is at
	connect       nl80211test.Request
	exchange      *sae.Exchange
	pmk           []byte
	authenticator *wpa.Authenticator
	pairwise      int    // keys installed
	groups        []byte // numbers of those
	authorized    int
	finished      *ieee80211.Status // of SAE
	scans         int
	lose, lost    int // how many of the station's and of the access point's frames of SAE get lost
}

var (
	own    = ieee80211.MAC{2, 0, 0, 0, 0, 9}
	first  = ieee80211.MAC{2, 0, 0, 0, 0, 1}
	second = ieee80211.MAC{2, 0, 0, 0, 0, 2}
)

const password = "correct horse"

// station returns a station with the driver.
func (d *driver) station(f nl80211.Features) (*Station, *nl80211test.Kernel) {
	d.t.Helper()
	if d.heard == nil {
		d.heard = []ieee80211.MAC{first}
	}
	k, conn := nl80211test.New(d.t, d.answer)
	f.ControlPort = true
	s, err := New(Config{
		Radio:     nl80211.Radio{Commands: nl80211.Commands{Connect: true, Frame: true, Authenticate: d.soft}, Features: f},
		Interface: nl80211.Interface{Index: 3, MAC: own}, Log: slog.New(slog.DiscardHandler),
		dial: func() (*nl80211.Conn, error) { return conn, nil }, up: func(int) error { return nil },
	})
	if err != nil {
		d.t.Fatal(err)
	}
	return s, k
}

// elements are those of the access points' beacons.
func (d *driver) elements() ieee80211.Elements {
	if d.akm == 0 {
		return ieee80211.Element{ID: ieee80211.ElementSSID, Data: []byte("Home")}.Append(nil)
	}
	rsn := ieee80211.RSN{Group: ieee80211.CipherCCMP, Pairwise: []ieee80211.Suite{ieee80211.CipherCCMP}, AKMs: []ieee80211.Suite{d.akm}}
	b := ieee80211.Element{ID: ieee80211.ElementSSID, Data: []byte("Home")}.Append(nil)
	if d.akm == ieee80211.AKMSAE {
		rsn.Capabilities = ieee80211.MFPCapable | ieee80211.MFPRequired
		return ieee80211.RSNXHashToElement.Element().Append(rsn.Element().Append(b))
	}
	return rsn.Element().Append(b)
}

func (d *driver) answer(k *nl80211test.Kernel, r nl80211test.Request) nl80211test.Answer {
	if d.refuse != nil {
		if a, is := d.refuse(k, r); is {
			return a
		}
	}
	switch r.Command {
	case unix.NL80211_CMD_GET_SCAN:
		return nl80211test.Answer{Messages: d.results()}
	case unix.NL80211_CMD_TRIGGER_SCAN:
		d.scans++
		d.tell(k, unix.NL80211_CMD_TRIGGER_SCAN)
		d.tell(k, unix.NL80211_CMD_NEW_SCAN_RESULTS)
	case unix.NL80211_CMD_DISCONNECT:
		return nl80211test.Answer{Errno: unix.ENOTCONN}
	case unix.NL80211_CMD_CONNECT:
		d.connect, d.at = r, ieee80211.MAC(r.Attributes[unix.NL80211_ATTR_MAC])
		if _, ok := r.Attributes[unix.NL80211_ATTR_EXTERNAL_AUTH_SUPPORT]; ok {
			d.tell(k, unix.NL80211_CMD_EXTERNAL_AUTH, nl80211test.U32(unix.NL80211_ATTR_EXTERNAL_AUTH_ACTION, unix.NL80211_EXTERNAL_AUTH_START),
				nl80211test.Attribute{Kind: unix.NL80211_ATTR_BSSID, Data: d.at[:]}, nl80211test.Attribute{Kind: unix.NL80211_ATTR_SSID, Data: []byte("Home")})
			break
		}
		d.connected(k)
	case unix.NL80211_CMD_AUTHENTICATE:
		d.at = ieee80211.MAC(r.Attributes[unix.NL80211_ATTR_MAC])
		auth := []byte{byte(ieee80211.AuthOpen), 0, 1, 0, 0, 0}
		if data := r.Attributes[unix.NL80211_ATTR_AUTH_DATA]; data != nil {
			auth = append([]byte{byte(ieee80211.AuthSAE), 0}, data...)
		}
		d.authenticate(k, unix.NL80211_CMD_AUTHENTICATE, auth)
	case unix.NL80211_CMD_ASSOCIATE:
		d.connect = r
		d.associate(k)
	case unix.NL80211_CMD_FRAME:
		f, err := ieee80211.ParseFrame(r.Attributes[unix.NL80211_ATTR_FRAME])
		if err != nil || f.To != d.at || f.From != own || f.BSSID != d.at {
			d.t.Errorf("frame %+v, %v", f, err)
		}
		if f.Kind == ieee80211.Action {
			d.query(k, f.Body)
			break
		}
		d.authenticate(k, unix.NL80211_CMD_FRAME, f.Body)
	case unix.NL80211_CMD_EXTERNAL_AUTH:
		status := ieee80211.Status(binary.NativeEndian.Uint16(r.Attributes[unix.NL80211_ATTR_STATUS_CODE]))
		if d.finished = &status; status == ieee80211.StatusSuccess {
			d.connected(k)
		}
	case unix.NL80211_CMD_CONTROL_PORT_FRAME:
		acts, err := d.authenticator.Receive(time.Now(), r.Attributes[unix.NL80211_ATTR_FRAME])
		if err != nil {
			d.t.Logf("802.1X frame: %v", err)
		}
		d.send(k, acts)
	case unix.NL80211_CMD_NEW_KEY:
		key := nl80211test.Decode(r.Attributes[unix.NL80211_ATTR_KEY])
		if number := key[unix.NL80211_KEY_IDX][0]; number == 0 {
			d.pairwise++
		} else {
			d.groups = append(d.groups, number)
		}
	case unix.NL80211_CMD_SET_STATION:
		d.authorized++
	}
	return nl80211test.Answer{}
}

func (d *driver) tell(k *nl80211test.Kernel, command uint8, list ...nl80211test.Attribute) {
	k.Tell(command, append(list, nl80211test.U32(unix.NL80211_ATTR_IFINDEX, 3))...)
}

func (d *driver) results() [][]byte {
	var out [][]byte
	for i, bssid := range d.heard {
		out = append(out, nl80211test.Encode(nl80211test.Nest(unix.NL80211_ATTR_BSS,
			nl80211test.Attribute{Kind: unix.NL80211_BSS_BSSID, Data: bssid[:]}, nl80211test.U32(unix.NL80211_BSS_FREQUENCY, 2437),
			nl80211test.U32(unix.NL80211_BSS_SIGNAL_MBM, uint32(-4000-i*1000)), nl80211test.U16(unix.NL80211_BSS_CAPABILITY, uint16(ieee80211.CapabilityESS)),
			nl80211test.Attribute{Kind: unix.NL80211_BSS_INFORMATION_ELEMENTS, Data: d.elements()},
		)))
	}
	return out
}

// connected tells that the association is made, and begins the handshake, unless the firmware makes the keys.
func (d *driver) connected(k *nl80211test.Kernel) {
	d.tell(k, unix.NL80211_CMD_CONNECT, nl80211test.U16(unix.NL80211_ATTR_STATUS_CODE, 0), nl80211test.Attribute{Kind: unix.NL80211_ATTR_MAC, Data: d.at[:]})
	if d.connect.Attributes[unix.NL80211_ATTR_PMK] == nil && d.connect.Attributes[unix.NL80211_ATTR_SAE_PASSWORD] == nil {
		d.begin(k)
	}
}

func (d *driver) begin(k *nl80211test.Kernel) {
	pmk := d.pmk
	if pmk == nil {
		var err error
		if pmk, err = wpa.PSK("Home", d.password); err != nil {
			d.t.Error(err)
		}
	}
	var err error
	d.authenticator, err = wpa.NewAuthenticator(wpa.Association{Link: wpa.Link{
		AccessPoint: d.at, Station: own, AKM: d.akm, PMK: pmk,
		AccessPointElements: d.elements(), StationElements: d.connect.Attributes[unix.NL80211_ATTR_IE],
	}, Group: wpa.NewGroup()})
	if err != nil {
		d.t.Error(err)
		return
	}
	d.send(k, d.authenticator.Start(time.Now()))
}

// send sends the access point's frames, each twice: as anybody could who has recorded it.
func (d *driver) send(k *nl80211test.Kernel, acts []wpa.Action) {
	for _, act := range acts {
		if act, ok := act.(wpa.Send); ok {
			for range 2 {
				d.tell(k, unix.NL80211_CMD_CONTROL_PORT_FRAME, nl80211test.Attribute{Kind: unix.NL80211_ATTR_MAC, Data: d.at[:]},
					nl80211test.U16(unix.NL80211_ATTR_CONTROL_PORT_ETHERTYPE, nl80211.EAPOL), nl80211test.Attribute{Kind: unix.NL80211_ATTR_FRAME, Data: act.Frame})
			}
		}
	}
}

// frame tells of a management frame of the access point.
func (d *driver) frame(k *nl80211test.Kernel, command uint8, kind ieee80211.Kind, body []byte) {
	f := ieee80211.Frame{Kind: kind, To: own, From: d.at, BSSID: d.at, Body: body}
	d.tell(k, command, nl80211test.Attribute{Kind: unix.NL80211_ATTR_FRAME, Data: f.Append(nil)})
}

// authenticate is the access point's side of authentication. The answers come as a command.
func (d *driver) authenticate(k *nl80211test.Kernel, command uint8, body []byte) {
	auth, err := ieee80211.ParseAuth(body)
	if err != nil {
		d.t.Error(err)
	}
	switch {
	case d.silent:
		d.tell(k, command, nl80211test.Attribute{Kind: unix.NL80211_ATTR_TIMED_OUT}, nl80211test.Attribute{Kind: unix.NL80211_ATTR_MAC, Data: d.at[:]})
		return
	case auth.Algorithm == ieee80211.AuthOpen:
		d.frame(k, command, ieee80211.Authentication, ieee80211.Auth{Transaction: 2}.Append(nil))
		return
	case d.lose > 0:
		d.lose--
		return
	}
	if d.exchange == nil {
		secret, err := sae.NewSecret("Home", d.password)
		if err != nil {
			d.t.Error(err)
		}
		d.exchange = sae.New(sae.Config{Own: d.at, Peer: own, Secret: secret})
	}
	answers, err := d.exchange.Receive(auth)
	if err != nil {
		d.t.Logf("SAE: %v", err)
	}
	d.pmk, _, _ = d.exchange.Key()
	if d.lost > 0 {
		d.lost--
		return
	}
	for _, a := range answers {
		d.frame(k, command, ieee80211.Authentication, a.Append(nil))
	}
}

func (d *driver) associate(k *nl80211test.Kernel) {
	d.frame(k, unix.NL80211_CMD_ASSOCIATE, ieee80211.AssociationResponse, ieee80211.AssocResponse{Status: d.status, AID: 1}.Append(nil))
	if d.status == ieee80211.StatusSuccess && d.akm != 0 {
		d.begin(k)
	}
}

// query answers a security association query.
func (d *driver) query(k *nl80211test.Kernel, body []byte) {
	if d.asked++; !d.silent {
		d.frame(k, unix.NL80211_CMD_FRAME, ieee80211.Action, append([]byte{categorySAQuery, actionResponse}, body[2:]...))
	}
}
