package station

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"manofwar/netmgr"
	"manofwar/netmgr/ieee80211"
	"manofwar/netmgr/nl80211"
	"manofwar/netmgr/nl80211/nl80211test"
	"manofwar/netmgr/wpa"
)

const soon = 20 * time.Second // for a race detector on a busy machine

// stayed is a network joined with a driver.
type stayed struct {
	t      *testing.T
	cancel context.CancelFunc
	events chan netmgr.Event
	over   chan error
}

func run(t *testing.T, s *Station, n Network) *stayed {
	ctx, cancel := context.WithCancel(t.Context())
	v := &stayed{t: t, cancel: cancel, events: make(chan netmgr.Event, 16), over: make(chan error, 1)}
	go func() { v.over <- s.Run(ctx, n, func(ev netmgr.Event) { v.events <- ev }) }()
	return v
}

func (v *stayed) event() netmgr.Event {
	v.t.Helper()
	select {
	case ev := <-v.events:
		return ev
	case err := <-v.over:
		select {
		case ev := <-v.events: // before the end
			v.over <- err
			return ev
		default:
			v.t.Fatalf("ended with %v", err)
		}
	case <-time.After(soon):
		v.t.Fatal("nothing happened")
	}
	return nil
}

func (v *stayed) failed(want netmgr.Failure) *Error {
	v.t.Helper()
	select {
	case err := <-v.over:
		var e *Error
		if !errors.As(err, &e) || e.Failure != want {
			v.t.Fatalf("ended with %v, want %s", err, want)
		}
		return e
	case <-time.After(soon):
		v.t.Fatal("it does not end")
	}
	return nil
}

func (v *stayed) leave() {
	v.t.Helper()
	v.cancel()
	if err := <-v.over; err != nil {
		v.t.Errorf("left with %v", err)
	}
}

func network() Network { return Network{Number: 5, SSID: "Home", Password: password, MHz: 2437} }

func TestFirmwareMakesKeys(t *testing.T) {
	for _, c := range []struct {
		name     string
		akm      ieee80211.Suite
		features nl80211.Features
		wants    uint16
		value    func() []byte
	}{
		{
			"WPA2", ieee80211.AKMPSK,
			nl80211.Features{HandshakeOffload: true},
			unix.NL80211_ATTR_PMK,
			func() []byte { b, _ := wpa.PSK("Home", password); return b },
		},
		{
			"WPA3", ieee80211.AKMSAE,
			nl80211.Features{HandshakeOffload: true, SAEOffload: true},
			unix.NL80211_ATTR_SAE_PASSWORD,
			func() []byte { return []byte(password) },
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := &driver{t: t, password: password, akm: c.akm}
			s, k := d.station(c.features)
			v := run(t, s, network())
			if got, want := v.event(), (netmgr.Joined{Number: 5, BSSID: netmgr.MAC(first), MHz: 2437}); got != want {
				t.Errorf("%+v, want %+v", got, want)
			}
			k.Do(func() {
				if got := d.connect.Attributes[c.wants]; !slices.Equal(got, c.value()) {
					t.Errorf("the firmware was given %x", got)
				}
				if d.pairwise != 0 || d.authorized != 0 {
					t.Error("keys were installed beside the firmware's")
				}
				d.tell(k, unix.NL80211_CMD_ROAM, nl80211test.Attribute{Kind: unix.NL80211_ATTR_MAC, Data: first[:]},
					nl80211test.Attribute{Kind: unix.NL80211_ATTR_PORT_AUTHORIZED})
				d.tell(k, unix.NL80211_CMD_DISCONNECT, nl80211test.U16(unix.NL80211_ATTR_REASON_CODE, 3),
					nl80211test.Attribute{Kind: unix.NL80211_ATTR_DISCONNECTED_BY_AP})
			})
			if got, want := v.event(), (netmgr.Roamed{Number: 5, BSSID: netmgr.MAC(first), MHz: 2437}); got != want {
				t.Errorf("%+v, want %+v", got, want)
			}
			v.failed(netmgr.Lost)
		})
	}
}

func TestFirmwareRefuses(t *testing.T) {
	d := &driver{t: t, password: password, akm: ieee80211.AKMPSK}
	d.refuse = func(k *nl80211test.Kernel, r nl80211test.Request) (nl80211test.Answer, bool) {
		if r.Command == unix.NL80211_CMD_CONNECT {
			d.tell(k, unix.NL80211_CMD_CONNECT, nl80211test.U16(unix.NL80211_ATTR_STATUS_CODE, 16))
			return nl80211test.Answer{}, true
		}
		return nl80211test.Answer{}, false
	}
	s, _ := d.station(nl80211.Features{HandshakeOffload: true})
	e := run(t, s, network()).failed(netmgr.WrongPassword)
	if want := "Home does not let this device in: the password may be wrong."; e.Reason != want {
		t.Errorf("%q", e.Reason)
	}
}

// The driver joins and roams by itself, but leaves the keys, and SAE, to us. Every frame comes twice.
func TestDriverLeavesKeysToUs(t *testing.T) {
	for _, c := range []struct {
		name     string
		akm      ieee80211.Suite
		features nl80211.Features
	}{
		{"WPA2", ieee80211.AKMPSK, nl80211.Features{}},
		{"WPA3", ieee80211.AKMSAE, nl80211.Features{SAE: true}},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := &driver{t: t, password: password, akm: c.akm, heard: []ieee80211.MAC{first, second}}
			s, k := d.station(c.features)
			v := run(t, s, network())
			if got, want := v.event(), (netmgr.Joined{Number: 5, BSSID: netmgr.MAC(first), MHz: 2437}); got != want {
				t.Errorf("%+v, want %+v", got, want)
			}
			k.Do(func() {
				if d.pairwise != 1 || len(d.groups) == 0 || d.authorized != 1 {
					t.Errorf("%d pairwise keys, groups' %v, authorized %d times", d.pairwise, d.groups, d.authorized)
				}
			})
			if c.akm == ieee80211.AKMSAE {
				v.leave()
				return
			}
			k.Do(func() {
				d.at = second
				d.tell(k, unix.NL80211_CMD_ROAM, nl80211test.Attribute{Kind: unix.NL80211_ATTR_MAC, Data: second[:]})
				d.begin(k)
			})
			if got, want := v.event(), (netmgr.Roamed{Number: 5, BSSID: netmgr.MAC(second), MHz: 2437}); got != want {
				t.Errorf("%+v, want %+v", got, want)
			}
			k.Do(func() {
				if d.pairwise != 2 || d.authorized != 2 {
					t.Errorf("after roaming: %d pairwise keys, authorized %d times", d.pairwise, d.authorized)
				}
			})
			v.leave()
		})
	}
}

func TestFramesOfSAEGetLost(t *testing.T) {
	t.Parallel()
	d := &driver{t: t, password: password, akm: ieee80211.AKMSAE, lose: 1, lost: 1}
	s, _ := d.station(nl80211.Features{SAE: true})
	v := run(t, s, network())
	v.event()
	v.leave()
}

func TestNoAnswerToSAE(t *testing.T) {
	if testing.Short() {
		t.Skip("waits for 7 s")
	}
	t.Parallel()
	d := &driver{t: t, password: password, akm: ieee80211.AKMSAE, lose: proofTries}
	s, _ := d.station(nl80211.Features{SAE: true})
	run(t, s, network()).failed(netmgr.NoAnswer)
}

func TestWrongPasswordForDriver(t *testing.T) {
	d := &driver{t: t, password: "battery staple", akm: ieee80211.AKMSAE}
	s, k := d.station(nl80211.Features{SAE: true})
	run(t, s, network()).failed(netmgr.WrongPassword)
	k.Do(func() {
		if d.finished == nil || *d.finished == ieee80211.StatusSuccess {
			t.Error("the driver was not told")
		}
	})
}

// What the kernel has forgotten is looked for once more.
func TestForgottenByKernel(t *testing.T) {
	forgotten := true
	d := &driver{t: t, password: password, akm: ieee80211.AKMPSK, refuse: func(_ *nl80211test.Kernel, r nl80211test.Request) (nl80211test.Answer, bool) {
		is := r.Command == unix.NL80211_CMD_CONNECT && forgotten
		forgotten = forgotten && !is
		return nl80211test.Answer{Errno: unix.ENOENT}, is
	}}
	s, k := d.station(nl80211.Features{})
	v := run(t, s, network())
	v.event()
	k.Do(func() {
		if d.scans != 1 {
			t.Errorf("%d scans", d.scans)
		}
	})
	v.leave()
}

func TestDriverFails(t *testing.T) {
	for _, c := range []struct {
		command uint8
		errno   unix.Errno
		want    netmgr.Failure
	}{
		{unix.NL80211_CMD_GET_SCAN, unix.ENODEV, netmgr.Broken},
		{unix.NL80211_CMD_CONNECT, unix.EIO, netmgr.Broken},
		{unix.NL80211_CMD_CONNECT, unix.EBUSY, netmgr.Broken},
		{unix.NL80211_CMD_NEW_KEY, unix.EINVAL, netmgr.Broken},
		{unix.NL80211_CMD_SET_POWER_SAVE, unix.EOPNOTSUPP, ""},
	} {
		d := &driver{t: t, password: password, akm: ieee80211.AKMPSK, refuse: func(_ *nl80211test.Kernel, r nl80211test.Request) (nl80211test.Answer, bool) {
			return nl80211test.Answer{Errno: c.errno}, r.Command == c.command
		}}
		s, _ := d.station(nl80211.Features{})
		v := run(t, s, network())
		if c.want == "" {
			v.event()
			v.leave()
			continue
		}
		v.failed(c.want)
	}
}
