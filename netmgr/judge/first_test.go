package judge

import (
	"bufio"
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/miekg/dns"

	"manofwar/netmgr"
	"manofwar/netmgr/api"
)

// wire is an internet in the time of a bubble, with a name server at 192.0.2.1 and operators at 203.0.113.1. Everything on it takes
// as long as it is away.
type wire struct {
	away    time.Duration
	running sync.WaitGroup
}

// connect is the link's, in place of sockets.
func (w *wire) connect(ctx context.Context, network, address string) (net.Conn, error) {
	ours, theirs := net.Pipe() // a read takes what one write has, as with datagrams
	switch network + " " + address {
	case "udp 192.0.2.1:53":
		w.running.Go(func() { w.names(theirs) })
	case "tcp 203.0.113.1:80":
		if !pause(ctx, w.away) {
			return nil, ctx.Err()
		}
		w.running.Go(func() { w.pages(theirs) })
	default:
		return nil, errors.New("nobody is there")
	}
	return ours, nil
}

// names knows one address of every name, and nothing of IPv6, of which it says nothing.
func (w *wire) names(c net.Conn) {
	defer c.Close()
	for buf := make([]byte, 1500); ; {
		n, err := c.Read(buf)
		if err != nil {
			return
		}
		var q dns.Msg
		if err := q.Unpack(buf[:n]); err != nil || q.Question[0].Qtype != dns.TypeA {
			continue
		}
		a := new(dns.Msg).SetReply(&q)
		a.Answer = []dns.RR{&dns.A{Hdr: dns.RR_Header{Name: q.Question[0].Name, Rrtype: dns.TypeA, Class: dns.ClassINET}, A: net.IPv4(203, 0, 113, 1)}}
		packed, err := a.Pack()
		if err != nil {
			return
		}
		w.running.Go(func() { // and reads on meanwhile: nobody waits for a datagram to be read
			time.Sleep(w.away)
			_, _ = c.Write(packed) // who has asked may want no more
		})
	}
}

func (w *wire) pages(c net.Conn) {
	defer c.Close()
	if _, err := http.ReadRequest(bufio.NewReader(c)); err == nil {
		time.Sleep(w.away)
		_, _ = io.WriteString(c, "HTTP/1.1 204 No Content\r\n\r\n") // who has asked may have heard enough from another
	}
}

// sightless is a prober whose routers do not answer: that they do takes a socket which no test can play.
type sightless struct{ *prober }

func (sightless) gateways(ctx context.Context, patience time.Duration) bool {
	pause(ctx, patience)
	return false
}

// TestFirstVerdict judges a good link by everything but the sockets: within half a second it is known to be good, whatever there is
// of it that does not answer.
func TestFirstVerdict(t *testing.T) {
	for name, routers := range map[string][]netip.Addr{"IPv4": gateways("192.0.2.1"), "both families": gateways("192.0.2.1", "fe80::1")} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := &wire{away: 40 * time.Millisecond}
				link := Link{Name: "eth0", Gateways: routers, DNS: gateways("192.0.2.1")}
				p := newProber(link)
				p.socket = w.connect
				began, told := time.Now(), make(chan netmgr.Judged, 10)
				ctx, cancel := context.WithCancel(t.Context())
				var judging sync.WaitGroup
				judging.Go(func() {
					New(Options{
						Link: link, Operators: []string{"http://one.example/generate_204", "http://two.example/generate_204"}, Log: slog.New(slog.DiscardHandler),
						Tell: func(_ context.Context, j netmgr.Judged) { told <- j }, look: sightless{p},
					}).Run(ctx)
				})
				j := <-told
				if took := time.Since(began); j.State != api.Good || took > 500*time.Millisecond {
					t.Errorf("%s %q after %v", j.State, j.Reason, took)
				}
				cancel()
				judging.Wait()
				p.close()
				w.running.Wait()
			})
		})
	}
}
