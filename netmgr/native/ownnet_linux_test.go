package native

import (
	"log/slog"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"manofwar/netmgr"
	"manofwar/netmgr/netnstest"
)

// TestOwnNetwork follows a phone through our own network, on a cable for want of a radio: it gets an address, finds us by
// name over IPv4 and IPv6, fetches a page of the internet once there is a way out, is led to us while there is none, and
// is let go again. What serves it leaves nothing behind, however often.
func TestOwnNetwork(t *testing.T) {
	netnstest.Run(t, func(t *testing.T) {
		phone, router := netnstest.NewPeer(t, "phone"), netnstest.NewPeer(t, "router")
		phone.Cable("ap0", "wlan0")
		router.Cable("up0", "lan0")
		netnstest.IP(t, "link set ap0 up")
		netnstest.IP(t, "addr add 192.0.2.9/24 dev up0")
		netnstest.IP(t, "link set up0 up")
		netnstest.IP(t, "route add default via 192.0.2.1")
		router.IP("addr add 192.0.2.1/24 dev lan0")
		router.IP("addr add 203.0.113.80/32 dev lan0")
		dir := t.TempDir()
		write := func(name, text string, mode os.FileMode) string {
			path := filepath.Join(dir, name)
			if err := os.WriteFile(path, []byte(text), mode); err != nil {
				t.Fatal(err)
			}
			return path
		}
		write("page", "the internet\n", 0o644)
		router.Start("busybox", "httpd", "-f", "-p", "203.0.113.80:80", "-h", dir)
		router.Start("dnsmasq", "--keep-in-foreground", "--no-resolv", "--no-hosts", "--conf-file=/dev/null", "--user=root", "--pid-file=",
			"--listen-address=192.0.2.1", "--bind-interfaces", "--address=/example.com/203.0.113.80")
		script := write("script", `#!/bin/sh
[ "$1" = bound ] || exit 0
ip address add $ip/$mask dev $interface && ip route add default via $router && echo "lease of $ip obtained, dns $dns"
`, 0o755)

		ifi, err := net.InterfaceByName("ap0")
		if err != nil {
			t.Fatal(err)
		}
		own := ownNet{log: slog.New(slog.NewTextHandler(t.Output(), nil)), dir: dir, kept: dir}
		follow := func(capture netmgr.Capture, uplinks ...string) {
			t.Helper()
			p := ownPlan{face: face{ifi.Index, "ap0", netmgr.MAC(ifi.HardwareAddr)}, hostname: "pirate", uplinks: uplinks}
			p.Up, p.Address, p.Capture = true, netip.MustParsePrefix("192.168.77.1/24"), capture
			if len(uplinks) > 0 {
				p.servers = []netip.Addr{netip.MustParseAddr("192.0.2.1")}
			}
			if err := own.follow(t.Context(), p); err != nil {
				t.Fatal(err)
			}
		}
		follow(netmgr.CaptureAll)
		defer own.end()
		began := time.Now()
		lease, _ := phone.Start("busybox", "udhcpc", "-f", "-i", "wlan0", "-s", script)
		lease.Await(t, "obtained, dns 192.168.77.1", 1, 20*time.Second)
		t.Logf("a lease after %v", time.Since(began))

		resolves := func(name, want string) {
			t.Helper()
			log, stop := phone.Start("busybox", "nslookup", name, "192.168.77.1")
			defer stop()
			log.Await(t, want, 1, 10*time.Second)
		}
		resolves("pirate.local", "Address: 192.168.77.1")
		resolves("pirate.local", own.six.Addr().String())
		resolves("example.com", "Address: 192.168.77.1")

		follow(netmgr.CaptureNone, "up0")
		resolves("example.com", "Address: 203.0.113.80")
		page, stop := phone.Start("curl", "-sS", "--max-time", "10", "http://203.0.113.80/page")
		page.Await(t, "the internet", 1, 10*time.Second)
		stop()
		follow(netmgr.CaptureProbes, "up0")
		resolves("captive.apple.com", "Address: 192.168.77.1")
		resolves("example.com", "Address: 203.0.113.80")

		own.end()
		runtime.GC()
		goroutines, files := runtime.NumGoroutine(), openFiles(t)
		for range 200 {
			follow(netmgr.CaptureAll)
			follow(netmgr.CaptureNone, "up0")
			own.end()
		}
		if g, f := runtime.NumGoroutine(), openFiles(t); g > goroutines+5 || f > files+5 {
			t.Errorf("%d goroutines, were %d; %d files, were %d", g, goroutines, f, files)
		}
		follow(netmgr.CaptureAll)
		if again := strings.Count(lease.String(), "obtained, dns"); again != 1 {
			t.Errorf("the phone was addressed %d times", again)
		}
		resolves("example.com", "Address: 192.168.77.1")
	}, "busybox", "dnsmasq", "curl")
}

// TestPlanOwn serves the network of the radio that is planned to make it, whichever others are heard.
func TestPlanOwn(t *testing.T) {
	first, second := face{index: 3, name: "ap0"}, face{index: 4, name: "ap1"}
	plan := netmgr.Plan{Radios: []netmgr.RadioPlan{{Phy: 0}, {Phy: 1, AccessPoint: netmgr.AccessPointPlan{Up: true}}}}
	for i, tt := range []struct {
		faces map[int]face
		want  face
	}{
		{nil, face{}},
		{map[int]face{0: first}, face{}},
		{map[int]face{0: first, 1: second}, second},
		{map[int]face{1: second}, second},
	} {
		if got := planOwn(plan, tt.faces); got.face != tt.want || !got.Up {
			t.Errorf("%d: %+v, want the face %+v", i, got, tt.want)
		}
	}
}
