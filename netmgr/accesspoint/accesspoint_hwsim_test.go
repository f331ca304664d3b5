//go:build hwsim

package accesspoint

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"manofwar/netmgr"
	"manofwar/netmgr/hwsimtest"
)

// patience is how long anything that is waited for may take: the machine may be an emulated one.
const patience = 80 * time.Second

// boat is an access point under test.
type boat struct {
	*AccessPoint
	t      *testing.T
	events chan netmgr.Event
	stop   func() error
	fails  bool // it is meant to
}

const (
	ssid       = "Boat’s"
	passphrase = "correct horse"
)

var discard = slog.New(slog.DiscardHandler)

func logger(t *testing.T) *slog.Logger {
	return slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelDebug}))
}

func goroutines() int { return runtime.NumGoroutine() }

// launch starts an access point on a radio and waits until it is up.
func launch(t *testing.T, o Options) *boat {
	t.Helper()
	return launchWith(t, o, func(*AccessPoint) {})
}

// launchWith starts one that is adjusted first.
func launchWith(t *testing.T, o Options, adjust func(*AccessPoint)) *boat {
	t.Helper()
	b := &boat{t: t, events: make(chan netmgr.Event, 1000)}
	o.Log, o.Tell = logger(t), func(ev netmgr.Event) { b.events <- ev }
	o.SSID, o.MHz = cmp.Or(o.SSID, ssid), cmp.Or(o.MHz, 2437)
	ap, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	adjust(ap)
	b.AccessPoint = ap
	b.run()
	t.Cleanup(func() {
		if err := b.stop(); err != nil && !b.fails {
			t.Error(err)
		}
	})
	b.await("up", func(ev netmgr.Event) bool {
		if down, ok := ev.(netmgr.AccessPointDown); ok {
			t.Fatal(down.Reason)
		}
		return ev == netmgr.AccessPointUp{Phy: o.Phy, Index: index(t, ap.options.Name), MHz: o.MHz}
	})
	return b
}

// run runs the access point until it is stopped.
func (b *boat) run() {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- b.Run(ctx) }()
	b.stop = func() error {
		cancel()
		err := <-done
		done <- err
		return err
	}
}

func index(t *testing.T, name string) (n int) {
	t.Helper()
	if _, err := fmt.Sscanf(hwsimtest.Run(t, "cat", "/sys/class/net/"+name+"/ifindex"), "%d", &n); err != nil {
		t.Fatal(err)
	}
	return n
}

// await waits for an event.
func (b *boat) await(what string, is func(netmgr.Event) bool) {
	b.t.Helper()
	for over := time.After(patience); ; {
		select {
		case ev := <-b.events:
			b.t.Logf("%T %+v", ev, ev)
			if is(ev) {
				return
			}
		case <-over:
			b.t.Fatalf("waited in vain: %s", what)
		}
	}
}

func (b *boat) awaitClients(n int) {
	b.t.Helper()
	b.await(fmt.Sprint(n, " clients"), func(ev netmgr.Event) bool {
		c, ok := ev.(netmgr.AccessPointClients)
		return ok && c.Count == n
	})
}

// phone is a station, with the lines of its network's block.
func newPhone(t *testing.T, name string, r hwsimtest.Radio, lines ...string) (*hwsimtest.Place, *hwsimtest.Program) {
	t.Helper()
	p := hwsimtest.NewPlace(t, name)
	p.Take(r)
	all := append([]string{"pmf=1", "network={", fmt.Sprintf("ssid=%x", ssid), "scan_freq=2412 2437 2462"}, lines...)
	return p, p.Supplicant(r, append(all, "}")...)
}

func psk() string { return fmt.Sprintf("psk=%q", passphrase) }

func TestPhonesJoin(t *testing.T) {
	radios := hwsimtest.Radios(t, 5)
	b := launch(t, Options{Phy: radios[0].Phy, Passphrase: passphrase})
	hwsimtest.Run(t, "ip", "address", "add", "192.0.2.1/24", "dev", "ap"+fmt.Sprint(radios[0].Phy))

	plain, s1 := newPhone(t, "plain", radios[1], "key_mgmt=WPA-PSK", "ieee80211w=0", psk())
	s1.Await("CTRL-EVENT-CONNECTED", 1)
	protected, s2 := newPhone(t, "protected", radios[2], "key_mgmt=WPA-PSK", "ieee80211w=2", psk())
	s2.Await("CTRL-EVENT-CONNECTED", 1)
	old, s3 := newPhone(t, "old", radios[3], "key_mgmt=WPA-PSK", "disable_ht=1", psk())
	s3.Await("CTRL-EVENT-CONNECTED", 1)
	_, s4 := newPhone(t, "stranger", radios[4], "key_mgmt=WPA-PSK", `psk="wrong horse"`)
	b.awaitClients(3)
	s4.Await("reason=15", 1)

	plain.Address(radios[1].Interface, "192.0.2.2/24")
	protected.Address(radios[2].Interface, "192.0.2.3/24")
	old.Address(radios[3].Interface, "192.0.2.4/24")
	for _, p := range []*hwsimtest.Place{plain, protected, old} {
		for _, to := range []string{"192.0.2.1", "192.0.2.2", "192.0.2.3", "192.0.2.4"} {
			p.Run("ping", "-c", "2", "-i", "0.2", "-W", "2", to)
		}
	}
	dump := strings.Join(strings.Fields(hwsimtest.Run(t, "iw", "dev", b.options.Name, "station", "dump")), " ")
	for what, want := range map[string]int{"MFP: yes": 2, "MFP: no": 1, "authorized: yes": 3, "MCS": 3} {
		if n := strings.Count(dump, what); n < want {
			t.Errorf("%q of %d stations, want %d:\n%s", what, n, want, dump)
		}
	}
	polled := func() bool {
		return !slices.ContainsFunc(b.Clients(), func(c Client) bool { return c.Received == 0 })
	}
	tick, late := time.NewTicker(pollEvery/50), time.After(2*pollEvery) // the kernel is asked now and then
	defer tick.Stop()
	for waiting := true; waiting && !polled(); {
		select {
		case <-tick.C:
		case <-late:
			waiting = false
		}
	}
	for _, c := range b.Clients() {
		if c.Signal >= 0 || c.Received == 0 || c.Sent == 0 || time.Since(c.Since) > time.Minute {
			t.Errorf("client: %+v", c)
		}
	}
	if err := b.stop(); err != nil {
		t.Error(err)
	}
	for _, s := range []*hwsimtest.Program{s1, s2, s3} {
		s.Await("reason=3", 1)
	}
	if out := hwsimtest.Run(t, "ip", "link"); strings.Contains(out, b.options.Name+":") {
		t.Errorf("the interface is left:\n%s", out)
	}
}

func TestOpen(t *testing.T) {
	radios := hwsimtest.Radios(t, 2)
	b := launch(t, Options{Phy: radios[0].Phy})
	hwsimtest.Run(t, "ip", "address", "add", "192.0.2.1/24", "dev", b.options.Name)
	p, s := newPhone(t, "phone", radios[1], "key_mgmt=NONE")
	s.Await("CTRL-EVENT-CONNECTED", 1)
	b.awaitClients(1)
	p.Address(radios[1].Interface, "192.0.2.2/24")
	p.Run("ping", "-c", "2", "-i", "0.2", "-W", "2", "192.0.2.1")
	s.Stop()
	b.awaitClients(0)
}

// TestMove moves the access point under a station that pings all the while.
func TestMove(t *testing.T) {
	radios := hwsimtest.Radios(t, 3)
	b := launch(t, Options{Phy: radios[0].Phy, Passphrase: passphrase})
	hwsimtest.Run(t, "ip", "address", "add", "192.0.2.1/24", "dev", b.options.Name)
	p, s := newPhone(t, "phone", radios[1], "key_mgmt=WPA-PSK", psk())
	s.Await("CTRL-EVENT-CONNECTED", 1)
	p.Address(radios[1].Interface, "192.0.2.2/24")
	ping := p.Start("ping", "-i", "0.05", "-c", "100", "-W", "5", "192.0.2.1")
	ping.Await("icmp_seq=20 ", 1)
	begin := time.Now()
	if err := b.Move(t.Context(), 2462); err != nil {
		t.Fatal(err)
	}
	t.Logf("moved after %v", time.Since(begin))
	b.await("moved", func(ev netmgr.Event) bool {
		up, ok := ev.(netmgr.AccessPointUp)
		return ok && up.MHz == 2462
	})
	ping.Await("transmitted", 1)
	lines := strings.Split(strings.TrimSpace(ping.String()), "\n")
	t.Log(strings.Join(lines[len(lines)-2:], "\n"))
	// What the access point had for the station may go out a moment before the station is there.
	if n := strings.Count(ping.String(), "bytes from"); n < 98 {
		t.Errorf("%d of 100 pings were answered", n)
	}
	if n := len(b.Clients()); n != 1 || strings.Contains(s.String(), "DISCONNECTED") {
		t.Errorf("%d clients after the move:\n%s", n, s)
	}
	for mhz, want := range map[int]error{2462: nil, 5260: ErrRadar, 2484: ErrForbidden} {
		if err := b.Move(t.Context(), mhz); !errors.Is(err, want) {
			t.Errorf("to %d: %v, want %v", mhz, err, want)
		}
	}
	// Somebody who comes later finds it there.
	_, late := newPhone(t, "late", radios[2], "key_mgmt=WPA-PSK", psk())
	late.Await("CTRL-EVENT-CONNECTED", 1)
	b.awaitClients(2)
}
