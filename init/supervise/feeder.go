package supervise

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"sync"
	"time"

	"manofwar/init/api"
	"manofwar/internal/atomicfile"
)

// The bound of resets: a fault that a reset does not cure must not keep the dongle from being repaired.
const (
	maxResets   = 3
	resetWindow = time.Hour
)

// Feeder feeds the hardware watchdog while the core services are healthy, and stops feeding it once they stay
// unhealthy, so that the board resets: at most three times an hour, then it feeds on and says that it is degraded.
type Feeder struct {
	Ping    func() error  // feeds the watchdog once
	Every   time.Duration // how often: a third of the watchdog's timeout or less
	Healthy func() error  // as [Supervisor.Healthy]
	Record  func() string // names the file that keeps the times of resets; empty: they cannot be kept, so there are none
	Escape  func() bool   // whether a reset leads away from this system, to the slot before it: none is too many; nil: never
	Log     *slog.Logger

	mu     sync.Mutex // guards all below
	state  string
	reason string // why it is not feeding, or would not
}

// record is the file's content.
type record struct {
	Resets []time.Time `json:"resets"`
}

// Run feeds until ctx ends. It leaves the watchdog armed: whoever ends it reboots or goes on feeding.
func (f *Feeder) Run(ctx context.Context) {
	tick := time.NewTicker(f.Every)
	defer tick.Stop()
	for {
		f.beat()
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

// State returns one of the api's watchdog states, and why it is not the good one.
func (f *Feeder) State() (state, reason string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.state, f.reason
}

// beat is one tick: feed, let go, or feed in spite of it all.
func (f *Feeder) beat() {
	bad := f.Healthy()
	f.mu.Lock()
	defer f.mu.Unlock()
	switch {
	case bad == nil:
		f.state, f.reason = api.WatchdogFed, ""
	case f.state == api.WatchdogLetGo || f.state == api.WatchdogDegraded:
	default:
		f.reason = bad.Error()
		if err := f.take(time.Now()); err != nil {
			f.state = api.WatchdogDegraded
			f.Log.Error("unhealthy, but not resetting", "reason", bad, "because", err)
		} else {
			f.state = api.WatchdogLetGo
			f.Log.Error("unhealthy: letting the watchdog reset the board", "reason", bad)
		}
	}
	if f.state == api.WatchdogLetGo {
		return
	}
	if err := f.Ping(); err != nil {
		f.Log.Error("watchdog cannot be fed", "err", err)
	}
}

// take notes a reset, before it happens, or says why there must be none.
func (f *Feeder) take(now time.Time) error {
	if f.Escape != nil && f.Escape() {
		return nil
	}
	name := f.Record()
	if name == "" {
		return errors.New("resets cannot be counted: /data is not available")
	}
	var rec record
	if err := atomicfile.ReadJSON(name, &rec); err != nil && !errors.Is(err, fs.ErrNotExist) {
		f.Log.Warn("record of resets is unreadable; starting a new one", "err", err)
		rec = record{}
	}
	recent := rec.Resets[:0]
	for _, t := range rec.Resets {
		if now.Sub(t) < resetWindow { // a time in the future counts: the clock has been wrong
			recent = append(recent, t)
		}
	}
	if len(recent) >= maxResets {
		return fmt.Errorf("%d resets within an hour have not helped", len(recent))
	}
	rec.Resets = append(recent, now.UTC())
	return atomicfile.WriteJSON(name, rec, 0o600)
}
