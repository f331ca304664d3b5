package supervise

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"manofwar/init/api"
	"manofwar/internal/service"
)

// The pauses between two runs of a service that ends with errors.
const (
	firstPause = 100 * time.Millisecond // a single crash is hardly noticed
	lastPause  = 30 * time.Second
	goodRun    = 10 * time.Second // a run that was ready this long makes the next pause the first again
)

// unit is one service under supervision.
type unit struct {
	cfg        *Config
	spec       service.Spec
	after      []*unit
	dependents []*unit
	log        *Ring
	ready      chan struct{} // closed when it is ready for the first time
	done       chan struct{} // closed when it will not run again

	mu        sync.Mutex // guards all below
	state     api.Service
	goodSince time.Time     // it has been running, ready and healthy since; zero: it is not
	goodFor   time.Duration // the longest that it has been so in the last run
	badSince  time.Time     // it has not been so for good since; zero: it has settled
}

func newUnit(cfg *Config, spec service.Spec) *unit {
	return &unit{
		cfg: cfg, spec: spec, log: new(Ring),
		ready: make(chan struct{}), done: make(chan struct{}),
		state:    api.Service{Name: spec.Name, Core: spec.Core, State: api.Waiting, Since: time.Now()},
		badSince: time.Now(),
	}
}

// keep runs the service again and again until ctx ends, or it finishes or fails for good.
func (u *unit) keep(ctx context.Context) {
	defer close(u.done)
	u.awaitAfter(ctx)
	pause := firstPause
	for ctx.Err() == nil {
		err := u.runOnce(ctx)
		switch {
		case ctx.Err() != nil:
		case err == nil:
			u.set(func(s *api.Service) { s.State = api.Finished })
			return
		case errors.Is(err, service.ErrFinal):
			u.cfg.Log.Error("service failed for good", "service", u.spec.Name, "err", err)
			u.set(func(s *api.Service) { s.State = api.Failed })
			return
		default:
			if u.settled() {
				pause = firstPause
			}
			u.cfg.Log.Warn("service ended", "service", u.spec.Name, "err", err, "restart_in", pause)
			u.set(func(s *api.Service) { s.State = api.Backoff; s.Restarts++ })
			sleep(ctx, pause)
			pause = min(2*pause, lastPause)
		}
	}
	u.set(func(s *api.Service) { s.State = api.Stopped })
}

// awaitAfter waits until those that the service comes after are ready, or will never be, or the patience is over.
func (u *unit) awaitAfter(ctx context.Context) {
	late := time.NewTimer(u.cfg.AfterTimeout)
	defer late.Stop()
	for _, before := range u.after {
		select {
		case <-before.ready:
		case <-before.done:
		case <-ctx.Done():
			return
		case <-late.C:
			u.cfg.Log.Warn("starting without waiting longer", "service", u.spec.Name, "after", before.spec.Name)
			return
		}
	}
}

func sleep(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}

// runOnce is one run, with its reports turned into states.
func (u *unit) runOnce(ctx context.Context) error {
	var once sync.Once
	u.mu.Lock()
	u.goodFor = 0
	u.mu.Unlock()
	err := u.cfg.Runner.Run(ctx, u.spec, Report{
		Log:     u.log,
		Started: func(pid int) { u.set(func(s *api.Service) { s.State, s.PID = api.Running, pid }) },
		Ready: func() {
			once.Do(func() {
				u.set(func(s *api.Service) { s.Ready = true })
				u.firstReady()
			})
		},
		Healthy: func(err error) { u.set(func(s *api.Service) { s.Health = text(err) }) },
	})
	u.log.EndLine()
	u.set(func(s *api.Service) {
		s.PID, s.Ready, s.Health = 0, false, ""
		if ctx.Err() == nil {
			s.Error = text(err)
		}
	})
	return err
}

func text(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

func (u *unit) firstReady() {
	u.mu.Lock()
	defer u.mu.Unlock()
	select {
	case <-u.ready:
	default:
		close(u.ready)
	}
}

// set changes the state and keeps the two times in step with it.
func (u *unit) set(change func(*api.Service)) {
	u.mu.Lock()
	before, now := u.state, time.Now()
	change(&u.state)
	if u.state == before {
		u.mu.Unlock()
		return
	}
	if u.state.State != before.State {
		u.state.Since = now
	}
	good := u.state.State == api.Running && u.state.Ready && u.state.Health == ""
	switch {
	case good && u.goodSince.IsZero():
		u.goodSince = now
	case !good && !u.goodSince.IsZero():
		u.goodFor = max(u.goodFor, now.Sub(u.goodSince))
		if u.badSince.IsZero() || now.Sub(u.goodSince) >= goodRun {
			u.badSince = now
		}
		u.goodSince = time.Time{}
	}
	after := u.state
	u.mu.Unlock()
	if u.cfg.Change != nil {
		u.cfg.Change(after)
	}
}

// settled reports whether the run that just ended had been good for long enough to forget earlier crashes.
func (u *unit) settled() bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.goodFor >= goodRun
}

func (u *unit) status() api.Service {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.state
}

// unwell returns what is wrong if it has been so for longer than the patience. A service that flaps, good for a moment
// and bad again, has been unwell since the first time.
func (u *unit) unwell(patience time.Duration) error {
	u.mu.Lock()
	defer u.mu.Unlock()
	now := time.Now()
	if !u.goodSince.IsZero() && now.Sub(u.goodSince) >= goodRun {
		u.badSince = time.Time{}
	}
	if u.badSince.IsZero() || now.Sub(u.badSince) < patience {
		return nil
	}
	s := u.state
	switch {
	case s.Health != "":
		return fmt.Errorf("%s: %s", s.Name, s.Health)
	case s.Error != "":
		return fmt.Errorf("%s: %s: %s", s.Name, s.State, s.Error)
	case s.State == api.Running && !s.Ready:
		return fmt.Errorf("%s: does not get ready", s.Name)
	}
	return fmt.Errorf("%s: %s", s.Name, s.State)
}
