package dhcp

import (
	"context"
	"net"
	"net/netip"
	"time"

	"manofwar/netmgr"
)

// keep holds a lease, from BOUND through RENEWING and REBINDING, for as long as the server extends it. When it returns
// with ctx still running, the lease is lost and told so.
func (c *Client) keep(ctx context.Context, g granted) {
	for {
		a := c.bound(ctx, g)
		if a.rival == nil && ctx.Err() == nil {
			a = c.renew(ctx, g)
		}
		switch {
		case ctx.Err() != nil:
			return
		case a.rival != nil:
			c.conflict(ctx, g, a.rival)
			return
		case a.nak:
			c.Previous = netip.Addr{}
			c.lose("The router took the address back.")
			return
		case a.message == nil:
			c.lose("The router does not answer any more, and the address it lent has run out.")
			return
		}
		next := newGranted(a)
		if next.Address != g.Address {
			c.lose("The router gave another address.")
		}
		g = next
		c.Previous = g.Address.Addr()
		c.Tell(netmgr.Leased{Index: c.Index, Lease: g.Lease})
	}
}

// bound waits until it is time to renew. Only a conflict ends it earlier.
func (c *Client) bound(ctx context.Context, g granted) answer {
	var due <-chan time.Time
	if !g.Until.IsZero() {
		t := time.NewTimer(time.Until(g.renew))
		defer t.Stop()
		due = t.C
	}
	for {
		select {
		case <-ctx.Done():
			return answer{}
		case <-due:
			return answer{}
		case mac := <-c.rivals():
			return answer{rival: mac}
		case <-c.Conn.Messages(): // not for us: nothing was asked
		}
	}
}

// renew asks the server that granted the lease for more time, and from the rebinding time on any server.
func (c *Client) renew(ctx context.Context, g granted) answer {
	c.xid, c.began = newXID(), time.Now()
	c.unheard = true // silence is no news while an address is held
	a := c.exchange(ctx, exchange{
		message: c.extend(g.Address.Addr()), server: g.Server,
		accept: c.settles, wait: until(g.rebind),
	})
	if a.message != nil || a.rival != nil || ctx.Err() != nil {
		return a
	}
	return c.exchange(ctx, exchange{message: c.extend(g.Address.Addr()), accept: c.settles, wait: until(g.Until)})
}

// early is when the first two retransmissions of a renewal come: one lost packet should not cost half the time left.
var early = []time.Duration{time.Second, 4 * time.Second}

// until returns waits up to a deadline: after the early ones, half of what is left, but at least a minute (RFC 2131,
// section 4.4.5).
func until(deadline time.Time) func(sent int) (time.Duration, bool) {
	return func(sent int) (time.Duration, bool) {
		left := time.Until(deadline)
		if left <= 0 {
			return 0, false
		}
		if sent <= len(early) {
			return min(early[sent-1], left), true
		}
		return min(max(left/2, time.Minute), left), true
	}
}

// maxDeclines is how many addresses are given back because of a conflict. After that they are kept: some switches and
// routers answer ARP for every address there is, and a doubtful address is better than none.
const maxDeclines = 3

// rivals returns the channel of conflicts while they are believed.
func (c *Client) rivals() <-chan net.HardwareAddr {
	if c.declines >= maxDeclines {
		return nil
	}
	return c.Conflicts
}

// conflict gives an address back that somebody else uses, and waits before another is asked for.
func (c *Client) conflict(ctx context.Context, g granted, rival net.HardwareAddr) {
	c.declines++
	c.Log.Warn("address is in use by another host", "address", g.Address.Addr(), "mac", rival.String())
	c.lose("Another device on the network (" + rival.String() + ") uses the address that the router gave. A new one is asked for.")
	c.xid, c.began = newXID(), time.Now()
	c.send(exchange{message: c.decline(g.Lease)})
	c.Previous = netip.Addr{}
	pause(ctx, declinePause)
}

// lose tells that the lease is over.
func (c *Client) lose(reason string) {
	c.Tell(netmgr.Unleased{Index: c.Index, Reason: reason})
}
