package netmgr

import (
	"net/netip"
	"slices"
	"testing"
	"time"
)

// TestRouterServers uses the name servers of router advertisements after those of the lease, for as long as they hold.
func TestRouterServers(t *testing.T) {
	now := time.Now()
	six, other := netip.MustParseAddr("2001:db8::53"), netip.MustParseAddr("fe80::1%eth0")
	p := NewPolicy("pirate", true)
	link := Link{Index: 2, Name: "eth0", Kind: Ethernet, Up: true, Carrier: true}
	expect := func(what string, want ...netip.Addr) {
		t.Helper()
		if got := p.Plan().DNS; !slices.Equal(got, want) {
			t.Errorf("%s: %v, want %v", what, got, want)
		}
	}
	p.Handle(now, LinkChanged{link})
	p.Handle(now, RouterNamed{2, []netip.Addr{six, other}, now.Add(time.Hour)})
	expect("named", six, other)

	four := netip.MustParseAddr("192.0.2.1")
	p.Handle(now, Leased{2, Lease{Address: netip.MustParsePrefix("192.0.2.9/24"), DNS: []netip.Addr{four}}})
	expect("with a lease", four, six, other)

	p.Handle(now, RouterNamed{2, []netip.Addr{six}, now})
	expect("taken back", four, other)

	for i := range 100 {
		a := netip.AddrFrom16([16]byte{0x20, 1, 15: byte(i)})
		p.Handle(now, RouterNamed{2, []netip.Addr{a}, now.Add(time.Minute)})
	}
	if n := len(p.links[2].routerDNS); n > maxRouterServers {
		t.Errorf("%d servers are kept", n)
	}

	p.Handle(now.Add(2*time.Hour), RouterNamed{2, nil, now})
	expect("later", four)

	p.Handle(now.Add(2*time.Hour), RouterNamed{2, []netip.Addr{six}, now.Add(3 * time.Hour)})
	link.Carrier = false
	p.Handle(now.Add(2*time.Hour), LinkChanged{link})
	link.Carrier = true
	p.Handle(now.Add(2*time.Hour), LinkChanged{link})
	expect("on another cable")
}

// TestOwnInterface judges no interface that is our access point's: it has addresses, but no network behind it.
func TestOwnInterface(t *testing.T) {
	p := NewPolicy("pirate", true)
	own := Link{Index: 9, Name: "ap0", Kind: WiFi, Up: true, Carrier: true, Addresses: []netip.Prefix{netip.MustParsePrefix("192.168.77.1/24")}}
	p.Handle(time.Now(), LinkChanged{own})
	if plan := p.Plan(); len(plan.Judge) != 0 || len(plan.Announce) != 1 {
		t.Errorf("judged %v, announced %v", plan.Judge, plan.Announce)
	}
}
