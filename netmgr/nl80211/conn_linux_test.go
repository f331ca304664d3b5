package nl80211_test

import (
	"context"
	"errors"
	"os"
	"slices"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"manofwar/netmgr/ieee80211"
	"manofwar/netmgr/nl80211"
	"manofwar/netmgr/nl80211/nl80211test"
)

type (
	kernel  = nl80211test.Kernel
	request = nl80211test.Request
	answer  = nl80211test.Answer
)

var accessPoint = ieee80211.MAC{2, 0, 0, 0, 0, 1}

func TestRefusal(t *testing.T) {
	_, c := nl80211test.New(t, func(*kernel, request) answer { return answer{Errno: unix.EBUSY, Reason: "Channel is in use"} })
	err := c.Disconnect(t.Context(), 3, ieee80211.ReasonLeaving)
	if !errors.Is(err, unix.EBUSY) {
		t.Errorf("%v does not wrap EBUSY", err)
	}
	if want := "nl80211: disconnect: Channel is in use (device or resource busy)"; err.Error() != want {
		t.Errorf("%q, want %q", err, want)
	}
}

// Events come in the midst of answers.
func TestEventsBetweenAnswers(t *testing.T) {
	_, c := nl80211test.New(t, func(k *kernel, r request) answer {
		k.Tell(unix.NL80211_CMD_DEL_INTERFACE, nl80211test.U32(unix.NL80211_ATTR_IFINDEX, 9))
		part := func(index uint32, name string) []byte {
			return nl80211test.Encode(nl80211test.U32(unix.NL80211_ATTR_IFINDEX, index),
				nl80211test.Attribute{Kind: unix.NL80211_ATTR_IFNAME, Data: []byte(name + "\x00")})
		}
		return answer{Messages: [][]byte{part(3, "wlan0"), part(4, "ap0"), part(0, "")}}
	})
	l := c.Listen(0)
	defer l.Close()
	list, err := c.Interfaces(t.Context())
	if err != nil || len(list) != 2 || list[0].Name != "wlan0" || list[1].Index != 4 {
		t.Errorf("%+v, %v", list, err)
	}
	if ev := <-l.Events(); ev != (nl80211.InterfaceGone{Index: 9}) {
		t.Errorf("event %+v", ev)
	}
}

func TestListenersHearTheirInterface(t *testing.T) {
	k, c := nl80211test.New(t, nil)
	one, all := c.Listen(3), c.Listen(0)
	defer one.Close()
	defer all.Close()
	lost := func(index uint32) {
		k.Tell(unix.NL80211_CMD_SCAN_ABORTED, nl80211test.U32(unix.NL80211_ATTR_IFINDEX, index))
	}
	lost(4)
	lost(3)
	k.Tell(unix.NL80211_CMD_REG_CHANGE, nl80211test.Attribute{Kind: unix.NL80211_ATTR_REG_ALPHA2, Data: []byte("DE\x00")})
	for _, c := range []struct {
		l    *nl80211.Listener
		want []nl80211.Event
	}{
		{one, []nl80211.Event{nl80211.ScanDone{Index: 3, Aborted: true}, nl80211.RegulatoryChanged{Country: "DE"}}},
		{all, []nl80211.Event{
			nl80211.ScanDone{Index: 4, Aborted: true}, nl80211.ScanDone{Index: 3, Aborted: true}, nl80211.RegulatoryChanged{Country: "DE"},
		}},
	} {
		for _, want := range c.want {
			if got := <-c.l.Events(); got != want {
				t.Errorf("%+v, want %+v", got, want)
			}
		}
	}
}

// Who does not listen loses frames first, which anybody can send any number of, and is told in the end.
func TestListenerThatDoesNotKeepUp(t *testing.T) {
	k, c := nl80211test.New(t, func(*kernel, request) answer { return answer{} })
	l := c.Listen(0)
	frame := ieee80211.Frame{Kind: ieee80211.ProbeRequest}.Append(nil)
	for range 1000 {
		k.Tell(unix.NL80211_CMD_FRAME, nl80211test.Attribute{Kind: unix.NL80211_ATTR_FRAME, Data: frame})
	}
	k.Tell(unix.NL80211_CMD_SCAN_ABORTED, nl80211test.U32(unix.NL80211_ATTR_IFINDEX, 3))
	if err := c.SetPowerSave(t.Context(), 3, false); err != nil { // by then all events have come
		t.Fatal(err)
	}
	frames, done := 0, false
	for !done {
		switch (<-l.Events()).(type) {
		case nl80211.FrameReceived:
			frames++
		case nl80211.ScanDone:
			done = true
		}
	}
	if frames == 0 || frames > 200 {
		t.Errorf("%d frames", frames)
	}
	for range 1000 {
		k.Tell(unix.NL80211_CMD_SCAN_ABORTED, nl80211test.U32(unix.NL80211_ATTR_IFINDEX, 3))
	}
	for range l.Events() { // ends
	}
	l.Close()
}

func TestClose(t *testing.T) {
	asked := make(chan struct{})
	hold := make(chan struct{})
	_, c := nl80211test.New(t, func(*kernel, request) answer {
		close(asked)
		<-hold
		return answer{}
	})
	l := c.Listen(0)
	failed := make(chan error)
	go func() { failed <- c.SetPowerSave(t.Context(), 3, false) }()
	<-asked
	if err := c.Close(); err != nil {
		t.Error(err)
	}
	if err := <-failed; !errors.Is(err, os.ErrClosed) {
		t.Errorf("the request under way failed with %v", err)
	}
	if _, open := <-l.Events(); open {
		t.Error("the listener is still open")
	}
	if err := c.SetPowerSave(t.Context(), 3, false); !errors.Is(err, os.ErrClosed) {
		t.Errorf("a later request failed with %v", err)
	}
	if _, open := <-c.Listen(0).Events(); open {
		t.Error("a later listener is open")
	}
	close(hold)
}

func TestRequestGivenUp(t *testing.T) {
	hold := make(chan struct{})
	_, c := nl80211test.New(t, func(*kernel, request) answer {
		<-hold
		return answer{}
	})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := c.SetPowerSave(ctx, 3, false); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
	close(hold)
	if err := c.SetPowerSave(t.Context(), 3, false); err != nil { // the late answer is nobody's
		t.Errorf("%v", err)
	}
}

// scanner is a kernel that scans, and is busy with another scan for a while.
type scanner struct {
	busy    int
	aborted bool
	asked   request
	reads   int
}

func (s *scanner) answer(k *kernel, r request) answer {
	tell := func(command uint8) { k.Tell(command, nl80211test.U32(unix.NL80211_ATTR_IFINDEX, 3)) }
	switch r.Command {
	case unix.NL80211_CMD_TRIGGER_SCAN:
		if s.busy > 0 {
			s.busy--
			tell(unix.NL80211_CMD_NEW_SCAN_RESULTS) // of the other one
			return answer{Errno: unix.EBUSY}
		}
		s.asked = r
		tell(unix.NL80211_CMD_TRIGGER_SCAN)
		if s.aborted {
			tell(unix.NL80211_CMD_SCAN_ABORTED)
		} else {
			tell(unix.NL80211_CMD_NEW_SCAN_RESULTS)
		}
	case unix.NL80211_CMD_GET_SCAN:
		s.reads++
		elements := ieee80211.Element{ID: ieee80211.ElementSSID, Data: []byte("Home")}.Append(nil)
		signal := int32(-4200)
		return answer{Messages: [][]byte{nl80211test.Encode(nl80211test.Nest(unix.NL80211_ATTR_BSS,
			nl80211test.Attribute{Kind: unix.NL80211_BSS_BSSID, Data: accessPoint[:]},
			nl80211test.U32(unix.NL80211_BSS_FREQUENCY, 2437), nl80211test.U32(unix.NL80211_BSS_SIGNAL_MBM, uint32(signal)),
			nl80211test.U32(unix.NL80211_BSS_SEEN_MS_AGO, 1500), nl80211test.U16(unix.NL80211_BSS_CAPABILITY, 0x11),
			nl80211test.Attribute{Kind: unix.NL80211_BSS_INFORMATION_ELEMENTS, Data: elements},
		))}}
	}
	return answer{}
}

func TestScan(t *testing.T) {
	s := &scanner{busy: 2}
	k, c := nl80211test.New(t, s.answer)
	found, err := c.Scan(t.Context(), nl80211.Scan{Index: 3, MHz: []int{2437, 5180}, SSIDs: []ieee80211.SSID{"Home"}, Flush: true})
	if err != nil || len(found) != 1 {
		t.Fatalf("%+v, %v", found, err)
	}
	b := found[0]
	if b.SSID != "Home" || b.BSSID != accessPoint || b.MHz != 2437 || b.Signal != -42 || b.Age != 1500*time.Millisecond || b.Associated ||
		b.Capabilities&ieee80211.CapabilityPrivacy == 0 {
		t.Errorf("found %+v", b)
	}
	var asked request
	k.Do(func() { asked = s.asked })
	if found, err := c.Scan(t.Context(), nl80211.Scan{Index: 3, Blind: true}); err != nil || found != nil {
		t.Errorf("a blind scan: %+v, %v", found, err)
	}
	k.Do(func() {
		if s.reads != 1 {
			t.Errorf("what was heard was read %d times, want once: a blind scan leaves it", s.reads)
		}
		s.aborted = true
	})
	names := nl80211test.Decode(asked.Attributes[unix.NL80211_ATTR_SCAN_SSIDS])
	channels := nl80211test.Decode(asked.Attributes[unix.NL80211_ATTR_SCAN_FREQUENCIES])
	if string(names[1]) != "Home" || len(names) != 2 || len(names[2]) != 0 || len(channels) != 2 ||
		asked.U32(unix.NL80211_ATTR_SCAN_FLAGS) != unix.NL80211_SCAN_FLAG_FLUSH {
		t.Errorf("asked for %v", asked)
	}
	if _, err := c.Scan(t.Context(), nl80211.Scan{Index: 3}); !errors.Is(err, nl80211.ErrScanAborted) {
		t.Errorf("%v", err)
	}
}

// What a driver is told of a network, in the forms for firmware that does more by itself.
func TestConnect(t *testing.T) {
	security := &nl80211.Security{AKM: ieee80211.AKMPSK, Group: ieee80211.CipherTKIP, MFP: true, Elements: ieee80211.Elements{48, 0}}
	base := nl80211.Association{Index: 3, BSSID: accessPoint, MHz: 2437, SSID: "Home", Security: security}
	pmk := slices.Repeat([]byte{7}, 32)
	open := base
	open.Security = nil
	port := base
	port.Port = true
	for _, c := range []struct {
		name    string
		connect nl80211.Connection
		numbers map[uint16]uint32
		others  []uint16
		none    []uint16
	}{
		{
			"open",
			nl80211.Connection{Association: open},
			map[uint16]uint32{unix.NL80211_ATTR_AUTH_TYPE: unix.NL80211_AUTHTYPE_OPEN_SYSTEM, unix.NL80211_ATTR_WIPHY_FREQ: 2437},
			[]uint16{unix.NL80211_ATTR_SOCKET_OWNER},
			[]uint16{unix.NL80211_ATTR_PRIVACY, unix.NL80211_ATTR_CONTROL_PORT, unix.NL80211_ATTR_AKM_SUITES, unix.NL80211_ATTR_PREV_BSSID},
		},
		{
			"our handshake",
			nl80211.Connection{Association: port, OptionalMFP: true},
			map[uint16]uint32{
				unix.NL80211_ATTR_AKM_SUITES: 0xfac02, unix.NL80211_ATTR_CIPHER_SUITE_GROUP: 0xfac02,
				unix.NL80211_ATTR_CIPHER_SUITES_PAIRWISE: 0xfac04, unix.NL80211_ATTR_USE_MFP: unix.NL80211_MFP_OPTIONAL,
				unix.NL80211_ATTR_WPA_VERSIONS: unix.NL80211_WPA_VERSION_2,
			},
			[]uint16{unix.NL80211_ATTR_PRIVACY, unix.NL80211_ATTR_CONTROL_PORT, unix.NL80211_ATTR_CONTROL_PORT_OVER_NL80211, unix.NL80211_ATTR_IE},
			[]uint16{unix.NL80211_ATTR_PMK, unix.NL80211_ATTR_SAE_PASSWORD, unix.NL80211_ATTR_EXTERNAL_AUTH_SUPPORT},
		},
		{
			"firmware's handshake",
			nl80211.Connection{Association: base, PMK: pmk},
			map[uint16]uint32{unix.NL80211_ATTR_USE_MFP: unix.NL80211_MFP_REQUIRED},
			[]uint16{unix.NL80211_ATTR_PMK},
			[]uint16{unix.NL80211_ATTR_CONTROL_PORT_OVER_NL80211},
		},
		{
			"firmware's SAE",
			nl80211.Connection{Association: base, SAE: true, Password: "correct horse"},
			map[uint16]uint32{unix.NL80211_ATTR_AUTH_TYPE: unix.NL80211_AUTHTYPE_SAE},
			[]uint16{unix.NL80211_ATTR_SAE_PASSWORD},
			[]uint16{unix.NL80211_ATTR_PMK},
		},
		{
			"our SAE",
			nl80211.Connection{Association: base, SAE: true, External: true},
			map[uint16]uint32{unix.NL80211_ATTR_AUTH_TYPE: unix.NL80211_AUTHTYPE_SAE},
			[]uint16{unix.NL80211_ATTR_EXTERNAL_AUTH_SUPPORT},
			[]uint16{unix.NL80211_ATTR_SAE_PASSWORD},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			asked := make(chan request, 1)
			_, conn := nl80211test.New(t, func(_ *kernel, r request) answer {
				asked <- r
				return answer{}
			})
			if err := conn.Connect(t.Context(), c.connect); err != nil {
				t.Fatal(err)
			}
			got := <-asked
			for kind, want := range c.numbers {
				if v := got.U32(kind); v != want {
					t.Errorf("attribute %d is %#x, want %#x", kind, v, want)
				}
			}
			for _, kind := range c.others {
				if _, ok := got.Attributes[kind]; !ok {
					t.Errorf("attribute %d is missing", kind)
				}
			}
			for _, kind := range c.none {
				if _, ok := got.Attributes[kind]; ok {
					t.Errorf("attribute %d is there", kind)
				}
			}
		})
	}
}
