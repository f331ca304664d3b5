package dhcpd

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/insomniacslk/dhcp/dhcpv4"

	"manofwar/netmgr"
)

var (
	ours  = netip.MustParsePrefix("192.168.77.1/24")
	alice = netmgr.MAC{2, 0, 0, 0, 0, 0xa}
	bob   = netmgr.MAC{2, 0, 0, 0, 0, 0xb}
)

// lab is a server and the clients' end of its link.
type lab struct {
	t        *testing.T
	server   *Server
	toServer chan Message
	heard    chan heard
}

type heard struct {
	*dhcpv4.DHCPv4
	station netmgr.MAC
	to      netip.Addr
}

func (l *lab) Messages() <-chan Message { return l.toServer }

func (l *lab) Send(station net.HardwareAddr, to netip.Addr, data []byte) error {
	m, err := dhcpv4.FromBytes(data)
	if err != nil {
		return err
	}
	l.heard <- heard{m, netmgr.MAC(station), to}
	return nil
}

// inLab runs f beside a server, on a clock of its own.
func inLab(t *testing.T, s *Server, f func(*lab)) {
	synctest.Test(t, func(t *testing.T) {
		l := &lab{t: t, server: s, toServer: make(chan Message), heard: make(chan heard, 1)}
		s.Conn, s.Log = l, slog.New(slog.DiscardHandler)
		if !s.Address.IsValid() {
			s.Address = ours
		}
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() { s.Run(ctx); close(ended) }()
		synctest.Wait() // it has read its journal
		f(l)
		cancel()
		<-ended
	})
}

// send sends a client's message and returns the answer; the zero heard for silence.
func (l *lab) send(from netmgr.MAC, t dhcpv4.MessageType, more ...dhcpv4.Modifier) heard {
	l.t.Helper()
	return l.sendBy(from, from, t, more...)
}

func (l *lab) sendBy(station, from netmgr.MAC, t dhcpv4.MessageType, more ...dhcpv4.Modifier) heard {
	l.t.Helper()
	m, err := dhcpv4.New(append([]dhcpv4.Modifier{dhcpv4.WithHwAddr(from[:]), dhcpv4.WithMessageType(t)}, more...)...)
	if err != nil {
		l.t.Fatal(err)
	}
	l.toServer <- Message{Station: station[:], Data: m.ToBytes()}
	synctest.Wait()
	select {
	case h := <-l.heard:
		if h.TransactionID != m.TransactionID || netmgr.MAC(h.ClientHWAddr) != from {
			l.t.Fatalf("answer to somebody else: %v", h.Summary())
		}
		return h
	default:
		return heard{}
	}
}

func (h heard) got(t dhcpv4.MessageType) bool { return h.DHCPv4 != nil && h.MessageType() == t }

func wanting(a string) dhcpv4.Modifier {
	return dhcpv4.WithOption(dhcpv4.OptRequestedIPAddress(net.ParseIP(a).To4()))
}

func having(a string) dhcpv4.Modifier { return dhcpv4.WithClientIP(net.ParseIP(a).To4()) }

func naming(a netip.Addr) dhcpv4.Modifier {
	return dhcpv4.WithOption(dhcpv4.OptServerIdentifier(a.AsSlice()))
}

// bind goes from DISCOVER to ACK and returns the address.
func (l *lab) bind(mac netmgr.MAC) string {
	l.t.Helper()
	o := l.send(mac, dhcpv4.MessageTypeDiscover)
	if !o.got(dhcpv4.MessageTypeOffer) {
		l.t.Fatalf("no offer for %s: %v", mac, o.DHCPv4)
	}
	a := l.send(mac, dhcpv4.MessageTypeRequest, wanting(o.YourIPAddr.String()), naming(ours.Addr()))
	if !a.got(dhcpv4.MessageTypeAck) || !a.YourIPAddr.Equal(o.YourIPAddr) {
		l.t.Fatalf("%s was offered %s and got %v", mac, o.YourIPAddr, a.DHCPv4)
	}
	return a.YourIPAddr.String()
}

// TestLease tells a client all it needs, at its own address, and knows its name.
func TestLease(t *testing.T) {
	inLab(t, &Server{Portal: "https://pirate.example/api"}, func(l *lab) {
		o := l.send(alice, dhcpv4.MessageTypeDiscover)
		if !o.got(dhcpv4.MessageTypeOffer) || !ours.Contains(addr(o.YourIPAddr)) || o.to != addr(o.YourIPAddr) || o.station != alice {
			t.Fatalf("offer to %v: %v", o.to, o.Summary())
		}
		a := l.send(alice, dhcpv4.MessageTypeRequest, wanting(o.YourIPAddr.String()), naming(ours.Addr()),
			dhcpv4.WithOption(dhcpv4.OptHostName("Alice’s\x1b Phone")), dhcpv4.WithGeneric(dhcpv4.OptionClientIdentifier, []byte{1, 2}))
		us := net.IP(ours.Addr().AsSlice())
		if !a.got(dhcpv4.MessageTypeAck) || !a.Router()[0].Equal(us) || !a.DNS()[0].Equal(us) || !a.ServerIdentifier().Equal(us) ||
			a.SubnetMask().String() != "ffffff00" || a.IPAddressLeaseTime(0) != time.Hour || a.IPAddressRenewalTime(0) != time.Hour/2 ||
			a.DomainName() != "" || string(a.Options.Get(optionPortal)) != "https://pirate.example/api" ||
			string(a.Options.Get(dhcpv4.OptionClientIdentifier)) != "\x01\x02" {
			t.Errorf("grant %v", a.Summary())
		}
		c := l.server.Clients()
		if len(c) != 1 || c[0].MAC != alice || c[0].Address != addr(a.YourIPAddr) || c[0].Name != "Alice’s Phone" || time.Until(c[0].Until) != time.Hour {
			t.Errorf("clients %+v", c)
		}
		time.Sleep(time.Hour)
		if c := l.server.Clients(); len(c) != 0 {
			t.Errorf("clients after the end %+v", c)
		}
		l.send(alice, dhcpv4.MessageTypeDiscover)
		if c := l.server.Clients(); len(c) != 0 {
			t.Errorf("clients with an offer %+v", c)
		}
		if n := l.send(bob, dhcpv4.MessageTypeRequest, wanting(a.YourIPAddr.String())); !n.got(dhcpv4.MessageTypeNak) {
			t.Errorf("bob gets what alice is offered: %v", n.DHCPv4)
		}
	})
}

// TestStable gives the same address again: later, after a release, to another server that knows nothing.
func TestStable(t *testing.T) {
	var first string
	inLab(t, &Server{}, func(l *lab) {
		first = l.bind(alice)
		time.Sleep(25 * time.Hour)
		if a := l.bind(alice); a != first {
			t.Errorf("next day %s, was %s", a, first)
		}
		l.send(alice, dhcpv4.MessageTypeRelease, having(first), naming(ours.Addr()))
		if c := l.server.Clients(); len(c) != 0 {
			t.Errorf("clients after the release: %v", c)
		}
		l.bind(bob)
		if a := l.bind(alice); a != first {
			t.Errorf("after a release %s, was %s", a, first)
		}
	})
	inLab(t, &Server{}, func(l *lab) {
		if a := l.bind(alice); a != first {
			t.Errorf("from a new server %s, was %s", a, first)
		}
	})
}

// TestRequest answers requests without an offer: with authority, because nobody else serves this network.
func TestRequest(t *testing.T) {
	const ack, nak, silence = dhcpv4.MessageTypeAck, dhcpv4.MessageTypeNak, dhcpv4.MessageTypeNone
	other := naming(netip.MustParseAddr("192.168.77.2"))
	for _, c := range []struct {
		name string
		more []dhcpv4.Modifier
		want dhcpv4.MessageType
	}{
		{"its own after a reboot", []dhcpv4.Modifier{wanting("192.168.77.50")}, ack},
		{"of another network", []dhcpv4.Modifier{wanting("10.0.0.9")}, nak},
		{"our own address", []dhcpv4.Modifier{wanting("192.168.77.1")}, nak},
		{"the network's", []dhcpv4.Modifier{wanting("192.168.77.0")}, nak},
		{"everybody's", []dhcpv4.Modifier{wanting("192.168.77.255")}, nak},
		{"somebody else's", []dhcpv4.Modifier{wanting("192.168.77.99")}, nak},
		{"renewed", []dhcpv4.Modifier{having("192.168.77.50")}, ack},
		{"renewed, of another network", []dhcpv4.Modifier{having("10.0.0.9")}, nak},
		{"of another server", []dhcpv4.Modifier{wanting("192.168.77.50"), other}, silence},
		{"nothing", nil, silence},
		{"by a relay", []dhcpv4.Modifier{wanting("192.168.77.50"), dhcpv4.WithGatewayIP(net.IPv4(192, 168, 77, 3))}, silence},
		{"too long a hardware address", []dhcpv4.Modifier{wanting("192.168.77.50"), dhcpv4.WithHwAddr(make([]byte, 8))}, silence},
	} {
		t.Run(c.name, func(t *testing.T) {
			inLab(t, &Server{}, func(l *lab) {
				if a := l.send(bob, ack, wanting("192.168.77.99")); a.DHCPv4 != nil {
					t.Fatalf("an ACK was answered: %v", a.Summary())
				}
				if a := l.send(bob, dhcpv4.MessageTypeRequest, wanting("192.168.77.99")); !a.got(ack) {
					t.Fatal("bob gets nothing")
				}
				a := l.send(alice, dhcpv4.MessageTypeRequest, c.more...)
				if c.want == silence != (a.DHCPv4 == nil) || c.want != silence && a.MessageType() != c.want {
					t.Fatalf("answer %v, want %v", a.DHCPv4, c.want)
				}
				if c.want == nak && (a.to != everybody || !a.IsBroadcast() || a.YourIPAddr.IsGlobalUnicast()) {
					t.Errorf("refusal to %v: %v", a.to, a.Summary())
				}
			})
		})
	}
}

// TestWays sends answers the way that the client can hear them, and to the station that carries them.
func TestWays(t *testing.T) {
	inLab(t, &Server{}, func(l *lab) {
		if o := l.send(alice, dhcpv4.MessageTypeDiscover, dhcpv4.WithBroadcast(true)); o.to != everybody {
			t.Errorf("to %v, wants a broadcast", o.to)
		}
		if a := l.send(alice, dhcpv4.MessageTypeInform, having("192.168.77.200")); !a.got(dhcpv4.MessageTypeAck) || a.to.String() != "192.168.77.200" ||
			a.IPAddressLeaseTime(0) != 0 || len(a.DNS()) != 1 {
			t.Errorf("informed at %v: %v", a.to, a.DHCPv4)
		}
		if o := l.sendBy(bob, alice, dhcpv4.MessageTypeDiscover); o.station != bob {
			t.Errorf("through a repeater: to station %v", o.station)
		}
		a := l.send(bob, dhcpv4.MessageTypeDiscover, dhcpv4.WithGeneric(dhcpv4.OptionRapidCommit, nil))
		if !a.got(dhcpv4.MessageTypeAck) || !a.Options.Has(dhcpv4.OptionRapidCommit) || len(l.server.Clients()) != 1 {
			t.Errorf("rapid commit: %v", a.DHCPv4)
		}
	})
}

// TestDecline lets an address rest that is in use, and is not taken down by somebody who declines them all.
func TestDecline(t *testing.T) {
	inLab(t, &Server{}, func(l *lab) {
		first := l.bind(alice)
		decline := func(a string) {
			l.send(alice, dhcpv4.MessageTypeDecline, wanting(a), naming(ours.Addr()))
		}
		decline(first)
		second := l.bind(alice)
		if second == first {
			t.Errorf("%s again", second)
		}
		if a := l.send(bob, dhcpv4.MessageTypeRequest, wanting(first)); !a.got(dhcpv4.MessageTypeNak) {
			t.Errorf("bob gets the declined %s", first)
		}
		bobs := l.bind(bob)
		decline(bobs)
		if c := l.server.Clients(); len(c) != 2 {
			t.Errorf("alice declined bob's: %v", c)
		}
		for range 500 {
			decline(l.bind(alice))
		}
		if n := len(l.server.leases.resting); n > maxResting {
			t.Errorf("%d addresses rest", n)
		}
	})
}

// TestFlood keeps the network for the others when one station makes up clients, and lends an abandoned address when
// there is no other.
func TestFlood(t *testing.T) {
	inLab(t, &Server{Journal: filepath.Join(t.TempDir(), "leases")}, func(l *lab) {
		offers := 0
		for i := range 1000 {
			if o := l.sendBy(bob, netmgr.MAC{2, 1, 0, 0, byte(i >> 8), byte(i)}, dhcpv4.MessageTypeDiscover); o.DHCPv4 != nil {
				offers++
			}
		}
		if offers != maxOthers || len(l.server.leases.byMAC) != maxOthers {
			t.Errorf("%d offers, %d leases kept", offers, len(l.server.leases.byMAC))
		}
		for i := range 2000 { // guests over the months
			l.bind(netmgr.MAC{2, 2, 0, 0, byte(i >> 8), byte(i)})
			time.Sleep(time.Hour)
		}
		if n := len(l.server.leases.byAddress); n != 253 || len(l.server.leases.byMAC) != n {
			t.Errorf("%d addresses, %d clients", n, len(l.server.leases.byMAC))
		}
		if info, err := os.Stat(l.server.Journal); err != nil || info.Size() > 64<<10 {
			t.Errorf("journal: %v, %v", info, err)
		}
	})
}

// TestFull is silent when every address is lent, and lends the next that ends.
func TestFull(t *testing.T) {
	inLab(t, &Server{Address: netip.MustParsePrefix("10.0.0.1/29")}, func(l *lab) {
		us := naming(netip.MustParseAddr("10.0.0.1"))
		for i := range 5 {
			mac := netmgr.MAC{2, 0, 0, 0, 1, byte(i)}
			o := l.send(mac, dhcpv4.MessageTypeDiscover)
			if a := l.send(mac, dhcpv4.MessageTypeRequest, wanting(o.YourIPAddr.String()), us); !a.got(dhcpv4.MessageTypeAck) {
				t.Fatal("refused")
			}
		}
		if o := l.send(alice, dhcpv4.MessageTypeDiscover); o.DHCPv4 != nil {
			t.Errorf("a sixth address: %v", o.Summary())
		}
		time.Sleep(time.Hour)
		if o := l.send(alice, dhcpv4.MessageTypeDiscover); !o.got(dhcpv4.MessageTypeOffer) {
			t.Error("nothing although leases ended")
		}
	})
}

// TestJournal takes over from a server that was killed: nobody gets an address that somebody has.
func TestJournal(t *testing.T) {
	path := filepath.Join(t.TempDir(), "leases")
	inLab(t, &Server{Journal: path}, func(l *lab) {
		if a := l.send(alice, dhcpv4.MessageTypeRequest, wanting("192.168.77.50")); !a.got(dhcpv4.MessageTypeAck) {
			t.Fatal("refused")
		}
		killed, err := os.ReadFile(path) // while it runs: what a kill leaves
		if err != nil || string(killed) != fmt.Sprintf("%s 192.168.77.50\n", alice) {
			t.Fatalf("journal %q, %v", killed, err)
		}
		killed = append(killed, "nonsense\n02:00:00:00:00:0b 192.168.78.9\n02:00:00:00:00:0c 192.168.77.1\n02:00:00:00:00:0d 192.168."...)
		if err := os.WriteFile(path+".2", killed, 0o600); err != nil {
			t.Fatal(err)
		}
	})
	inLab(t, &Server{Journal: path + ".2"}, func(l *lab) {
		if c := l.server.Clients(); len(c) != 1 || c[0].MAC != alice {
			t.Errorf("clients %v", c)
		}
		if a := l.send(bob, dhcpv4.MessageTypeRequest, wanting("192.168.77.50")); !a.got(dhcpv4.MessageTypeNak) {
			t.Error("bob gets alice's address")
		}
		if o := l.send(alice, dhcpv4.MessageTypeDiscover); o.YourIPAddr.String() != "192.168.77.50" {
			t.Errorf("alice gets %v", o.YourIPAddr)
		}
	})
	inLab(t, &Server{Journal: filepath.Join(path, "not a directory")}, func(l *lab) { l.bind(alice) })
}

// FuzzServer feeds a server with whatever stations send, twice: it stays within bounds and never lends what is not its own.
func FuzzServer(f *testing.F) {
	for _, t := range []dhcpv4.MessageType{dhcpv4.MessageTypeDiscover, dhcpv4.MessageTypeRequest, dhcpv4.MessageTypeDecline, dhcpv4.MessageTypeInform} {
		m, err := dhcpv4.New(dhcpv4.WithHwAddr(alice[:]), dhcpv4.WithMessageType(t), wanting("192.168.77.9"), naming(ours.Addr()),
			dhcpv4.WithOption(dhcpv4.OptHostName("phone")))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(m.ToBytes())
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		s := Server{Address: ours, Log: slog.New(slog.DiscardHandler)}
		s.leases = newLeases(ours, time.Hour, s.Log)
		now := time.Now()
		for range 2 {
			a, ok := s.answer(now, Message{Station: alice[:], Data: b})
			if !ok {
				continue
			}
			if y := addr(a.message.YourIPAddr); y.IsValid() && (!ours.Contains(y) || y == ours.Addr()) {
				t.Errorf("lends %v", y)
			}
			if n := len(a.message.ToBytes()); n > 1500 {
				t.Errorf("an answer of %d bytes", n)
			}
		}
		for _, c := range s.leases.clients(now) {
			if len(c.Name) > maxName || strings.ContainsAny(c.Name, "\n\x1b") {
				t.Errorf("name %q", c.Name)
			}
		}
	})
}
