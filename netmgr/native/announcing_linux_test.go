package native

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"manofwar/internal/ipc"
	"manofwar/internal/media"
	"manofwar/internal/service"
	"manofwar/netmgr"
	"manofwar/netmgr/api"
	"manofwar/netmgr/mdns"
)

// board notes what is announced.
type board struct {
	mu  sync.Mutex // guards all
	all []string
}

func (b *board) announce(s mdns.Service, hostname string, links []netmgr.Announcement) (end func(), err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	line := fmt.Sprintf("%s %s %s:%d %d %s", s.Instance, s.Type, hostname, s.Port, len(links), strings.Join(s.Text, ","))
	b.all = append(b.all, line)
	return func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		i := slices.Index(b.all, line)
		b.all = slices.Delete(b.all, i, i+1)
	}, nil
}

func (b *board) expect(t *testing.T, want ...string) {
	t.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	got := slices.Clone(b.all)
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("announced %q, want %q", got, want)
	}
}

func newBoard(webPort int) (*names, *board) {
	n, b := newNames(Options{WebPort: webPort}, slog.New(slog.DiscardHandler), nil), &board{}
	n.announce = b.announce
	return n, b
}

// TestOffers announces what services offer beside the page, under the name that was won, and follows changes of that.
func TestOffers(t *testing.T) {
	n, b := newBoard(80)
	mpd := offered{kind: "_mpd._tcp", port: 6600}
	end, err := n.offer(mpd)
	if err != nil {
		t.Fatal(err)
	}
	b.expect(t) // there is no name yet
	link := []netmgr.Announcement{{Index: 3}}
	n.follow(netmgr.Plan{Hostname: "manofwar", Announce: link})
	b.expect(t, "manofwar _http._tcp manofwar:80 1 path=/", "manofwar _mpd._tcp manofwar:6600 1 ")
	n.follow(netmgr.Plan{Hostname: "kitchen", Name: "The kitchen", Announce: link})
	b.expect(t, "The kitchen _http._tcp kitchen:80 1 path=/", "The kitchen _mpd._tcp kitchen:6600 1 ")
	end()
	b.expect(t, "The kitchen _http._tcp kitchen:80 1 path=/")
	again, err := n.offer(mpd)
	twice, err2 := n.offer(mpd)
	if err != nil || err2 != nil {
		t.Fatal(err, err2)
	}
	again()
	b.expect(t, "The kitchen _http._tcp kitchen:80 1 path=/", "The kitchen _mpd._tcp kitchen:6600 1 ")
	n.follow(netmgr.Plan{})
	b.expect(t)
	n.follow(netmgr.Plan{Hostname: "kitchen", Announce: link})
	n.stop()
	b.expect(t)
	twice()
	b.expect(t)
	for range maxOffers {
		_, err = n.offer(mpd)
	}
	if !errors.Is(err, media.ErrFull) {
		t.Errorf("it takes more than it may: %v", err)
	}
}

// TestAnnouncesWhileConnected announces for as long as somebody who asks over the socket is there.
func TestAnnouncesWhileConnected(t *testing.T) {
	n, b := newBoard(0)
	n.follow(netmgr.Plan{Hostname: "manofwar"})
	dir := t.TempDir()
	ln, err := net.Listen("unix", filepath.Join(dir, api.Name+".sock"))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	served := make(chan error, 1)
	mux := (&Service{}).routes(nil, &host{names: n})
	go func() {
		served <- ipc.Serve(ctx, service.Env{Name: api.Name, RunDir: dir, Listener: ln, Log: slog.New(slog.DiscardHandler), Ready: func() {}}, mux)
	}()
	c := api.NewClient(dir)
	for _, tt := range []struct {
		kind string
		port int
	}{{"mpd", 6600}, {"_mpd._tcp", 0}, {"_mpd._tcp.local", 6600}, {"", 1}, {"_mpd._tcp", 70000}} {
		if err := c.Announce(ctx, tt.kind, tt.port); !errors.Is(err, media.ErrInvalid) {
			t.Errorf("%q, %d: %v", tt.kind, tt.port, err)
		}
	}
	asking, leave := context.WithCancel(ctx)
	left := make(chan error, 1)
	go func() { left <- c.Announce(asking, "_mpd._tcp", 6600) }()
	await := func(n int) {
		t.Helper()
		for deadline := time.Now().Add(time.Minute); ; {
			b.mu.Lock()
			got := len(b.all)
			b.mu.Unlock()
			if got == n {
				return
			}
			if time.Now().After(deadline) {
				t.Fatalf("%d are announced, not %d", got, n)
			}
			<-time.After(5 * time.Millisecond)
		}
	}
	await(1)
	b.expect(t, "manofwar _mpd._tcp manofwar:6600 0 ")
	leave()
	if err := <-left; !errors.Is(err, context.Canceled) {
		t.Errorf("left with %v", err)
	}
	await(0)
	cancel()
	if err := <-served; err != nil {
		t.Error(err)
	}
	w := httptest.NewRecorder()
	announcing(func(offered) (func(), error) { return nil, media.ErrUnsupported }).ServeHTTP(w, httptest.NewRequest("GET", "/announce?type=_mpd._tcp&port=6600", nil))
	if w.Code/100 != 4 {
		t.Errorf("where it cannot be done: %d", w.Code)
	}
}
