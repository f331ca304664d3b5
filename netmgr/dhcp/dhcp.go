// Package dhcp is a DHCPv4 client (RFC 2131): it acquires an address for one interface, keeps it, and says when it is
// lost. What it learns it tells as events of [netmgr]; it configures nothing.
//
// It departs from the letter of the RFC where waiting serves nobody: the first retransmission comes after 200 ms, the
// first offer is taken, the random wait before the first message is left out, rapid commit is accepted (RFC 4039), and an
// address is used while it is still being probed for a conflict. Options spilled into the sname and file fields (option
// 52), authentication (RFC 3118) and relays' options are not read.
//
// The messages are those of github.com/insomniacslk/dhcp; the sockets are a [Conn].
package dhcp

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/netip"
	"time"

	"github.com/insomniacslk/dhcp/dhcpv4"

	"manofwar/netmgr"
)

// Conn carries DHCP messages on one interface.
type Conn interface {
	// Broadcast sends a message to everybody on the link. The zero from stands for having no address yet.
	Broadcast(from netip.Addr, message []byte) error
	// Unicast sends a message from our address to a server, by way of the kernel's routes.
	Unicast(from, to netip.Addr, message []byte) error
	// Messages returns what arrives. Each is the receiver's to keep.
	Messages() <-chan []byte
}

// Client keeps one interface leased. All fields are set before [Client.Run] and not changed after.
type Client struct {
	Index     int              // of the interface, for the events
	MAC       net.HardwareAddr // of the interface
	Hostname  string           // told to the server, which may name us by it; may be empty
	Previous  netip.Addr       // what was leased last, to ask for it again; the zero Addr: nothing
	Conn      Conn
	Conflicts <-chan net.HardwareAddr // others seen using the leased address; may be nil
	Tell      func(netmgr.Event)      // [netmgr.Leased], [netmgr.Unleased] and [netmgr.Unanswered]; must not block
	Log       *slog.Logger

	xid      dhcpv4.TransactionID
	began    time.Time // of this acquisition, for the secs field
	unheard  bool      // Unanswered was told in this acquisition
	refusals int       // in a row
	declines int       // addresses given back because of a conflict
}

// The pace of the client.
const (
	firstWait     = 200 * time.Millisecond // before the first retransmission; doubles
	longestWait   = 32 * time.Second
	silence       = 3 * time.Second  // without any answer until Unanswered is told
	declinePause  = 10 * time.Second // after a conflict (RFC 2131, section 3.1, step 5)
	refusedPause  = time.Second      // after the second refusal in a row; doubles
	rebootTries   = 2                // for the previous address before a new one is sought
	requestTries  = 4                // for an offered address before another is sought
	shortestLease = 10 * time.Second // what is granted for less is kept for this long
)

// granted is a lease with what is needed to keep it.
type granted struct {
	netmgr.Lease
	renew, rebind time.Time // to ask its server, and any server, for more time; zero: never
}

// Run acquires and keeps a lease until ctx ends. The lease is not released then, so that the same address is got again.
func (c *Client) Run(ctx context.Context) {
	for ctx.Err() == nil {
		g, ok := c.acquire(ctx)
		if !ok {
			continue
		}
		c.Previous = g.Address.Addr()
		c.Tell(netmgr.Leased{Index: c.Index, Lease: g.Lease})
		c.keep(ctx, g)
	}
}

// acquire goes from INIT or INIT-REBOOT to BOUND. It reports false when ctx has ended or the server took its word back.
func (c *Client) acquire(ctx context.Context) (granted, bool) {
	c.xid = newXID()
	c.began = time.Now()
	c.unheard = false
	if c.Previous.IsValid() {
		a := c.exchange(ctx, exchange{
			message: c.request(nil, c.Previous),
			accept:  c.settles,
			wait:    waits(rebootTries),
		})
		if g, ok := c.conclude(ctx, a); ok || a.nak {
			return g, ok
		}
	}
	a := c.exchange(ctx, exchange{message: c.discover(), accept: c.offers, wait: waits(0)})
	if a.message == nil || a.message.MessageType() == dhcpv4.MessageTypeAck {
		return c.conclude(ctx, a)
	}
	a = c.exchange(ctx, exchange{
		message: c.request(a.message, addr(a.message.YourIPAddr)),
		accept:  c.acks(a.message.ServerIdentifier()),
		wait:    waits(requestTries),
	})
	return c.conclude(ctx, a)
}

// conclude makes a lease of the last answer of an acquisition. A refusal clears the previous address and, when it is not
// the first, waits: some servers refuse what they have just offered.
func (c *Client) conclude(ctx context.Context, a answer) (granted, bool) {
	if a.nak {
		c.Previous = netip.Addr{}
		if c.refusals++; c.refusals > 1 {
			pause(ctx, min(refusedPause<<min(c.refusals-2, 5), longestWait))
		}
		return granted{}, false
	}
	if a.message == nil {
		return granted{}, false
	}
	c.refusals = 0
	return newGranted(a), true
}

// waits returns how long to wait after each transmission: doubling, a tenth more or less at random, and after the last
// of the tries no more. Without a limit of tries it never ends.
func waits(tries int) func(sent int) (time.Duration, bool) {
	return func(sent int) (time.Duration, bool) {
		if tries > 0 && sent > tries {
			return 0, false
		}
		d := min(firstWait<<min(sent-1, 10), longestWait)
		return d - d/10 + rand.N(d/5), true
	}
}

func pause(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-t.C:
	}
}

func newXID() (xid dhcpv4.TransactionID) {
	v := rand.Uint32()
	return dhcpv4.TransactionID{byte(v >> 24), byte(v >> 16), byte(v >> 8), byte(v)}
}
