package dns

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/miekg/dns"
)

// The pace of forwarding.
const (
	headStart  = 300 * time.Millisecond // of a server over the next one
	resend     = time.Second            // after which a lost datagram is sent again
	patience   = 5 * time.Second        // after which a client has given up, too
	maxServers = 3                      // that are asked for one name
)

// forward asks the name servers and returns the answer for the client. Where nobody answers it says so, once the time is
// up: silence would make the client ask again and again.
func (s *Server) forward(ctx context.Context, q query, network string) []byte {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	up := upstream(q.msg)
	a, err := s.race(ctx, up, s.order(q.names.Servers), network)
	if err != nil {
		s.Log.Debug("name not resolved", "err", err)
		return pack(failure(q.msg, dns.RcodeServerFailure))
	}
	binary.BigEndian.PutUint16(a, q.msg.Id)
	if network == "udp" && len(a) > size(q.msg) {
		r := reply(q.msg)
		r.Truncated = true // it comes again by TCP
		return pack(r)
	}
	return a
}

// upstream returns the query that servers are asked in place of a client's.
func upstream(q *dns.Msg) *dns.Msg {
	up := &dns.Msg{
		MsgHdr: dns.MsgHdr{
			Id: uint16(rand.Uint32()), RecursionDesired: true,
			CheckingDisabled: q.CheckingDisabled, AuthenticatedData: q.AuthenticatedData,
		},
		Question: q.Question,
	}
	if o := q.IsEdns0(); o != nil {
		up.SetEdns0(uint16(size(q)), o.Do())
	}
	return up
}

// size returns how large an answer by UDP the client takes, within [maxUDP].
func size(q *dns.Msg) int {
	o := q.IsEdns0()
	if o == nil {
		return dns.MinMsgSize
	}
	return min(max(int(o.UDPSize()), dns.MinMsgSize), maxUDP)
}

// order puts the server first that answered last time when the first did not.
func (s *Server) order(servers []netip.Addr) []netip.Addr {
	out := slices.Clone(servers)
	if p := s.preferred.Load(); p != nil {
		if i := slices.Index(out, *p); i > 0 {
			out = slices.Insert(slices.Delete(out, i, i+1), 0, *p)
		}
	}
	return out[:min(len(out), maxServers)]
}

// result is what one server answered.
type result struct {
	server netip.Addr
	data   []byte
	rcode  int
	err    error
}

// useful reports whether no other server can know better.
func (r result) useful() bool {
	return r.err == nil && (r.rcode == dns.RcodeSuccess || r.rcode == dns.RcodeNameError)
}

// race asks one server after the other, the next one as soon as the one before has failed or has had its head start. The
// first useful answer wins; a refusal is passed on only if nobody has better.
func (s *Server) race(ctx context.Context, q *dns.Msg, servers []netip.Addr, network string) ([]byte, error) {
	data, err := q.Pack() // once: it writes to the message
	if err != nil {
		return nil, err
	}
	var running sync.WaitGroup
	defer running.Wait()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel() // the losers end at once
	results := make(chan result, len(servers))
	next := time.NewTimer(0)
	defer next.Stop()
	var refusal []byte
	var errs []error
	for asked, open := 0, 0; ; {
		select {
		case <-next.C:
			if asked == len(servers) {
				continue
			}
			server := servers[asked]
			running.Go(func() { results <- s.exchange(ctx, exchange{q, data, server, network}) })
			asked, open = asked+1, open+1
			next.Reset(headStart)
		case r := <-results:
			open--
			if r.useful() {
				if asked > 1 {
					s.preferred.Store(&r.server)
				}
				return r.data, nil
			}
			if r.err != nil {
				errs = append(errs, r.err)
			} else if refusal == nil {
				refusal = r.data
			}
			if open == 0 && asked == len(servers) {
				if refusal != nil {
					return refusal, nil
				}
				return nil, errors.Join(errs...)
			}
			next.Reset(0)
		}
	}
}

// exchange is one question to one server.
type exchange struct {
	query   *dns.Msg // shared: to be read only
	data    []byte   // the same, packed
	server  netip.Addr
	network string
}

// exchange asks over a connection of its own, so from a port of its own, and takes no answer but one to this question.
func (s *Server) exchange(ctx context.Context, x exchange) result {
	fail := func(err error) result { return result{server: x.server, err: err} }
	dial := s.Dial
	if dial == nil {
		dial = new(net.Dialer).DialContext
	}
	conn, err := dial(ctx, x.network, netip.AddrPortFrom(x.server, 53).String())
	if err != nil {
		return fail(err)
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })()
	if x.network == "tcp" {
		if err := writeTCP(conn, x.data); err != nil {
			return fail(err)
		}
		a, err := readTCP(conn, dns.MaxMsgSize)
		if err != nil {
			return fail(err)
		}
		rcode, ok := answers(a, x.query)
		if !ok {
			return fail(errors.New("the name server answers something else"))
		}
		return result{x.server, a, rcode, nil}
	}
	buf := make([]byte, dns.MaxMsgSize/16) // no server sends more than it was told that we take
	for {
		if _, err := conn.Write(x.data); err != nil {
			return fail(err)
		}
		a, rcode, err := receive(ctx, conn, buf, x.query)
		if ctx.Err() != nil || err != nil && !errors.Is(err, errLate) {
			return fail(errors.Join(err, ctx.Err()))
		}
		if err == nil {
			return result{x.server, a, rcode, nil}
		}
	}
}

// errLate says that it is time to ask again.
var errLate = errors.New("no answer")

// receive waits for the answer until it is time to ask again.
func receive(ctx context.Context, conn net.Conn, buf []byte, q *dns.Msg) ([]byte, int, error) {
	if err := conn.SetReadDeadline(time.Now().Add(resend)); err != nil {
		return nil, 0, err
	}
	for ctx.Err() == nil { // set after the deadline: it may have been overwritten
		n, err := conn.Read(buf)
		if timeout, ok := errors.AsType[net.Error](err); ok && timeout.Timeout() {
			return nil, 0, errLate
		}
		if err != nil {
			return nil, 0, err
		}
		if rcode, ok := answers(buf[:n], q); ok {
			return buf[:n], rcode, nil
		}
	}
	return nil, 0, ctx.Err()
}

// answers reports whether a message is the answer to a query: well formed, with its number and its question.
func answers(data []byte, q *dns.Msg) (rcode int, ok bool) {
	var m dns.Msg
	if m.Unpack(data) != nil || !m.Response || m.Id != q.Id || m.Opcode != dns.OpcodeQuery || len(m.Question) != 1 {
		return 0, false
	}
	a, b := m.Question[0], q.Question[0]
	return m.Rcode, a.Qtype == b.Qtype && a.Qclass == b.Qclass && strings.EqualFold(a.Name, b.Name)
}

// readTCP reads a message with its length before it (RFC 1035, section 4.2.2).
func readTCP(r io.Reader, limit int) ([]byte, error) {
	var length [2]byte
	if _, err := io.ReadFull(r, length[:]); err != nil {
		return nil, err
	}
	n := int(binary.BigEndian.Uint16(length[:]))
	if n > limit {
		return nil, errors.New("the message is too long")
	}
	data := make([]byte, n)
	_, err := io.ReadFull(r, data)
	return data, err
}

func writeTCP(w io.Writer, data []byte) error {
	_, err := w.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(data))), data...))
	return err
}
