package ipc_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"strings"
	"sync/atomic"
	"testing"

	"manofwar/internal/ipc"
	"manofwar/internal/media"
	"manofwar/internal/service"
)

// serve runs h as the service "echo" until the test ends and returns its run directory.
func serve(t *testing.T, callers map[int]string, h http.Handler) string {
	t.Helper()
	dir := t.TempDir()
	ready := make(chan struct{})
	env := service.Env{
		Name: "echo", RunDir: dir, Callers: callers, Log: slog.New(slog.DiscardHandler),
		Ready: func() { close(ready) }, Healthy: func(error) {},
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- ipc.Serve(ctx, env, h) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Serve: %v", err)
		}
	})
	select {
	case <-ready:
	case err := <-done:
		done <- nil
		t.Fatalf("Serve: %v", err)
	}
	return dir
}

func TestCallRoundTrip(t *testing.T) {
	type message struct{ Text string }
	dir := serve(t, nil, ipc.Handler(func(w http.ResponseWriter, r *http.Request) error {
		var m message
		if err := ipc.ReadJSON(w, r, &m); err != nil {
			return err
		}
		ipc.WriteJSON(w, message{strings.ToUpper(m.Text)})
		return nil
	}))
	c := ipc.NewClient(dir, "echo")
	var got message
	if err := c.Post(t.Context(), "/shout", message{"ahoy"}, &got); err != nil || got.Text != "AHOY" {
		t.Errorf("got %q, %v", got.Text, err)
	}
	if err := c.Post(t.Context(), "/shout", map[string]int{"unknown": 1}, &got); !errors.Is(err, media.ErrInvalid) {
		t.Errorf("unknown field: error %v; want ErrInvalid", err)
	}
	if err := c.Post(t.Context(), "/shout", message{string(bytes.Repeat([]byte("x"), ipc.MaxBody))}, &got); !errors.Is(err, media.ErrInvalid) {
		t.Errorf("oversized body: error %v; want ErrInvalid", err)
	}
}

// endless answers with a string that does not end.
type endless struct{ read int }

func (e *endless) RoundTrip(*http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: http.StatusOK, Body: e}, nil
}

func (e *endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = 'x'
	}
	if e.read == 0 {
		p[0] = '"'
	}
	e.read += len(p)
	return len(p), nil
}

func (e *endless) Close() error { return nil }

func TestAnswersOfOtherMachinesAreBounded(t *testing.T) {
	for _, out := range []any{new(string), nil} {
		e := new(endless)
		if err := ipc.NewClientOver("other", e).Get(t.Context(), "/", out); (err == nil) != (out == nil) || e.read > 2*ipc.MaxBody {
			t.Errorf("into %T: %v after %d bytes", out, err, e.read)
		}
	}
}

func TestErrorsKeepTheirMeaning(t *testing.T) {
	sentinels := []error{
		media.ErrNotFound, media.ErrInvalid, media.ErrDenied, media.ErrAway, media.ErrCorrupt,
		media.ErrUnsupported, media.ErrBusy, media.ErrReadOnly, media.ErrFull,
	}
	var next error
	dir := serve(t, nil, ipc.Handler(func(http.ResponseWriter, *http.Request) error { return next }))
	c := ipc.NewClient(dir, "echo")
	for _, want := range sentinels {
		next = fmt.Errorf("open album: %w", &media.Error{Op: "read", Path: "a.flac", Err: want, Hint: "plug it in"})
		err := c.Get(t.Context(), "/", nil)
		got, ok := errors.AsType[*ipc.Error](err)
		if !ok || !errors.Is(err, want) || got.Hint != "plug it in" || !strings.Contains(got.Message, "a.flac") {
			t.Errorf("%v came out as %#v", want, err)
		}
		for _, other := range sentinels {
			if other != want && errors.Is(err, other) {
				t.Errorf("%v is also %v", err, other)
			}
		}
		if again := ipc.AsError(fmt.Errorf("ask echo: %w", err)); again.Code != got.Code || again.Hint != got.Hint || again.Status != got.Status {
			t.Errorf("passed on, %#v became %#v", got, again)
		}
	}
	next = errors.New("disk on fire")
	if got := ipc.AsError(c.Get(t.Context(), "/", nil)); got.Code != "internal" || got.Status != http.StatusInternalServerError {
		t.Errorf("an unknown error came out as %#v", got)
	}
}

func TestUnreachableServiceIsBusy(t *testing.T) {
	err := ipc.NewClient(t.TempDir(), "gone").Get(t.Context(), "/", nil)
	if !errors.Is(err, media.ErrBusy) {
		t.Errorf("error %v; want ErrBusy", err)
	}
}

func TestServeReplacesAStaleSocket(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(ipc.SocketPath(dir, "echo"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	env := service.Env{Name: "echo", RunDir: dir, Log: slog.New(slog.DiscardHandler)}
	ctx, cancel := context.WithCancel(t.Context())
	env.Ready = cancel // stop as soon as it listens
	if err := ipc.Serve(ctx, env, http.NotFoundHandler()); err != nil {
		t.Error(err)
	}
}

func TestEventsReachEveryListenerAndCutOffTheSlow(t *testing.T) {
	var events ipc.Events
	listening := make(chan struct{}, 2)
	dir := serve(t, nil, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		listening <- struct{}{}
		events.ServeHTTP(w, r)
	}))
	slow, stop := events.Subscribe()
	defer stop()
	c := ipc.NewClient(dir, "echo")
	got := make(chan int)
	for range 2 {
		go func() {
			n := 0
			for ev, err := range c.Events(t.Context(), "/events") {
				if err != nil || ev.Kind != "count" || string(ev.Data) != fmt.Sprint(n) {
					t.Errorf("event %d: %v %v", n, ev, err)
					break
				}
				if n++; n == 10 {
					break
				}
			}
			got <- n
		}()
	}
	// A listener subscribes just after its handler starts: publish until both have ten.
	<-listening
	<-listening
	waitForSubscribers(t, &events, 3)
	for i := range 10 {
		if err := events.Publish("count", i); err != nil {
			t.Fatal(err)
		}
	}
	for range 2 {
		if n := <-got; n != 10 {
			t.Errorf("a listener got %d events; want 10", n)
		}
	}
	for i := range 100 {
		if err := events.Publish("count", i); err != nil {
			t.Fatal(err)
		}
	}
	n := 0
	for range slow {
		n++
	}
	if n == 0 || n >= 110 {
		t.Errorf("the slow listener got %d events; want a backlog and then the end", n)
	}
}

// waitForSubscribers spins until n listen; subscribing takes microseconds.
func waitForSubscribers(t *testing.T, events *ipc.Events, n int) {
	t.Helper()
	for events.Listeners() < n {
		if t.Context().Err() != nil {
			t.Fatal("gave up waiting for listeners")
		}
	}
}

func TestEventsEndWithTheService(t *testing.T) {
	var events ipc.Events
	dir := serve(t, nil, &events)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for _, err := range ipc.NewClient(dir, "echo").Events(ctx, "/events") {
		if err != nil && !errors.Is(err, context.Canceled) {
			t.Errorf("error %v; want the end", err)
		}
	}
}

func FuzzReadEvents(f *testing.F) {
	f.Add("event: scan\ndata: {}\n\n: keep\n\ndata: 1\ndata: 2\n\n")
	f.Fuzz(func(t *testing.T, stream string) { ipc.ReadEventsForTest(strings.NewReader(stream)) })
}

// TestConnectionsAreKept checks that answers longer than a buffer do not cost a connection each.
func TestConnectionsAreKept(t *testing.T) {
	dir := t.TempDir()
	ln, err := net.Listen("unix", ipc.SocketPath(dir, "echo"))
	if err != nil {
		t.Fatal(err)
	}
	var connections atomic.Int32
	srv := &http.Server{
		Handler: ipc.Handler(func(w http.ResponseWriter, r *http.Request) error {
			ipc.WriteJSON(w, strings.Repeat("ahoy ", 1<<r.ContentLength))
			_ = http.NewResponseController(w).Flush() // the end of the body comes by itself
			return nil
		}),
		ConnState: func(_ net.Conn, s http.ConnState) {
			if s == http.StateNew {
				connections.Add(1)
			}
		},
	}
	defer srv.Close()
	go srv.Serve(ln)
	c := ipc.NewClient(dir, "echo")
	for n := range 15 {
		var got string
		if err := c.Post(t.Context(), "/", strings.Repeat("x", n), &got); err != nil || len(got) != 5<<(n+2) {
			t.Fatalf("%d bytes, %v", len(got), err)
		}
	}
	if n := connections.Load(); n != 1 {
		t.Errorf("%d connections for 15 calls", n)
	}
}
