package arp

import (
	"bytes"
	"context"
	"math/rand/v2"
	"net"
	"net/netip"
	"time"
)

// Conn carries ARP packets on one interface.
type Conn interface {
	// Broadcast sends a packet to everybody on the link.
	Broadcast(Packet) error
	// Packets returns what arrives.
	Packets() <-chan Packet
}

// The times of RFC 5227, section 1.1. Probing waits a fifth of what it allows: the networks of today answer in
// milliseconds.
const (
	probeNum         = 3
	probeMin         = 200 * time.Millisecond
	probeMax         = 400 * time.Millisecond
	announceWait     = 400 * time.Millisecond
	announceNum      = 2
	announceInterval = 2 * time.Second
	defendInterval   = 10 * time.Second
)

// Claim is one address that a host wants for itself. Errors of sending are as good as lost packets and not told.
type Claim struct {
	Conn    Conn
	MAC     net.HardwareAddr
	Address netip.Addr
	InUse   bool // it is used already: the kernel answers those who only probe for it, and they go away
}

// Probe asks whether somebody uses the address. It returns who does, or nil when nobody answers or ctx ends.
func (c Claim) Probe(ctx context.Context) (rival net.HardwareAddr) {
	for i := range probeNum {
		_ = c.Conn.Broadcast(Packet{SenderMAC: c.MAC, SenderIP: netip.IPv4Unspecified(), TargetIP: c.Address})
		wait := announceWait
		if i < probeNum-1 {
			wait = probeMin + rand.N(probeMax-probeMin)
		}
		if rival := c.watch(ctx, wait, c.taken); rival != nil || ctx.Err() != nil {
			return rival
		}
	}
	return nil
}

// Hold announces the address and defends it once in a while. It returns who has taken it, or nil when ctx ends.
func (c Claim) Hold(ctx context.Context) (rival net.HardwareAddr) {
	for range announceNum {
		c.announce()
		if c.watch(ctx, announceInterval, c.used) != nil {
			break // defended below as soon as the rival shows again
		}
	}
	var defended time.Time
	for ctx.Err() == nil {
		rival = c.watch(ctx, 0, c.used)
		if rival == nil {
			return nil
		}
		if !defended.IsZero() && time.Since(defended) < defendInterval {
			return rival
		}
		defended = time.Now()
		c.announce()
	}
	return nil
}

// announce tells everybody that the address is ours.
func (c Claim) announce() {
	_ = c.Conn.Broadcast(Packet{SenderMAC: c.MAC, SenderIP: c.Address, TargetIP: c.Address})
}

// watch returns the sender of the first packet that is a conflict, or nil when the time is over or ctx ends. No time is no
// limit.
func (c Claim) watch(ctx context.Context, d time.Duration, conflict func(Packet) bool) net.HardwareAddr {
	var over <-chan time.Time
	if d > 0 {
		t := time.NewTimer(d)
		defer t.Stop()
		over = t.C
	}
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-over:
			return nil
		case p := <-c.Conn.Packets():
			if !bytes.Equal(p.SenderMAC, c.MAC) && conflict(p) {
				return p.SenderMAC
			}
		}
	}
}

// used reports whether the packet's sender uses the address.
func (c Claim) used(p Packet) bool { return p.SenderIP == c.Address }

// taken reports whether the packet's sender uses the address or probes for it too.
func (c Claim) taken(p Packet) bool {
	return c.used(p) || !c.InUse && !p.Reply && p.SenderIP.IsUnspecified() && p.TargetIP == c.Address
}
