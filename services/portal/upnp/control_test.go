package upnp

import (
	"bufio"
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// pipes are a network in which time is the test's.
type pipes struct {
	conns chan net.Conn
	over  chan struct{}
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.over:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error { return nil }

func (p *pipes) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4(192, 168, 1, 5), Port: 49494} }

// piped is a connection of somebody in the home.
type piped struct{ net.Conn }

func (piped) RemoteAddr() net.Addr { return &net.TCPAddr{IP: net.IPv4(192, 168, 1, 9), Port: 5000} }

// kettle runs f with a device that has one action, which do does. In f, call connects and sends a call, whose bytes have all
// been taken once sent is closed; the answer is the rest of the connection.
func kettle(t *testing.T, do func(context.Context) error, f func(call func() (answer net.Conn, sent <-chan struct{}))) {
	synctest.Test(t, func(t *testing.T) {
		d := &Device{Log: slog.New(slog.DiscardHandler), Services: []*Service{{Name: "kettle", Type: "urn:x:service:Kettle:1", Actions: []Action{{
			Name: "Boil", Do: func(ctx context.Context, _ map[string]string) (map[string]string, error) { return nil, do(ctx) },
		}}}}}
		network := &pipes{make(chan net.Conn), make(chan struct{})}
		srv := &http.Server{Handler: d.handler(), ErrorLog: slog.NewLogLogger(slog.DiscardHandler, slog.LevelDebug)}
		served := make(chan error, 1)
		go func() { served <- srv.Serve(network) }()
		defer func() {
			close(network.over)
			_ = srv.Close()
			<-served
		}()
		body := `<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body><u:Boil xmlns:u="urn:x:service:Kettle:1"/></s:Body></s:Envelope>` + strings.Repeat(" ", 64<<10)
		f(func() (net.Conn, <-chan struct{}) {
			here, there := net.Pipe()
			network.conns <- piped{there}
			sent := make(chan struct{})
			go func() {
				r, _ := http.NewRequest("POST", "http://192.168.1.5:49494/kettle/control", strings.NewReader(body)) // it can be parsed
				if r.Write(here) == nil {
					close(sent)
				}
			}()
			return here, sent
		})
	})
}

// answer reads the status of an answer, and all of it.
func answer(t *testing.T, c net.Conn) int {
	t.Helper()
	resp, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		t.Error(err)
		return 0
	}
	_, _ = io.Copy(io.Discard, resp.Body)
	_ = c.Close()
	return resp.StatusCode
}

// TestActionsTakeTheirTime does not end an action when its call would have had to be read.
func TestActionsTakeTheirTime(t *testing.T) {
	boil := func(ctx context.Context) error {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(2 * bodyTimeout):
			return nil
		}
	}
	kettle(t, boil, func(call func() (net.Conn, <-chan struct{})) {
		conn, _ := call()
		if code := answer(t, conn); code != 200 {
			t.Errorf("answered %d", code)
		}
	})
}

// TestCallsAtATime does a few actions at a time. The others wait without their bodies, as long as an action may take.
func TestCallsAtATime(t *testing.T) {
	var doing atomic.Int32
	var enough chan struct{} // of the bubble
	boil := func(context.Context) error {
		doing.Add(1)
		<-enough
		return nil
	}
	kettle(t, boil, func(call func() (net.Conn, <-chan struct{})) {
		enough = make(chan struct{})
		begun := time.Now()
		conns, sent := make([]net.Conn, 3*maxCalls), make([]<-chan struct{}, 3*maxCalls)
		for i := range conns {
			conns[i], sent[i] = call()
		}
		synctest.Wait()
		var first []net.Conn
		for i, c := range conns {
			select {
			case <-sent[i]:
				first = append(first, c)
				continue
			default:
			}
			if code, after := answer(t, c), time.Since(begun); code != 503 || after < actionTimeout || after > actionTimeout+time.Second {
				t.Errorf("one that waits is answered %d after %v", code, after)
			}
		}
		if n := doing.Load(); n != maxCalls || len(first) != maxCalls {
			t.Errorf("%d at a time, and %d bodies were read", n, len(first))
		}
		close(enough)
		for _, c := range first {
			if code := answer(t, c); code != 200 {
				t.Errorf("answered %d", code)
			}
		}
	})
}

// TestSlowReaders keep their turn for a while and no longer.
func TestSlowReaders(t *testing.T) {
	kettle(t, func(context.Context) error { return nil }, func(call func() (net.Conn, <-chan struct{})) {
		for range maxCalls {
			_, sent := call()
			<-sent
		}
		synctest.Wait()
		begun := time.Now()
		conn, _ := call()
		if code, after := answer(t, conn), time.Since(begun); code != 200 || after != answerTimeout {
			t.Errorf("answered %d after %v", code, after)
		}
	})
}
