package server

import (
	"context"
	"iter"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"manofwar/internal/ipc"
	catalogapi "manofwar/services/catalog/api"
)

// counted counts how often all albums are read, and by how many at a time.
type counted struct {
	*house
	times, now, most atomic.Int32
}

func (c *counted) Albums(ctx context.Context, q catalogapi.Query) (catalogapi.Albums, error) {
	c.times.Add(1)
	if n := c.now.Add(1); n > c.most.Load() {
		c.most.Store(n)
	}
	defer c.now.Add(-1)
	time.Sleep(time.Second) // of the bubble
	return c.house.Albums(ctx, q)
}

// TestShelfIsReadOnce does not read all albums because the library has changed, but when somebody asks, for all who do.
func TestShelfIsReadOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &counted{house: &house{songs: 20}}
		s := newServer(c.house)
		s.opts.Library = c
		ctx, cancel := context.WithCancel(t.Context())
		s.opts.News = func(context.Context) iter.Seq2[ipc.Event, error] {
			return func(yield func(ipc.Event, error) bool) {
				for range 50 {
					c.revision++
					yield(ipc.Event{Kind: "changed"}, nil)
				}
				cancel()
			}
		}
		first := s.update
		s.follow(ctx)
		if c.times.Load() != 0 || s.update != first+50 {
			t.Errorf("read %d times while nobody asked, %d updates", c.times.Load(), s.update-first)
		}
		var asking sync.WaitGroup
		for range 10 {
			asking.Go(func() {
				if sh, err := s.look(t.Context()); err != nil || len(sh.artists) != 1 {
					t.Errorf("%v, %v", sh, err)
				}
			})
		}
		asking.Wait()
		if c.times.Load() != 1 || c.most.Load() != 1 {
			t.Errorf("read %d times, by %d at a time", c.times.Load(), c.most.Load())
		}
	})
}

func TestUpdates(t *testing.T) {
	h := &house{songs: 20}
	s := newServer(h)
	id := func() string {
		out, err := s.systemUpdate(t.Context(), nil)
		if err != nil {
			t.Fatal(err)
		}
		return out["Id"]
	}
	first := id()
	if again := id(); again != first {
		t.Errorf("%s, then %s, and nothing has changed", first, again)
	}
	h.revision++
	if next := id(); next == first {
		t.Error("a change is not told")
	}
}
