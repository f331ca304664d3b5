package judge

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"manofwar/netmgr"
	"manofwar/netmgr/api"
	"manofwar/netmgr/netnstest"
)

// home is a network: this host, a switch, a router with a name server (Debian's dnsmasq), and an internet behind it with another
// name server and two operators.
//
//	us eth0 ── switch ── lan0 router wan0 ── eth0 internet
type home struct {
	t                     *testing.T
	lan, router, internet *netnstest.Peer
	operators             atomic.Pointer[http.Handler] // what both answer with
	stopDNS               func()
}

var (
	empty  http.Handler = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) })
	signIn http.Handler = http.RedirectHandler("http://login.example/start", http.StatusFound)
	mute   http.Handler = http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
)

// addressing is how a home's addresses are.
type addressing struct {
	us, router, wan, beyond string // with prefix lengths
	operators               [2]string
	all                     string // the prefix of the operators
	gateway, server         string
}

var (
	ipv4 = addressing{
		us: "192.0.2.50/24", router: "192.0.2.1/24", wan: "198.51.100.1/24", beyond: "198.51.100.2/24",
		operators: [2]string{"203.0.113.1", "203.0.113.2"}, all: "203.0.113.0/24", gateway: "192.0.2.1", server: "203.0.113.53",
	}
	ipv6 = addressing{
		us: "2001:db8:1::50/64", router: "2001:db8:1::1/64", wan: "2001:db8:2::1/64", beyond: "2001:db8:2::2/64",
		operators: [2]string{"2001:db8:3::1", "2001:db8:3::2"}, all: "2001:db8:3::/64", gateway: "fe80::1", server: "2001:db8:3::53",
	}
)

func newHome(t *testing.T, a addressing) *home {
	t.Helper()
	h := &home{t: t, router: netnstest.NewPeer(t, "router"), internet: netnstest.NewPeer(t, "internet")}
	lan := netnstest.NewPeer(t, "switch")
	h.lan = lan
	lan.Cable("eth0", "port0")
	lan.CableTo(h.router, "port1", "lan0")
	lan.IP("link add br0 type bridge")
	lan.IP("link set port0 master br0")
	lan.IP("link set port1 master br0")
	lan.IP("link set br0 up")
	h.router.CableTo(h.internet, "wan0", "eth0")
	netnstest.IP(t, "link set eth0 addrgenmode none") // its link-local address would be tentative for a while
	netnstest.IP(t, "link set eth0 up")
	h.router.Do(func() error {
		return errors.Join(os.WriteFile("/proc/sys/net/ipv4/ip_forward", []byte("1"), 0), os.WriteFile("/proc/sys/net/ipv6/conf/all/forwarding", []byte("1"), 0))
	})
	nodad := ""
	if a.gateway == ipv6.gateway {
		nodad = " nodad"
		h.router.IP("addr add fe80::1/64 dev lan0 nodad")
		netnstest.IP(t, "addr add fe80::2/64 dev eth0 nodad")
	}
	netnstest.IP(t, "addr add "+a.us+" dev eth0"+nodad)
	netnstest.IP(t, "route add default via "+a.gateway+" dev eth0")
	h.router.IP("addr add " + a.router + " dev lan0" + nodad)
	h.router.IP("addr add " + a.wan + " dev wan0" + nodad)
	h.internet.IP("addr add " + a.beyond + " dev eth0" + nodad)
	beyond, _, _ := strings.Cut(a.beyond, "/")
	wan, _, _ := strings.Cut(a.wan, "/")
	h.router.IP("route add " + a.all + " via " + beyond)
	h.internet.IP("route add default via " + wan)
	for _, o := range append(a.operators[:], a.server) {
		h.internet.IP("addr add " + o + " dev lo" + nodad)
	}
	h.operators.Store(&empty)
	h.serve(a.operators)
	h.dnsmasq(h.internet, "internet", "--listen-address="+a.server, "--address=/one.example/"+a.operators[0], "--address=/two.example/"+a.operators[1])
	h.startDNS(a)
	return h
}

// serve runs both operators' web servers in the internet.
func (h *home) serve(addresses [2]string) {
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { (*h.operators.Load()).ServeHTTP(w, r) })}
	var running sync.WaitGroup
	for _, a := range addresses {
		h.internet.Do(func() error {
			ln, err := net.Listen("tcp", net.JoinHostPort(a, "80"))
			if err == nil {
				running.Go(func() { _ = server.Serve(ln) })
			}
			return err
		})
	}
	h.t.Cleanup(func() { _ = server.Close(); running.Wait() })
}

// startDNS runs the router's name server, which asks the internet's.
func (h *home) startDNS(a addressing) {
	router, _, _ := strings.Cut(a.router, "/")
	h.stopDNS = h.dnsmasq(h.router, "router", "--listen-address="+router, "--server="+a.server)
}

func (h *home) dnsmasq(p *netnstest.Peer, name string, args ...string) (stop func()) {
	pid := filepath.Join(h.t.TempDir(), name+".pid")
	out, stop := p.Start(append([]string{
		"dnsmasq", "--keep-in-foreground", "--no-resolv", "--no-hosts", "--bind-interfaces", "--conf-file=/dev/null", "--user=root",
		"--log-facility=-", "--pid-file=" + pid,
	}, args...)...)
	out.Await(h.t, "started, version", 1, 10*time.Second)
	return stop
}

// verdicts are what a judge tells, and when.
type verdicts struct {
	t    *testing.T
	told chan netmgr.Judged
}

// watch starts a judge over eth0.
func (h *home) watch(a addressing, change func(*Options)) (*Judge, verdicts) {
	h.t.Helper()
	router, _, _ := strings.Cut(a.router, "/")
	o := Options{Link: Link{Name: "eth0", Gateways: gateways(a.gateway), DNS: gateways(router)}}
	if change != nil {
		change(&o)
	}
	return start(h.t, o)
}

func start(t *testing.T, o Options) (*Judge, verdicts) {
	t.Helper()
	i, err := net.InterfaceByName(o.Link.Name)
	if err != nil {
		t.Fatal(err)
	}
	v := verdicts{t, make(chan netmgr.Judged, 100)}
	o.Link.Index = i.Index
	o.Operators = []string{"http://one.example/generate_204", "http://two.example/generate_204"}
	o.Log = slog.New(slog.NewTextHandler(t.Output(), nil))
	o.Tell = func(_ context.Context, j netmgr.Judged) { v.told <- j }
	j := New(o)
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { j.Run(ctx) })
	t.Cleanup(func() { cancel(); running.Wait() })
	return j, v
}

// await returns the next verdict, which must be as wanted and come in time.
func (v verdicts) await(state api.State, reason string, within time.Duration) time.Duration {
	v.t.Helper()
	began := time.Now()
	select {
	case j := <-v.told:
		took := time.Since(began)
		v.t.Logf("%s after %v: %s", j.State, took.Round(time.Millisecond), j.Reason)
		if j.State != state || j.Reason != reason {
			v.t.Fatalf("%s %q, want %s %q", j.State, j.Reason, state, reason)
		}
		return took
	case <-time.After(within):
		v.t.Fatalf("no verdict within %v, want %s", within, state)
	}
	return 0
}

// A verdict is awaited for longer than it should take: the machine that runs this is busy with other tests.
const (
	atOnce = 3 * time.Second
	soon   = 15 * time.Second
)

// ill is one way in which a network can be ill.
type ill struct {
	name   string
	fall   func()
	state  api.State
	reason string
	mend   func()
}

// fallIll lets a network fall ill in these ways and get well again, one after the other.
func fallIll(t *testing.T, v verdicts, ways []ill) {
	t.Helper()
	for _, w := range ways {
		t.Logf("ill: %s", w.name)
		w.fall()
		v.await(w.state, w.reason, soon)
		w.mend()
		v.await(api.Good, "", soon)
	}
}

// TestDead lets die what is between this host and the internet.
func TestDead(t *testing.T) {
	netnstest.Run(t, func(t *testing.T) {
		h := newHome(t, ipv4)
		_, v := h.watch(ipv4, nil)
		v.await(api.Good, "", atOnce)
		fallIll(t, v, []ill{
			{
				name: "black hole", state: api.LANOnly, reason: reasonDead,
				fall: func() { h.router.IP("route replace blackhole " + ipv4.all) },
				mend: func() {
					h.router.IP("route del blackhole " + ipv4.all)
					h.router.IP("route add " + ipv4.all + " via 198.51.100.2")
				},
			},
			{
				name: "router", state: api.Associated, reason: reasonSilent,
				fall: func() { h.router.IP("link set lan0 down") },
				mend: func() { h.router.IP("link set lan0 up") },
			},
		})
	}, "dnsmasq")
}

// TestHalfDead lets die, or be replaced, one part of what makes the internet.
func TestHalfDead(t *testing.T) {
	netnstest.Run(t, func(t *testing.T) {
		h := newHome(t, ipv4)
		_, v := h.watch(ipv4, nil)
		v.await(api.Good, "", atOnce)
		fallIll(t, v, []ill{
			{
				name: "name server", state: api.LANOnly, reason: reasonDeaf,
				fall: func() { h.stopDNS() },
				mend: func() { h.startDNS(ipv4) },
			},
			{
				name: "HTTP", state: api.LANOnly, reason: reasonMute,
				fall: func() { h.operators.Store(&mute) },
				mend: func() { h.operators.Store(&empty) },
			},
			{
				name: "captive", state: api.Captive, reason: reasonCaptive,
				fall: func() { h.operators.Store(&signIn) },
				mend: func() { h.operators.Store(&empty) },
			},
		})
	}, "dnsmasq")
}

// TestStart judges networks that are broken from the beginning, and notices at once when they get well.
func TestStart(t *testing.T) {
	netnstest.Run(t, func(t *testing.T) {
		h := newHome(t, ipv4)
		h.operators.Store(&signIn)
		j, v := h.watch(ipv4, nil)
		v.await(api.Captive, reasonCaptive, atOnce)
		h.operators.Store(&empty)
		j.Nudge()
		v.await(api.Good, "", atOnce)

		_, noServers := h.watch(ipv4, func(o *Options) { o.Link.DNS = nil })
		noServers.await(api.LANOnly, reasonNoDNS, 2*atOnce)
		_, off := h.watch(ipv4, func(o *Options) { o.Off = true })
		off.await(api.Good, "", atOnce)
		_, nobody := h.watch(ipv4, func(o *Options) { o.Off, o.Link.Gateways = true, gateways("192.0.2.9") })
		nobody.await(api.Associated, reasonSilent, 2*atOnce)
		_, second := h.watch(ipv4, func(o *Options) { o.Link.DNS = gateways("192.0.2.9", "192.0.2.1") })
		second.await(api.Good, "", atOnce)
	}, "dnsmasq")
}

// TestIPv6 judges a network without IPv4, whose router has a link-local address.
func TestIPv6(t *testing.T) {
	netnstest.Run(t, func(t *testing.T) {
		h := newHome(t, ipv6)
		_, v := h.watch(ipv6, nil)
		v.await(api.Good, "", atOnce)
		_, off := h.watch(ipv6, func(o *Options) { o.Off = true })
		off.await(api.Good, "", atOnce)
		h.router.IP("route replace blackhole " + ipv6.all)
		v.await(api.LANOnly, reasonDead, soon)
		h.router.IP("link set lan0 down")
		v.await(api.Associated, reasonSilent, soon)
		off.await(api.Associated, reasonSilent, soon)
	}, "dnsmasq")
}

// TestBound judges each of two links by itself, whichever the routes prefer.
func TestBound(t *testing.T) {
	netnstest.Run(t, func(t *testing.T) {
		h := newHome(t, ipv4)
		other := netnstest.NewPeer(t, "other")
		other.Cable("eth1", "lan0")
		other.IP("addr add 10.0.0.1/24 dev lan0")
		netnstest.IP(t, "link set eth1 up")
		netnstest.IP(t, "addr add 10.0.0.50/24 dev eth1")
		netnstest.IP(t, "route replace default via 10.0.0.1 dev eth1 metric 10")
		netnstest.IP(t, "route del default via 192.0.2.1 dev eth0")
		netnstest.IP(t, "route add default via 192.0.2.1 dev eth0 metric 500")
		_, good := h.watch(ipv4, nil)
		good.await(api.Good, "", atOnce)
		_, dead := start(t, Options{Link: Link{Name: "eth1", Gateways: gateways("10.0.0.1"), DNS: gateways("10.0.0.1")}})
		dead.await(api.LANOnly, reasonUnresolved, 2*atOnce)
	}, "dnsmasq")
}

// TestSameNetwork judges two links into one network, a cable and a radio at home. It has the settings that PID 1 makes: without
// them the kernel answers for either link's address on both, and what is meant for one arrives at the other.
func TestSameNetwork(t *testing.T) {
	netnstest.Run(t, func(t *testing.T) {
		h := newHome(t, ipv4)
		for key, value := range map[string]string{"arp_ignore": "1", "arp_announce": "2"} {
			if err := os.WriteFile("/proc/sys/net/ipv4/conf/all/"+key, []byte(value), 0); err != nil {
				t.Fatal(err)
			}
		}
		h.lan.Cable("eth1", "port2")
		h.lan.IP("link set port2 master br0")
		netnstest.IP(t, "link set eth1 up")
		netnstest.IP(t, "addr add 192.0.2.51/24 dev eth1")
		netnstest.IP(t, "route add default via 192.0.2.1 dev eth1 metric 500")
		count := exec.Command("nft", "-f", "-")
		count.Stdin = strings.NewReader(`add table ip astray
			add chain ip astray in { type filter hook prerouting priority 0; }
			add rule ip astray in iifname eth0 ip daddr 192.0.2.51 counter
			add rule ip astray in iifname eth1 ip daddr 192.0.2.50 counter
		`)
		if out, err := count.CombinedOutput(); err != nil {
			t.Fatalf("nft: %v: %s", err, out)
		}
		for range 3 {
			for _, name := range []string{"eth0", "eth1"} {
				h.router.IP("neigh flush dev lan0") // it has to ask who we are, and hears who answers
				_, v := h.watch(ipv4, func(o *Options) { o.Link.Name = name })
				v.await(api.Good, "", atOnce)
			}
		}
		counted, err := exec.Command("nft", "list", "table", "ip", "astray").CombinedOutput()
		if err != nil || strings.Count(string(counted), "counter packets 0 ") != 2 {
			t.Errorf("answers came by the other link: %v\n%s", err, counted)
		}
	}, "dnsmasq", "nft")
}

// TestCost counts the bytes and the processor time that steady judging takes.
func TestCost(t *testing.T) {
	netnstest.Run(t, func(t *testing.T) {
		h := newHome(t, ipv4)
		_, v := h.watch(ipv4, nil)
		v.await(api.Good, "", atOnce)
		asked := make(chan struct{}, 10)
		var counting http.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			empty.ServeHTTP(w, r)
			asked <- struct{}{}
		})
		h.operators.Store(&counting)
		<-asked
		began, bytes, cpu := time.Now(), traffic(t, "eth0"), processor(t)
		for range 3 { // every second look asks
			<-asked
		}
		window := time.Since(began)
		bytes, cpu = traffic(t, "eth0")-bytes, processor(t)-cpu
		perHour := float64(bytes) * float64(time.Hour) / float64(window)
		t.Logf("%d bytes in %v: %.2f MB an hour in use, %.2f on standby, %.2f metered; %v of the processor, that is %.3f %%",
			bytes, window, perHour/1e6, perHour/5e6, perHour/1e7, cpu, 100*float64(cpu)/float64(window))
		if perHour < 1e5 || perHour > 1.5e6 {
			t.Errorf("%.0f bytes an hour", perHour)
		}
	}, "dnsmasq")
}

// traffic returns how many bytes a link has received and sent, from this process's namespace (proc_net(5)).
func traffic(t *testing.T, name string) int {
	t.Helper()
	data, err := os.ReadFile("/proc/self/net/dev")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(data)) {
		fields := strings.Fields(line)
		if len(fields) < 10 || fields[0] != name+":" {
			continue
		}
		received, err1 := strconv.Atoi(fields[1])
		sent, err2 := strconv.Atoi(fields[9])
		if err := errors.Join(err1, err2); err != nil {
			t.Fatal(err)
		}
		return received + sent
	}
	t.Fatalf("no link %s", name)
	return 0
}

func processor(t *testing.T) time.Duration {
	t.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		t.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
