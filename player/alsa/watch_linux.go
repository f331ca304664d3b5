package alsa

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"manofwar/internal/uevent"
)

// watch knows which outputs there are. It looks again whenever the kernel tells of a sound card or a screen.
type watch struct {
	changed chan struct{} // receives when the outputs have changed
	socket  *uevent.Socket
	cancel  context.CancelFunc
	wait    sync.WaitGroup

	mu   sync.Mutex // guards all below
	list []output
}

// later are the times after an announcement at which to look again. A card's nodes have to be handed to us first; what a
// screen says of its sound takes until its picture is on.
var later = []time.Duration{50 * time.Millisecond, 150 * time.Millisecond, 500 * time.Millisecond, 1500 * time.Millisecond, 4 * time.Second}

func startWatch() (*watch, error) {
	socket, err := uevent.Open() // before the first look
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(context.Background())
	w := &watch{changed: make(chan struct{}, 1), socket: socket, cancel: cancel, list: outputs(readCards())}
	news := make(chan struct{}, 1)
	w.wait.Go(func() { w.listen(ctx, news) })
	w.wait.Go(func() { w.follow(ctx, news) })
	return w, nil
}

func (w *watch) close() error {
	w.cancel()
	w.wait.Wait()
	return w.socket.Close()
}

// outputs returns those of the last look.
func (w *watch) outputs() []output {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.list)
}

// look looks again, tells if something has changed, and returns what there is.
func (w *watch) look() []output {
	list := outputs(readCards())
	w.mu.Lock()
	defer w.mu.Unlock()
	if !slices.Equal(list, w.list) {
		w.list = list
		select {
		case w.changed <- struct{}{}:
		default: // somebody has been told and has not looked yet
		}
	}
	return slices.Clone(list)
}

// listen passes the kernel's announcements on that have to do with sound.
func (w *watch) listen(ctx context.Context, news chan<- struct{}) {
	for {
		ev, err := w.socket.Next(ctx)
		if err != nil && !errors.Is(err, uevent.ErrMissed) {
			return // closed, or the kernel will say no more
		}
		if err == nil && ev.Subsystem != "sound" && ev.Subsystem != "drm" {
			continue
		}
		select {
		case news <- struct{}{}:
		default:
		}
	}
}

// follow looks after each announcement, and a few times more.
func (w *watch) follow(ctx context.Context, news <-chan struct{}) {
	timer := time.NewTimer(later[0]) // for what is on its way at the start
	defer timer.Stop()
	for next := 0; ; {
		select {
		case <-ctx.Done():
			return
		case <-news:
			next = 0
		case <-timer.C:
		}
		w.look()
		if next < len(later) {
			timer.Reset(later[next])
			next++
		}
	}
}
