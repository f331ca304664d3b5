package sntp

import (
	"context"
	"net"
	"net/netip"
	"sync/atomic"
)

// dialer connects to time servers, looking up names at the network's own name servers: the host's resolver reads
// resolv.conf anew only every few seconds, and the network has just come up.
type dialer struct{ dns []netip.Addr }

func (d dialer) dial(ctx context.Context, remote string) (net.Conn, error) {
	nd := net.Dialer{Resolver: d.resolver()}
	return nd.DialContext(ctx, "udp", remote)
}

// resolver asks the name servers in turn, one for each attempt.
func (d dialer) resolver() *net.Resolver {
	if len(d.dns) == 0 {
		return net.DefaultResolver
	}
	var next atomic.Uint32
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, network, _ string) (net.Conn, error) {
		server := d.dns[int(next.Add(1)-1)%len(d.dns)]
		var nd net.Dialer
		return nd.DialContext(ctx, network, netip.AddrPortFrom(server, 53).String())
	}}
}
