// Package dhcpd is a DHCPv4 server (RFC 2131) for the clients of one interface that is ours alone: an access point's.
//
// It answers at once. No address is probed before it is lent: whoever finds his in use declines it, and it rests for a
// while. A client gets the same address again, for three reasons: it is remembered while the pool lasts, written down
// before it is granted ([Server.Journal]), and computed from the client's hardware address to begin with, so that even
// a server that has lost everything gives the old one. Because nobody else serves this network the server speaks with
// authority: a request for an address of another network, as phones bring from their last one, is refused at once, and one
// for a free address of this network is granted although nobody remembers it.
//
// Leases are bounded by the network's size, and one station of the access point gets a few only, whatever hardware
// addresses it makes up.
//
// A captive portal's URL (RFC 8910) is told only if there is one, because it must be an https one that the client's
// browser trusts. No domain is told: with one, phones would complete names by it, and .local belongs to multicast DNS.
// Relays (their giaddr), BOOTP, authentication (RFC 3118) and option overload are left out.
package dhcpd

import (
	"context"
	"log/slog"
	"net"
	"net/netip"
	"sync"
	"time"

	"manofwar/netmgr"
)

// Conn carries DHCP messages on one interface.
type Conn interface {
	// Send sends a message from us to a client: to a station's hardware address, and below that to an IPv4 address, which
	// the client may not have yet.
	Send(station net.HardwareAddr, to netip.Addr, message []byte) error
	// Messages returns what arrives for servers.
	Messages() <-chan Message
}

// Message is what a client has sent.
type Message struct {
	Station net.HardwareAddr // who sent it on the link: the client, or a repeater on its behalf
	Data    []byte           // the receiver's to keep
}

// Server lends the addresses of one network. All fields are set before [Server.Run] and not changed after.
type Server struct {
	Address netip.Prefix  // ours, with the network's length: 16 to 29 bits
	Term    time.Duration // for how long an address is lent; zero: [DefaultTerm]
	Portal  string        // https URL of RFC 8908's API; empty: none is told
	Journal string        // file of the leases, which a server that takes over reads; empty: none. It is not synced: /run will do
	Conn    Conn
	Log     *slog.Logger

	mu     sync.Mutex // guards leases
	leases *leases
}

// DefaultTerm is for how long an address is lent. It is long enough that a phone in standby keeps it, and as short as a
// party's guests stay.
const DefaultTerm = time.Hour

// Client is somebody who has a lease.
type Client struct {
	MAC     netmgr.MAC
	Address netip.Addr
	Name    string // what it calls itself, printable; may be empty
	Until   time.Time
}

// Run answers clients until ctx ends. Leases stay what they are then: whoever runs next finds them in the journal.
func (s *Server) Run(ctx context.Context) {
	s.mu.Lock()
	s.leases = newLeases(s.Address, s.term(), s.Log)
	s.leases.open(s.Journal, time.Now())
	s.mu.Unlock()
	defer s.close()
	for {
		select {
		case <-ctx.Done():
			return
		case m := <-s.Conn.Messages():
			s.handle(time.Now(), m)
		}
	}
}

func (s *Server) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.leases.close()
}

func (s *Server) term() time.Duration {
	if s.Term == 0 {
		return DefaultTerm
	}
	return s.Term
}

// Clients returns who has a lease now, in the order of addresses. It may be called from any goroutine.
func (s *Server) Clients() []Client {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.leases == nil {
		return nil
	}
	return s.leases.clients(time.Now())
}

// handle answers one message.
func (s *Server) handle(now time.Time, m Message) {
	s.mu.Lock()
	a, ok := s.answer(now, m)
	s.mu.Unlock()
	if !ok {
		return
	}
	if err := s.Conn.Send(m.Station, a.to, a.message.ToBytes()); err != nil {
		s.Log.Debug("dhcp message not sent", "type", a.message.MessageType().String(), "err", err)
	}
}
