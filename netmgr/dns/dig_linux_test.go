package dns

import (
	"context"
	"net/netip"
	"strings"
	"testing"

	"manofwar/netmgr"
	"manofwar/netmgr/netnstest"
)

// TestDig is asked by BIND's dig, over IPv4 and IPv6, UDP and TCP, and forwards to a real dnsmasq. A host on another
// interface gets no answer.
func TestDig(t *testing.T) {
	netnstest.Run(t, func(t *testing.T) {
		phone, router := netnstest.NewPeer(t, "phone"), netnstest.NewPeer(t, "router")
		phone.Cable("ap0", "wlan0")
		router.Cable("up0", "lan0")
		netnstest.IP(t, "addr add 192.168.77.1/24 dev ap0")
		netnstest.IP(t, "addr add fd12:3456:789a::1/64 dev ap0 nodad")
		netnstest.IP(t, "link set ap0 up")
		netnstest.IP(t, "addr add 192.0.2.9/24 dev up0")
		netnstest.IP(t, "link set up0 up")
		phone.IP("addr add 192.168.77.9/24 dev wlan0")
		phone.IP("addr add fd12:3456:789a::9/64 dev wlan0 nodad")
		router.IP("addr add 192.0.2.1/24 dev lan0")
		router.IP("route add 192.168.77.0/24 via 192.0.2.9")
		router.Start("dnsmasq", "--keep-in-foreground", "--port=53", "--no-resolv", "--no-hosts", "--conf-file=/dev/null", "--user=root",
			"--listen-address=192.0.2.1", "--bind-interfaces", "--pid-file=",
			"--address=/example.com/203.0.113.80", "--txt-record=big.example.com,"+strings.Repeat("x", 250)+","+strings.Repeat("y", 250)+","+
				strings.Repeat("z", 250)+","+strings.Repeat("w", 250)+","+strings.Repeat("v", 250)+","+strings.Repeat("u", 250))

		s := server(t)
		s.Networks = []netip.Prefix{netip.MustParsePrefix("192.168.77.1/24"), netip.MustParsePrefix("fd12:3456:789a::1/64")}
		n := names(netmgr.CaptureNone)
		n.Servers = []netip.Addr{netip.MustParseAddr("192.0.2.77"), netip.MustParseAddr("192.0.2.1")} // nobody, then dnsmasq
		s.Set(n)
		udp, tcp, err := Listen("ap0")
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(context.Background())
		ended := make(chan struct{})
		go func() { s.Run(ctx, udp, tcp); close(ended) }()
		defer func() { cancel(); <-ended }()

		dig := func(from *netnstest.Peer, args string) string {
			out, _ := from.Command(append([]string{"dig", "+short", "+tries=2", "+time=2"}, strings.Fields(args)...)...).CombinedOutput() // what it prints is checked
			return strings.TrimSpace(string(out))
		}
		for args, want := range map[string]string{
			"@192.168.77.1 pirate.local":                "192.168.77.1",
			"@192.168.77.1 -x 192.168.77.1":             "pirate.local.",
			"@192.168.77.1 example.com":                 "203.0.113.80",
			"@192.168.77.1 +tcp example.com":            "203.0.113.80",
			"@192.168.77.1 +noedns example.com":         "203.0.113.80",
			"@fd12:3456:789a::1 example.com":            "203.0.113.80",
			"@fd12:3456:789a::1 +tcp pirate.local AAAA": "fd12:3456:789a::1",
		} {
			if got := dig(phone, args); got != want {
				t.Errorf("dig %s: %s, want %s", args, got, want)
			}
		}
		if got := dig(phone, "@192.168.77.1 big.example.com TXT"); len(got) < 1500 { // too large for UDP: dig turns to TCP
			t.Errorf("dig big.example.com: %s", got)
		}
		for _, address := range []string{"192.0.2.9", "192.168.77.1"} {
			if got := dig(router, "+tries=1 @"+address+" pirate.local"); !strings.Contains(got, "timed out") && !strings.Contains(got, "refused") {
				t.Errorf("from outside: %s", got)
			}
		}
	}, "dig", "dnsmasq")
}
