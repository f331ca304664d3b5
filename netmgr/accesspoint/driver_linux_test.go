package accesspoint

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"manofwar/netmgr"
	"manofwar/netmgr/ieee80211"
	"manofwar/netmgr/nl80211"
	"manofwar/netmgr/nl80211/nl80211test"
	"manofwar/netmgr/wpa"
)

// driver stands in for a driver that no simulated radio has, as one whose firmware answers stations by itself, together with
// a phone that joins as soon as there are beacons.
type driver struct {
	t      *testing.T
	radio  nl80211.Radio
	refuse func(*nl80211test.Kernel, nl80211test.Request) unix.Errno // before all else; nil: nothing
	phone  *phone                                                    // nil: there is none
	up     func(int) error                                           // nil: it works

	commands []uint8 // that were asked for
	start    nl80211test.Request
	mhz      uint32
	eapol    chan received // from the phone
	events   chan netmgr.Event
	kernel   *nl80211test.Kernel
}

const apIndex = 7

// fullMAC is a radio such as a Pi's.
func fullMAC() nl80211.Radio {
	return nl80211.Radio{
		Types:    []nl80211.InterfaceType{nl80211.StationInterface, nl80211.AccessPointInterface},
		Channels: []nl80211.Channel{{MHz: 2437}, {MHz: 2462}},
		Ciphers:  []ieee80211.Suite{ieee80211.CipherCCMP, ieee80211.CipherBIP},
		Commands: nl80211.Commands{StartAP: true, Connect: true},
		Features: nl80211.Features{APSME: true},
		Combinations: []nl80211.Combination{{Max: 2, Channels: 1, Limits: []nl80211.Limit{
			{Max: 2, Types: []nl80211.InterfaceType{nl80211.StationInterface, nl80211.AccessPointInterface}},
		}}},
	}
}

// launch runs an access point on the driver and returns how to end it.
func (d *driver) launch(passphrase string) (a *AccessPoint, end func() error) {
	d.t.Helper()
	d.eapol, d.events = make(chan received, 10), make(chan netmgr.Event, 100)
	var conn *nl80211.Conn
	d.kernel, conn = nl80211test.New(d.t, d.answer)
	a, err := New(Options{
		Phy: 0, SSID: "Boat", Passphrase: passphrase, MHz: 2437, Log: slog.New(slog.DiscardHandler),
		Tell: func(ev netmgr.Event) { d.events <- ev },
	})
	if err != nil {
		d.t.Fatal(err)
	}
	up := d.up
	if up == nil {
		up = func(int) error { return nil }
	}
	a.system = system{
		dial: func() (*nl80211.Conn, error) { return conn, nil },
		up:   up, down: func(int) error { return nil }, setMAC: func(int, net.HardwareAddr) error { return nil },
		listen: func(int) (port, error) { return d, nil },
	}
	a.adjust = func(r *nl80211.Radio) { *r = d.radio }
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- a.Run(ctx) }()
	return a, func() error {
		cancel()
		return <-done
	}
}

// await waits for an event.
func (d *driver) await(want netmgr.Event) {
	d.t.Helper()
	var heard []netmgr.Event
	for over := time.After(10 * time.Second); ; {
		select {
		case ev := <-d.events:
			if heard = append(heard, ev); ev == want {
				return
			}
		case <-over:
			d.t.Fatalf("%+v, want %+v", heard, want)
		}
	}
}

func (d *driver) answer(k *nl80211test.Kernel, r nl80211test.Request) nl80211test.Answer {
	d.commands = append(d.commands, r.Command)
	if d.refuse != nil {
		if errno := d.refuse(k, r); errno != 0 {
			return nl80211test.Answer{Errno: errno}
		}
	}
	one := func(list ...nl80211test.Attribute) nl80211test.Answer {
		return nl80211test.Answer{Messages: [][]byte{nl80211test.Encode(list...)}}
	}
	face := func(index, kind uint32, mac ieee80211.MAC, mhz uint32) []byte {
		return nl80211test.Encode(nl80211test.U32(unix.NL80211_ATTR_IFINDEX, index), nl80211test.U32(unix.NL80211_ATTR_IFTYPE, kind),
			nl80211test.Attribute{Kind: unix.NL80211_ATTR_MAC, Data: mac[:]}, nl80211test.U32(unix.NL80211_ATTR_WIPHY_FREQ, mhz))
	}
	own := func() []byte { return face(apIndex, unix.NL80211_IFTYPE_AP, self, d.mhz) }
	switch r.Command {
	case unix.NL80211_CMD_GET_WIPHY:
		return one(nl80211test.U32(unix.NL80211_ATTR_WIPHY, 0))
	case unix.NL80211_CMD_GET_INTERFACE:
		if r.Dump {
			return nl80211test.Answer{Messages: [][]byte{face(3, unix.NL80211_IFTYPE_STATION, ieee80211.MAC{2, 0, 0, 0, 0, 1}, 0)}}
		}
		return nl80211test.Answer{Messages: [][]byte{own()}}
	case unix.NL80211_CMD_NEW_INTERFACE:
		return nl80211test.Answer{Messages: [][]byte{own()}}
	case unix.NL80211_CMD_START_AP:
		d.start, d.mhz = r, r.U32(unix.NL80211_ATTR_WIPHY_FREQ)
		if d.phone != nil {
			d.tell(k, unix.NL80211_CMD_NEW_STATION, nl80211test.Attribute{Kind: unix.NL80211_ATTR_IE, Data: d.phone.request.Elements})
		}
	case unix.NL80211_CMD_GET_KEY:
		return one(nl80211test.Nest(unix.NL80211_ATTR_KEY, nl80211test.Attribute{Kind: unix.NL80211_KEY_SEQ, Data: []byte{3, 0, 0, 0, 0, 0}}))
	}
	return nl80211test.Answer{}
}

// tell tells an event about the phone.
func (d *driver) tell(k *nl80211test.Kernel, command uint8, list ...nl80211test.Attribute) {
	k.Tell(command, append(list, nl80211test.U32(unix.NL80211_ATTR_IFINDEX, apIndex),
		nl80211test.Attribute{Kind: unix.NL80211_ATTR_MAC, Data: d.phone.mac[:]})...)
}

// asked returns how often a command was asked for.
func (d *driver) asked(command uint8) (n int) {
	d.kernel.Do(func() {
		for _, c := range d.commands {
			if c == command {
				n++
			}
		}
	})
	return n
}

// The driver is also where the access point's EAPOL frames go: to the phone, whose answers come back.

func (d *driver) frames() <-chan received { return d.eapol }
func (d *driver) close()                  {}

func (d *driver) send(to ieee80211.MAC, data []byte) error {
	p := d.phone
	if to != p.mac {
		return errors.New("nobody there")
	}
	if p.supplies == nil {
		var err error
		if p.supplies, err = wpa.NewSupplicant(wpa.Link{
			AccessPoint: self, Station: p.mac, AKM: ieee80211.AKMPSK, PMK: p.pmk,
			AccessPointElements: offer(false).Element().Append(nil), StationElements: p.request.Elements,
		}); err != nil {
			return err
		}
	}
	wants, _ := p.supplies.Receive(data)
	for _, w := range wants {
		if w, ok := w.(wpa.Send); ok {
			d.eapol <- received{p.mac, w.Frame}
			continue
		}
		p.installed = append(p.installed, w)
	}
	return nil
}

// newcomer is a phone that knows a password.
func newcomer(t *testing.T, passphrase string) *phone {
	t.Helper()
	pmk, err := wpa.PSK("Boat", passphrase)
	if err != nil {
		t.Fatal(err)
	}
	return &phone{
		mac: ieee80211.MAC{2, 0, 0, 0, 1, 1}, pmk: pmk,
		request: ieee80211.AssocRequest{Elements: withoutMFP(offer(false))},
	}
}

// softMAC is a radio whose stations are ours to answer.
func softMAC() nl80211.Radio {
	r := fullMAC()
	r.Features = nl80211.Features{ControlPort: true}
	r.Commands = nl80211.Commands{StartAP: true, Frame: true, Station: true, ChannelSwitch: true}
	return r
}

// hears lets the access point receive a frame of the phone's.
func (d *driver) hears(kind ieee80211.Kind, body []byte) {
	f := ieee80211.Frame{Kind: kind, To: self, From: d.phone.mac, BSSID: self, Body: body}
	d.tell(d.kernel, unix.NL80211_CMD_FRAME, nl80211test.Attribute{Kind: unix.NL80211_ATTR_FRAME, Data: f.Append(nil)})
}

// enters brings a phone into reach.
func (d *driver) enters() {
	p := newcomer(d.t, "correct horse")
	d.kernel.Do(func() { d.phone = p })
}

// joins lets the phone authenticate and associate.
func (d *driver) joins() {
	es := ieee80211.Element{ID: ieee80211.ElementSSID, Data: []byte("Boat")}.Append(nil)
	es = ieee80211.RatesAt(2437).Basic().Append(es)
	d.hears(ieee80211.Authentication, ieee80211.Auth{Transaction: 1}.Append(nil))
	d.hears(ieee80211.AssociationRequest, ieee80211.AssocRequest{Elements: append(es, d.phone.request.Elements...)}.Append(nil))
}

// TestMoveWaits checks that a radio that is busy for a moment is asked again, and one that stays so is not asked for ever.
func TestMoveWaits(t *testing.T) {
	t.Parallel()
	d := &driver{t: t, radio: softMAC()}
	busy := 3
	d.refuse = func(k *nl80211test.Kernel, r nl80211test.Request) unix.Errno {
		if r.Command != unix.NL80211_CMD_CHANNEL_SWITCH {
			return 0
		}
		if busy--; busy >= 0 {
			return unix.EBUSY
		}
		k.Tell(unix.NL80211_CMD_CH_SWITCH_NOTIFY, nl80211test.U32(unix.NL80211_ATTR_IFINDEX, apIndex),
			nl80211test.U32(unix.NL80211_ATTR_WIPHY_FREQ, r.U32(unix.NL80211_ATTR_WIPHY_FREQ)))
		return 0
	}
	a, end := d.launch("correct horse")
	if err := a.Move(t.Context(), 2462); err != nil {
		t.Error(err)
	}
	d.await(netmgr.AccessPointUp{Phy: 0, Index: apIndex, MHz: 2462})
	d.kernel.Do(func() { busy, a.patience = 1000, time.Second })
	if err := a.Move(t.Context(), 2437); !errors.Is(err, ErrBusy) {
		t.Errorf("%v, want %v", err, ErrBusy)
	}
	if err := end(); err != nil {
		t.Error(err)
	}
}

// TestKernelRefusesStation checks that a station which the kernel has no room for is sent away, and the access point goes on.
func TestKernelRefusesStation(t *testing.T) {
	t.Parallel()
	d := &driver{t: t, radio: softMAC()}
	full, told := true, make(chan ieee80211.Frame, 10)
	d.refuse = func(_ *nl80211test.Kernel, r nl80211test.Request) unix.Errno {
		switch r.Command {
		case unix.NL80211_CMD_NEW_STATION:
			if full {
				return unix.ENOSPC
			}
		case unix.NL80211_CMD_FRAME:
			f, err := ieee80211.ParseFrame(r.Attributes[unix.NL80211_ATTR_FRAME])
			if err != nil {
				t.Error(err)
			}
			if f.To != ieee80211.Broadcast {
				told <- f
			}
		}
		return 0
	}
	_, end := d.launch("")
	d.await(netmgr.AccessPointUp{Phy: 0, Index: apIndex, MHz: 2437})
	d.enters()
	d.joins()
	for _, want := range []ieee80211.Kind{ieee80211.Authentication, ieee80211.Deauthentication} {
		select {
		case f := <-told:
			if f.Kind != want || f.To != d.phone.mac {
				t.Errorf("told %+v, want kind %x", f, want)
			}
		case <-time.After(10 * time.Second):
			t.Fatalf("not told %x", want)
		}
	}
	d.kernel.Do(func() { full = false })
	d.joins()
	d.await(netmgr.AccessPointClients{Phy: 0, Count: 1})
	if err := end(); err != nil {
		t.Error(err)
	}
}

// TestTooMuch checks that the access point goes on after it was told more than it could take in.
func TestTooMuch(t *testing.T) {
	t.Parallel()
	d := &driver{t: t, radio: softMAC()}
	_, end := d.launch("")
	d.await(netmgr.AccessPointUp{Phy: 0, Index: apIndex, MHz: 2437})
	d.enters()
	for range 10_000 {
		d.tell(d.kernel, unix.NL80211_CMD_PROBE_CLIENT)
		d.tell(d.kernel, unix.NL80211_CMD_UNEXPECTED_FRAME)
	}
	for range 20 { // one of these is heard
		d.joins()
		select {
		case ev := <-d.events:
			if ev == (netmgr.AccessPointClients{Phy: 0, Count: 1}) {
				if err := end(); err != nil {
					t.Error(err)
				}
				return
			}
			t.Fatalf("%+v", ev)
		case <-time.After(2 * answerWait):
		}
	}
	t.Error("it hears nothing any more")
}
