package cast

import (
	"context"
	"sync"
	"time"
)

// work is what goes on beside the requests, until the service ends.
type work struct {
	life context.Context

	mu   sync.Mutex // guards over
	over bool       // nothing may begin any more
	wg   sync.WaitGroup
}

// start runs f with the service's life, unless the service is over.
func (w *work) start(f func(ctx context.Context)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.over {
		w.wg.Go(func() { f(w.life) })
	}
}

// end waits for what has begun, whose life has ended.
func (w *work) end() {
	w.mu.Lock()
	w.over = true
	w.mu.Unlock()
	w.wg.Wait()
}

// after runs f in a while, unless the service ends before.
func (w *work) after(d time.Duration, f func()) {
	w.start(func(ctx context.Context) {
		if pause(ctx, d) {
			f()
		}
	})
}

// pause waits, and reports whether ctx is still on.
func pause(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}

// tell puts something into a channel that holds one. It never blocks.
func tell(ch chan<- struct{}) {
	select {
	case ch <- struct{}{}:
	default:
	}
}
