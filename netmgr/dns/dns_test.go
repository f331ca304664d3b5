package dns

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"

	"manofwar/netmgr"
)

var (
	ours4 = netip.MustParseAddr("192.168.77.1")
	ours6 = netip.MustParseAddr("fd12:3456:789a::1")
	first = netip.MustParseAddr("192.0.2.1")
	other = netip.MustParseAddr("192.0.2.2")
)

func names(c netmgr.Capture) Names {
	return Names{Hostname: "Pirate", Addresses: []netip.Addr{ours4, ours6}, Capture: c, Servers: []netip.Addr{first, other}}
}

// TestLocal answers what is known here, and only that.
func TestLocal(t *testing.T) {
	const forwarded = "forwarded"
	for _, c := range []struct {
		capture netmgr.Capture
		name    string
		qtype   uint16
		want    string // the data of the answer, "" for none of the kind, or what became of it
	}{
		{netmgr.CaptureNone, "pirate.local.", dns.TypeA, "192.168.77.1"},
		{netmgr.CaptureNone, "PIRATE.Local.", dns.TypeAAAA, "fd12:3456:789a::1"},
		{netmgr.CaptureNone, "pirate.", dns.TypeA, "192.168.77.1"},
		{netmgr.CaptureNone, "pirate.local.", dns.TypeHTTPS, ""},
		{netmgr.CaptureNone, "parrot.local.", dns.TypeA, "NXDOMAIN"},
		{netmgr.CaptureNone, "_http._tcp.local.", dns.TypePTR, "NXDOMAIN"},
		{netmgr.CaptureNone, "1.77.168.192.in-addr.arpa.", dns.TypePTR, "pirate.local."},
		{netmgr.CaptureNone, "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.a.9.8.7.6.5.4.3.2.1.d.f.ip6.arpa.", dns.TypePTR, "pirate.local."},
		{netmgr.CaptureNone, "1.2.0.192.in-addr.arpa.", dns.TypePTR, forwarded},
		{netmgr.CaptureNone, "_dns.resolver.arpa.", dns.TypeSVCB, ""},
		{netmgr.CaptureNone, "captive.apple.com.", dns.TypeA, forwarded},
		{netmgr.CaptureNone, "dns.msftncsi.com.", dns.TypeA, forwarded},
		{netmgr.CaptureNone, "example.com.", dns.TypeAXFR, "REFUSED"},

		{netmgr.CaptureProbes, "Captive.Apple.com.", dns.TypeA, "192.168.77.1"},
		{netmgr.CaptureProbes, "connectivitycheck.gstatic.com.", dns.TypeA, "192.168.77.1"},
		{netmgr.CaptureProbes, "www.msftconnecttest.com.", dns.TypeAAAA, ""},
		{netmgr.CaptureProbes, "detectportal.firefox.com.", dns.TypeHTTPS, ""},
		{netmgr.CaptureProbes, "dns.msftncsi.com.", dns.TypeA, "131.107.255.255"},
		{netmgr.CaptureProbes, "dns.msftncsi.com.", dns.TypeAAAA, "fd3e:4f5a:5b81::1"},
		{netmgr.CaptureProbes, "www.google.com.", dns.TypeA, forwarded},
		{netmgr.CaptureProbes, "www.apple.com.", dns.TypeA, forwarded},

		{netmgr.CaptureAll, "www.google.com.", dns.TypeA, "192.168.77.1"},
		{netmgr.CaptureAll, "www.google.com.", dns.TypeAAAA, ""},
		{netmgr.CaptureAll, "www.google.com.", dns.TypeTXT, ""},
		{netmgr.CaptureAll, "pirate.local.", dns.TypeAAAA, "fd12:3456:789a::1"},
		{netmgr.CaptureAll, "parrot.local.", dns.TypeA, "NXDOMAIN"},
		{netmgr.CaptureAll, "dns.msftncsi.com.", dns.TypeA, "131.107.255.255"},
		{netmgr.CaptureAll, "use-application-dns.net.", dns.TypeA, "NXDOMAIN"},
	} {
		n := names(c.capture)
		q := new(dns.Msg).SetQuestion(c.name, c.qtype)
		r := n.answer(q)
		if got := summary(r, forwarded); got != c.want {
			t.Errorf("%q: %s %s: %q, want %q", c.capture, c.name, dns.TypeToString[c.qtype], got, c.want)
		}
		if r == nil {
			continue
		}
		if r.Id != q.Id || !r.Response || len(r.Question) != 1 || r.Question[0] != q.Question[0] {
			t.Errorf("%s: not an answer to it: %v", c.name, r)
		}
		captured := c.capture != netmgr.CaptureNone && !strings.Contains(strings.ToLower(c.name), "pirate")
		if len(r.Answer) > 0 && captured && r.Answer[0].Header().Ttl > 5 {
			t.Errorf("%s: remembered for %d s", c.name, r.Answer[0].Header().Ttl)
		}
	}
	if r := (&Names{}).answer(new(dns.Msg).SetQuestion("example.com.", dns.TypeA)); r == nil || r.Rcode != dns.RcodeServerFailure {
		t.Errorf("without a server: %v", r)
	}
}

func summary(r *dns.Msg, none string) string {
	switch {
	case r == nil:
		return none
	case r.Rcode != dns.RcodeSuccess:
		return dns.RcodeToString[r.Rcode]
	case len(r.Answer) == 0:
		return ""
	}
	rr := r.Answer[0]
	return strings.TrimPrefix(rr.String(), rr.Header().String())
}

// TestRefusals says no to what is no plain question, and nothing to what is no query.
func TestRefusals(t *testing.T) {
	question := func(change func(*dns.Msg)) *dns.Msg {
		m := new(dns.Msg).SetQuestion("example.com.", dns.TypeA)
		change(m)
		return m
	}
	for name, c := range map[string]struct {
		msg  *dns.Msg
		want int // -1: silence
	}{
		"an answer":     {question(func(m *dns.Msg) { m.Response = true }), -1},
		"notify":        {question(func(m *dns.Msg) { m.Opcode = dns.OpcodeNotify }), dns.RcodeNotImplemented},
		"update":        {question(func(m *dns.Msg) { m.Opcode = dns.OpcodeUpdate }), dns.RcodeNotImplemented},
		"no question":   {question(func(m *dns.Msg) { m.Question = nil }), dns.RcodeFormatError},
		"two":           {question(func(m *dns.Msg) { m.Question = append(m.Question, m.Question[0]) }), dns.RcodeFormatError},
		"chaos":         {question(func(m *dns.Msg) { m.Question[0].Qclass = dns.ClassCHAOS }), dns.RcodeRefused},
		"later version": {question(func(m *dns.Msg) { m.SetEdns0(4096, true); m.IsEdns0().SetVersion(1) }), dns.RcodeBadVers},
	} {
		s := server(t)
		s.Set(names(netmgr.CaptureNone))
		data, err := c.msg.Pack()
		if err != nil {
			t.Fatal(err)
		}
		_, r, done := s.answer(data)
		if !done {
			t.Errorf("%s: forwarded", name)
			continue
		}
		if c.want < 0 {
			if r != nil {
				t.Errorf("%s: answered", name)
			}
			continue
		}
		var m dns.Msg
		if err := m.Unpack(r); err != nil || m.Rcode != c.want {
			t.Errorf("%s: %v, %v", name, dns.RcodeToString[m.Rcode], err)
		}
	}
}

// serveLoopback runs a server on this host's loopback.
func serveLoopback(t *testing.T, s *Server) string {
	t.Helper()
	udp, tcp := samePort(t)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() { s.Run(ctx, udp, tcp); close(ended) }()
	t.Cleanup(func() { cancel(); <-ended })
	return udp.LocalAddr().String()
}

// samePort listens on a port of loopback that is free for both.
func samePort(t *testing.T) (net.PacketConn, net.Listener) {
	t.Helper()
	var errs []error
	for range 10 {
		tcp, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		udp, err := net.ListenPacket("udp", tcp.Addr().String())
		if err == nil {
			return udp, tcp
		}
		errs = append(errs, err, tcp.Close()) // somebody else has it
	}
	t.Fatal(errors.Join(errs...))
	return nil, nil
}

// TestServe answers clients by UDP and TCP, changes what it tells without a pause, and nobody else.
func TestServe(t *testing.T) {
	s := server(t)
	s.Networks = append(s.Networks, netip.MustParsePrefix("127.0.0.1/32"))
	s.Dial = (&internet{behave: map[netip.Addr]func(*dns.Msg) []*dns.Msg{first: good}}).dial
	address := serveLoopback(t, s)
	for _, network := range []string{"udp", "tcp"} {
		c := dns.Client{Net: network, Timeout: 5 * time.Second}
		ask := func(name, want string) {
			t.Helper()
			r, _, err := c.Exchange(new(dns.Msg).SetQuestion(name, dns.TypeA), address)
			if err != nil || summary(r, "") != want {
				t.Errorf("%s: %s: %v, %v", network, name, r, err)
			}
		}
		s.Set(names(netmgr.CaptureAll))
		ask("pirate.local.", "192.168.77.1")
		ask("example.com.", "192.168.77.1")
		s.Set(names(netmgr.CaptureNone))
		ask("example.com.", "203.0.113.80")
	}

	conn, err := net.Dial("tcp", address) // several questions over one connection, then nonsense
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	for range 3 {
		data, err := new(dns.Msg).SetQuestion("pirate.local.", dns.TypeA).Pack()
		if err != nil {
			t.Fatal(err)
		}
		if err := writeTCP(conn, data); err != nil {
			t.Fatal(err)
		}
		if _, err := readTCP(conn, maxQuery); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := conn.Write([]byte{0xff, 0xff, 1, 2, 3}); err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Read(make([]byte, 1)); err == nil {
		t.Error("a message of 65535 bytes is waited for")
	}
	for _, a := range []string{"192.168.78.9:5", "203.0.113.1:5", "127.0.0.2:5", "[fd12::5]:5", "[::ffff:10.0.0.1]:5"} {
		if s.allowed(net.UDPAddrFromAddrPort(netip.MustParseAddrPort(a))) {
			t.Errorf("%s is answered", a)
		}
	}
	for _, a := range []string{"192.168.77.9:5", "[::ffff:192.168.77.9]:5", "[fe80::1%ap0]:5"} {
		if !s.allowed(net.UDPAddrFromAddrPort(netip.MustParseAddrPort(a))) {
			t.Errorf("%s is not answered", a)
		}
	}
}

// FuzzAnswer answers whatever clients send: never with more than they asked for room for, never to an answer.
func FuzzAnswer(f *testing.F) {
	for _, name := range []string{"pirate.local.", "captive.apple.com.", "1.77.168.192.in-addr.arpa.", "example.com."} {
		q := new(dns.Msg).SetQuestion(name, dns.TypeA)
		q.SetEdns0(512, true)
		data, err := q.Pack()
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, c := range []netmgr.Capture{netmgr.CaptureNone, netmgr.CaptureProbes, netmgr.CaptureAll} {
			s := server(t)
			s.Set(names(c))
			q, r, done := s.answer(data)
			if !done {
				if _, err := upstream(q.msg).Pack(); err != nil && len(q.msg.Question) != 1 {
					t.Errorf("forwarded: %v", err)
				}
				continue
			}
			var m dns.Msg
			if r == nil {
				continue
			}
			if err := m.Unpack(r); err != nil || !m.Response || len(m.Answer) > 1 || len(r) > len(data)+64 && len(r) > 512+64 {
				t.Errorf("%d bytes for %d: %v", len(r), len(data), err)
			}
			if len(data) > 2 && (data[2]&0x80 != 0) {
				t.Error("an answer was answered")
			}
		}
	})
}
