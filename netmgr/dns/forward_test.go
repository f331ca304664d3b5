package dns

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/miekg/dns"

	"manofwar/netmgr"
)

// internet is the name servers that a test has: what each does with a query.
type internet struct {
	mu     sync.Mutex // guards asked
	asked  []string
	behave map[netip.Addr]func(q *dns.Msg) []*dns.Msg // its answers, nil: none; an absent server refuses connections
}

// dial connects with a server. Reads and writes of a pipe are as whole as datagrams.
func (i *internet) dial(_ context.Context, network, address string) (net.Conn, error) {
	server := netip.MustParseAddrPort(address).Addr()
	behave := i.behave[server]
	if behave == nil {
		return nil, errors.New("unreachable")
	}
	near, far := net.Pipe()
	go func() {
		buf := make([]byte, 4096)
		for {
			n, err := far.Read(buf)
			if err != nil {
				return
			}
			data := buf[:n]
			if network == "tcp" {
				data = data[2:]
			}
			var q dns.Msg
			if err := q.Unpack(data); err != nil {
				return
			}
			i.mu.Lock()
			i.asked = append(i.asked, network+" "+server.String())
			i.mu.Unlock()
			for _, a := range behave(&q) {
				data, err := a.Pack()
				if err != nil {
					return
				}
				if network == "tcp" {
					err = writeTCP(far, data)
				} else {
					_, err = far.Write(data)
				}
				if err != nil {
					return
				}
			}
		}
	}()
	return near, nil
}

func (i *internet) log() string {
	i.mu.Lock()
	defer i.mu.Unlock()
	return strings.Join(i.asked, ", ")
}

func good(q *dns.Msg) []*dns.Msg {
	r := new(dns.Msg).SetReply(q)
	r.Answer = append(r.Answer, address(q, netip.MustParseAddr("203.0.113.80"), 60))
	return []*dns.Msg{r}
}

func silent(*dns.Msg) []*dns.Msg { return nil }

func failing(q *dns.Msg) []*dns.Msg {
	return []*dns.Msg{new(dns.Msg).SetRcode(q, dns.RcodeServerFailure)}
}

func server(t *testing.T) *Server {
	return &Server{Networks: []netip.Prefix{netip.PrefixFrom(ours4, 24)}, Log: slog.New(slog.NewTextHandler(io.Discard, nil))}
}

// resolve forwards one query and returns the answer and how long it took.
func resolve(t *testing.T, s *Server, network string, q *dns.Msg) (*dns.Msg, time.Duration) {
	t.Helper()
	began := time.Now()
	data := s.forward(t.Context(), query{q, s.names.Load()}, network)
	var m dns.Msg
	if err := m.Unpack(data); err != nil || m.Id != q.Id {
		t.Fatalf("answer %x: %v", data, err)
	}
	return &m, time.Since(began)
}

// TestFailover asks the second server when the first is slow or bad, and then first.
func TestFailover(t *testing.T) {
	lost := 0
	for _, c := range []struct {
		name          string
		first, second func(*dns.Msg) []*dns.Msg
		rcode         int
		took          time.Duration
		asked         string
	}{
		{"good", good, good, dns.RcodeSuccess, 0, "udp 192.0.2.1"},
		{"first silent", silent, good, dns.RcodeSuccess, headStart, "udp 192.0.2.1, udp 192.0.2.2"},
		{"first fails", failing, good, dns.RcodeSuccess, 0, "udp 192.0.2.1, udp 192.0.2.2"},
		{"first unreachable", nil, good, dns.RcodeSuccess, 0, "udp 192.0.2.2"},
		{"both fail", failing, failing, dns.RcodeServerFailure, 0, "udp 192.0.2.1, udp 192.0.2.2"},
		{"no such name", func(q *dns.Msg) []*dns.Msg { return []*dns.Msg{new(dns.Msg).SetRcode(q, dns.RcodeNameError)} }, nil, dns.RcodeNameError, 0, "udp 192.0.2.1"},
		{"both unreachable", nil, nil, dns.RcodeServerFailure, 0, ""},
		{
			"one datagram lost", func(q *dns.Msg) []*dns.Msg {
				if lost++; lost == 1 {
					return nil
				}
				return good(q)
			}, silent, dns.RcodeSuccess, resend, "udp 192.0.2.1, udp 192.0.2.2, udp 192.0.2.1",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				i := &internet{behave: map[netip.Addr]func(*dns.Msg) []*dns.Msg{first: c.first, other: c.second}}
				s := server(t)
				s.Dial = i.dial
				s.Set(names(netmgr.CaptureNone))
				q := new(dns.Msg).SetQuestion("example.com.", dns.TypeA)
				q.SetEdns0(maxUDP, true)
				r, took := resolve(t, s, "udp", q)
				if r.Rcode != c.rcode || took != c.took || i.log() != c.asked {
					t.Errorf("%s after %v, asked %s", dns.RcodeToString[r.Rcode], took, i.log())
				}
			})
		})
	}
	t.Run("both silent", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			i := &internet{behave: map[netip.Addr]func(*dns.Msg) []*dns.Msg{first: silent, other: silent}}
			s := server(t)
			s.Dial = i.dial
			s.Set(names(netmgr.CaptureNone))
			r, took := resolve(t, s, "udp", new(dns.Msg).SetQuestion("example.com.", dns.TypeA))
			if r.Rcode != dns.RcodeServerFailure || took != patience {
				t.Errorf("%s after %v", dns.RcodeToString[r.Rcode], took)
			}
			i.behave[other] = good
			resolve(t, s, "udp", new(dns.Msg).SetQuestion("example.com.", dns.TypeA))
			if _, took := resolve(t, s, "udp", new(dns.Msg).SetQuestion("example.com.", dns.TypeA)); took != 0 {
				t.Errorf("the server that answers is asked after %v", took)
			}
		})
	})
}

// TestForgeries takes the one answer to the question among others.
func TestForgeries(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		forged := func(q *dns.Msg, change func(*dns.Msg)) *dns.Msg {
			r := good(q)[0]
			r.Answer[0].(*dns.A).A = net.IPv4(203, 0, 113, 66)
			change(r)
			return r
		}
		i := &internet{behave: map[netip.Addr]func(*dns.Msg) []*dns.Msg{first: func(q *dns.Msg) []*dns.Msg {
			return append([]*dns.Msg{
				forged(q, func(m *dns.Msg) { m.Id++ }),
				forged(q, func(m *dns.Msg) { m.Response = false }),
				forged(q, func(m *dns.Msg) { m.Question[0].Name = "evil.example." }),
				forged(q, func(m *dns.Msg) { m.Question[0].Qtype = dns.TypeTXT }),
				forged(q, func(m *dns.Msg) { m.Question = nil }),
			}, good(q)...)
		}}}
		s := server(t)
		s.Dial = i.dial
		s.Set(names(netmgr.CaptureNone))
		r, _ := resolve(t, s, "udp", new(dns.Msg).SetQuestion("example.com.", dns.TypeA))
		if got := summary(r, ""); got != "203.0.113.80" {
			t.Errorf("answer %s", got)
		}
	})
}

// TestUpstreamQuery rebuilds queries: the client's number, options and sizes stay here.
func TestUpstreamQuery(t *testing.T) {
	q := new(dns.Msg).SetQuestion("eXample.com.", dns.TypeMX)
	q.CheckingDisabled = true
	q.SetEdns0(4096, true)
	q.IsEdns0().Option = append(q.IsEdns0().Option, &dns.EDNS0_COOKIE{Code: dns.EDNS0COOKIE, Cookie: "0123456789abcdef"})
	ids := make(map[uint16]bool)
	for range 50 {
		up := upstream(q)
		ids[up.Id] = true
		o := up.IsEdns0()
		if up.Question[0] != q.Question[0] || !up.RecursionDesired || !up.CheckingDisabled || o == nil || len(o.Option) != 0 || o.UDPSize() != maxUDP || !o.Do() {
			t.Fatalf("query %v", up)
		}
	}
	if len(ids) < 45 {
		t.Errorf("%d numbers in 50 queries", len(ids))
	}
	if up := upstream(new(dns.Msg).SetQuestion("example.com.", dns.TypeA)); up.IsEdns0() != nil {
		t.Error("EDNS for a client without")
	}
}

// TestTruncation keeps answers by UDP to what the client takes and gives them whole by TCP.
func TestTruncation(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		big := func(q *dns.Msg) []*dns.Msg {
			r := good(q)[0]
			for range 60 {
				r.Answer = append(r.Answer, r.Answer[0])
			}
			return []*dns.Msg{r}
		}
		i := &internet{behave: map[netip.Addr]func(*dns.Msg) []*dns.Msg{first: big}}
		s := server(t)
		s.Dial = i.dial
		s.Set(names(netmgr.CaptureNone))
		q := new(dns.Msg).SetQuestion("example.com.", dns.TypeA)
		if r, _ := resolve(t, s, "udp", q); !r.Truncated || len(r.Answer) != 0 {
			t.Errorf("by UDP: %d records", len(r.Answer))
		}
		if r, _ := resolve(t, s, "tcp", q); r.Truncated || len(r.Answer) != 61 {
			t.Errorf("by TCP: %d records", len(r.Answer))
		}
	})
}

// FuzzUpstream reads whatever name servers send.
func FuzzUpstream(f *testing.F) {
	q := new(dns.Msg).SetQuestion("example.com.", dns.TypeA)
	data, err := good(q)[0].Pack()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(data)
	f.Fuzz(func(t *testing.T, data []byte) {
		if _, ok := answers(data, q); ok && len(data) < 12 {
			t.Error("an answer without a header")
		}
	})
}
