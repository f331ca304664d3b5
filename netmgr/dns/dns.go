// Package dns answers the clients of an access point that ask us for names: our own, those by which phones look for a
// sign-in page, and all others as the name servers of the way out do.
//
// It is a forwarder, not a resolver, and keeps no cache: the servers it asks have one, and every client too, so that what
// is told changes at once when the way out does. It answers nobody but the clients' network. Queries are rebuilt, not
// passed on: EDNS options are dropped, sizes kept to what passes every path unfragmented, and of answers only those count
// that come from the server asked, with the number and the question of the query.
//
// Multicast DNS (.local) is package mdns; that part of the tree is never asked of anybody else (RFC 6762, section 22.1).
package dns

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/miekg/dns"

	"manofwar/netmgr"
)

// Names is what clients are told.
type Names struct {
	Hostname  string         // ours; answered as it is and under .local; empty: none
	Addresses []netip.Addr   // ours in the clients' network, of IPv4 and IPv6
	Capture   netmgr.Capture // which other names are told to be ours
	Servers   []netip.Addr   // asked for the rest, the preferred one first; link-local ones with their zone
}

// Server answers clients. Its fields are set before [Server.Run] and not changed after.
type Server struct {
	Networks []netip.Prefix // the clients': nobody else is answered but link-local neighbours
	Log      *slog.Logger

	// Dial opens the way to a name server; nil: [net.Dialer]'s, which takes a port at random.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)

	names     atomic.Pointer[Names]
	preferred atomic.Pointer[netip.Addr] // the server that answered when the first did not
	room      chan struct{}              // a place for every query that is being forwarded
}

// Bounds, so that no client can use up the machine.
const (
	maxForwards    = 128
	maxConnections = 16
	maxQuery       = 4096             // bytes; a question needs 300
	maxUDP         = 1232             // bytes of an answer: what passes every path unfragmented
	idle           = 10 * time.Second // for how long a TCP connection may say nothing
)

// Set changes what clients are told from now on. It may be called from any goroutine, before [Server.Run] too.
func (s *Server) Set(n Names) {
	n.Addresses, n.Servers = slices.Clone(n.Addresses), slices.Clone(n.Servers)
	s.names.Store(&n)
}

// Run answers what arrives on the sockets until ctx ends, and closes them.
func (s *Server) Run(ctx context.Context, udp net.PacketConn, tcp net.Listener) {
	s.names.CompareAndSwap(nil, new(Names)) // what was Set meanwhile stays
	s.room = make(chan struct{}, maxForwards)
	var running sync.WaitGroup
	defer running.Wait()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	running.Go(func() { s.serveTCP(ctx, tcp) })
	running.Go(func() { s.serveUDP(ctx, udp) })
	<-ctx.Done()
	if err := errors.Join(udp.Close(), tcp.Close()); err != nil {
		s.Log.Debug("name server's sockets not closed", "err", err)
	}
}

// serveUDP answers at once what it knows and hands the rest to goroutines. When there are too many of those a query is
// dropped: clients ask again.
func (s *Server) serveUDP(ctx context.Context, conn net.PacketConn) {
	var running sync.WaitGroup
	defer running.Wait()
	buf := make([]byte, maxQuery)
	for {
		n, from, err := conn.ReadFrom(buf)
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			pause(ctx) // it says nothing of the next
			continue
		}
		if !s.allowed(from) {
			continue
		}
		reply := func(data []byte) {
			if data == nil {
				return
			}
			if _, err := conn.WriteTo(data, from); err != nil {
				s.Log.Debug("dns answer not sent", "err", err)
			}
		}
		q, data, done := s.answer(buf[:n])
		if done {
			reply(data)
			continue
		}
		select {
		case s.room <- struct{}{}:
			running.Go(func() {
				reply(s.forward(ctx, q, "udp"))
				<-s.room
			})
		default:
		}
	}
}

// serveTCP serves a few connections at a time; others wait in the kernel.
func (s *Server) serveTCP(ctx context.Context, l net.Listener) {
	var running sync.WaitGroup
	defer running.Wait()
	room := make(chan struct{}, maxConnections)
	for {
		select {
		case room <- struct{}{}:
		case <-ctx.Done():
			return
		}
		conn, err := l.Accept()
		switch {
		case errors.Is(err, net.ErrClosed):
			return
		case err != nil:
			pause(ctx)
			<-room
			continue
		}
		running.Go(func() {
			if s.allowed(conn.RemoteAddr()) {
				s.converse(ctx, conn)
			}
			_ = conn.Close() // nothing is lost: answers were written
			<-room
		})
	}
}

// converse answers one query after the other.
func (s *Server) converse(ctx context.Context, conn net.Conn) {
	defer context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })()
	for ctx.Err() == nil {
		if conn.SetDeadline(time.Now().Add(idle)) != nil {
			return
		}
		query, err := readTCP(conn, maxQuery)
		if err != nil {
			return
		}
		q, data, done := s.answer(query)
		if !done {
			data = s.forward(ctx, q, "tcp")
		}
		if data == nil || writeTCP(conn, data) != nil {
			return
		}
	}
}

// allowed reports whether somebody is a client of ours.
func (s *Server) allowed(from net.Addr) bool {
	var a netip.Addr
	switch from := from.(type) {
	case *net.UDPAddr:
		a = from.AddrPort().Addr().Unmap()
	case *net.TCPAddr:
		a = from.AddrPort().Addr().Unmap()
	}
	return a.Is6() && a.IsLinkLocalUnicast() ||
		slices.ContainsFunc(s.Networks, func(p netip.Prefix) bool { return p.Contains(a.WithZone("")) })
}

// query is a client's question that is to be forwarded.
type query struct {
	msg   *dns.Msg
	names *Names
}

// answer answers a query out of what is known here. It reports false when others have to be asked; with nil data silence
// is the answer.
func (s *Server) answer(data []byte) (q query, reply []byte, done bool) {
	var m dns.Msg
	if m.Unpack(data) != nil || m.Response {
		return query{}, nil, true
	}
	n := s.names.Load()
	if r := n.answer(&m); r != nil {
		return query{}, pack(r), true
	}
	return query{&m, n}, nil, false
}

// pack returns a message's bytes, or nil for one that cannot be sent.
func pack(m *dns.Msg) []byte {
	m.Compress = true
	data, err := m.Pack()
	if err != nil {
		return nil
	}
	return data
}

func pause(ctx context.Context) {
	t := time.NewTimer(100 * time.Millisecond)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-t.C:
	}
}
