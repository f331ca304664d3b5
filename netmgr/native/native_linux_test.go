package native

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"manofwar/netmgr/api"
	"manofwar/netmgr/netnstest"
)

// TestWired brings a cable up against Debian's dnsmasq: an address, a route and a name server come at once, go with the
// carrier, and come back with it.
func TestWired(t *testing.T) {
	netnstest.Run(t, func(t *testing.T) {
		router, _ := newRouter(t)
		began := time.Now()
		s := startService(t, Options{Hostname: "pirate", TimeServers: []string{}})
		link := s.await(t, leased)
		t.Logf("service start to address: %v", time.Since(began))
		if link.Gateway != netip.MustParseAddr("192.0.2.1") || len(link.DNS) != 1 || link.DNS[0] != link.Gateway {
			t.Errorf("gateway and name servers: %+v", link)
		}
		conf, err := os.ReadFile(filepath.Join(s.env.RunDir, "netmgr", "resolv.conf"))
		if err != nil || !strings.Contains(string(conf), "nameserver 192.0.2.1\n") {
			t.Errorf("resolv.conf: %v\n%s", err, conf)
		}
		first := link.Addresses

		router.IP("link set lan0 down")
		s.await(t, func(l api.Link) bool { return l.State == api.Down && len(l.Addresses) == 0 })
		router.IP("link set lan0 up")
		began = time.Now()
		link = s.await(t, leased)
		t.Logf("carrier to address: %v", time.Since(began))
		if link.Addresses[0] != first[0] {
			t.Errorf("address %v after the carrier came back, before %v", link.Addresses, first)
		}
	}, "dnsmasq")
}

// TestNamed gives the device a name: the router and the network know it by the new one in a second or two, and no address is
// taken away meanwhile.
func TestNamed(t *testing.T) {
	netnstest.Run(t, func(t *testing.T) {
		_, log := newRouter(t)
		s := startService(t, Options{Hostname: "pirate", WebPort: 80, TimeServers: []string{}})
		address := s.await(t, leased).Addresses[0]
		s.awaitStatus(t, func(s api.Status) bool { return s.Hostname == "pirate" && s.Name == "" })
		log.Await(t, "client provides name: pirate", 1, 10*time.Second)
		watch, began, name := addressEvents(t), time.Now(), "Wohnzimmer TV"
		if _, err := s.client.ChangeSettings(t.Context(), api.Settings{Name: &name}); err != nil {
			t.Fatal(err)
		}
		s.awaitStatus(t, func(s api.Status) bool { return s.Hostname == "wohnzimmer-tv" && s.Name == name })
		log.Await(t, "client provides name: wohnzimmer-tv", 1, 10*time.Second)
		t.Logf("known by its new name after %v", time.Since(began).Round(10*time.Millisecond))
		if got := s.await(t, leased).Addresses[0]; got != address {
			t.Errorf("address %v, before %v", got, address)
		}
		if events := watch(); strings.Contains(events, "Deleted") {
			t.Errorf("the address was taken away:\n%s", events)
		}
	}, "dnsmasq")
}

// TestRestart comes back to what a predecessor left, as after kill -9, without taking it away first.
func TestRestart(t *testing.T) {
	netnstest.Run(t, func(t *testing.T) {
		newRouter(t)
		first := startService(t, Options{TimeServers: []string{}})
		address := first.await(t, leased).Addresses[0]
		if err := first.stop(); err != nil {
			t.Fatal(err)
		}
		watch := addressEvents(t)
		second := startService(t, Options{TimeServers: []string{}})
		if again := second.await(t, leased); again.Addresses[0] != address {
			t.Errorf("address %v, before %v", again.Addresses[0], address)
		}
		if events := watch(); strings.Contains(events, "Deleted") {
			t.Errorf("the address was taken away:\n%s", events)
		}
	}, "dnsmasq")
}

// TestRenewal renews a short lease again and again. The server is Debian's udhcpd: dnsmasq lends for two minutes at least.
func TestRenewal(t *testing.T) {
	netnstest.Run(t, func(t *testing.T) {
		router := netnstest.NewPeer(t, "router")
		router.Cable("eth0", "lan0")
		router.IP("addr add 192.0.2.1/24 dev lan0")
		dir := t.TempDir()
		conf := filepath.Join(dir, "udhcpd.conf")
		if err := os.WriteFile(conf, fmt.Appendf(nil, "interface lan0\nstart 192.0.2.50\nend 192.0.2.99\nmin_lease 4\nlease_file %s\npidfile %s\n"+
			"option subnet 255.255.255.0\noption router 192.0.2.1\noption lease 10\n", filepath.Join(dir, "leases"), filepath.Join(dir, "pid")), 0o644); err != nil {
			t.Fatal(err)
		}
		log, _ := router.Start("udhcpd", "-f", conf)
		s := startService(t, Options{TimeServers: []string{}})
		address := s.await(t, leased).Addresses[0]
		log.Await(t, "sending ACK", 3, 20*time.Second)
		if out := log.String(); strings.LastIndex(out, "sending OFFER") > strings.Index(out, "sending ACK") {
			t.Errorf("a renewal went wrong:\n%s", out)
		}
		if again := s.await(t, leased).Addresses[0]; again != address {
			t.Errorf("address %v, before %v", again, address)
		}
	}, "udhcpd")
}

// TestRefusal asks a router for the address that another one gave, is refused, and gets a new one.
func TestRefusal(t *testing.T) {
	netnstest.Run(t, func(t *testing.T) {
		router, log := newRouter(t)
		s := startService(t, Options{TimeServers: []string{}})
		s.await(t, leased)
		log.stop()
		router.IP("link set lan0 down")
		s.await(t, func(l api.Link) bool { return l.State == api.Down })
		router.IP("addr flush dev lan0")
		router.IP("addr add 198.51.100.1/24 dev lan0")
		second := startDnsmasq(t, router, "lan0", "--dhcp-range=198.51.100.50,198.51.100.99,2m")
		router.IP("link set lan0 up")
		s.await(t, func(l api.Link) bool { return leased(l) && strings.HasPrefix(l.Addresses[0].String(), "198.51.100.") })
		if !strings.Contains(second.String(), "DHCPNAK(lan0)") {
			t.Errorf("nothing was refused:\n%s", second)
		}
	}, "dnsmasq")
}

// TestConflict gives an address back that somebody else on the router's switch uses.
func TestConflict(t *testing.T) {
	netnstest.Run(t, func(t *testing.T) {
		router, other := netnstest.NewPeer(t, "router"), netnstest.NewPeer(t, "other")
		router.Cable("eth0", "lan0")
		router.CableTo(other, "lan1", "eth0")
		router.IP("link add br0 type bridge")
		router.IP("link set lan0 master br0")
		router.IP("link set lan1 master br0")
		router.IP("link set br0 up")
		router.IP("addr add 192.0.2.1/24 dev br0")
		other.IP("addr add 192.0.2.50/24 dev eth0")
		log := startDnsmasq(t, router, "br0", "--dhcp-range=192.0.2.50,192.0.2.50,2m")
		s := startService(t, Options{TimeServers: []string{}})
		log.Await(t, "DHCPDECLINE(br0) 192.0.2.50", 1, 20*time.Second)
		s.await(t, func(l api.Link) bool {
			return l.State == api.Associated && strings.Contains(l.Reason, "Another device") && !hasIPv4(l)
		})
	}, "dnsmasq")
}

// TestDirectCable claims an address where no server is, and takes a server's when there is one.
func TestDirectCable(t *testing.T) {
	netnstest.Run(t, func(t *testing.T) {
		other := netnstest.NewPeer(t, "laptop")
		other.Cable("eth0", "lan0")
		s := startService(t, Options{TimeServers: []string{}})
		link := s.await(t, func(l api.Link) bool { return l.State == api.LANOnly && hasIPv4(l) })
		if !link.Addresses[0].Addr().IsLinkLocalUnicast() || link.Reason == "" {
			t.Errorf("link %+v", link)
		}
		other.IP("addr add 169.254.1.1/16 dev lan0")
		var d net.Dialer
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		if _, err := d.DialContext(ctx, "tcp", "169.254.1.1:9"); !errors.Is(err, syscall.ECONNREFUSED) {
			t.Errorf("the other end does not answer: %v", err)
		}
		other.IP("addr add 192.0.2.1/24 dev lan0")
		startDnsmasq(t, other, "lan0", "--dhcp-range=192.0.2.50,192.0.2.99,2m")
		s.await(t, leased)
	}, "dnsmasq")
}

// TestIPv6 takes what a router advertises, and answers the name with it.
func TestIPv6(t *testing.T) {
	netnstest.Run(t, func(t *testing.T) {
		router := netnstest.NewPeer(t, "router")
		router.Cable("eth0", "lan0")
		router.IP("addr add 2001:db8::1/64 dev lan0 nodad")
		startDnsmasq(t, router, "lan0", "--enable-ra", "--dhcp-range=2001:db8::,ra-only")
		s := startService(t, Options{Hostname: "pirate", TimeServers: []string{}})
		s.await(t, func(l api.Link) bool {
			return l.State == api.LANOnly && l.Gateway.Is6() && slices.ContainsFunc(l.Addresses, netip.MustParsePrefix("2001:db8::/64").Overlaps)
		})
	}, "dnsmasq")
}

// TestTwoCards prefers the first of two cards by its routes' metrics, goes on with the second when the first is pulled out of
// its socket, and takes a third that is plugged in.
func TestTwoCards(t *testing.T) {
	netnstest.Run(t, func(t *testing.T) {
		newRouter(t)
		other := netnstest.NewPeer(t, "second")
		other.Cable("eth1", "lan0")
		other.IP("addr add 198.51.100.1/24 dev lan0")
		startDnsmasq(t, other, "lan0", "--dhcp-range=198.51.100.50,198.51.100.99,2m")
		s := startService(t, Options{TimeServers: []string{}})
		both := func(s api.Status) bool { return len(s.Links) == 2 && leased(s.Links[0]) && leased(s.Links[1]) }
		s.awaitStatus(t, both)
		if routes := defaultRoutes(t); len(routes) != 2 || !strings.Contains(routes[0], "via 192.0.2.1 dev eth0") || !strings.Contains(routes[1], "via 198.51.100.1 dev eth1") {
			t.Errorf("default routes %q", routes)
		}
		netnstest.IP(t, "link del eth0")
		s.awaitStatus(t, func(s api.Status) bool { return len(s.Links) == 1 && s.Links[0].Name == "eth1" && leased(s.Links[0]) })
		if routes := defaultRoutes(t); len(routes) != 1 || !strings.Contains(routes[0], "dev eth1") {
			t.Errorf("default routes %q", routes)
		}
		other.Cable("usb0", "lan1")
		other.IP("addr add 203.0.113.1/24 dev lan1")
		startDnsmasq(t, other, "lan1", "--dhcp-range=203.0.113.50,203.0.113.99,2m")
		s.awaitStatus(t, both)
	}, "dnsmasq")
}

// defaultRoutes returns the kernel's, the preferred one first.
func defaultRoutes(t *testing.T) []string {
	t.Helper()
	out, err := exec.Command("ip", "-4", "route", "show", "default").Output()
	if err != nil {
		t.Fatal(err)
	}
	return strings.Split(strings.TrimSpace(string(out)), "\n")
}

// TestObserve changes nothing of a computer that manages its network itself, tells how it is, and answers a name of its own.
func TestObserve(t *testing.T) {
	netnstest.Run(t, func(t *testing.T) {
		router, log := newRouter(t)
		router.Cable("eth1", "lan1")
		netnstest.IP(t, "link set eth0 up")
		netnstest.IP(t, "addr add 192.0.2.9/24 dev eth0")
		netnstest.IP(t, "route add default via 192.0.2.1")
		s := startService(t, Options{Observe: true, WebPort: 8080, adjust: func(time.Duration) error { t.Error("the clock was set"); return nil }})
		s.awaitStatus(t, func(s api.Status) bool {
			return s.Hostname == "manofwar" && len(s.Links) == 2 && leased(s.Links[0]) && s.Links[1].State == api.Down
		})
		if strings.Contains(log.String(), "DHCPDISCOVER") || strings.Contains(log.String(), "DHCPREQUEST") {
			t.Errorf("an address was asked for:\n%s", log)
		}
		if list, err := os.ReadDir(s.env.RunDir); err != nil || len(list) != 1 {
			t.Errorf("written: %v, %v", list, err)
		}
		if ifi, err := net.InterfaceByName("eth1"); err != nil || ifi.Flags&net.FlagUp != 0 {
			t.Errorf("switched on: %v, %v", ifi, err)
		}
	}, "dnsmasq")
}

// TestObserveAlone has a web page for this computer only: no name may lead the network to it.
func TestObserveAlone(t *testing.T) {
	netnstest.Run(t, func(t *testing.T) {
		router, _ := newRouter(t)
		router.Cable("eth1", "lan1")
		netnstest.IP(t, "link set eth0 up")
		netnstest.IP(t, "addr add 192.0.2.9/24 dev eth0")
		netnstest.IP(t, "route add default via 192.0.2.1")
		s := startService(t, Options{Observe: true})
		s.awaitStatus(t, func(s api.Status) bool { return s.Hostname == "" && len(s.Links) == 2 && leased(s.Links[0]) })
		const port = ":14E9 " // 5353
		for _, table := range []string{"/proc/net/udp", "/proc/net/udp6"} {
			if open, err := os.ReadFile(table); err != nil || strings.Contains(string(open), port) {
				t.Errorf("%s, %v:\n%s", table, err, open)
			}
		}
	}, "dnsmasq")
}

// TestClock sets the clock by a server, here on the loopback interface, as soon as there is a network.
func TestClock(t *testing.T) {
	netnstest.Run(t, func(t *testing.T) {
		newRouter(t)
		server, err := net.ListenPacket("udp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer server.Close()
		go answerTime(server, 90*time.Second)
		set := make(chan time.Duration, 8)
		s := startService(t, Options{
			TimeServers: []string{server.LocalAddr().String()},
			adjust:      func(d time.Duration) error { set <- d; return nil },
		})
		select {
		case d := <-set:
			if d < 89*time.Second || d > 91*time.Second {
				t.Errorf("moved by %v", d)
			}
		case <-time.After(20 * time.Second):
			t.Fatal("not set")
		}
		s.awaitStatus(t, func(s api.Status) bool { return !s.Clock.IsZero() })
	}, "dnsmasq")
}

// answerTime answers NTP's questions (RFC 5905, section 7.3) with a time that is ahead, until the socket is closed.
func answerTime(server net.PacketConn, ahead time.Duration) {
	const era = 2208988800 // seconds from 1900 to 1970
	q := make([]byte, 48)
	for {
		n, from, err := server.ReadFrom(q)
		if err != nil {
			return
		}
		a := make([]byte, 48)
		a[0], a[1], a[2], a[3] = 4<<3|4, 2, 6, 0xec // version 4, server, stratum 2
		now := time.Now().Add(ahead)
		stamp := uint64(now.Unix()+era)<<32 | uint64(now.Nanosecond())<<32/1e9
		binary.BigEndian.PutUint64(a[16:], stamp-(10<<32))
		copy(a[24:], q[40:n])
		binary.BigEndian.PutUint64(a[32:], stamp)
		binary.BigEndian.PutUint64(a[40:], stamp)
		_, _ = server.WriteTo(a, from) // a lost answer is asked for again
	}
}

// TestNothingLeaks plugs a cable in and out, and compares goroutines and open files.
func TestNothingLeaks(t *testing.T) {
	netnstest.Run(t, func(t *testing.T) {
		router, _ := newRouter(t)
		goroutines, files := runtime.NumGoroutine(), openFiles(t)
		s := startService(t, Options{WebPort: 80, TimeServers: []string{}})
		s.await(t, leased)
		for range 10 {
			router.IP("link set lan0 down")
			s.await(t, func(l api.Link) bool { return l.State == api.Down })
			router.IP("link set lan0 up")
			s.await(t, leased)
		}
		if err := s.stop(); err != nil {
			t.Fatal(err)
		}
		over := time.Now().Add(10 * time.Second) // zeroconf's announcements outlive their server for seconds
		for runtime.NumGoroutine() > goroutines || openFiles(t) > files {
			if time.Now().After(over) {
				buf := make([]byte, 1<<16)
				t.Fatalf("%d goroutines, before %d; %d files, before %d\n%s", runtime.NumGoroutine(), goroutines, openFiles(t), files, buf[:runtime.Stack(buf, true)])
			}
			runtime.Gosched()
		}
	}, "dnsmasq")
}

func openFiles(t *testing.T) int {
	t.Helper()
	list, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(list)
}

// addressEvents watches the addresses of eth0; the returned function ends that and returns what happened to them.
func addressEvents(t *testing.T) func() string {
	t.Helper()
	var out bytes.Buffer
	cmd := exec.Command("ip", "-4", "monitor", "address")
	cmd.Stdout = &out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return func() string {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		return out.String()
	}
}
