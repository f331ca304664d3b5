package ssdp

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// air is a network that keeps what is said on it.
type air struct {
	packets chan packet
	mu      sync.Mutex
	said    []string // "interface: message", or "address: message"
	joined  map[int]bool
	nets    []Network
}

func (a *air) Packets() <-chan packet { return a.packets }

func (a *air) Join(i int) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.joined[i] = true
	return nil
}

func (a *air) Leave(i int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.joined, i)
}

func (a *air) Multicast(i int, m []byte) error { return a.say(fmt.Sprint(i), m) }

func (a *air) Send(to netip.AddrPort, m []byte) error { return a.say(to.String(), m) }

func (a *air) say(to string, m []byte) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.said = append(a.said, to+": "+string(m))
	return nil
}

func (a *air) Close() error { return nil }

// hear returns what was said since the last time.
func (a *air) hear() []string {
	synctest.Wait()
	a.mu.Lock()
	defer a.mu.Unlock()
	said := a.said
	a.said = nil
	return said
}

func (a *air) is(nets ...Network) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.nets = nets
}

var tv = Device{
	UUID: "u-1", Type: "urn:schemas-upnp-org:device:MediaRenderer:1", Services: []string{"urn:schemas-upnp-org:service:AVTransport:1"}, Server: "x",
	Location: func(own netip.Addr) string { return "http://" + own.String() + ":7/d" },
}

var (
	home  = Network{2, netip.MustParsePrefix("192.168.1.5/24")}
	guest = Network{3, netip.MustParsePrefix("10.0.0.1/16")}
)

// onAir runs f while tv is announced.
func onAir(t *testing.T, f func(t *testing.T, a *air)) {
	synctest.Test(t, func(t *testing.T) {
		a := &air{packets: make(chan packet), joined: map[int]bool{}, nets: []Network{home}}
		ad := &Advertiser{device: tv, conn: a, networks: func() []Network {
			a.mu.Lock()
			defer a.mu.Unlock()
			return slices.Clone(a.nets)
		}}
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { defer close(done); ad.run(ctx) }()
		f(t, a)
		cancel()
		<-done
		bye := a.hear()
		if len(bye) == 0 {
			t.Error("no goodbye was said")
		}
		for _, m := range bye {
			if !strings.Contains(m, "NTS: ssdp:byebye") || strings.Contains(m, "LOCATION") {
				t.Errorf("at the end: %s", m)
			}
		}
	})
}

func count(all []string, parts ...string) (n int) {
	for _, m := range all {
		if !slices.ContainsFunc(parts, func(p string) bool { return !strings.Contains(m, p) }) {
			n++
		}
	}
	return n
}

func TestAnnounces(t *testing.T) {
	onAir(t, func(t *testing.T, a *air) {
		first := a.hear()
		if len(first) != 4 || count(first, "2: NOTIFY * HTTP/1.1\r\n", "NTS: ssdp:alive", "LOCATION: http://192.168.1.5:7/d\r\n", "max-age=1800") != 4 {
			t.Errorf("at first: %q", first)
		}
		for _, nt := range []string{"upnp:rootdevice", "uuid:u-1\r\n", tv.Type, tv.Services[0]} {
			if count(first, "NT: "+nt) != 1 {
				t.Errorf("%s is not announced once: %q", nt, first)
			}
		}
		time.Sleep(time.Second)
		if again := a.hear(); len(again) != 4 {
			t.Errorf("said again: %q", again)
		}
		a.is(home, guest)
		time.Sleep(lookEvery)
		if fresh := a.hear(); count(fresh, "3: ", "LOCATION: http://10.0.0.1:7/d") != 8 || count(fresh, "3: ") != 8 {
			t.Errorf("in the new network: %q", fresh)
		}
		time.Sleep(time.Second)
		a.hear()
		a.is(guest)
		time.Sleep(lookEvery)
		a.mu.Lock()
		if a.joined[2] || !a.joined[3] {
			t.Errorf("joined %v", a.joined)
		}
		a.mu.Unlock()
		a.hear()
		time.Sleep(maxAge)
		if n := count(a.hear(), "3: NOTIFY", "ssdp:alive"); n < 8 {
			t.Errorf("in half an hour it was said %d times", n)
		}
	})
}

func ask(from, target string, mx int) packet {
	return packet{netip.MustParseAddrPort(from), fmt.Appendf(nil, "M-SEARCH * HTTP/1.1\r\nHOST: 239.255.255.250:1900\r\nMAN: \"ssdp:discover\"\r\nMX: %d\r\nST: %s\r\n\r\n", mx, target)}
}

func TestAnswersThoseOfItsNetworks(t *testing.T) {
	onAir(t, func(t *testing.T, a *air) {
		time.Sleep(time.Second)
		a.hear()
		for _, tt := range []struct {
			from, target string
			want         int
		}{
			{"192.168.1.9:4000", tv.Type, 1},
			{"192.168.1.9:4000", "ssdp:all", 4},
			{"192.168.1.9:4000", "upnp:rootdevice", 1},
			{"192.168.1.9:4000", "uuid:u-1", 1},
			{"192.168.1.9:4000", tv.Services[0], 1},
			{"192.168.1.9:4000", "urn:schemas-upnp-org:device:MediaServer:1", 0},
			{"192.168.2.9:4000", tv.Type, 0},
			{"8.8.8.8:4000", "ssdp:all", 0},
		} {
			a.packets <- ask(tt.from, tt.target, 2)
			time.Sleep(2 * time.Second)
			got := a.hear()
			if len(got) != tt.want || count(got, tt.from+": HTTP/1.1 200 OK\r\n", "LOCATION: http://192.168.1.5:7/d\r\n", "EXT: \r\n") != tt.want {
				t.Errorf("%s of %s: %q", tt.target, tt.from, got)
			}
		}
	})
}

// TestIsNoBattery answers no more than a little, however often somebody asks in the name of another.
func TestIsNoBattery(t *testing.T) {
	onAir(t, func(t *testing.T, a *air) {
		time.Sleep(time.Second)
		a.hear()
		for range 1000 {
			a.packets <- ask("192.168.1.9:4000", "ssdp:all", 1)
		}
		time.Sleep(time.Second)
		if got := a.hear(); len(got) != 4*burst {
			t.Errorf("a thousand questions had %d answers", len(got))
		}
	})
}

func TestParseSearch(t *testing.T) {
	ok := "M-SEARCH * HTTP/1.1\r\nman: \"ssdp:discover\"\r\nmx:3\r\nst: ssdp:all\r\n\r\n"
	if s, err := parseSearch([]byte(ok)); err != nil || s.target != "ssdp:all" || s.wait != 3*time.Second {
		t.Errorf("%+v, %v", s, err)
	}
	for _, bad := range []string{
		"", "NOTIFY * HTTP/1.1\r\n\r\n", strings.Replace(ok, "ssdp:discover", "x", 1), strings.Replace(ok, "mx:3", "mx:-1", 1), strings.Replace(ok, "mx:3\r\n", "", 1),
		strings.Replace(ok, "st: ssdp:all\r\n", "", 1), strings.Replace(ok, "mx:3", "mx:x", 1), strings.Replace(ok, "HTTP/1.1", "HTTP/1.0", 1), ok + strings.Repeat("x", maxMessage),
	} {
		if s, err := parseSearch([]byte(bad)); err == nil {
			t.Errorf("%q is %+v", bad, s)
		}
	}
}

func FuzzSearch(f *testing.F) {
	f.Add([]byte("M-SEARCH * HTTP/1.1\r\nMAN: \"ssdp:discover\"\r\nMX: 3\r\nST: ssdp:all\r\n\r\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		s, err := parseSearch(data)
		if err == nil && (s.target == "" || s.wait < 0 || s.wait > 2*time.Minute) {
			t.Errorf("%q is %+v", data, s)
		}
	})
}
