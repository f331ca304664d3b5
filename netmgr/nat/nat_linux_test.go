package nat

import (
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"manofwar/netmgr/netnstest"
)

var network = netip.MustParsePrefix("192.168.77.1/24")

// world is a dongle, here, between a phone, an internet that knows no way back to it, and an office beside.
type world struct {
	t                       *testing.T
	phone, internet, office *netnstest.Peer
}

func newWorld(t *testing.T) world {
	t.Helper()
	w := world{t, netnstest.NewPeer(t, "phone"), netnstest.NewPeer(t, "inet"), netnstest.NewPeer(t, "office")}
	for _, c := range []struct {
		peer                      *netnstest.Peer
		here, there, ours, theirs string
	}{
		{w.phone, "ap0", "wlan0", "192.168.77.1/24", "192.168.77.9/24"},
		{w.internet, "up0", "inet0", "203.0.113.2/24", "203.0.113.1/24"},
		{w.office, "up1", "office0", "198.51.100.2/24", "198.51.100.1/24"},
	} {
		c.peer.Cable(c.here, c.there)
		netnstest.IP(t, "addr add "+c.ours+" dev "+c.here)
		netnstest.IP(t, "link set "+c.here+" up")
		c.peer.IP("addr add " + c.theirs + " dev " + c.there)
		addr, _, _ := strings.Cut(c.ours, "/")
		if c.peer != w.internet {
			c.peer.IP("route add default via " + addr)
		}
		c.peer.IP("route add 192.0.2.0/24 via " + addr)
	}
	return w
}

// reaches reports whether one host reaches another.
func (w world) reaches(from *netnstest.Peer, to string) bool {
	return from.Command("busybox", "ping", "-c1", "-W1", to).Run() == nil
}

func (w world) expect(what string, got, want bool) {
	w.t.Helper()
	if got != want {
		w.t.Errorf("%s: %v, want %v", what, got, want)
	}
}

func (w world) apply(uplinks ...string) {
	w.t.Helper()
	if err := Apply(Sharing{AccessPoint: "ap0", Network: network, Uplinks: uplinks}); err != nil {
		w.t.Fatal(err)
	}
}

// forwards returns the interfaces that forward, by the kernel's own files.
func forwards(t *testing.T) string {
	t.Helper()
	all, err := net.Interfaces()
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, i := range all {
		b, err := os.ReadFile("/proc/sys/net/ipv4/conf/" + i.Name + "/forwarding")
		if err != nil {
			t.Fatal(err)
		}
		if strings.TrimSpace(string(b)) == "1" {
			out = append(out, i.Name)
		}
	}
	return strings.Join(out, " ")
}

// TestSharing lets a phone out and nobody in, follows the uplink, and leaves nothing behind.
func TestSharing(t *testing.T) {
	netnstest.Run(t, func(t *testing.T) {
		w := newWorld(t)
		w.expect("phone to internet before", w.reaches(w.phone, "203.0.113.1"), false)
		w.apply("up0")
		w.apply("up0") // again is the same
		if f := forwards(t); f != "ap0 up0" {
			t.Errorf("forwarding: %s", f)
		}
		w.expect("phone to internet", w.reaches(w.phone, "203.0.113.1"), true) // under our address: there is no way back to its own
		w.expect("phone to office", w.reaches(w.phone, "198.51.100.1"), false)
		w.internet.IP("route add 192.168.77.0/24 via 203.0.113.2")
		w.internet.IP("route add 198.51.100.0/24 via 203.0.113.2")
		w.expect("internet to phone", w.reaches(w.internet, "192.168.77.9"), false)
		w.expect("internet to office", w.reaches(w.internet, "198.51.100.1"), false)
		w.phone.IP("addr add 10.1.1.1/32 dev wlan0")
		w.expect("phone under a foreign address", w.phone.Command("busybox", "ping", "-c1", "-W1", "-I", "10.1.1.1", "203.0.113.1").Run() == nil, false)
		checkRules(t)

		// The uplink changes; whoever changes it need not have made the first.
		w.apply("up1")
		if f := forwards(t); f != "ap0 up1" {
			t.Errorf("forwarding: %s", f)
		}
		w.expect("phone to office", w.reaches(w.phone, "198.51.100.1"), true)
		w.expect("phone to internet", w.reaches(w.phone, "203.0.113.1"), false)

		if err := Apply(Sharing{AccessPoint: "ap0", Network: network, Uplinks: []string{"up0", "gone0"}}); err != nil {
			t.Errorf("an uplink that has gone: %v", err)
		}
		for range 2 {
			if err := Remove(); err != nil {
				t.Fatal(err)
			}
		}
		if f := forwards(t); f != "" {
			t.Errorf("forwarding after the end: %s", f)
		}
		if out, err := exec.Command("nft", "list", "ruleset").CombinedOutput(); err != nil || len(out) > 0 {
			t.Errorf("left behind: %s, %v", out, err)
		}
		if err := Apply(Sharing{AccessPoint: "ap0", Network: network, Uplinks: []string{"a name longer than any"}}); err == nil {
			t.Error("an impossible name")
		}
	}, "nft", "busybox")
}

// rules are those of TestSharing as nft(8) reads them.
const rules = `table ip manofwar {
	set accesspoints {
		type ifname
		elements = { "ap0" }
	}

	set uplinks {
		type ifname
		elements = { "up0" }
	}

	chain forward {
		type filter hook forward priority filter; policy drop;
		tcp flags syn / syn,rst tcp option maxseg size set rt mtu
		ct state established,related accept
		iifname @accesspoints oifname @uplinks ip saddr 192.168.77.0/24 accept
	}

	chain postrouting {
		type nat hook postrouting priority srcnat; policy accept;
		oifname @uplinks ip saddr 192.168.77.0/24 masquerade
	}
}
`

func checkRules(t *testing.T) {
	t.Helper()
	got, err := exec.Command("nft", "list", "table", "ip", tableName).CombinedOutput()
	if err != nil || string(got) != rules {
		t.Errorf("rules: %v\n%s", err, got)
	}
}

// TestConnections carries a download through an uplink with a smaller MTU whose ICMP is lost, and keeps it while the same
// sharing is applied again.
func TestConnections(t *testing.T) {
	netnstest.Run(t, func(t *testing.T) {
		w := newWorld(t)
		netnstest.IP(t, "link set up0 mtu 1280")
		w.internet.IP("link set inet0 mtu 1280")
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, "film"), make([]byte, 8<<20), 0o644); err != nil {
			t.Fatal(err)
		}
		w.internet.Start("busybox", "httpd", "-f", "-p", "203.0.113.1:80", "-h", dir)
		w.apply("up0")
		log, _ := w.phone.Start("curl", "-sS", "--retry", "5", "--retry-connrefused", "--max-time", "30", "--limit-rate", "8M", "-o", "/dev/null",
			"-w", "got %{size_download} in %{time_total}\n", "http://203.0.113.1/film")
		for range 10 {
			w.apply("up0")
		}
		log.Await(t, "got 8388608", 1, 30*time.Second)
		t.Log(log)
	}, "busybox", "curl")
}
