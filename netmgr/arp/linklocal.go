package arp

import (
	"context"
	"hash/fnv"
	"math/rand/v2"
	"net"
	"net/netip"
	"time"
)

// The limits of RFC 3927, section 9.
const (
	maxConflicts      = 10
	rateLimitInterval = time.Minute
)

// SelfAssign claims an address in 169.254.0.0/16 and holds it until ctx ends, telling whenever it has one and, with the
// zero Prefix, when it has lost it. The same card tries the same addresses in the same order every time (RFC 3927,
// section 2.1), so that a direct cable keeps its address.
func SelfAssign(ctx context.Context, conn Conn, mac net.HardwareAddr, tell func(netip.Prefix)) {
	h := fnv.New64a()
	_, _ = h.Write(mac) // never fails
	random := rand.New(rand.NewPCG(h.Sum64(), 0))
	for conflicts := 0; ctx.Err() == nil; conflicts++ {
		if conflicts >= maxConflicts {
			pause(ctx, rateLimitInterval)
		}
		claim := Claim{Conn: conn, MAC: mac, Address: candidate(random)}
		if claim.Probe(ctx) != nil || ctx.Err() != nil {
			continue
		}
		tell(netip.PrefixFrom(claim.Address, 16))
		if claim.Hold(ctx) != nil {
			tell(netip.Prefix{})
		}
	}
}

// candidate returns an address between 169.254.1.0 and 169.254.254.255.
func candidate(random *rand.Rand) netip.Addr {
	n := random.IntN(254 * 256)
	return netip.AddrFrom4([4]byte{169, 254, byte(1 + n/256), byte(n)})
}

func pause(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-t.C:
	}
}
