package portal

import (
	"bufio"
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"manofwar/internal/media"
	"manofwar/internal/service"
	streamapi "manofwar/services/stream/api"
)

// onePlan is a stream service that always answers the same.
type onePlan streamapi.Plan

func (p onePlan) Plan(context.Context, media.ID, string, url.Values) (streamapi.Plan, error) {
	return streamapi.Plan(p), nil
}

// serveOn serves plan on ln until the test ends, with no other service around.
func serveOn(t *testing.T, ln net.Listener, plan streamapi.Plan) {
	t.Helper()
	p := New(Options{UI: testUI})
	env := service.Env{Name: "portal", RunDir: t.TempDir(), StateDir: t.TempDir(), Log: slog.New(slog.DiscardHandler), Ready: func() {}}
	if err := p.prepare(env); err != nil {
		t.Fatal(err)
	}
	p.planner, p.watch.sources = onePlan(plan), nobody()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- p.serve(ctx, env, []net.Listener{ln}) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("serve: %v", err)
		}
	})
}

// countingListener gives out connections that count what the kernel is asked to copy.
type countingListener struct {
	*net.TCPListener
	kernel, calls atomic.Int64
	t             *testing.T
}

func (l *countingListener) Accept() (net.Conn, error) {
	c, err := l.AcceptTCP()
	if err != nil {
		return nil, err
	}
	return countingConn{c, l}, nil
}

type countingConn struct {
	*net.TCPConn
	l *countingListener
}

// ReadFrom is where net/http ends up; *net.TCPConn uses sendfile(2) for exactly this type of source.
func (c countingConn) ReadFrom(r io.Reader) (int64, error) {
	if limited, ok := r.(*io.LimitedReader); !ok {
		c.l.t.Errorf("the source is a %T", r)
	} else if _, ok := limited.R.(*os.File); !ok {
		c.l.t.Errorf("the source is a limited %T", limited.R)
	}
	n, err := c.TCPConn.ReadFrom(r)
	c.l.kernel.Add(n)
	c.l.calls.Add(1)
	return n, err
}

// TestKernelCopies checks that no byte of a large file passes through the program, through all the layers of the door.
func TestKernelCopies(t *testing.T) {
	const size = 10*chunk + 12345
	path := filepath.Join(t.TempDir(), "film")
	if err := os.WriteFile(path, make([]byte, size), 0o600); err != nil {
		t.Fatal(err)
	}
	tcp, err := net.ListenTCP("tcp", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	ln := &countingListener{TCPListener: tcp, t: t}
	serveOn(t, ln, streamapi.Plan{Type: "video/mp4", Parts: []streamapi.Part{{Inline: []byte("head")}, {Path: path, Length: size}}})
	resp, err := http.Get("http://" + tcp.Addr().String() + "/media/film/file")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if n, err := io.Copy(io.Discard, resp.Body); n != size+4 || err != nil {
		t.Fatalf("got %d bytes, %v", n, err)
	}
	if kernel, calls := ln.kernel.Load(), ln.calls.Load(); kernel != size || calls != 11 {
		t.Errorf("the kernel copied %d of %d bytes in %d calls; want all in 11", kernel, size, calls)
	}
}

// pipeListener makes connections without a network, so that they live in a synctest bubble.
type pipeListener struct {
	conns  chan net.Conn
	closed chan struct{}
}

func newPipeListener() *pipeListener {
	return &pipeListener{make(chan net.Conn), make(chan struct{})}
}

func (l *pipeListener) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}
func (l *pipeListener) Close() error   { close(l.closed); return nil }
func (l *pipeListener) Addr() net.Addr { return &net.UnixAddr{Name: "pipe", Net: "unix"} }
func (l *pipeListener) dial() net.Conn {
	client, server := net.Pipe()
	l.conns <- server
	return client
}

const ahoy = "GET /media/film/file HTTP/1.1\r\nHost: localhost\r\n\r\n"

// TestSlowClients holds the door to its patience with clients that dawdle, on a fake clock.
func TestSlowClients(t *testing.T) {
	const size = 3 * chunk
	path := filepath.Join(t.TempDir(), "film")
	if err := os.WriteFile(path, make([]byte, size), 0o600); err != nil {
		t.Fatal(err)
	}
	plan := streamapi.Plan{Type: "video/mp4", Parts: []streamapi.Part{{Path: path, Length: size}}}
	for name, client := range map[string]func(t *testing.T, conn net.Conn){
		"a header that never ends": func(t *testing.T, conn net.Conn) {
			start := time.Now()
			go func() { _, _ = io.Copy(io.Discard, conn) }() // a connection has room for a few words; this one has none
			var err error
			for i := 0; err == nil && i < len(ahoy); i++ {
				_, err = io.WriteString(conn, ahoy[i:i+1])
				time.Sleep(3 * time.Second)
			}
			if took := time.Since(start); err == nil || took > 2*headerTimeout {
				t.Errorf("sent a byte every 3 s for %v, then %v", took, err)
			}
		},
		"a connection that says nothing": func(t *testing.T, conn net.Conn) {
			start := time.Now()
			if _, err := conn.Read(make([]byte, 1)); err == nil || time.Since(start) > 2*headerTimeout {
				t.Errorf("after %v: %v", time.Since(start), err)
			}
		},
		"a body that never comes": func(t *testing.T, conn net.Conn) {
			start := time.Now()
			if _, err := io.WriteString(conn, "POST /api/v1/disks/x/eject HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n"); err != nil {
				t.Fatal(err)
			}
			if _, err := io.Copy(io.Discard, conn); time.Since(start) > 2*bodyTimeout {
				t.Errorf("after %v: %v", time.Since(start), err)
			}
		},
		"one that stops reading": func(t *testing.T, conn net.Conn) {
			resp := request(t, conn)
			if _, err := io.CopyN(io.Discard, resp.Body, chunk/2); err != nil {
				t.Fatal(err)
			}
			time.Sleep(stall + time.Second)
			n, err := io.Copy(io.Discard, resp.Body)
			if !errors.Is(err, io.ErrUnexpectedEOF) {
				t.Errorf("read another %d bytes, then %v", n, err)
			}
		},
		"one that is slow but steady": func(t *testing.T, conn net.Conn) {
			resp := request(t, conn)
			start, got := time.Now(), int64(0)
			for {
				n, err := io.CopyN(io.Discard, resp.Body, chunk/32)
				got += n
				if err == io.EOF {
					break
				}
				if err != nil {
					t.Fatalf("after %v and %d bytes: %v", time.Since(start), got, err)
				}
				time.Sleep(time.Second)
			}
			if got != size || time.Since(start) < stall {
				t.Errorf("got %d bytes in %v", got, time.Since(start))
			}
		},
		"one that waits between two requests": func(t *testing.T, conn net.Conn) {
			for range 2 {
				resp := request(t, conn)
				if n, err := io.Copy(io.Discard, resp.Body); n != size || err != nil {
					t.Fatalf("got %d bytes, %v", n, err)
				}
				time.Sleep(idleTimeout - time.Second)
			}
			time.Sleep(2 * time.Second)
			if _, err := conn.Read(make([]byte, 1)); err != io.EOF {
				t.Errorf("idle for longer: %v", err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ln := newPipeListener()
				serveOn(t, ln, plan)
				conn := ln.dial()
				defer conn.Close()
				client(t, conn)
			})
		})
	}
}

func request(t *testing.T, conn net.Conn) *http.Response {
	t.Helper()
	if _, err := io.WriteString(conn, ahoy); err != nil {
		t.Fatal(err)
	}
	resp, err := http.ReadResponse(bufio.NewReaderSize(conn, 16), nil)
	if err != nil {
		t.Fatal(err)
	}
	return resp
}
