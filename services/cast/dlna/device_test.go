package dlna

import (
	"context"
	"errors"
	"log/slog"
	"math"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"manofwar/internal/media"
	"manofwar/services/cast/api"
	"manofwar/services/cast/renderer"
)

// box is a television or a loudspeaker. It takes a while to do what it is told, tells time in whole seconds, and has the
// faults that such devices have.
type box struct {
	mu     sync.Mutex
	length time.Duration
	slow   time.Duration // from Play to PLAYING
	next   bool          // it knows SetNextAVTransportURI
	pauses bool          // it can pause
	mute   bool          // it answers nothing
	takes  []string

	state     string
	uri, then string
	at        time.Duration
	since     time.Time
	volume    int
	verbs     []string
}

var errUPnP = errors.New("UPnP error 701")

func (b *box) do(verb string, f func() error) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.mute {
		return errUPnP
	}
	b.verbs = append(b.verbs, verb)
	b.move()
	return f()
}

// move lets time pass.
func (b *box) move() {
	if b.state == "TRANSITIONING" && time.Since(b.since) >= b.slow {
		b.state, b.since = "PLAYING", b.since.Add(b.slow)
	}
	for b.state == "PLAYING" && b.at+time.Since(b.since) >= b.length {
		b.since = b.since.Add(b.length - b.at)
		b.at = 0
		if b.then == "" {
			b.state = "STOPPED"
			return
		}
		b.uri, b.then = b.then, ""
	}
}

func (b *box) SetURI(_ context.Context, uri, _ string) error {
	return b.do("open", func() error {
		if strings.Contains(uri, "/bad/") {
			return errUPnP
		}
		b.uri, b.then, b.state, b.at = uri, "", "STOPPED", 0
		return nil
	})
}

func (b *box) SetNext(_ context.Context, uri, _ string) error {
	return b.do("next", func() error { b.then = uri; return nil })
}

func (b *box) Play(context.Context) error {
	return b.do("play", func() error { b.state, b.since = "TRANSITIONING", time.Now(); return nil })
}

func (b *box) Pause(context.Context) error {
	return b.do("pause", func() error {
		if !b.pauses || b.state != "PLAYING" {
			return errUPnP
		}
		b.at, b.state = b.at+time.Since(b.since), "PAUSED_PLAYBACK"
		return nil
	})
}

func (b *box) Stop(context.Context) error {
	return b.do("stop", func() error { b.state, b.at = "STOPPED", 0; return nil })
}

func (b *box) Seek(_ context.Context, to time.Duration) error {
	return b.do("seek", func() error {
		if b.state != "PLAYING" && b.state != "PAUSED_PLAYBACK" {
			return errUPnP
		}
		b.at, b.since = to.Round(time.Second), time.Now()
		return nil
	})
}

func (b *box) Playback(context.Context) (p playback, err error) {
	return p, b.do("look", func() error {
		at := b.at
		if b.state == "PLAYING" {
			at += time.Since(b.since)
		}
		p = playback{state: b.state, uri: b.uri, at: at.Truncate(time.Second), duration: b.length}
		return nil
	})
}

func (b *box) Volume(context.Context) (v int, muted bool, err error) {
	err = b.do("volume?", func() error { v = b.volume; return nil })
	return v, false, err
}

func (b *box) SetVolume(_ context.Context, v int) error {
	return b.do("volume", func() error { b.volume = v; return nil })
}
func (b *box) SetMute(context.Context, bool) error { return nil }
func (b *box) Takes() []string                     { return b.takes }
func (b *box) CanNext() bool                       { return b.next }
func (b *box) HasVolume() bool                     { return true }

// house listens as cast does: it plays a list, and keeps the last report.
type house struct {
	mu    sync.Mutex
	d     *device
	songs []renderer.Item
	order renderer.Order
	last  renderer.Report
	ended []renderer.Ended
	info  api.Renderer
	taken bool
	level renderer.Level
}

func (h *house) Found(info api.Renderer, _ renderer.Renderer) {
	h.mu.Lock()
	h.info = info
	h.mu.Unlock()
}
func (h *house) Lost(string) {}
func (h *house) Reported(_ string, r renderer.Report) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.last = r
	h.taken = h.taken || r.Taken
	if r.Level.Known {
		h.level = r.Level
	}
	if r.Play != nil {
		h.order.Play = *r.Play
	}
	if r.Ended != nil {
		h.ended = append(h.ended, *r.Ended)
		if h.order.Entry != nil && r.Ended.Key == h.order.Entry.Key && !r.Ended.Stopped {
			h.advance()
		}
	} else if h.order.Next != nil && r.Key == h.order.Next.Key {
		h.advance()
	}
	h.d.Order(h.order)
}

func (h *house) advance() {
	h.songs = h.songs[1:]
	h.order.Entry, h.order.Next, h.order.Seek = nil, nil, api.Seek{Number: 1}
	if len(h.songs) > 0 {
		h.order.Entry = &h.songs[0]
	}
	if len(h.songs) > 1 {
		h.order.Next = &h.songs[1]
	}
}

// tell changes the order.
func (h *house) tell(f func(o *renderer.Order)) {
	h.mu.Lock()
	f(&h.order)
	h.d.Order(h.order)
	h.mu.Unlock()
	synctest.Wait()
}

// expect checks what was last reported, and what the box does.
func (h *house) expect(t *testing.T, b *box, key string, state api.State, at time.Duration) {
	t.Helper()
	synctest.Wait()
	h.mu.Lock()
	r := h.last
	h.mu.Unlock()
	b.mu.Lock()
	b.move()
	is := b.at
	if b.state == "PLAYING" {
		is += time.Since(b.since)
	}
	b.mu.Unlock()
	told := r.Position
	if r.State == api.Playing {
		told += time.Since(r.At)
	}
	if r.Key != key || r.State != state || math.Abs((told-at).Seconds()) > 2.5 || (told-is).Abs() > 1300*time.Millisecond {
		t.Errorf("reported %s %s at %v; want %s %s at %v; the device is at %v", r.Key, r.State, told, key, state, at, is)
	}
}

// rest lets time pass until everything has come to rest.
func rest(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

// seen runs f while neither of the two changes.
func (h *house) seen(b *box, f func()) {
	synctest.Wait()
	h.mu.Lock()
	defer h.mu.Unlock()
	b.mu.Lock()
	defer b.mu.Unlock()
	f()
}

func items(n int) (list []renderer.Item) {
	for i := range n {
		id := media.ID("i" + string(rune('0'+i)))
		list = append(list, renderer.Item{Key: "s1." + string(rune('1'+i)) + ".1", Media: media.Item{ID: id, Kind: media.Music, Container: "mp3", Tags: media.Tags{Title: string(id)}}})
	}
	return list
}

func atHome(t *testing.T, b *box, f func(h *house)) {
	synctest.Test(t, func(t *testing.T) {
		h := &house{songs: append([]renderer.Item{{}}, items(3)...), order: renderer.Order{Play: true, Speed: 1, Level: renderer.Level{Volume: 30, Known: true}}}
		n := New(h, 80, slog.New(slog.DiscardHandler))
		b.volume = 50
		h.d = newDevice(n, b, api.Renderer{ID: "dlna-x", Name: "Box"})
		h.d.base = "http://192.0.2.1:80"
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { defer close(done); h.d.run(ctx) }()
		synctest.Wait()
		h.mu.Lock()
		h.advance()
		h.d.Order(h.order)
		h.mu.Unlock()
		f(h)
		cancel()
		<-done
	})
}

func TestPlaysThrough(t *testing.T) {
	for _, b := range []*box{
		{length: 3 * time.Minute, slow: time.Second, next: true, pauses: true},
		{length: 3 * time.Minute, slow: 3 * time.Second},
	} {
		atHome(t, b, func(h *house) {
			rest(time.Minute)
			h.expect(t, b, "s1.1.1", api.Playing, time.Minute-b.slow)
			h.seen(b, func() {
				if b.volume != 30 {
					t.Errorf("volume %d", b.volume)
				}
			})
			rest(3 * time.Minute)
			h.expect(t, b, "s1.2.1", api.Playing, time.Minute-map[bool]time.Duration{true: 1, false: 2}[b.next]*b.slow)
			h.seen(b, func() {
				opens := 0
				for _, v := range b.verbs {
					if v == "open" {
						opens++
					}
				}
				if want := map[bool]int{true: 1, false: 2}[b.next]; opens != want {
					t.Errorf("opened %d; want %d", opens, want)
				}
			})
			rest(8 * time.Minute)
			h.seen(b, func() {
				if len(h.songs) != 0 || b.state != "STOPPED" {
					t.Errorf("%d songs left, %s", len(h.songs), b.state)
				}
				for _, e := range h.ended {
					if e.Problem != nil || e.Stopped {
						t.Errorf("ended %+v", e)
					}
				}
			})
		})
	}
}

func TestControlsOfADevice(t *testing.T) {
	for _, pauses := range []bool{true, false} {
		b := &box{length: 3 * time.Minute, slow: time.Second, pauses: pauses}
		atHome(t, b, func(h *house) {
			rest(20 * time.Second)
			h.tell(func(o *renderer.Order) { o.Play = false })
			rest(30 * time.Second)
			h.mu.Lock()
			if h.last.State != api.Paused || math.Abs((h.last.Position-19*time.Second).Seconds()) > 2 {
				t.Errorf("paused: %+v", h.last)
			}
			h.mu.Unlock()
			h.tell(func(o *renderer.Order) { o.Play = true })
			rest(10 * time.Second)
			h.expect(t, b, "s1.1.1", api.Playing, 28*time.Second)
			h.tell(func(o *renderer.Order) { o.Seek = api.Seek{Number: 2, To: media.Duration(2 * time.Minute)} })
			rest(5 * time.Second)
			h.expect(t, b, "s1.1.1", api.Playing, 2*time.Minute+5*time.Second)
			h.tell(func(o *renderer.Order) { o.Entry = nil })
			rest(5 * time.Second)
			h.seen(b, func() {
				if b.state != "STOPPED" {
					t.Errorf("silence: %s", b.state)
				}
			})
		})
	}
}

// TestBeginsInTheMiddle is a session that has moved here.
func TestBeginsInTheMiddle(t *testing.T) {
	b := &box{length: 3 * time.Minute, slow: 2 * time.Second, pauses: true}
	atHome(t, b, func(h *house) {
		h.tell(func(o *renderer.Order) {
			o.Entry, o.Seek = &renderer.Item{Key: "s2.9.1", Media: items(1)[0].Media}, api.Seek{Number: 1, To: media.Duration(90 * time.Second)}
		})
		rest(10 * time.Second)
		h.expect(t, b, "s2.9.1", api.Playing, 97*time.Second)
	})
}

func TestDevicesRemoteControl(t *testing.T) {
	b := &box{length: 3 * time.Minute, slow: time.Second, pauses: true}
	atHome(t, b, func(h *house) {
		rest(20 * time.Second)
		b.do("", func() error { b.at, b.state = b.at+time.Since(b.since), "PAUSED_PLAYBACK"; b.volume = 77; return nil })
		rest(20 * time.Second)
		h.expect(t, b, "s1.1.1", api.Paused, 19*time.Second)
		h.seen(b, func() {
			if h.order.Play || h.level.Volume != 77 {
				t.Errorf("somebody paused it and made it louder: %+v, %+v", h.order, h.level)
			}
		})
		h.tell(func(o *renderer.Order) { o.Play, o.Level.Volume = true, 77 })
		rest(10 * time.Second)
		b.do("", func() error { b.state, b.at = "STOPPED", 0; return nil })
		rest(5 * time.Second)
		h.seen(b, func() {
			if len(h.ended) != 1 || !h.ended[0].Stopped || h.ended[0].At < 25*time.Second {
				t.Errorf("stopped: %+v", h.ended)
			}
		})
	})
}

func TestSomebodyElsePlaysThere(t *testing.T) {
	b := &box{length: 3 * time.Minute, slow: time.Second}
	atHome(t, b, func(h *house) {
		rest(20 * time.Second)
		b.do("", func() error { b.uri, b.at, b.since = "http://192.0.2.9/other.mp3", 0, time.Now(); return nil })
		rest(5 * time.Second)
		h.seen(b, func() {
			if !h.taken {
				t.Error("not noticed")
			}
		})
	})
}

func TestWhatADeviceCannotPlay(t *testing.T) {
	b := &box{length: 3 * time.Minute, slow: time.Second, takes: []string{"audio/flac"}}
	atHome(t, b, func(h *house) {
		rest(20 * time.Second)
		h.seen(b, func() {
			if len(h.ended) != 3 || h.ended[0].Problem == nil || !strings.Contains(h.ended[0].Problem.Text, "Box cannot play") {
				t.Errorf("ended %+v", h.ended)
			}
			if slices.Contains(b.verbs, "open") {
				t.Error("it was tried")
			}
		})
	})
	b = &box{length: 3 * time.Minute, slow: time.Hour} // it never begins
	atHome(t, b, func(h *house) {
		rest(2 * time.Minute)
		h.seen(b, func() {
			if len(h.ended) != 0 {
				t.Errorf("given up while it says that it is about to: %+v", h.ended)
			}
		})
		b.do("", func() error { b.state = "STOPPED"; return nil })
		rest(time.Minute)
		h.seen(b, func() {
			if len(h.ended) == 0 || h.ended[0].Problem == nil {
				t.Errorf("ended %+v", h.ended)
			}
		})
	})
}

func TestDeviceDoesNotAnswer(t *testing.T) {
	b := &box{length: 10 * time.Minute, slow: time.Second}
	atHome(t, b, func(h *house) {
		rest(20 * time.Second)
		b.mu.Lock()
		b.mute = true
		b.mu.Unlock()
		rest(10 * time.Second)
		h.seen(b, func() {
			if h.info.Problem != "Box does not answer." {
				t.Errorf("%+v", h.info)
			}
		})
		b.mu.Lock()
		b.mute = false
		b.mu.Unlock()
		rest(10 * time.Second)
		h.seen(b, func() {
			if h.info.Problem != "" {
				t.Errorf("%+v", h.info)
			}
		})
		h.expect(t, b, "s1.1.1", api.Playing, 39*time.Second)
	})
}
