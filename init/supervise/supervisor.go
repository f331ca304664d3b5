package supervise

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"manofwar/init/api"
	"manofwar/internal/service"
)

// Config is what a [Supervisor] is made of. The zero durations stand for the defaults beside them.
type Config struct {
	Specs  []service.Spec
	Runner Runner
	Log    *slog.Logger      // the supervisor's own; nil: none
	Change func(api.Service) // called at every change of a service's state; may be nil. It must not block

	AfterTimeout time.Duration // 10 s: how long a start waits for the services of its After
	StopTimeout  time.Duration // 10 s: after it, the orderly stop becomes one of everything at once
	Patience     time.Duration // 30 s: how long a core service may be unwell before [Supervisor.Healthy] says so
}

// Supervisor runs services. Make one with [New].
type Supervisor struct {
	cfg   Config
	units []*unit // in the order of the Specs
	named map[string]*unit
}

// New checks the specs: names that are missing, doubled or no file name, and cycles of After. Services of an After that
// are not among the specs are ignored, since After is never a hard dependency.
func New(cfg Config) (*Supervisor, error) {
	cfg.AfterTimeout = orDefault(cfg.AfterTimeout, 10*time.Second)
	cfg.StopTimeout = orDefault(cfg.StopTimeout, 10*time.Second)
	cfg.Patience = orDefault(cfg.Patience, 30*time.Second)
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	s := &Supervisor{cfg: cfg, named: make(map[string]*unit)}
	for _, spec := range cfg.Specs {
		if !ValidName(spec.Name) {
			return nil, fmt.Errorf("service %q: %w", spec.Name, errName)
		}
		if s.named[spec.Name] != nil {
			return nil, fmt.Errorf("service %q is listed twice", spec.Name)
		}
		u := newUnit(&s.cfg, spec)
		s.units, s.named[spec.Name] = append(s.units, u), u
	}
	for _, u := range s.units {
		for _, name := range u.spec.After {
			if before := s.named[name]; before != nil {
				u.after = append(u.after, before)
				before.dependents = append(before.dependents, u)
			}
		}
	}
	return s, s.checkCycles()
}

var errName = errors.New("a name is 1 to 32 of a-z, 0-9, - and begins with a letter")

func orDefault(d, def time.Duration) time.Duration {
	if d == 0 {
		return def
	}
	return d
}

// ValidName reports whether name may be a service's: it becomes a file name, a user and a part of URLs.
func ValidName(name string) bool {
	if len(name) == 0 || len(name) > 32 || name[0] < 'a' || name[0] > 'z' {
		return false
	}
	for _, c := range name {
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' {
			return false
		}
	}
	return true
}

// checkCycles walks After from every service. A cycle would make the reverse order of the stop meaningless.
func (s *Supervisor) checkCycles() error {
	var walk func(u *unit, path []string) error
	done := make(map[*unit]bool)
	walk = func(u *unit, path []string) error {
		if slices.Contains(path, u.spec.Name) {
			return fmt.Errorf("services come after each other in a circle: %v", append(path, u.spec.Name))
		}
		if done[u] {
			return nil
		}
		for _, before := range u.after {
			if err := walk(before, append(path, u.spec.Name)); err != nil {
				return err
			}
		}
		done[u] = true
		return nil
	}
	for _, u := range s.units {
		if err := walk(u, nil); err != nil {
			return err
		}
	}
	return nil
}

// Run starts every service and keeps them running until ctx ends, then stops them, each after those that come after it.
// It returns once all have ended.
func (s *Supervisor) Run(ctx context.Context) {
	life := context.WithoutCancel(ctx)
	var wg sync.WaitGroup
	for _, u := range s.units {
		unitCtx, cancel := context.WithCancel(life)
		wg.Go(func() {
			defer cancel()
			u.keep(unitCtx)
		})
		wg.Go(func() { s.stopInOrder(ctx, u, cancel) })
	}
	wg.Wait()
}

// stopInOrder waits for the end of ctx and of the units that come after u, then ends u.
func (s *Supervisor) stopInOrder(ctx context.Context, u *unit, cancel func()) {
	select {
	case <-ctx.Done():
	case <-u.done:
		return
	}
	late := time.NewTimer(s.cfg.StopTimeout)
	defer late.Stop()
	for _, d := range u.dependents {
		select {
		case <-d.done:
		case <-late.C:
			cancel()
			return
		}
	}
	cancel()
}

// Status returns the state of every service, in the order of the specs.
func (s *Supervisor) Status() []api.Service {
	all := make([]api.Service, len(s.units))
	for i, u := range s.units {
		all[i] = u.status()
		all[i].Memory = s.cfg.Runner.Memory(u.spec.Name)
	}
	return all
}

// Log returns the named service's output, or nil if there is no such service.
func (s *Supervisor) Log(name string) *Ring {
	if u := s.named[name]; u != nil {
		return u.log
	}
	return nil
}

// Healthy returns nil while every core service is well, or has been unwell for less than the patience; else what is
// wrong with the first that is not.
func (s *Supervisor) Healthy() error {
	for _, u := range s.units {
		if !u.spec.Core {
			continue
		}
		if err := u.unwell(s.cfg.Patience); err != nil {
			return err
		}
	}
	return nil
}
