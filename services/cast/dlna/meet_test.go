package dlna

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"manofwar/services/cast/api"
	"manofwar/services/cast/renderer"
)

// street is a network in the time of a bubble. Who is on it without a handler takes calls and never answers them.
type street struct {
	mu        sync.Mutex
	devices   map[string]http.Handler // by host and port
	now, most int                     // calls to those that do not answer
}

func (s *street) set(host string, h http.Handler) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.devices[host] = h
}

func (s *street) remove(host string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.devices, host)
}

func (s *street) find(_ context.Context, found func(string)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for host := range s.devices {
		found("http://" + host + "/desc.xml")
	}
}

// waiting counts a call to somebody who does not answer.
func (s *street) waiting(change int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.now += change
	s.most = max(s.most, s.now)
}

// asked returns how many of them are waited for, and how many were at most.
func (s *street) asked() (now, most int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.now, s.most
}

// RoundTrip implements [http.RoundTripper].
func (s *street) RoundTrip(r *http.Request) (*http.Response, error) {
	s.mu.Lock()
	h := s.devices[r.URL.Host]
	s.mu.Unlock()
	if h == nil {
		s.waiting(1)
		defer s.waiting(-1)
		<-r.Context().Done()
		return nil, r.Context().Err()
	}
	in := r.Clone(r.Context())
	in.Header = make(http.Header)
	for name, values := range r.Header {
		in.Header[http.CanonicalHeaderKey(name)] = values // as a server reads them
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, in)
	return w.Result(), nil
}

// host is the address of somebody on the street.
func host(i int) string { return fmt.Sprintf("127.0.0.1:%d", i) }

// onStreet runs f in a bubble, with a search that is wanted.
func onStreet(t *testing.T, silent int, f func(s *street, n *Network, l *guests)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		s := &street{devices: make(map[string]http.Handler)}
		for i := range silent {
			s.set(host(1000+i), nil)
		}
		l := &guests{found: make(chan api.Renderer, 100), lost: make(chan string, 100)}
		n := New(l, 8080, slog.New(slog.DiscardHandler))
		n.find, n.http.Transport = s.find, s
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { defer close(done); n.Run(ctx) }()
		f(s, n, l)
		cancel()
		<-done
		synctest.Wait()
		if now, _ := s.asked(); now != 0 {
			t.Errorf("%d calls are left", now)
		}
	})
}

// TestSilentDevicesDelayNobody finds a television at once among others that never answer.
func TestSilentDevicesDelayNobody(t *testing.T) {
	onStreet(t, atOnce-1, func(s *street, n *Network, l *guests) {
		s.set(host(1), unplugged().handler())
		begun := time.Now()
		n.Set(true)
		<-l.found
		if took := time.Since(begun); took != 0 {
			t.Errorf("it was found after %v", took)
		}
	})
}

// TestDevicesAreReadAFewAtOnce finds a television among many others that never answer, of whom it asks but a few at a time.
func TestDevicesAreReadAFewAtOnce(t *testing.T) {
	onStreet(t, 3*atOnce, func(s *street, n *Network, l *guests) {
		s.set(host(1), unplugged().handler())
		begun := time.Now()
		n.Set(true)
		<-l.found
		if took := time.Since(begun); took > 3*2*callTimeout {
			t.Errorf("it was found after %v", took)
		}
		time.Sleep(searchEvery)
		if _, most := s.asked(); most != atOnce {
			t.Errorf("%d were asked at once, want %d", most, atOnce)
		}
	})
}

// TestReadingEndsWithTheSearch turns the search off while devices are waited for, and on again.
func TestReadingEndsWithTheSearch(t *testing.T) {
	onStreet(t, 2*atOnce, func(s *street, n *Network, l *guests) {
		n.Set(true)
		synctest.Wait()
		n.Set(false)
		synctest.Wait()
		if now, most := s.asked(); now != 0 || most != atOnce {
			t.Errorf("%d are asked, and %d were", now, most)
		}
		for i := range 2 * atOnce {
			s.remove(host(1000 + i))
		}
		s.set(host(1), unplugged().handler())
		n.Set(true)
		<-l.found
	})
}

// TestTwoAddresses follows a television that answers at two addresses under one of them, until it answers at the other alone.
func TestTwoAddresses(t *testing.T) {
	onStreet(t, 0, func(s *street, n *Network, l *guests) {
		tv := unplugged().handler()
		s.set(host(1), tv)
		n.Set(true)
		<-l.found
		s.set(host(2), tv)
		time.Sleep(5*searchEvery + searchSoon)
		if len(l.found) != 0 || len(l.lost) != 0 {
			t.Errorf("found %d times more, and lost %d times", len(l.found), len(l.lost))
		}
		s.remove(host(1))
		id := <-l.lost
		if info := <-l.found; info.ID != id {
			t.Errorf("lost %s, found %s", id, info.ID)
		}
	})
}

// TestDevicesAreSilencedTogether turns the search off while two televisions play that have ceased to answer.
func TestDevicesAreSilencedTogether(t *testing.T) {
	onStreet(t, 0, func(s *street, n *Network, l *guests) {
		tvs := []*set{unplugged(), unplugged()}
		for i, tv := range tvs {
			tv.udn = fmt.Sprintf("2fac1234-31f8-11b4-a222-08002b34c00%d", i)
			s.set(host(1+i), tv.handler())
		}
		n.Set(true)
		for range tvs {
			<-l.found
		}
		synctest.Wait()
		for _, tv := range l.out {
			tv.Order(renderer.Order{Entry: &items(1)[0], Play: true, Seek: api.Seek{Number: 1}, Speed: 1})
		}
		time.Sleep(settle)
		var playing []string
		for i := range tvs {
			tvs[i].box.mu.Lock()
			playing = append(playing, tvs[i].state)
			tvs[i].box.mu.Unlock()
			s.set(host(1+i), nil)
		}
		if !slices.Equal(playing, []string{"PLAYING", "PLAYING"}) {
			t.Fatalf("they are %q", playing)
		}
		begun := time.Now()
		n.Set(false)
		for range tvs {
			<-l.lost
		}
		if took := time.Since(begun); took > callTimeout {
			t.Errorf("it took %v", took)
		}
	})
}
