package browser

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"runtime"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"manofwar/services/cast/api"
	"manofwar/services/cast/renderer"
)

const id = "page-0123456789"

// witness writes down what it is told, once it has been.
type witness struct {
	mu    sync.Mutex // guards heard
	heard []string
	lost  func() // called while it is told that a page was lost
}

func (w *witness) note(what string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.heard = append(w.heard, what)
}

func (w *witness) Found(api.Renderer, renderer.Renderer) { w.note("found") }
func (w *witness) Reported(string, renderer.Report)      {}
func (w *witness) Lost(string) {
	w.lost()
	w.note("lost")
}

// offer has a page listen until ctx ends.
func offer(ctx context.Context, t *testing.T, b *Pages) {
	r := httptest.NewRequestWithContext(ctx, http.MethodGet, "/browsers/"+id+"/events?name=x", nil)
	r.SetPathValue("id", id)
	if err := b.Offer(httptest.NewRecorder(), r); err != nil {
		t.Error(err)
	}
}

// TestPageComesBackTooLate has a page listen again in the moment in which it is given up: it is there in the end.
func TestPageComesBackTooLate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, leave := context.WithCancel(t.Context())
		again, end := context.WithCancel(t.Context())
		var listeners sync.WaitGroup
		w := &witness{}
		b := New(w, slog.New(slog.DiscardHandler))
		w.lost = func() {
			listeners.Go(func() { offer(again, t, b) })
			for range 1000 {
				runtime.Gosched() // lets it overtake, if it can
			}
		}
		listeners.Go(func() { offer(ctx, t, b) })
		synctest.Wait()
		leave()
		<-time.After(2 * grace)
		synctest.Wait()
		w.mu.Lock()
		if want := []string{"found", "lost", "found"}; !slices.Equal(w.heard, want) {
			t.Errorf("told %v; want %v", w.heard, want)
		}
		w.mu.Unlock()
		b.Close()
		end()
		listeners.Wait()
	})
}
