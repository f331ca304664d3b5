package mdns

import (
	"context"
	"fmt"
	"log/slog"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/miekg/dns"

	"manofwar/netmgr"
)

// ether is a link without a wire: what one host sends, all others get.
type ether struct {
	mu    sync.Mutex // guards hosts and log
	hosts []*fakeTransport
	log   []sent
}

// sent is one message on the link.
type sent struct {
	at   time.Time
	from netip.AddrPort
	to   netip.AddrPort
	msg  dns.Msg
}

// fakeTransport is one host's end of an ether.
type fakeTransport struct {
	ether   *ether
	from    netip.AddrPort
	packets chan Packet
	deaf    bool
}

func (e *ether) join(addr string) *fakeTransport {
	e.mu.Lock()
	defer e.mu.Unlock()
	h := &fakeTransport{ether: e, from: netip.AddrPortFrom(netip.MustParseAddr(addr), Port), packets: make(chan Packet, 64)}
	e.hosts = append(e.hosts, h)
	return h
}

func (h *fakeTransport) Join(int) error         { return nil }
func (h *fakeTransport) Leave(int)              {}
func (h *fakeTransport) Local(netip.Addr) bool  { return false }
func (h *fakeTransport) Packets() <-chan Packet { return h.packets }

func (h *fakeTransport) Send(index int, to netip.AddrPort, data []byte) error {
	return h.sendFrom(h.from, index, to, data)
}

func (h *fakeTransport) sendFrom(from netip.AddrPort, index int, to netip.AddrPort, data []byte) error {
	h.ether.mu.Lock()
	defer h.ether.mu.Unlock()
	var m dns.Msg
	if err := m.Unpack(data); err != nil {
		return err
	}
	h.ether.log = append(h.ether.log, sent{time.Now(), from, to, m})
	for _, o := range h.ether.hosts {
		if o.deaf || to.IsValid() && o.from.Addr() != to.Addr() {
			continue // a host hears its own multicasts too
		}
		o.packets <- Packet{Index: index, From: from, Multicast: !to.IsValid(), Data: slices.Clone(data)}
	}
	return nil
}

func (h *fakeTransport) setDeaf(deaf bool) {
	h.ether.mu.Lock()
	defer h.ether.mu.Unlock()
	h.deaf = deaf
}

// since returns the messages of a host from a time on.
func (e *ether) since(t time.Time, from *fakeTransport) []sent {
	e.mu.Lock()
	defer e.mu.Unlock()
	var out []sent
	for _, s := range e.log {
		if !s.at.Before(t) && s.from == from.from {
			out = append(out, s)
		}
	}
	return out
}

// host is a responder under test.
type host struct {
	*fakeTransport
	name  string
	wants chan Want
	names *[]string
	stop  func()
}

func (e *ether) responder(t *testing.T, name string, prefixes ...string) *host {
	t.Helper()
	h := &host{fakeTransport: e.join(netip.MustParsePrefix(prefixes[0]).Addr().String()), name: name, wants: make(chan Want), names: new([]string)}
	var mu sync.Mutex
	r := Responder{
		Wants: h.wants, Reverse: true, Transport: h.fakeTransport, Log: slog.New(slog.DiscardHandler),
		Tell: func(_, won string) { mu.Lock(); defer mu.Unlock(); *h.names = append(*h.names, won) },
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() { r.Run(ctx); close(ended) }()
	h.stop = sync.OnceFunc(func() { cancel(); <-ended })
	t.Cleanup(h.stop)
	h.answer(on(prefixes...))
	return h
}

// answer has the name answered on these links.
func (h *host) answer(links ...netmgr.Announcement) { h.wants <- Want{h.name, links} }

// rename has another name answered.
func (h *host) rename(name string, links ...netmgr.Announcement) {
	h.name = name
	h.answer(links...)
	synctest.Wait()
}

func on(prefixes ...string) netmgr.Announcement {
	a := netmgr.Announcement{Index: 1, Name: "eth0"}
	for _, p := range prefixes {
		a.Addresses = append(a.Addresses, netip.MustParsePrefix(p))
	}
	return a
}

func (h *host) ask(t *testing.T, from netip.AddrPort, change func(*dns.Msg), name string, qtype uint16) {
	t.Helper()
	m := dns.Msg{Question: []dns.Question{{Name: name, Qtype: qtype, Qclass: dns.ClassINET}}}
	m.Id = 7
	if change != nil {
		change(&m)
	}
	data, err := m.Pack()
	if err != nil {
		t.Fatal(err)
	}
	if err := h.sendFrom(from, 1, netip.AddrPort{}, data); err != nil {
		t.Fatal(err)
	}
	synctest.Wait()
}

func text(rrs []dns.RR) string {
	var out []string
	for _, rr := range rrs {
		h := rr.Header()
		flag := ""
		if h.Class&flush != 0 {
			flag = " flush"
		}
		data := strings.TrimPrefix(rr.String(), h.String())
		out = append(out, fmt.Sprintf("%s %s %d%s %s", h.Name, dns.TypeToString[h.Rrtype], h.Ttl, flag, data))
	}
	return strings.Join(out, "; ")
}

func last(names []string) string {
	if len(names) == 0 {
		return ""
	}
	return names[len(names)-1]
}

// pass lets time go by in a synctest bubble, and what it brings be done.
func pass(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}
