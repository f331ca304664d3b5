package dhcp

import (
	"context"
	"log/slog"
	"net"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/insomniacslk/dhcp/dhcpv4"
	"github.com/insomniacslk/dhcp/rfc1035label"

	"manofwar/netmgr"
)

var (
	mac    = net.HardwareAddr{2, 0, 0, 0, 0, 9}
	server = netip.MustParseAddr("192.0.2.1")
	leased = netip.MustParseAddr("192.0.2.50")
)

// lab is a client, and the server's end of its link.
type lab struct {
	client   *Client
	toClient chan []byte
	heard    chan heard        // what the client sends
	told     chan netmgr.Event // what it tells
	rivals   chan net.HardwareAddr
}

// heard is a message of the client.
type heard struct {
	*dhcpv4.DHCPv4
	at       time.Time
	from, to netip.Addr // to the zero Addr: everybody
}

func (l *lab) Broadcast(from netip.Addr, m []byte) error   { return l.hear(from, netip.Addr{}, m) }
func (l *lab) Unicast(from, to netip.Addr, m []byte) error { return l.hear(from, to, m) }
func (l *lab) Messages() <-chan []byte                     { return l.toClient }

func (l *lab) hear(from, to netip.Addr, data []byte) error {
	m, err := dhcpv4.FromBytes(data)
	if err != nil {
		return err
	}
	l.heard <- heard{m, time.Now(), from, to}
	return nil
}

// inLab runs f beside a client, on a clock of its own.
func inLab(t *testing.T, previous netip.Addr, f func(*testing.T, *lab)) {
	synctest.Test(t, func(t *testing.T) {
		l := &lab{
			toClient: make(chan []byte, 4), heard: make(chan heard, 1024), told: make(chan netmgr.Event, 64),
			rivals: make(chan net.HardwareAddr, 1),
		}
		l.client = &Client{
			Index: 3, MAC: mac, Hostname: "pirate", Previous: previous, Conn: l, Conflicts: l.rivals,
			Tell: func(ev netmgr.Event) { l.told <- ev }, Log: slog.New(slog.DiscardHandler),
		}
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() { l.client.Run(ctx); close(ended) }()
		f(t, l)
		cancel()
		<-ended
	})
}

// next returns the client's next message, which must be of a type.
func (l *lab) next(t *testing.T, want dhcpv4.MessageType) heard {
	t.Helper()
	m := <-l.heard
	if m.MessageType() != want {
		t.Fatalf("the client sends %v, want %v", m.MessageType(), want)
	}
	return m
}

// reply answers a message of the client.
func (l *lab) reply(t *testing.T, to heard, typ dhcpv4.MessageType, more ...dhcpv4.Modifier) {
	t.Helper()
	m, err := dhcpv4.NewReplyFromRequest(to.DHCPv4, append([]dhcpv4.Modifier{
		dhcpv4.WithMessageType(typ),
		dhcpv4.WithYourIP(leased.AsSlice()),
		dhcpv4.WithOption(dhcpv4.OptServerIdentifier(server.AsSlice())),
		dhcpv4.WithNetmask(net.CIDRMask(24, 32)),
		dhcpv4.WithOption(dhcpv4.OptRouter(server.AsSlice())),
		dhcpv4.WithOption(dhcpv4.OptDNS(server.AsSlice())),
		dhcpv4.WithLeaseTime(3600),
	}, more...)...)
	if err != nil {
		t.Fatal(err)
	}
	l.toClient <- m.ToBytes()
}

// bind answers from DISCOVER to ACK and returns the lease.
func (l *lab) bind(t *testing.T, more ...dhcpv4.Modifier) netmgr.Lease {
	t.Helper()
	l.reply(t, l.next(t, dhcpv4.MessageTypeDiscover), dhcpv4.MessageTypeOffer, more...)
	l.reply(t, l.next(t, dhcpv4.MessageTypeRequest), dhcpv4.MessageTypeAck, more...)
	return l.leasedNow(t)
}

func (l *lab) leasedNow(t *testing.T) netmgr.Lease {
	t.Helper()
	ev, ok := (<-l.told).(netmgr.Leased)
	if !ok || ev.Index != 3 {
		t.Fatalf("told %#v, want a lease", ev)
	}
	return ev.Lease
}

func (l *lab) unleased(t *testing.T) {
	t.Helper()
	if ev, ok := (<-l.told).(netmgr.Unleased); !ok || ev.Reason == "" {
		t.Fatalf("told %#v, want the end of the lease", ev)
	}
}

// TestAcquire follows the four messages of a first lease.
func TestAcquire(t *testing.T) {
	inLab(t, netip.Addr{}, func(t *testing.T, l *lab) {
		began := time.Now()
		d := l.next(t, dhcpv4.MessageTypeDiscover)
		if d.from.IsValid() || d.to.IsValid() || d.HostName() != "pirate" || d.IsBroadcast() || !slices.Equal(d.ClientHWAddr, mac) {
			t.Errorf("discover %v", d.Summary())
		}
		l.reply(t, d, dhcpv4.MessageTypeOffer)
		r := l.next(t, dhcpv4.MessageTypeRequest)
		if !r.ServerIdentifier().Equal(server.AsSlice()) || addr(r.RequestedIPAddress()) != leased || addr(r.ClientIPAddr).IsValid() || r.TransactionID != d.TransactionID {
			t.Errorf("request %v", r.Summary())
		}
		l.reply(t, r, dhcpv4.MessageTypeAck)
		lease := l.leasedNow(t)
		if lease.Address.String() != "192.0.2.50/24" || lease.Server != server || lease.Until.Sub(began) != time.Hour ||
			len(lease.Routes) != 1 || !lease.Routes[0].Default() || lease.Routes[0].Via != server {
			t.Errorf("lease %+v", lease)
		}
		if took := time.Since(began); took != 0 {
			t.Errorf("the client waited for %v", took)
		}
	})
}

// TestSilence sends at doubling intervals, from 200 ms on, for ever, and tells once that nobody answers.
func TestSilence(t *testing.T) {
	inLab(t, netip.Addr{}, func(t *testing.T, l *lab) {
		began := l.next(t, dhcpv4.MessageTypeDiscover).at
		wait, before := firstWait, began
		for range 12 {
			m := l.next(t, dhcpv4.MessageTypeDiscover)
			if gap := m.at.Sub(before); gap < wait*9/10 || gap > wait*11/10 {
				t.Errorf("sent after %v, want about %v", gap, wait)
			}
			before, wait = m.at, min(2*wait, longestWait)
		}
		if ev := <-l.told; ev != (netmgr.Unanswered{Index: 3}) || len(l.told) != 0 {
			t.Errorf("told %v and %d more", ev, len(l.told))
		}
		l.bind(t)
	})
}

// TestReboot asks for the previous address first.
func TestReboot(t *testing.T) {
	t.Run("granted", func(t *testing.T) {
		inLab(t, leased, func(t *testing.T, l *lab) {
			r := l.next(t, dhcpv4.MessageTypeRequest)
			if r.ServerIdentifier() != nil || addr(r.RequestedIPAddress()) != leased || addr(r.ClientIPAddr).IsValid() {
				t.Errorf("request %v", r.Summary())
			}
			l.reply(t, r, dhcpv4.MessageTypeAck)
			l.leasedNow(t)
		})
	})
	t.Run("refused", func(t *testing.T) {
		inLab(t, leased, func(t *testing.T, l *lab) {
			r := l.next(t, dhcpv4.MessageTypeRequest)
			l.reply(t, r, dhcpv4.MessageTypeNak)
			d := l.next(t, dhcpv4.MessageTypeDiscover)
			if d.at != r.at || d.RequestedIPAddress() != nil {
				t.Errorf("after %v: %v", d.at.Sub(r.at), d.Summary())
			}
		})
	})
	t.Run("silence", func(t *testing.T) {
		inLab(t, leased, func(t *testing.T, l *lab) {
			first := l.next(t, dhcpv4.MessageTypeRequest)
			l.next(t, dhcpv4.MessageTypeRequest)
			d := l.next(t, dhcpv4.MessageTypeDiscover)
			if took := d.at.Sub(first.at); took > time.Second {
				t.Errorf("a new address is asked for after %v", took)
			}
			l.reply(t, first, dhcpv4.MessageTypeAck) // late
			l.leasedNow(t)
		})
	})
}

// TestRapidCommit takes an answer that needs no second question (RFC 4039).
func TestRapidCommit(t *testing.T) {
	inLab(t, netip.Addr{}, func(t *testing.T, l *lab) {
		d := l.next(t, dhcpv4.MessageTypeDiscover)
		l.reply(t, d, dhcpv4.MessageTypeAck) // without the option it is none
		d = l.next(t, dhcpv4.MessageTypeDiscover)
		l.reply(t, d, dhcpv4.MessageTypeAck, dhcpv4.WithGeneric(dhcpv4.OptionRapidCommit, nil))
		l.leasedNow(t)
	})
}

// TestRefusedOffer starts over when a server refuses what it offered, more slowly each time.
func TestRefusedOffer(t *testing.T) {
	inLab(t, netip.Addr{}, func(t *testing.T, l *lab) {
		var gaps []time.Duration
		for range 4 {
			l.reply(t, l.next(t, dhcpv4.MessageTypeDiscover), dhcpv4.MessageTypeOffer)
			r := l.next(t, dhcpv4.MessageTypeRequest)
			l.reply(t, r, dhcpv4.MessageTypeNak)
			d := l.next(t, dhcpv4.MessageTypeDiscover)
			gaps = append(gaps, d.at.Sub(r.at))
			l.reply(t, d, dhcpv4.MessageTypeOffer)
			l.reply(t, l.next(t, dhcpv4.MessageTypeRequest), dhcpv4.MessageTypeNak)
		}
		if !slices.IsSorted(gaps) || gaps[0] != 0 {
			t.Errorf("waits %v", gaps)
		}
	})
}

// TestRenew asks the server for more time at half of it.
func TestRenew(t *testing.T) {
	inLab(t, netip.Addr{}, func(t *testing.T, l *lab) {
		l.bind(t)
		bound := time.Now()
		r := l.next(t, dhcpv4.MessageTypeRequest)
		if r.at.Sub(bound) != 30*time.Minute || r.to != server || r.from != leased ||
			addr(r.ClientIPAddr) != leased || r.ServerIdentifier() != nil || r.RequestedIPAddress() != nil {
			t.Errorf("after %v from %v to %v: %v", r.at.Sub(bound), r.from, r.to, r.Summary())
		}
		l.reply(t, r, dhcpv4.MessageTypeAck)
		if lease := l.leasedNow(t); lease.Until.Sub(r.at) != time.Hour {
			t.Errorf("renewed until %v", lease.Until)
		}
	})
}

// TestRebindAndExpire asks everybody at seven eighths, and gives the address up at the end.
func TestRebindAndExpire(t *testing.T) {
	inLab(t, netip.Addr{}, func(t *testing.T, l *lab) {
		l.bind(t)
		bound := time.Now()
		var first time.Time
		for {
			r := <-l.heard
			if r.MessageType() == dhcpv4.MessageTypeRequest && addr(r.ClientIPAddr) == leased && !r.to.IsValid() && first.IsZero() {
				first = r.at
			}
			if addr(r.ClientIPAddr) != leased {
				break
			}
		}
		if got, want := first.Sub(bound), 52*time.Minute+30*time.Second; got != want {
			t.Errorf("everybody is asked after %v, want %v", got, want)
		}
		l.unleased(t)
		if got := time.Since(bound); got != time.Hour {
			t.Errorf("given up after %v", got)
		}
	})
}

// TestNakWhileHeld gives the address up at once.
func TestNakWhileHeld(t *testing.T) {
	inLab(t, netip.Addr{}, func(t *testing.T, l *lab) {
		l.bind(t)
		r := l.next(t, dhcpv4.MessageTypeRequest)
		l.reply(t, r, dhcpv4.MessageTypeNak)
		l.unleased(t)
		if d := l.next(t, dhcpv4.MessageTypeDiscover); d.at != r.at {
			t.Errorf("a new address is asked for %v later", d.at.Sub(r.at))
		}
	})
}

// TestConflict declines an address that somebody else uses, three times; then it is kept.
func TestConflict(t *testing.T) {
	inLab(t, netip.Addr{}, func(t *testing.T, l *lab) {
		for range maxDeclines {
			l.bind(t)
			l.rivals <- net.HardwareAddr{2, 0, 0, 0, 0, 1}
			l.unleased(t)
			d := l.next(t, dhcpv4.MessageTypeDecline)
			if addr(d.RequestedIPAddress()) != leased || !d.ServerIdentifier().Equal(server.AsSlice()) || d.to.IsValid() {
				t.Errorf("decline %v", d.Summary())
			}
		}
		l.bind(t)
		l.rivals <- net.HardwareAddr{2, 0, 0, 0, 0, 1}
		l.next(t, dhcpv4.MessageTypeRequest) // the renewal
	})
}

// TestForeignMessages does not take other clients' answers, nor those that make no lease.
func TestForeignMessages(t *testing.T) {
	for name, spoil := range map[string]dhcpv4.Modifier{
		"another transaction": dhcpv4.WithTransactionID(dhcpv4.TransactionID{1}),
		"another client":      dhcpv4.WithHwAddr(net.HardwareAddr{2, 0, 0, 0, 0, 8}),
		"a request":           func(m *dhcpv4.DHCPv4) { m.OpCode = dhcpv4.OpcodeBootRequest },
		"no address":          dhcpv4.WithYourIP(net.IPv4zero),
		"multicast address":   dhcpv4.WithYourIP(net.IPv4(224, 0, 0, 1)),
		"loopback address":    dhcpv4.WithYourIP(net.IPv4(127, 0, 0, 1)),
		"no server":           dhcpv4.WithoutOption(dhcpv4.OptionServerIdentifier),
	} {
		t.Run(name, func(t *testing.T) {
			inLab(t, netip.Addr{}, func(t *testing.T, l *lab) {
				l.reply(t, l.next(t, dhcpv4.MessageTypeDiscover), dhcpv4.MessageTypeOffer, spoil)
				l.bind(t)
			})
		})
	}
}

// TestLease reads what servers configure, well or badly.
func TestLease(t *testing.T) {
	route := func(to, via string) *dhcpv4.Route {
		_, dst, err := net.ParseCIDR(to)
		if err != nil {
			t.Fatal(err)
		}
		return &dhcpv4.Route{Dest: dst, Router: net.ParseIP(via).To4()}
	}
	for _, c := range []struct {
		name    string
		options []dhcpv4.Modifier
		check   func(netmgr.Lease) bool
	}{
		{
			"no mask",
			[]dhcpv4.Modifier{dhcpv4.WithoutOption(dhcpv4.OptionSubnetMask)},
			func(l netmgr.Lease) bool { return l.Address.Bits() == 24 },
		},
		{
			"broken mask",
			[]dhcpv4.Modifier{dhcpv4.WithNetmask(net.IPv4Mask(255, 0, 255, 0))},
			func(l netmgr.Lease) bool { return l.Address.Bits() == 24 },
		},
		{
			"classless routes hide the router",
			[]dhcpv4.Modifier{dhcpv4.WithOption(dhcpv4.OptClasslessStaticRoute(
				route("0.0.0.0/0", "192.0.2.254"), route("198.51.100.0/24", "192.0.2.253"), route("192.0.2.128/25", "0.0.0.0")))},
			func(l netmgr.Lease) bool {
				return len(l.Routes) == 3 && l.Routes[0].Default() && l.Routes[0].Via.String() == "192.0.2.254" &&
					l.Routes[1].To.String() == "198.51.100.0/24" && !l.Routes[2].Via.IsValid()
			},
		},
		{
			"many servers",
			[]dhcpv4.Modifier{dhcpv4.WithOption(dhcpv4.OptDNS(net.IPv4(192, 0, 2, 1), net.IPv4(192, 0, 2, 2), net.IPv4(224, 0, 0, 1), net.IPv4(192, 0, 2, 3), net.IPv4(192, 0, 2, 4)))},
			func(l netmgr.Lease) bool { return len(l.DNS) == 3 && l.DNS[2].String() == "192.0.2.3" },
		},
		{
			"domain",
			[]dhcpv4.Modifier{dhcpv4.WithOption(dhcpv4.OptDomainName("home.arpa"))},
			func(l netmgr.Lease) bool { return slices.Equal(l.Search, []string{"home.arpa"}) },
		},
		{
			"hostile domain",
			[]dhcpv4.Modifier{dhcpv4.WithOption(dhcpv4.OptDomainName("a\nnameserver 203.0.113.1"))},
			func(l netmgr.Lease) bool { return len(l.Search) == 0 },
		},
		{
			"search list",
			[]dhcpv4.Modifier{dhcpv4.WithOption(dhcpv4.OptDomainSearch(&rfc1035label.Labels{Labels: []string{"a.example", "b.example"}}))},
			func(l netmgr.Lease) bool { return slices.Equal(l.Search, []string{"a.example", "b.example"}) },
		},
		{
			"without end",
			[]dhcpv4.Modifier{dhcpv4.WithLeaseTime(1<<32 - 1)},
			func(l netmgr.Lease) bool { return l.Until.IsZero() },
		},
		{
			"too short",
			[]dhcpv4.Modifier{dhcpv4.WithLeaseTime(1)},
			func(l netmgr.Lease) bool { return time.Until(l.Until) == shortestLease },
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			inLab(t, netip.Addr{}, func(t *testing.T, l *lab) {
				if lease := l.bind(t, c.options...); !c.check(lease) {
					t.Errorf("lease %+v", lease)
				}
			})
		})
	}
}

// FuzzMessage makes leases of whatever servers send: none may be unusable or unbounded.
func FuzzMessage(f *testing.F) {
	m, err := dhcpv4.New(dhcpv4.WithHwAddr(mac), dhcpv4.WithMessageType(dhcpv4.MessageTypeAck), dhcpv4.WithYourIP(leased.AsSlice()),
		dhcpv4.WithOption(dhcpv4.OptServerIdentifier(server.AsSlice())), dhcpv4.WithLeaseTime(60), dhcpv4.WithNetmask(net.CIDRMask(24, 32)),
		dhcpv4.WithOption(dhcpv4.OptDomainName("home.arpa")), dhcpv4.WithOption(dhcpv4.OptRouter(server.AsSlice())))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(m.ToBytes())
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := dhcpv4.FromBytes(b)
		if err != nil || !validLease(m) {
			return
		}
		now := time.Now()
		g := newGranted(answer{message: m, asked: now})
		if !g.Address.IsValid() || g.Address.Bits() == 0 || len(g.DNS) > netmgr.MaxServers || len(g.Routes) > maxRoutes {
			t.Errorf("lease %+v", g.Lease)
		}
		if !g.Until.IsZero() && !(now.Before(g.renew) && g.renew.Before(g.rebind) && g.rebind.Before(g.Until)) {
			t.Errorf("renew %v, rebind %v, until %v", g.renew.Sub(now), g.rebind.Sub(now), g.Until.Sub(now))
		}
		if conf := (netmgr.Plan{DNS: g.DNS, Search: g.Search}).ResolvConf(); strings.Count(string(conf), "\n") != 2+len(g.DNS)+min(1, len(g.Search)) {
			t.Errorf("resolv.conf %q", conf)
		}
	})
}
