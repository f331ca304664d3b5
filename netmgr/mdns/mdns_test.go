package mdns

import (
	"log/slog"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/miekg/dns"

	"manofwar/netmgr"
)

// TestProbeAndAnnounce follows the first seconds of a name (RFC 6762, sections 8.1 and 8.3).
func TestProbeAndAnnounce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e, began := &ether{}, time.Now()
		h := e.responder(t, "pirate", "192.0.2.9/24", "fe80::9/64")
		pass(5 * time.Second)
		log := e.since(began, h.fakeTransport)
		if len(log) != 5 {
			t.Fatalf("%d messages, want 3 probes and 2 announcements", len(log))
		}
		for i, s := range log[:3] {
			if s.msg.Response || text(s.msg.Ns) != "pirate.local. A 120 192.0.2.9; pirate.local. AAAA 120 fe80::9" {
				t.Errorf("probe %d: %v", i, s.msg)
			}
			if gap := s.at.Sub(log[0].at); gap != time.Duration(i)*probeGap {
				t.Errorf("probe %d after %v", i, gap)
			}
		}
		for i, s := range log[3:] {
			want := "pirate.local. A 120 flush 192.0.2.9; pirate.local. AAAA 120 flush fe80::9; 9.2.0.192.in-addr.arpa. PTR 120 flush pirate.local.; "
			if got := text(s.msg.Answer); !s.msg.Response || !s.msg.Authoritative || !strings.HasPrefix(got, want) {
				t.Errorf("announcement %d: %v", i, got)
			}
		}
		if log[3].at.Sub(log[2].at) != probeGap || log[4].at.Sub(log[3].at) != announceGap {
			t.Errorf("announced at %v and %v", log[3].at, log[4].at)
		}
		if !slices.Equal(*h.names, []string{"pirate"}) {
			t.Errorf("told %v", *h.names)
		}
	})
}

// TestAnswer asks one settled responder in every way.
func TestAnswer(t *testing.T) {
	var (
		peer   = netip.MustParseAddrPort("192.0.2.7:5353")
		legacy = netip.MustParseAddrPort("192.0.2.7:40000")
		a      = "pirate.local. A 120 flush 192.0.2.9"
		aaaa   = "pirate.local. AAAA 120 flush 2001:db8::9"
		nsec   = "pirate.local. NSEC 120 flush pirate.local. A AAAA"
	)
	known := func(ttl uint32) func(*dns.Msg) {
		return func(m *dns.Msg) {
			m.Answer = hostRecords("pirate.local.", []netip.Addr{netip.MustParseAddr("192.0.2.9")}, ttl)
		}
	}
	for _, c := range []struct {
		name          string
		from          netip.AddrPort
		change        func(*dns.Msg)
		ask           string
		qtype         uint16
		answer, extra string
		to            netip.AddrPort // the zero AddrPort: everybody
	}{
		{"A", peer, nil, "pirate.local.", dns.TypeA, a, aaaa + "; " + nsec, netip.AddrPort{}},
		{"AAAA", peer, nil, "PIRATE.local.", dns.TypeAAAA, aaaa, a + "; " + nsec, netip.AddrPort{}},
		{"ANY", peer, nil, "pirate.local.", dns.TypeANY, a + "; " + aaaa, nsec, netip.AddrPort{}},
		{"absent type", peer, nil, "pirate.local.", dns.TypeTXT, nsec, "", netip.AddrPort{}},
		{"reverse", peer, nil, "9.2.0.192.in-addr.arpa.", dns.TypePTR, "9.2.0.192.in-addr.arpa. PTR 120 flush pirate.local.", a + "; " + aaaa, netip.AddrPort{}},
		{"reverse, absent type", peer, nil, "9.2.0.192.in-addr.arpa.", dns.TypeA, "9.2.0.192.in-addr.arpa. NSEC 120 flush 9.2.0.192.in-addr.arpa. PTR", "", netip.AddrPort{}},
		{"somebody else", peer, nil, "parrot.local.", dns.TypeA, "", "", netip.AddrPort{}},
		{"another class", peer, func(m *dns.Msg) { m.Question[0].Qclass = dns.ClassCHAOS }, "pirate.local.", dns.TypeA, "", "", netip.AddrPort{}},
		{"known", peer, known(60), "pirate.local.", dns.TypeA, "", "", netip.AddrPort{}},
		{"known but old", peer, known(59), "pirate.local.", dns.TypeA, a, aaaa + "; " + nsec, netip.AddrPort{}},
		{"unicast asked soon after", peer, func(m *dns.Msg) { m.Question[0].Qclass |= unicastOK }, "pirate.local.", dns.TypeA, a, aaaa + "; " + nsec, peer},
		{"plain resolver", legacy, nil, "pirate.local.", dns.TypeA, "pirate.local. A 10 192.0.2.9", "pirate.local. AAAA 10 2001:db8::9; pirate.local. NSEC 10 pirate.local. A AAAA", legacy},
		{"an error", peer, func(m *dns.Msg) { m.Rcode = dns.RcodeRefused }, "pirate.local.", dns.TypeA, "", "", netip.AddrPort{}},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				e := &ether{}
				h := e.responder(t, "pirate", "192.0.2.9/24", "2001:db8::9/64", "fe80::9/64")
				pass(5 * time.Second)
				now := time.Now()
				h.ask(t, c.from, c.change, c.ask, c.qtype)
				log := e.since(now, h.fakeTransport)
				if c.answer == "" {
					if len(log) != 0 {
						t.Fatalf("answered %v", log[0].msg)
					}
					return
				}
				if len(log) != 1 {
					t.Fatalf("%d answers", len(log))
				}
				got := log[0]
				if text(got.msg.Answer) != c.answer || text(got.msg.Extra) != c.extra || got.to != c.to {
					t.Errorf("to %v\nanswer %s\nwant   %s\nextra  %s\nwant   %s", got.to, text(got.msg.Answer), c.answer, text(got.msg.Extra), c.extra)
				}
				if isLegacy := c.from == legacy; isLegacy != (got.msg.Id == 7) || isLegacy != (len(got.msg.Question) == 1) {
					t.Errorf("id %d, questions %v", got.msg.Id, got.msg.Question)
				}
			})
		})
	}
}

// TestUnicastAskedLate answers everybody when the caches of the others are about to run out.
func TestUnicastAskedLate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := &ether{}
		h := e.responder(t, "pirate", "192.0.2.9/24")
		pass(time.Minute)
		now := time.Now()
		h.ask(t, netip.MustParseAddrPort("192.0.2.7:5353"), func(m *dns.Msg) { m.Question[0].Qclass |= unicastOK }, "pirate.local.", dns.TypeA)
		if log := e.since(now, h.fakeTransport); len(log) != 1 || log[0].to.IsValid() {
			t.Fatalf("sent %v, want one multicast", log)
		}
	})
}

// TestRateLimit sends no record to everybody twice within a second, but to a probe.
func TestRateLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e, peer := &ether{}, netip.MustParseAddrPort("192.0.2.7:5353")
		h := e.responder(t, "pirate", "192.0.2.9/24")
		pass(5 * time.Second)
		now := time.Now()
		for range 5 {
			h.ask(t, peer, nil, "pirate.local.", dns.TypeA)
		}
		pass(300 * time.Millisecond)
		h.ask(t, peer, nil, "pirate.local.", dns.TypeA)
		if n := len(e.since(now, h.fakeTransport)); n != 1 {
			t.Errorf("%d answers within a second", n)
		}
		h.ask(t, peer, func(m *dns.Msg) {
			m.Ns = hostRecords("pirate.local.", []netip.Addr{peer.Addr()}, ttl)
		}, "pirate.local.", dns.TypeANY)
		if n := len(e.since(now, h.fakeTransport)); n != 2 {
			t.Errorf("a probe was not answered")
		}
	})
}

// TestRestOfQuery waits for the known answers of a truncated query (RFC 6762, section 7.2).
func TestRestOfQuery(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e, peer := &ether{}, netip.MustParseAddrPort("192.0.2.7:5353")
		h := e.responder(t, "pirate", "192.0.2.9/24")
		pass(5 * time.Second)
		now := time.Now()
		h.ask(t, peer, func(m *dns.Msg) { m.Truncated = true }, "pirate.local.", dns.TypeA)
		h.ask(t, peer, func(m *dns.Msg) {
			m.Question = nil
			m.Answer = hostRecords("pirate.local.", []netip.Addr{netip.MustParseAddr("192.0.2.9")}, ttl)
		}, "pirate.local.", dns.TypeA)
		pass(time.Second)
		if log := e.since(now, h.fakeTransport); len(log) != 0 {
			t.Errorf("answered %v, which was known", log[0].msg)
		}
		h.ask(t, peer, func(m *dns.Msg) { m.Truncated = true }, "pirate.local.", dns.TypeA)
		pass(time.Second)
		if log := e.since(now, h.fakeTransport); len(log) != 1 || log[0].at.Sub(now) < time.Second+moreWait {
			t.Errorf("answered %v", log)
		}
	})
}

// TestTaken takes the next name when somebody answers, whichever kind of record that is.
func TestTaken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := &ether{}
		first := e.responder(t, "pirate", "192.0.2.9/24")
		pass(5 * time.Second)
		second := e.responder(t, "pirate", "192.0.2.8/24")
		third := e.responder(t, "pirate", "192.0.2.7/24")
		pass(20 * time.Second)
		names := []string{last(*first.names), last(*second.names), last(*third.names)}
		slices.Sort(names)
		if len(*first.names) != 1 || names[0] != "pirate" || names[1] != "pirate-2" || names[2] != "pirate-3" {
			t.Errorf("names %v %v %v", *first.names, *second.names, *third.names)
		}
	})
}

// TestContest starts two hosts with one name at once: both end up with one, and not with the same.
func TestContest(t *testing.T) {
	for range 20 {
		synctest.Test(t, func(t *testing.T) {
			e := &ether{}
			a := e.responder(t, "pirate", "192.0.2.8/24")
			b := e.responder(t, "pirate", "192.0.2.9/24")
			pass(20 * time.Second)
			if x, y := last(*a.names), last(*b.names); x == y || x == "" || y == "" || x != "pirate" && y != "pirate" {
				t.Errorf("names %q and %q", x, y)
			}
		})
	}
}

// TestConflict joins two networks on each of which the name was won.
func TestConflict(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := &ether{}
		a := e.responder(t, "pirate", "192.0.2.8/24")
		pass(5 * time.Second)
		a.setDeaf(true)
		b := e.responder(t, "pirate", "192.0.2.9/24")
		pass(5 * time.Second)
		if last(*b.names) != "pirate" {
			t.Fatalf("not won on a network of its own: %v", *b.names)
		}
		a.setDeaf(false)
		b.ask(t, netip.MustParseAddrPort("192.0.2.7:5353"), nil, "pirate.local.", dns.TypeA)
		pass(20 * time.Second)
		if x, y := last(*a.names), last(*b.names); x == y || x != "pirate" && y != "pirate" {
			t.Errorf("names %q and %q", x, y)
		}
	})
}

// TestGoodbye takes back what was announced: an address that has gone, then everything.
func TestGoodbye(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := &ether{}
		h := e.responder(t, "pirate", "192.0.2.9/24", "192.0.2.10/24")
		pass(5 * time.Second)
		now := time.Now()
		h.answer(on("192.0.2.10/24", "192.0.2.11/24"))
		synctest.Wait()
		log := e.since(now, h.fakeTransport)
		if len(log) != 2 || !strings.HasPrefix(text(log[0].msg.Answer), "pirate.local. A 0 192.0.2.9; ") ||
			!strings.HasPrefix(text(log[1].msg.Answer), "pirate.local. A 120 flush 192.0.2.10; pirate.local. A 120 flush 192.0.2.11; ") {
			t.Errorf("sent %v", log)
		}
		pass(5 * time.Second)
		now = time.Now()
		h.stop()
		log = e.since(now, h.fakeTransport)
		if len(log) != 1 || !strings.HasPrefix(text(log[0].msg.Answer), "pirate.local. A 0 192.0.2.10; pirate.local. A 0 192.0.2.11; ") {
			t.Errorf("at the end %v", log)
		}
	})
}

// TestRename takes the old name back everywhere, and probes for the new one before it says that it is ours.
func TestRename(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := &ether{}
		h, here := e.responder(t, "pirate", "192.0.2.9/24"), on("192.0.2.9/24")
		pass(5 * time.Second)
		now := time.Now()
		h.rename("pirate", here)
		if log := e.since(now, h.fakeTransport); len(log) != 0 {
			t.Errorf("the same name again: sent %v", log)
		}
		h.rename("parrot", here)
		h.ask(t, netip.MustParseAddrPort("192.0.2.7:5353"), nil, "pirate.local.", dns.TypeA)
		pass(5 * time.Second)
		var got []string
		for _, s := range e.since(now, h.fakeTransport) {
			if got = append(got, text(s.msg.Answer)); !s.msg.Response {
				got[len(got)-1] = "probe " + s.msg.Question[0].Name
			}
		}
		const probe, ours = "probe parrot.local.", "parrot.local. A 120 flush 192.0.2.9; 9.2.0.192.in-addr.arpa. PTR 120 flush parrot.local."
		want := []string{"pirate.local. A 0 192.0.2.9; 9.2.0.192.in-addr.arpa. PTR 0 pirate.local.", probe, probe, probe, ours, ours}
		if !slices.Equal(got, want) {
			t.Errorf("sent %q, want %q", got, want)
		}
		if want := []string{"pirate", "parrot"}; !slices.Equal(*h.names, want) {
			t.Errorf("told %q, want %q", *h.names, want)
		}
	})
}

// TestRenameWhereTaken gives two hosts one name: the one that wanted it first keeps it.
func TestRenameWhereTaken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := &ether{}
		first, second := e.responder(t, "living-room", "192.0.2.7/24"), e.responder(t, "pirate", "192.0.2.9/24")
		pass(5 * time.Second)
		second.rename("living-room", on("192.0.2.9/24"))
		pass(10 * time.Second)
		if got, want := *second.names, []string{"pirate", "living-room-2"}; !slices.Equal(got, want) {
			t.Errorf("the second is told %q, want %q", got, want)
		}
		first.rename("kitchen", on("192.0.2.7/24"))
		second.rename("parrot", on("192.0.2.9/24"))
		second.rename("living-room", on("192.0.2.9/24")) // thought better of it, while the other one was being probed
		pass(10 * time.Second)
		if got, want := *second.names, []string{"pirate", "living-room-2", "living-room"}; !slices.Equal(got, want) {
			t.Errorf("then %q, want %q", got, want)
		}
		if got, want := *first.names, []string{"living-room", "kitchen"}; !slices.Equal(got, want) {
			t.Errorf("the first is told %q, want %q", got, want)
		}
	})
}

// TestNewLink probes on a link that comes back, and stays silent on one that has gone.
func TestNewLink(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := &ether{}
		h := e.responder(t, "pirate", "192.0.2.9/24")
		pass(5 * time.Second)
		h.answer()
		now := time.Now()
		h.ask(t, netip.MustParseAddrPort("192.0.2.7:5353"), nil, "pirate.local.", dns.TypeA)
		if log := e.since(now, h.fakeTransport); len(log) != 0 {
			t.Errorf("sent %v", log)
		}
		h.answer(on("192.0.2.9/24"))
		pass(5 * time.Second)
		if log := e.since(now, h.fakeTransport); len(log) != 5 || log[0].msg.Response {
			t.Errorf("sent %d messages, want 3 probes and 2 announcements", len(log))
		}
		if len(*h.names) != 1 {
			t.Errorf("told %v", *h.names)
		}
	})
}

// TestForeign drops unicast packets that are not from the link.
func TestForeign(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := &ether{}
		h := e.responder(t, "pirate", "192.0.2.9/24")
		pass(5 * time.Second)
		now := time.Now()
		q := dns.Msg{Question: []dns.Question{{Name: "pirate.local.", Qtype: dns.TypeA, Qclass: dns.ClassINET}}}
		data, err := q.Pack()
		if err != nil {
			t.Fatal(err)
		}
		for _, from := range []string{"198.51.100.1:5353", "192.0.2.1:5353"} {
			if err := h.sendFrom(netip.MustParseAddrPort(from), 1, h.from, data); err != nil {
				t.Fatal(err)
			}
		}
		synctest.Wait()
		if log := e.since(now, h.fakeTransport); len(log) != 1 || log[0].to.String() != "192.0.2.1:5353" {
			t.Errorf("sent %v, want one answer to the neighbour", log)
		}
	})
}

// FuzzHandle feeds a responder whatever may arrive, in every phase.
func FuzzHandle(f *testing.F) {
	q := dns.Msg{Question: []dns.Question{{Name: "pirate.local.", Qtype: dns.TypeANY, Qclass: dns.ClassINET}}}
	q.Ns = hostRecords("pirate.local.", []netip.Addr{netip.MustParseAddr("192.0.2.1")}, ttl)
	for _, resp := range []bool{false, true} {
		q.Response, q.Answer = resp, q.Ns
		data, err := q.Pack()
		if err != nil {
			f.Fatal(err)
		}
		for p := range 3 {
			f.Add(data, p, true)
		}
	}
	f.Fuzz(func(t *testing.T, data []byte, p int, multicast bool) {
		if len(data) > 9000 {
			return
		}
		r := Responder{
			Reverse: true, Transport: (&ether{}).join("192.0.2.9"), Tell: func(string, string) {}, Log: slog.New(slog.DiscardHandler),
			wanted: "pirate", links: make(map[int]*link), attempt: 1,
		}
		now := time.Now()
		r.setLinks(now, []netmgr.Announcement{on("192.0.2.9/24", "fe80::9/64")})
		r.links[1].phase = phase((p%3 + 3) % 3)
		r.handle(now, Packet{Index: 1, From: netip.MustParseAddrPort("192.0.2.7:5353"), Multicast: multicast, Data: data})
		r.act(now.Add(time.Second))
	})
}
