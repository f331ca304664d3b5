// Package ra gives the clients of an access point IPv6 addresses by router advertisements (RFC 4861): of a network of our
// own (RFC 4193), in which we and they reach each other whatever else there is, and with us for a name server (RFC 8106).
//
// We never advertise ourselves as a way out: the router lifetime is 0. Nothing is delegated to us that clients could be
// given, and addresses that are translated work worse than the IPv4 that clients have anyway. DHCPv6 is left out: Android
// does not speak it.
package ra

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/netip"
	"time"
)

// Conn carries advertisements on one interface.
type Conn interface {
	// Send sends a message from our link-local address to a neighbour, or to everybody.
	Send(to netip.Addr, message []byte) error
	// Solicitations returns who asks for an advertisement: a neighbour's link-local address, or the unspecified address of
	// one who has none yet.
	Solicitations() <-chan netip.Addr
}

// Advertiser advertises one network on one interface. All fields are set before [Advertiser.Run] and not changed after.
type Advertiser struct {
	Address netip.Prefix     // ours in the network, which has 64 bits; the name server's, too
	MAC     net.HardwareAddr // of the interface; may be nil
	Conn    Conn
	Log     *slog.Logger
}

// The pace of advertising (RFC 4861, section 6.2.1 and chapter 10). Whoever asks is answered without the random delay that
// keeps several routers apart: we are the only one.
const (
	maxInterval  = 10 * time.Minute
	minInterval  = 200 * time.Second
	firstFew     = 3
	firstPause   = 16 * time.Second
	betweenAll   = 3 * time.Second        // two advertisements to everybody
	failurePause = 500 * time.Millisecond // the interface's own address may not be ready yet
)

// Run advertises until ctx ends.
func (a *Advertiser) Run(ctx context.Context) {
	var (
		message = a.advertisement()
		sent    int       // to everybody
		last    time.Time // when that was
		due     = time.NewTimer(0)
	)
	defer due.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case from := <-a.Conn.Solicitations():
			if from.IsUnspecified() {
				due.Reset(max(betweenAll-time.Since(last), 0))
			} else if err := a.Conn.Send(from, message); err != nil {
				a.Log.Debug("advertisement not sent", "to", from, "err", err)
			}
		case <-due.C:
			if err := a.Conn.Send(AllNodes, message); err != nil {
				a.Log.Debug("advertisement not sent", "err", err)
				due.Reset(failurePause)
				continue
			}
			sent, last = sent+1, time.Now()
			due.Reset(pause(sent))
		}
	}
}

// pause returns how long to wait after the n-th advertisement to everybody.
func pause(n int) time.Duration {
	d := minInterval + rand.N(maxInterval-minInterval)
	if n < firstFew {
		return min(d, firstPause)
	}
	return d
}

// AllNodes is the address of everybody on a link.
var AllNodes = netip.MustParseAddr("ff02::1")
