package accesspoint

import (
	"errors"
	"slices"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"manofwar/netmgr"
	"manofwar/netmgr/ieee80211"
	"manofwar/netmgr/nl80211/nl80211test"
	"manofwar/netmgr/wpa"
)

func TestFirmware(t *testing.T) {
	t.Parallel()
	d := &driver{t: t, radio: fullMAC(), phone: newcomer(t, "correct horse")}
	a, end := d.launch("correct horse")
	d.await(netmgr.AccessPointUp{Phy: 0, Index: apIndex, MHz: 2437})
	d.await(netmgr.AccessPointClients{Phy: 0, Count: 1})
	if c := a.Clients(); len(c) != 1 || c[0].MAC != netmgr.MAC(d.phone.mac) {
		t.Errorf("clients: %+v", c)
	}
	d.kernel.Do(func() {
		rsn, _ := ieee80211.Elements(d.start.Attributes[unix.NL80211_ATTR_BEACON_TAIL]).Find(ieee80211.ElementRSN)
		r, err := ieee80211.ParseRSN(rsn)
		if err != nil || r.Capabilities != 0 {
			t.Errorf("RSN element %x, %v", rsn, err)
		}
		for _, kind := range []uint16{unix.NL80211_ATTR_SOCKET_OWNER, unix.NL80211_ATTR_PRIVACY, unix.NL80211_ATTR_CONTROL_PORT} {
			if d.start.Attributes[kind] == nil {
				t.Errorf("attribute %d is missing", kind)
			}
		}
		if d.start.Attributes[unix.NL80211_ATTR_PMK] != nil || d.start.Attributes[unix.NL80211_ATTR_CONTROL_PORT_OVER_NL80211] != nil {
			t.Error("the firmware is asked for what it cannot do")
		}
	})
	for _, command := range []uint8{unix.NL80211_CMD_REGISTER_FRAME, unix.NL80211_CMD_FRAME, unix.NL80211_CMD_SET_BSS, unix.NL80211_CMD_SET_BEACON} {
		if d.asked(command) > 0 {
			t.Errorf("command %d is the firmware's business", command)
		}
	}
	d.tell(d.kernel, unix.NL80211_CMD_DEL_STATION)
	d.await(netmgr.AccessPointClients{Phy: 0, Count: 0})
	if err := end(); err != nil {
		t.Error(err)
	}
	d.await(netmgr.AccessPointDown{Phy: 0})
	if d.asked(unix.NL80211_CMD_STOP_AP) != 1 || d.asked(unix.NL80211_CMD_DEL_INTERFACE) != 1 {
		t.Error("something is left of it")
	}
}

func TestFirmwareRefusesWrongPassword(t *testing.T) {
	t.Parallel()
	d := &driver{t: t, radio: fullMAC(), phone: newcomer(t, "wrong horse")}
	gone := make(chan ieee80211.Reason, 1)
	d.refuse = func(_ *nl80211test.Kernel, r nl80211test.Request) unix.Errno {
		if b := r.Attributes[unix.NL80211_ATTR_REASON_CODE]; r.Command == unix.NL80211_CMD_DEL_STATION && len(b) == 2 {
			gone <- ieee80211.Reason(b[0])
		}
		return 0
	}
	a, end := d.launch("correct horse")
	select {
	case reason := <-gone:
		if reason != ieee80211.ReasonHandshake {
			t.Errorf("sent away for %v", reason)
		}
	case <-time.After(10 * time.Second):
		t.Error("not sent away")
	}
	if len(a.Clients()) != 0 || d.asked(unix.NL80211_CMD_SET_STATION) != 0 {
		t.Error("let in")
	}
	if err := end(); err != nil {
		t.Error(err)
	}
}

// TestFirmwareDoesHandshake is for firmware that is given the key and does the rest.
func TestFirmwareDoesHandshake(t *testing.T) {
	t.Parallel()
	d := &driver{t: t, radio: fullMAC(), phone: newcomer(t, "correct horse")}
	d.radio.Features.HandshakeAP = true
	_, end := d.launch("correct horse")
	d.await(netmgr.AccessPointClients{Phy: 0, Count: 1})
	d.kernel.Do(func() {
		if !slices.Equal(d.start.Attributes[unix.NL80211_ATTR_PMK], d.phone.pmk) {
			t.Error("the firmware was not given the key")
		}
	})
	if n := d.asked(unix.NL80211_CMD_NEW_KEY); n != 0 || d.phone.supplies != nil {
		t.Errorf("%d keys installed beside the firmware", n)
	}
	if err := end(); err != nil {
		t.Error(err)
	}
}

// TestFirmwareFollows is for firmware that has moved to the network that was joined.
func TestFirmwareFollows(t *testing.T) {
	t.Parallel()
	d := &driver{t: t, radio: fullMAC(), phone: newcomer(t, "correct horse")}
	a, end := d.launch("")
	d.await(netmgr.AccessPointClients{Phy: 0, Count: 1})
	d.kernel.Do(func() { d.mhz = 2462 })
	if err := a.Move(t.Context(), 2462); err != nil {
		t.Error(err)
	}
	d.await(netmgr.AccessPointUp{Phy: 0, Index: apIndex, MHz: 2462})
	if n := d.asked(unix.NL80211_CMD_STOP_AP); n != 0 || len(a.Clients()) != 1 {
		t.Error("it was taken down although it had moved")
	}
	d.tell(d.kernel, unix.NL80211_CMD_CH_SWITCH_NOTIFY, nl80211test.U32(unix.NL80211_ATTR_WIPHY_FREQ, 2437))
	d.await(netmgr.AccessPointUp{Phy: 0, Index: apIndex, MHz: 2437})
	if err := end(); err != nil {
		t.Error(err)
	}
	if err := a.Move(t.Context(), 2437); !errors.Is(err, ErrDown) {
		t.Errorf("moving what is down: %v", err)
	}
}

// TestJumpFails checks that an access point which cannot be elsewhere is where it was.
func TestJumpFails(t *testing.T) {
	t.Parallel()
	d := &driver{t: t, radio: fullMAC()}
	d.refuse = func(_ *nl80211test.Kernel, r nl80211test.Request) unix.Errno {
		if r.Command == unix.NL80211_CMD_START_AP && r.U32(unix.NL80211_ATTR_WIPHY_FREQ) == 2462 {
			return unix.EBUSY
		}
		return 0
	}
	a, end := d.launch("correct horse")
	d.await(netmgr.AccessPointUp{Phy: 0, Index: apIndex, MHz: 2437})
	if err := a.Move(t.Context(), 2462); !errors.Is(err, ErrBusy) {
		t.Errorf("%v, want %v", err, ErrBusy)
	}
	d.await(netmgr.AccessPointUp{Phy: 0, Index: apIndex, MHz: 2437})
	if err := end(); err != nil {
		t.Error(err)
	}
}

func TestDoesNotStart(t *testing.T) {
	refusing := func(command uint8, errno unix.Errno) func(*driver) {
		return func(d *driver) {
			d.refuse = func(_ *nl80211test.Kernel, r nl80211test.Request) unix.Errno {
				if r.Command == command {
					return errno
				}
				return 0
			}
		}
	}
	for _, test := range []struct {
		name   string
		change func(*driver)
		want   error
		reason string
	}{
		{"no answer", refusing(unix.NL80211_CMD_GET_WIPHY, unix.ENODEV), unix.ENODEV, "The WiFi driver failed: nl80211: list radios: no such device"},
		{"stations only", func(d *driver) { d.radio.Types = d.radio.Types[:1] }, ErrUnsupported, "This WiFi radio cannot be an access point."},
		{"channel of another country", func(d *driver) { d.radio.Channels = d.radio.Channels[1:] }, ErrForbidden, "WiFi channel 6 may not be used here. Check the country in the settings."},
		{"channel to be silent on", func(d *driver) { d.radio.Channels[0].NoIR = true }, ErrForbidden, "WiFi channel 6 may not be used here. Check the country in the settings."},
		{"channel with radar", func(d *driver) { d.radio.Channels[0].Radar = true }, ErrRadar, "WiFi channel 6 may not be used here. Check the country in the settings."},
		{"channel refused", refusing(unix.NL80211_CMD_START_AP, unix.EINVAL), ErrForbidden, "WiFi channel 6 may not be used here. Check the country in the settings."},
		{"another channel in use", refusing(unix.NL80211_CMD_START_AP, unix.EBUSY), ErrBusy, "The WiFi radio is busy on another channel."},
		{"no second interface", refusing(unix.NL80211_CMD_NEW_INTERFACE, unix.EOPNOTSUPP), ErrUnsupported, "This WiFi radio cannot be an access point."},
		{"switched off", func(d *driver) { d.up = func(int) error { return unix.ERFKILL } }, ErrBlocked, "WiFi is switched off on this device."},
	} {
		t.Run(test.name, func(t *testing.T) {
			d := &driver{t: t, radio: fullMAC()}
			test.change(d)
			a, _ := d.launch("correct horse")
			d.await(netmgr.AccessPointDown{Phy: 0, Reason: test.reason})
			if err := a.Move(t.Context(), 2437); !errors.Is(err, ErrDown) {
				t.Errorf("moving what is down: %v", err)
			}
		})
	}
}

func TestOptions(t *testing.T) {
	for name, test := range map[string]struct {
		ssid, passphrase string
		want             error
	}{
		"no name":              {"", "correct horse", ErrOptions},
		"name too long":        {string(make([]byte, 33)), "correct horse", ErrOptions},
		"passphrase too short": {"Boat", "horse", wpa.ErrPassphrase},
	} {
		if _, err := New(Options{SSID: test.ssid, Passphrase: test.passphrase}); !errors.Is(err, test.want) || Reason(err) == "" {
			t.Errorf("%s: %v, %q", name, err, Reason(err))
		}
	}
}

// TestEndsByItself checks that an access point which is gone says so.
func TestEndsByItself(t *testing.T) {
	for name, test := range map[string]struct {
		command uint8
		want    error
		reason  string
	}{
		"stopped":        {unix.NL80211_CMD_STOP_AP, errStopped, "The WiFi driver has stopped the access point."},
		"interface gone": {unix.NL80211_CMD_DEL_INTERFACE, errGone, "The WiFi radio was taken away."},
	} {
		t.Run(name, func(t *testing.T) {
			d := &driver{t: t, radio: fullMAC(), phone: newcomer(t, "correct horse")}
			_, end := d.launch("")
			d.await(netmgr.AccessPointClients{Phy: 0, Count: 1})
			d.tell(d.kernel, test.command)
			d.await(netmgr.AccessPointDown{Phy: 0, Reason: test.reason})
			if err := end(); !errors.Is(err, test.want) {
				t.Error(err)
			}
		})
	}
}

// TestPredecessor checks that an interface which is still being taken away is waited for.
func TestPredecessor(t *testing.T) {
	t.Parallel()
	d := &driver{t: t, radio: fullMAC()}
	tries := 0
	d.refuse = func(k *nl80211test.Kernel, r nl80211test.Request) unix.Errno {
		if r.Command != unix.NL80211_CMD_NEW_INTERFACE {
			return 0
		}
		if tries++; tries == 1 {
			k.Tell(unix.NL80211_CMD_DEL_INTERFACE, nl80211test.U32(unix.NL80211_ATTR_IFINDEX, 9))
			return unix.EEXIST
		}
		return 0
	}
	_, end := d.launch("")
	d.await(netmgr.AccessPointUp{Phy: 0, Index: apIndex, MHz: 2437})
	if err := end(); err != nil {
		t.Error(err)
	}
}
