package cec

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"manofwar/internal/uevent"
)

// Remote is the televisions that are plugged in, as far as they speak CEC. Make one with [Open].
type Remote struct {
	log    *slog.Logger
	keys   chan Key
	socket *uevent.Socket
	ctx    context.Context // ends with Close
	cancel context.CancelFunc
	handed string
	wait   sync.WaitGroup

	mu       sync.Mutex // guards all below
	name     string
	adapters map[string]*adapter // by node
	waker    waker
}

// Open follows the adapters as they come and go, and says on each that we are a player of that name. A machine without
// one is no error. Nodes are in the directory handed where it has them, else in /dev.
func Open(name, handed string, log *slog.Logger) (*Remote, error) {
	socket, err := uevent.Open() // before the first look
	if err != nil {
		return nil, fmt.Errorf("cec: %w", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	r := &Remote{
		log: log, keys: make(chan Key, 16), socket: socket, ctx: ctx, cancel: cancel,
		handed: handed, name: name, adapters: make(map[string]*adapter),
	}
	news := make(chan struct{}, 1)
	r.wait.Go(func() { r.listen(news) })
	r.wait.Go(func() { r.follow(news) })
	return r, nil
}

// Close lets go of the adapters.
func (r *Remote) Close() error {
	r.cancel()
	r.mu.Lock()
	for _, a := range r.adapters {
		a.stop()
	}
	r.mu.Unlock()
	r.wait.Wait()
	return r.socket.Close()
}

// Keys receives what is pressed. Keys that nobody takes are forgotten, the oldest first.
func (r *Remote) Keys() <-chan Key { return r.keys }

// WakeTV turns the television on and switches it over to us, and does not wait for that. A wish takes the place of one that is
// not yet fulfilled. Where several are plugged in it is the one in the first socket.
func (r *Remote) WakeTV() {
	r.mu.Lock()
	defer r.mu.Unlock()
	a := r.first()
	if a == nil || r.ctx.Err() != nil {
		return
	}
	wake := r.waker.begin(r.ctx, a, a.state)
	a.users.Go(func() {
		if err := wake(); err != nil {
			r.log.Info("television not woken", "adapter", a.node, "err", err)
		}
	})
}

// Standby turns off the televisions that show us, and does not wait for that.
func (r *Remote) Standby() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.ctx.Err() != nil {
		return
	}
	for _, a := range r.adapters {
		a.users.Go(func() {
			if err := sleep(a, a.state()); err != nil {
				r.log.Info("television not turned off", "adapter", a.node, "err", err)
			}
		})
	}
}

// SetName has the televisions call us something else.
func (r *Remote) SetName(name string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.name == name {
		return nil
	}
	r.name = name
	var errs []error
	for _, a := range r.adapters {
		if err := a.rename(name); err != nil {
			errs = append(errs, fmt.Errorf("cec: %s: %w", a.node, err))
		}
	}
	return errors.Join(errs...)
}

// first returns the adapter of the first socket in which there is something to speak to; nil: there is none.
func (r *Remote) first() *adapter {
	for _, node := range slices.Sorted(maps.Keys(r.adapters)) {
		if a := r.adapters[node]; a.state().present() {
			return a
		}
	}
	return nil
}

// press passes keys on.
func (r *Remote) press(keys []Key) {
	for _, k := range keys {
		for sent := false; !sent; {
			select {
			case r.keys <- k:
				sent = true
			default:
				select {
				case <-r.keys:
				default:
				}
			}
		}
	}
}

// later are the times after an announcement at which to look again: a node has to be handed to us first.
var later = []time.Duration{50 * time.Millisecond, 200 * time.Millisecond, time.Second, 4 * time.Second}

// listen passes the kernel's announcements on that have to do with CEC.
func (r *Remote) listen(news chan<- struct{}) {
	for {
		ev, err := r.socket.Next(r.ctx)
		if err != nil && !errors.Is(err, uevent.ErrMissed) {
			return // closed, or the kernel will say no more
		}
		if err == nil && ev.Subsystem != "cec" {
			continue
		}
		select {
		case news <- struct{}{}:
		default:
		}
	}
}

// follow looks for adapters at the start and after each announcement, and a few times more.
func (r *Remote) follow(news <-chan struct{}) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for next := 0; ; {
		select {
		case <-r.ctx.Done():
			return
		case <-news:
			next = 0
		case <-timer.C:
		}
		r.look()
		if next < len(later) {
			timer.Reset(later[next])
			next++
		}
	}
}

// look opens the adapters that have come. A service may use the nodes of its row, but not see what else is in /dev: the
// kernel's list of devices says which there are.
func (r *Remote) look() {
	devices, _ := filepath.Glob("/sys/bus/cec/devices/cec*") // the pattern is good
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, device := range devices {
		node := r.node(filepath.Base(device))
		if r.adapters[node] != nil || r.ctx.Err() != nil {
			continue
		}
		a, err := openAdapter(node, r.name, r.log, r.press)
		if err != nil {
			r.log.Debug("CEC adapter not opened", "err", err)
			continue
		}
		r.adapters[node] = a
		r.wait.Go(func() { r.serve(a) })
	}
}

// node returns where an adapter of that name is to be opened: where it was put for us, or else where all devices are.
func (r *Remote) node(name string) string {
	if r.handed != "" {
		at := filepath.Join(r.handed, name)
		if _, err := os.Lstat(at); err == nil {
			return at
		}
	}
	return filepath.Join("/dev", name)
}

// serve runs an adapter until it is gone, or we are.
func (r *Remote) serve(a *adapter) {
	err := a.run()
	r.mu.Lock()
	delete(r.adapters, a.node)
	r.mu.Unlock()
	switch {
	case errors.Is(err, errNoRemote):
		r.log.Debug("CEC adapter let go", "adapter", a.node, "err", err)
	case err != nil:
		r.log.Info("CEC adapter let go", "adapter", a.node, "err", err)
	}
	a.lose()
}
