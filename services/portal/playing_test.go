package portal

import (
	"context"
	"log/slog"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"manofwar/internal/media"
	netapi "manofwar/netmgr/api"
)

func TestPlayingIsSaidWhileItLasts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var yes, no atomic.Int32
		p := newPlaying(slog.New(slog.DiscardHandler), func(_ context.Context, s netapi.Streaming) error {
			if s.Active {
				yes.Add(1)
			} else {
				no.Add(1)
			}
			return media.ErrBusy // it does not matter whether anybody listens
		})
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { defer close(done); p.run(ctx) }()
		expect := func(when string, active, inactive int32) {
			t.Helper()
			synctest.Wait()
			if yes.Load() != active || no.Load() != inactive {
				t.Errorf("%s: said %d times that somebody plays, %d times that nobody does; want %d, %d", when, yes.Load(), no.Load(), active, inactive)
			}
		}
		time.Sleep(time.Hour)
		expect("before", 0, 0)
		end := p.begin()
		expect("at once", 1, 0)
		time.Sleep(2*time.Minute + time.Second)
		expect("a long film", 7, 0)
		end()
		time.Sleep(playingFor - 2*time.Second)
		p.begin()()
		time.Sleep(playingFor - 2*time.Second)
		if !p.on() {
			t.Error("nobody plays between two segments")
		}
		time.Sleep(time.Hour)
		expect("after", 9, 1)
		p.begin()()
		expect("another", 10, 1)
		cancel()
		<-done
	})
}

func TestFilesArePlaying(t *testing.T) {
	b := launch(t, Options{})
	b.file(t, "i1", []byte("0123456789"))
	if got := b.do(t, "GET", "/media/i1/file", nil); got.StatusCode != 200 {
		t.Fatal(got.Status)
	}
	for end := time.Now().Add(10 * time.Second); ; {
		b.air.mu.Lock()
		streams := b.air.streams
		b.air.mu.Unlock()
		if len(streams) > 0 && streams[0].Active {
			return
		}
		if time.Now().After(end) {
			t.Fatal("the network manager was not told")
		}
	}
}
