package sntp

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// bench is a client whose servers and clock are the test's.
type bench struct {
	client  Client
	sources chan Sources

	mu  sync.Mutex // guards log
	log record
}

// record is what the client did.
type record struct {
	asked []string
	times []time.Duration // when, since the start
	set   []time.Duration
	told  []time.Time
}

// did returns what the client has done so far.
func (b *bench) did() record {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.log
}

func (b *bench) note(f func(*record)) {
	b.mu.Lock()
	defer b.mu.Unlock()
	f(&b.log)
}

// inBench runs f beside a client whose questions answer replies to.
func inBench(t *testing.T, answer func(n int, server string) Response, f func(*testing.T, *bench)) {
	synctest.Test(t, func(t *testing.T) {
		b, began := &bench{sources: make(chan Sources)}, time.Now()
		b.client = Client{
			Sources: b.sources, NotBefore: began.Add(-time.Hour), Log: slog.New(slog.DiscardHandler),
			Query: func(_ context.Context, q Query) Response {
				b.note(func(r *record) { r.asked, r.times = append(r.asked, q.Server), append(r.times, time.Since(began)) })
				return answer(len(b.did().asked), q.Server)
			},
			Adjust: func(d time.Duration) error { b.note(func(r *record) { r.set = append(r.set, d) }); return nil },
			Tell:   func(at time.Time) { b.note(func(r *record) { r.told = append(r.told, at) }) },
		}
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() { b.client.Run(ctx); close(ended) }()
		f(t, b)
		cancel()
		<-ended
	})
}

func TestSync(t *testing.T) {
	broken := errors.New("broken")
	for _, c := range []struct {
		name   string
		answer func(int, string) Response
		asked  []string // in the first half second
		set    []time.Duration
	}{
		{"good", func(int, string) Response { return Response{Offset: time.Second} }, []string{"a"}, []time.Duration{time.Second}},
		{"the second", func(_ int, s string) Response {
			if s == "a" {
				return Response{Err: broken}
			}
			return Response{Offset: time.Second}
		}, []string{"a", "b"}, []time.Duration{time.Second}},
		{"none", func(int, string) Response { return Response{Err: broken} }, []string{"a", "b"}, nil},
		{"before the program was built", func(int, string) Response { return Response{Offset: -2 * time.Hour} }, []string{"a", "b"}, nil},
		{"a little back", func(int, string) Response { return Response{Offset: -time.Minute} }, []string{"a"}, []time.Duration{-time.Minute}},
	} {
		t.Run(c.name, func(t *testing.T) {
			inBench(t, c.answer, func(t *testing.T, b *bench) {
				b.sources <- Sources{Servers: []string{"a", "b"}}
				pass(time.Second / 2)
				if !slices.Equal(b.did().asked, c.asked) || !slices.Equal(b.did().set, c.set) || len(b.did().told) != len(c.set) {
					t.Errorf("asked %v, set %v, told %v", b.did().asked, b.did().set, b.did().told)
				}
			})
		})
	}
}

// TestPace asks more and more rarely, sooner after failures, at once when the network changes, and nobody without one.
func TestPace(t *testing.T) {
	good := func(int, string) Response { return Response{} }
	inBench(t, good, func(t *testing.T, b *bench) {
		b.sources <- Sources{Servers: []string{"a"}}
		pass(24 * time.Hour)
		if n := len(b.did().asked); n < 24 || n > 40 {
			t.Errorf("asked %d times in a day", n)
		}
		n := len(b.did().asked)
		b.sources <- Sources{Servers: []string{"a"}} // nothing new
		b.sources <- Sources{Servers: []string{"b"}}
		synctest.Wait()
		if len(b.did().asked) != n+1 || b.did().asked[n] != "b" {
			t.Errorf("after a change: %v", b.did().asked[n:])
		}
		b.sources <- Sources{}
		pass(24 * time.Hour)
		if len(b.did().asked) != n+1 {
			t.Errorf("without a network: %v", b.did().asked[n:])
		}
	})
	bad := func(int, string) Response { return Response{Err: errors.New("broken")} }
	inBench(t, bad, func(t *testing.T, b *bench) {
		b.sources <- Sources{Servers: []string{"a"}}
		pass(time.Minute)
		if n := len(b.did().asked); n < 5 || n > 8 {
			t.Errorf("asked %d times in the first minute: %v", n, b.did().times)
		}
		pass(24 * time.Hour)
		if n := len(b.did().asked); n < 90 || n > 130 {
			t.Errorf("asked %d times in a day", n)
		}
	})
}

// TestRefused leaves a server alone that wants it, until the network changes.
func TestRefused(t *testing.T) {
	refuse := func(int, string) Response { return Response{Err: fmt.Errorf("%w: DENY", ErrRefused)} }
	inBench(t, refuse, func(t *testing.T, b *bench) {
		b.sources <- Sources{Servers: []string{"a"}}
		pass(24 * time.Hour)
		if len(b.did().asked) != 1 {
			t.Errorf("asked %d times", len(b.did().asked))
		}
		b.sources <- Sources{Servers: []string{"a", "b"}}
		synctest.Wait()
		if len(b.did().asked) != 3 {
			t.Errorf("after a change asked %v", b.did().asked)
		}
	})
}

// answer is a server's reply packet (RFC 5905, section 7.3), 90 s ahead of the client's question.
func answer(question []byte) []byte {
	const era = 2208988800 // seconds from 1900 to 1970
	p := make([]byte, 48)
	p[0], p[1], p[2], p[3] = 0<<6|4<<3|4, 2, 6, 0xec
	copy(p[12:], "\x7f\x00\x00\x01")
	now := time.Now().Add(90 * time.Second)
	stamp := uint64(now.Unix()+era)<<32 | uint64(now.Nanosecond())<<32/1e9
	binary.BigEndian.PutUint64(p[16:], stamp-(10<<32))
	copy(p[24:], question[40:48])
	binary.BigEndian.PutUint64(p[32:], stamp)
	binary.BigEndian.PutUint64(p[40:], stamp)
	return p
}

// TestAsk believes a sane answer of a server on the loopback interface, and none that is not.
func TestAsk(t *testing.T) {
	for _, c := range []struct {
		name  string
		spoil func([]byte)
		want  error // nil: a good one; any other: some error, this one if it is [ErrRefused]
	}{
		{"good", func([]byte) {}, nil},
		{"kiss-o'-death", func(p []byte) { p[1] = 0; copy(p[12:], "DENY") }, ErrRefused},
		{"not synchronized", func(p []byte) { p[0] |= 3 << 6 }, errAny},
		{"stratum 16", func(p []byte) { p[1] = 16 }, errAny},
		{"answer to another question", func(p []byte) { p[24] ^= 1 }, errAny},
		{"client mode", func(p []byte) { p[0] = 4<<3 | 3 }, errAny},
		{"dispersed", func(p []byte) { p[8] = 1 }, errAny},
		{"sent before its own reference", func(p []byte) { p[16] += 1 }, errAny},
	} {
		t.Run(c.name, func(t *testing.T) {
			server := serve(t, c.spoil)
			r := Ask(t.Context(), Query{Server: server})
			switch {
			case (r.Err == nil) != (c.want == nil), c.want == ErrRefused && !errors.Is(r.Err, ErrRefused):
				t.Errorf("error %v", r.Err)
			case c.want == nil && (r.Offset < 89*time.Second || r.Offset > 91*time.Second):
				t.Errorf("offset %v", r.Offset)
			}
		})
	}
}

var errAny = errors.New("any")

// TestAskStops ends with its context.
func TestAskStops(t *testing.T) {
	c, err := net.ListenPacket("udp", "127.0.0.1:0") // silent
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	ctx, cancel := context.WithCancel(t.Context())
	began := time.Now()
	time.AfterFunc(20*time.Millisecond, cancel)
	if r := Ask(ctx, Query{Server: c.LocalAddr().String()}); r.Err == nil || time.Since(began) > timeout/2 {
		t.Errorf("%v after %v", r.Err, time.Since(began))
	}
}

// serve answers questions on the loopback interface until the test ends.
func serve(t *testing.T, spoil func([]byte)) string {
	t.Helper()
	c, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		buf := make([]byte, 512)
		for {
			n, from, err := c.ReadFrom(buf)
			if err != nil {
				return
			}
			if n >= 48 {
				p := answer(buf[:n])
				spoil(p)
				_, _ = c.WriteTo(p, from)
			}
		}
	}()
	t.Cleanup(func() { _ = c.Close(); <-ended })
	return c.LocalAddr().String()
}

// FuzzAsk gives a client whatever answer: it must return, and not with a time when the answer is none.
func FuzzAsk(f *testing.F) {
	f.Add(answer(make([]byte, 48)))
	f.Fuzz(func(t *testing.T, data []byte) {
		server := serve(t, func(p []byte) { copy(p, data) })
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		defer cancel()
		if r := Ask(ctx, Query{Server: server}); r.Err == nil && len(data) >= 48 && data[0]&7 != 4 {
			t.Errorf("believed %x", data)
		}
	})
}

// pass lets time go by in a synctest bubble, and what it brings be done.
func pass(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}
