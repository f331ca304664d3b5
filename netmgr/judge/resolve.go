package judge

import (
	"context"
	"net"
	"net/netip"
	"slices"
	"sync"
	"time"

	"github.com/miekg/dns"
)

// The pace of asking name servers: the next one is asked besides when one is slow, and each is asked again.
const (
	nextServer = 400 * time.Millisecond
	askAgain   = 500 * time.Millisecond
	dnsPort    = 53
	maxKnown   = 4 // addresses of one name and family that are used

	otherFamily = 50 * time.Millisecond // how long the other family's addresses are waited for, once there are some
)

// resolve asks the link's name servers for the addresses of a name. It returns them, or how far it got: nameless, unresolved or
// unnamed.
func (p *prober) resolve(ctx context.Context, name string, patience time.Duration) ([]netip.Addr, outcome) {
	if len(p.link.DNS) == 0 {
		return nil, nameless
	}
	ctx, cancel := context.WithTimeout(ctx, patience/2+100*time.Millisecond)
	defer cancel()
	var r reply
	if len(p.link.DNS) == 1 {
		r.addresses, r.answered = p.ask(ctx, p.link.DNS[0], name)
	} else {
		r = p.askAll(ctx, name)
	}
	switch {
	case len(r.addresses) > 0:
		p.remember(name, r.addresses, r.server)
		return r.addresses, unasked
	case r.answered:
		return nil, unnamed
	}
	return nil, unresolved
}

// reply is what one name server said.
type reply struct {
	server    int
	addresses []netip.Addr
	answered  bool
}

// askAll asks the name servers, the one that answered last at first, and the next besides when one is slow. It returns the first
// reply with addresses, or whether there was any.
func (p *prober) askAll(ctx context.Context, name string) (best reply) {
	ctx, cancel := context.WithCancel(ctx)
	var running sync.WaitGroup
	defer running.Wait()
	defer cancel()
	p.mu.Lock()
	first := p.first
	p.mu.Unlock()
	replies := make(chan reply, len(p.link.DNS))
	for n := range p.link.DNS {
		running.Go(func() {
			r := reply{server: (first + n) % len(p.link.DNS)}
			if pause(ctx, time.Duration(n)*nextServer) {
				r.addresses, r.answered = p.ask(ctx, p.link.DNS[r.server], name)
			}
			replies <- r
		})
	}
	for range p.link.DNS {
		r := <-replies
		if len(r.addresses) > 0 {
			return r
		}
		best.answered = best.answered || r.answered
	}
	return best
}

// pause waits, and reports whether ctx has not ended meanwhile.
func pause(ctx context.Context, d time.Duration) bool {
	if d <= 0 {
		return ctx.Err() == nil
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}

func (p *prober) remember(name string, addresses []netip.Addr, server int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.known[name], p.first = addresses, server
}

func (p *prober) remembered(name string) []netip.Addr {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.known[name]
}

// families are the kinds of addresses that the link's routers lead to; both where there are none.
func (p *prober) families() (types []uint16) {
	if slices.ContainsFunc(p.link.Gateways, netip.Addr.Is4) || len(p.link.Gateways) == 0 {
		types = append(types, dns.TypeA)
	}
	if slices.ContainsFunc(p.link.Gateways, netip.Addr.Is6) || len(p.link.Gateways) == 0 {
		types = append(types, dns.TypeAAAA)
	}
	return types
}

// ask asks one name server over UDP, again and again until ctx ends. answered tells whether it said anything.
func (p *prober) ask(ctx context.Context, server netip.Addr, name string) (addresses []netip.Addr, answered bool) {
	conn, err := p.take(ctx, server)
	if err != nil {
		return nil, false
	}
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
	defer func() {
		if stop() {
			p.keep(server, conn, answered)
		}
	}()
	pending, buf := questions(name, p.families()), make([]byte, 1500)
	var again, enough time.Time
	for len(pending) > 0 && ctx.Err() == nil {
		now := time.Now()
		if !enough.IsZero() && !now.Before(enough) {
			break
		}
		if !now.Before(again) {
			for _, q := range pending {
				_, _ = conn.Write(q) // one that is not sent is as good as lost, and asked again
			}
			again = now.Add(askAgain)
		}
		until := again
		if !enough.IsZero() {
			until = enough
		}
		_ = conn.SetReadDeadline(until) // fails on a closed connection only, which the read notices
		n, err := conn.Read(buf)
		if err != nil {
			pause(ctx, time.Until(until)) // at once after a timeout; a closed port is told by ICMP, and may open
			continue
		}
		id, found, ok := parseReply(buf[:n], name)
		if pending[id] == nil || !ok {
			continue
		}
		delete(pending, id)
		answered, addresses = true, append(addresses, found...)
		if len(addresses) > 0 {
			enough = time.Now().Add(otherFamily)
		}
	}
	return addresses, answered
}

// take returns a socket to a name server: the one that its last answer came by, which saves making one for each look, or a new one.
func (p *prober) take(ctx context.Context, server netip.Addr) (net.Conn, error) {
	p.mu.Lock()
	conn := p.open[server]
	delete(p.open, server)
	p.mu.Unlock()
	if conn != nil {
		return conn, nil
	}
	return p.socket(ctx, "udp", p.endpoint(server, dnsPort))
}

// keep keeps a socket for the next question. One by which no answer came is closed: it may be bound to an address that we had.
func (p *prober) keep(server netip.Addr, conn net.Conn, answered bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !answered || p.open[server] != nil {
		_ = conn.Close() // nothing was written that could be lost
		return
	}
	p.open[server] = conn
}

// questions returns the packets that ask for the addresses of a name, by their ID.
func questions(name string, types []uint16) map[uint16][]byte {
	out := make(map[uint16][]byte)
	for _, t := range types {
		q := new(dns.Msg).SetQuestion(dns.Fqdn(name), t)
		if packed, err := q.Pack(); err == nil { // operators' names are checked
			out[q.Id] = packed
		}
	}
	return out
}

// parseReply reads a name server's reply to a question for the name: the addresses in it, none if it is a refusal. ok is false for
// what is no such reply.
func parseReply(b []byte, name string) (id uint16, addresses []netip.Addr, ok bool) {
	var m dns.Msg
	if err := m.Unpack(b); err != nil || !m.Response || len(m.Question) != 1 || m.Question[0].Name != dns.Fqdn(name) {
		return 0, nil, false
	}
	for _, rr := range m.Answer {
		var ip net.IP
		switch rr := rr.(type) {
		case *dns.A:
			ip = rr.A
		case *dns.AAAA:
			ip = rr.AAAA
		}
		if a, valid := netip.AddrFromSlice(ip); valid && len(addresses) < maxKnown {
			addresses = append(addresses, a.Unmap())
		}
	}
	return m.Id, addresses, true
}
