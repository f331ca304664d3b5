//go:build hwsim

package accesspoint

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"manofwar/netmgr"
	"manofwar/netmgr/hwsimtest"
	"manofwar/netmgr/link"
	"manofwar/netmgr/nl80211"
	ourown "manofwar/netmgr/station"
)

// TestVanish takes a station out of reach without a word, and back.
func TestVanish(t *testing.T) {
	radios := hwsimtest.Radios(t, 3)
	b := launchWith(t, Options{Phy: radios[0].Phy, Passphrase: passphrase}, func(a *AccessPoint) { a.idle = time.Second })
	p, s := newPhone(t, "phone", radios[1], "key_mgmt=WPA-PSK", "ieee80211w=2", psk())
	s.Await("CTRL-EVENT-CONNECTED", 1)
	b.awaitClients(1)

	// It restarts out of reach, and knows nothing of its keys when it is back: its request is doubted, as it could be forged.
	hwsimtest.Hears(t, radios[1], 2)
	s.Kill()
	p.Run("ip", "link", "set", radios[1].Interface, "down")
	hwsimtest.Hears(t, radios[1], 1)
	begin := time.Now()
	s = p.Supplicant(radios[1], "pmf=1", "network={", fmt.Sprintf("ssid=%x", ssid), "scan_freq=2437", "key_mgmt=WPA-PSK", "ieee80211w=2", psk(), "}")
	s.Await("CTRL-EVENT-CONNECTED", 1)
	t.Logf("back in after %v", time.Since(begin))
	b.awaitClients(0)
	b.awaitClients(1)

	begin = time.Now()
	hwsimtest.Hears(t, radios[1], 2)
	b.awaitClients(0)
	t.Logf("gone after %v", time.Since(begin))
}

// TestGroupKeys replaces the group keys every few seconds, under stations that hear what is sent to all.
func TestGroupKeys(t *testing.T) {
	radios := hwsimtest.Radios(t, 3)
	b := launchWith(t, Options{Phy: radios[0].Phy, Passphrase: passphrase}, func(a *AccessPoint) { a.lifetime = 2 * time.Second })
	hwsimtest.Run(t, "ip", "address", "add", "192.0.2.1/24", "broadcast", "192.0.2.255", "dev", b.options.Name)
	var programs []*hwsimtest.Program
	for i, w := range []string{"ieee80211w=2", "ieee80211w=0"} {
		p, s := newPhone(t, fmt.Sprint("phone", i), radios[1+i], "key_mgmt=WPA-PSK", w, psk())
		s.Await("CTRL-EVENT-CONNECTED", 1)
		p.Run("ip", "address", "add", fmt.Sprintf("192.0.2.%d/24", 2+i), "broadcast", "192.0.2.255", "dev", radios[1+i].Interface)
		p.Run("sysctl", "-q", "net.ipv4.icmp_echo_ignore_broadcasts=0")
		programs = append(programs, s)
	}
	b.awaitClients(2)
	out := hwsimtest.Run(t, "ping", "-b", "-i", "0.1", "-c", "120", "-W", "1", "192.0.2.255")
	answers := strings.Count(out, "bytes from")
	t.Logf("%d answers of 240", answers)
	if answers < 235 {
		t.Errorf("%d answers of 240 to what was sent to all:\n%s", answers, out)
	}
	for _, s := range programs {
		s.Await("WPA: Group rekeying completed", 4)
		if strings.Contains(s.String(), "DISCONNECTED") {
			t.Error("a station was lost")
		}
	}
}

// TestBesideStation runs the access point on a radio that is in a network too.
func TestBesideStation(t *testing.T) {
	radios := hwsimtest.Radios(t, 3)
	home := hwsimtest.NewPlace(t, "home")
	home.Take(radios[1])
	home.Hostapd(radios[1], "ssid=Home", "hw_mode=g", "channel=6", "ieee80211n=1")
	home.Address(radios[1].Interface, "198.51.100.1/24")
	joinHome(t, radios[0])
	hwsimtest.Run(t, "ip", "address", "add", "198.51.100.2/24", "dev", radios[0].Interface)

	ap, err := New(Options{Phy: radios[0].Phy, SSID: ssid, MHz: 2462, Log: logger(t), Tell: func(netmgr.Event) {}})
	if err != nil {
		t.Fatal(err)
	}
	err = ap.Run(t.Context())
	if !errors.Is(err, ErrBusy) || !strings.Contains(Reason(err), "busy") {
		t.Errorf("on another channel: %v", err)
	}

	b := launch(t, Options{Phy: radios[0].Phy, Passphrase: passphrase})
	hwsimtest.Run(t, "ip", "address", "add", "192.0.2.1/24", "dev", b.options.Name)
	p, s := newPhone(t, "phone", radios[2], "key_mgmt=WPA-PSK", psk())
	s.Await("CTRL-EVENT-CONNECTED", 1)
	p.Address(radios[2].Interface, "192.0.2.2/24")
	p.Run("ping", "-c", "3", "-i", "0.2", "-W", "2", "192.0.2.1")
	hwsimtest.Run(t, "ping", "-c", "3", "-i", "0.2", "-W", "2", "198.51.100.1")
	if err := b.Move(t.Context(), 2412); !errors.Is(err, ErrBusy) {
		t.Errorf("away from the station's channel: %v", err)
	}
	p.Run("ping", "-c", "3", "-i", "0.2", "-W", "2", "192.0.2.1")
}

// joinHome joins the open network Home on channel 6.
func joinHome(t *testing.T, r hwsimtest.Radio) {
	t.Helper()
	c, err := nl80211.Dial(nl80211.GroupMLME, nl80211.GroupScan)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	n := index(t, r.Interface)
	if err := link.Up(n); err != nil {
		t.Fatal(err)
	}
	found, err := c.Scan(t.Context(), nl80211.Scan{Index: n, MHz: []int{2437}})
	if err != nil || len(found) != 1 {
		t.Fatal(found, err)
	}
	l := c.Listen(n)
	defer l.Close()
	join := nl80211.Connection{Association: nl80211.Association{Index: n, BSSID: found[0].BSSID, MHz: 2437, SSID: "Home"}}
	if err := c.Connect(t.Context(), join); err != nil {
		t.Fatal(err)
	}
	for ev := range l.Events() {
		if ev, ok := ev.(nl80211.Connected); ok {
			if ev.Status != 0 || ev.TimedOut {
				t.Fatalf("%+v", ev)
			}
			return
		}
	}
}

// TestJump moves the access point to the other band, where stations are not taken along.
func TestJump(t *testing.T) {
	radios := hwsimtest.Radios(t, 2)
	hwsimtest.Country(t, "DE")
	b := launch(t, Options{Phy: radios[0].Phy, Passphrase: passphrase})
	_, s := newPhone(t, "phone", radios[1], "key_mgmt=WPA-PSK", psk(), "scan_freq=2437 5180")
	s.Await("CTRL-EVENT-CONNECTED", 1)
	b.awaitClients(1)
	if err := b.Move(t.Context(), 5180); err != nil {
		t.Fatal(err)
	}
	s.Await("CTRL-EVENT-CONNECTED", 2)
	b.awaitClients(1)
	if err := b.Move(t.Context(), 5260); !errors.Is(err, ErrRadar) {
		t.Errorf("to a channel with radar: %v", err)
	}
	if i := hwsimtest.Run(t, "iw", "dev", b.options.Name, "info"); !strings.Contains(i, "5180 MHz") {
		t.Error(i)
	}
}

// TestFramesOverPacketSocket is for drivers that do not bring 802.1X frames over nl80211.
func TestFramesOverPacketSocket(t *testing.T) {
	radios := hwsimtest.Radios(t, 2)
	b := launchWith(t, Options{Phy: radios[0].Phy, Passphrase: passphrase}, func(a *AccessPoint) {
		a.adjust = func(r *nl80211.Radio) { r.Features.ControlPort = false }
		a.lifetime = 2 * time.Second
	})
	hwsimtest.Run(t, "ip", "address", "add", "192.0.2.1/24", "dev", b.options.Name)
	p, s := newPhone(t, "phone", radios[1], "key_mgmt=WPA-PSK", psk())
	s.Await("CTRL-EVENT-CONNECTED", 1)
	p.Address(radios[1].Interface, "192.0.2.2/24")
	p.Run("ping", "-c", "2", "-i", "0.2", "-W", "2", "192.0.2.1")
	s.Await("WPA: Group rekeying completed", 2)
}

// TestBesideScan begins and moves an access point while its radio looks for networks.
func TestBesideScan(t *testing.T) {
	radios := hwsimtest.Radios(t, 2)
	n := index(t, radios[0].Interface)
	if err := link.Up(n); err != nil {
		t.Fatal(err)
	}
	c, err := nl80211.Dial(nl80211.GroupScan)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	scan := func(mhz ...int) (done chan error) {
		started, done := c.Listen(n), make(chan error, 1)
		defer started.Close()
		go func() {
			_, err := c.Scan(t.Context(), nl80211.Scan{Index: n, MHz: mhz})
			done <- err
		}()
		for ev := range started.Events() {
			if _, ok := ev.(nl80211.ScanStarted); ok {
				return done
			}
		}
		t.Fatal("no scan")
		return nil
	}
	done := scan()
	b := launch(t, Options{Phy: radios[0].Phy, Passphrase: passphrase})
	t.Logf("up; scan: %v", <-done)
	_, s := newPhone(t, "phone", radios[1], "key_mgmt=WPA-PSK", psk())
	s.Await("CTRL-EVENT-CONNECTED", 1)
	done = scan(2412, 2417, 2422, 2427)
	begin := time.Now()
	if err := b.Move(t.Context(), 2462); err != nil {
		t.Error(err)
	}
	t.Logf("moved after %v; scan: %v", time.Since(begin), <-done)
	if len(b.Clients()) != 1 {
		t.Error("the station was lost")
	}
}

// TestTwoOfUs lets a station of our own join, as a second device in the same home does.
func TestTwoOfUs(t *testing.T) {
	radios := hwsimtest.Radios(t, 2)
	b := launchWith(t, Options{Phy: radios[0].Phy, Passphrase: passphrase}, func(a *AccessPoint) { a.lifetime = 2 * time.Second })
	own := ourStation(t, radios[1])
	err := own.Run(t.Context(), ourown.Network{Number: 1, SSID: ssid, Password: "wrong horse", MHz: 2437}, func(netmgr.Event) {})
	if e := new(ourown.Error); !errors.As(err, &e) || e.Failure != netmgr.WrongPassword {
		t.Errorf("with a wrong password: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	events, done := make(chan netmgr.Event, 100), make(chan error, 1)
	go func() {
		network := ourown.Network{Number: 2, SSID: ssid, Password: passphrase, MHz: 2437}
		done <- own.Run(ctx, network, func(ev netmgr.Event) { events <- ev })
	}()
	b.awaitClients(1)
	if ev, ok := (<-events).(netmgr.Joined); !ok || ev.MHz != 2437 {
		t.Errorf("%+v", ev)
	}
	if err := b.Move(t.Context(), 2412); err != nil {
		t.Error(err)
	}
	for ev := range events {
		if r, ok := ev.(netmgr.Roamed); ok && r.MHz == 2412 {
			break
		}
	}
	<-time.After(3 * b.lifetime)
	if n := len(b.Clients()); n != 1 {
		t.Errorf("%d clients", n)
	}
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
	b.awaitClients(0)
}

// ourStation returns a station on a radio.
func ourStation(t *testing.T, r hwsimtest.Radio) *ourown.Station {
	t.Helper()
	c, err := nl80211.Dial()
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	all, err := c.Radios(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	face, err := c.Interface(t.Context(), index(t, r.Interface))
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(all, func(x nl80211.Radio) bool { return x.Phy == r.Phy })
	s, err := ourown.New(ourown.Config{Radio: all[i], Interface: face, Log: logger(t)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// TestAlone is for radios that are an access point or a station, and never both.
func TestAlone(t *testing.T) {
	radios := hwsimtest.Radios(t, 1)
	hwsimtest.Run(t, "ip", "link", "set", radios[0].Interface, "up")
	state := func() bool {
		return strings.Contains(hwsimtest.Run(t, "ip", "link", "show", radios[0].Interface), "UP")
	}
	b := launchWith(t, Options{Phy: radios[0].Phy}, func(a *AccessPoint) {
		a.adjust = func(r *nl80211.Radio) { r.Combinations = nil }
	})
	if state() {
		t.Error("the station's interface is still on")
	}
	if err := b.stop(); err != nil {
		t.Error(err)
	}
	if !state() {
		t.Error("the station's interface is not on again")
	}
}

// TestSwitchedOff takes the interface down under the access point, as a switch for all radios does.
func TestSwitchedOff(t *testing.T) {
	radios := hwsimtest.Radios(t, 1)
	b := launch(t, Options{Phy: radios[0].Phy})
	b.fails = true
	hwsimtest.Run(t, "ip", "link", "set", b.options.Name, "down")
	b.await("down", func(ev netmgr.Event) bool {
		return ev == netmgr.AccessPointDown{Phy: radios[0].Phy, Reason: Reason(errStopped)}
	})
	launch(t, Options{Phy: radios[0].Phy})
}

// cycles is how often an access point goes up and down, without anything being left of it.
const cycles = 1000

func TestCycles(t *testing.T) {
	radios := hwsimtest.Radios(t, 1)
	once := func() {
		ap, err := New(Options{Phy: radios[0].Phy, SSID: ssid, MHz: 2437, Log: discard, Tell: func(netmgr.Event) {}})
		if err != nil {
			t.Fatal(err)
		}
		ap.pmk = make([]byte, 32) // that of a password takes longest of all
		up := make(chan struct{})
		ap.options.Tell = func(ev netmgr.Event) {
			if _, ok := ev.(netmgr.AccessPointUp); ok {
				close(up)
			}
		}
		b := &boat{t: t, AccessPoint: ap}
		b.run()
		select {
		case <-up:
		case <-time.After(patience):
		}
		if err := b.stop(); err != nil {
			t.Fatal(err)
		}
		select {
		case <-up:
		default:
			t.Fatal("it did not come up")
		}
	}
	hurry(t)
	once()
	before := held(t)
	begin := time.Now()
	for range cycles {
		once()
	}
	t.Logf("%d cycles in %v, %v each", cycles, time.Since(begin), time.Since(begin)/cycles)
	if after := held(t); after != before {
		t.Errorf("held before: %s\nafter: %s", before, after)
	}
}

// hurry lets the kernel take interfaces away as fast as it can, which otherwise is most of a cycle.
func hurry(t *testing.T) {
	t.Helper()
	const file = "/sys/kernel/rcu_expedited"
	if err := os.WriteFile(file, []byte("1"), 0); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.WriteFile(file, []byte("0"), 0) }) // it was written before
}

// held returns what the process holds of goroutines, files and interfaces.
func held(t *testing.T) string {
	t.Helper()
	files, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	faces, err := os.ReadDir("/sys/class/net")
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("%d goroutines, %d files, %d interfaces", goroutines(), len(files), len(faces))
}
