package supervise

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"manofwar/init/api"
	"manofwar/internal/service"
)

// script is a Runner whose services do what the test says, on synctest's clock.
type script struct {
	do map[string]func(ctx context.Context, run Report) error

	mu     sync.Mutex // guards events
	events []string
}

func (s *script) Memory(string) int64 { return 7 }

func (s *script) Run(ctx context.Context, spec service.Spec, run Report) error {
	s.note("start " + spec.Name)
	run.Started(1)
	err := s.do[spec.Name](ctx, run)
	s.note("end " + spec.Name)
	return err
}

func (s *script) note(event string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.events = append(s.events, event)
}

func (s *script) all() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.events)
}

// well gets ready after a while and runs until it is stopped.
func well(after time.Duration) func(context.Context, Report) error {
	return func(ctx context.Context, run Report) error {
		sleep(ctx, after)
		run.Ready()
		<-ctx.Done()
		return nil
	}
}

// start runs a supervisor over the script's services until the test's bubble ends it with stop.
func start(t *testing.T, s *script, specs ...service.Spec) (super *Supervisor, stop func()) {
	t.Helper()
	super, err := New(Config{Specs: specs, Runner: s})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		super.Run(ctx)
	}()
	return super, func() {
		cancel()
		<-done
	}
}

func find(super *Supervisor, name string) api.Service {
	for _, s := range super.Status() {
		if s.Name == name {
			return s
		}
	}
	return api.Service{}
}

func TestStartAndStopFollowAfter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &script{do: map[string]func(context.Context, Report) error{
			"base": well(time.Second), "middle": well(time.Second), "top": well(time.Second), "alone": well(0),
		}}
		super, stop := start(t, s,
			service.Spec{Name: "top", After: []string{"middle", "not-in-this-image"}},
			service.Spec{Name: "middle", After: []string{"base"}},
			service.Spec{Name: "base"},
			service.Spec{Name: "alone"},
		)
		time.Sleep(1500 * time.Millisecond)
		if got := find(super, "top"); got.State != api.Waiting {
			t.Errorf("top is %s before middle is ready", got.State)
		}
		time.Sleep(2 * time.Second)
		for _, st := range super.Status() {
			if st.State != api.Running || !st.Ready || st.Memory != 7 {
				t.Errorf("%+v", st)
			}
		}
		stop()
		events := s.all()
		if i, j := slices.Index(events, "start base"), slices.Index(events, "start middle"); i > j {
			t.Errorf("started in the wrong order: %v", events)
		}
		ends := slices.DeleteFunc(events, func(e string) bool { return !strings.HasPrefix(e, "end") || e == "end alone" })
		if fmt.Sprint(ends) != "[end top end middle end base]" {
			t.Errorf("stopped in the order %v", ends)
		}
		if got := find(super, "base"); got.State != api.Stopped || got.PID != 0 {
			t.Errorf("afterwards base is %+v", got)
		}
	})
}

func TestAfterIsNoHardDependency(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &script{do: map[string]func(context.Context, Report) error{
			"slow": well(time.Hour), "failed": func(context.Context, Report) error { return service.ErrFinal }, "a": well(0), "b": well(0),
		}}
		super, stop := start(t, s,
			service.Spec{Name: "slow"}, service.Spec{Name: "failed"},
			service.Spec{Name: "a", After: []string{"slow"}}, service.Spec{Name: "b", After: []string{"failed"}},
		)
		defer stop()
		time.Sleep(time.Second)
		if !find(super, "b").Ready {
			t.Error("b waits for a service that has failed for good")
		}
		if find(super, "a").Ready {
			t.Error("a did not wait")
		}
		time.Sleep(10 * time.Second)
		if !find(super, "a").Ready {
			t.Error("a waits for ever")
		}
	})
}

func TestBackoffGrowsAndResets(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begin := time.Now()
		var starts []time.Duration
		var goodEnd time.Duration
		s := &script{do: map[string]func(context.Context, Report) error{"a": func(ctx context.Context, run Report) error {
			starts = append(starts, time.Since(begin))
			run.Ready()
			if goodEnd == 0 && time.Since(begin) > 4*time.Minute {
				sleep(ctx, goodRun)
				goodEnd = time.Since(begin)
			}
			return errors.New("boom")
		}}}
		super, stop := start(t, s, service.Spec{Name: "a"})
		time.Sleep(10 * time.Minute)
		stop()
		want := []time.Duration{0, 100 * time.Millisecond, 300 * time.Millisecond, 700 * time.Millisecond, 1500 * time.Millisecond}
		if !slices.Equal(starts[:5], want) {
			t.Errorf("started at %v; want %v", starts[:5], want)
		}
		if pause := starts[12] - starts[11]; pause != lastPause {
			t.Errorf("the pause grew to %v; want %v", pause, lastPause)
		}
		if !slices.Contains(starts, goodEnd+firstPause) {
			t.Errorf("after the good run's end at %v started at %v; want the first pause again", goodEnd, starts)
		}
		if st := find(super, "a"); st.Error != "boom" || st.Restarts != len(starts) {
			t.Errorf("status %+v after %d starts", st, len(starts))
		}
	})
}

func TestEndsThatAreNotRestarted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &script{do: map[string]func(context.Context, Report) error{
			"done":   func(context.Context, Report) error { return nil },
			"broken": func(context.Context, Report) error { return fmt.Errorf("setting x: %w", service.ErrFinal) },
		}}
		super, stop := start(t, s, service.Spec{Name: "done"}, service.Spec{Name: "broken"})
		time.Sleep(time.Hour)
		if got := find(super, "done"); got.State != api.Finished || got.Restarts != 0 {
			t.Errorf("%+v", got)
		}
		if got := find(super, "broken"); got.State != api.Failed || !strings.Contains(got.Error, "setting x") {
			t.Errorf("%+v", got)
		}
		stop()
		if len(s.all()) != 4 {
			t.Errorf("ran more than once: %v", s.all())
		}
	})
}

func TestStopDoesNotWaitForEver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		stubborn := func(ctx context.Context, run Report) error {
			run.Ready()
			<-ctx.Done()
			time.Sleep(15 * time.Second) // more than StopTimeout
			return nil
		}
		s := &script{do: map[string]func(context.Context, Report) error{"base": well(0), "top": stubborn}}
		_, stop := start(t, s, service.Spec{Name: "base"}, service.Spec{Name: "top", After: []string{"base"}})
		time.Sleep(time.Second)
		begin := time.Now()
		stop()
		if events := s.all(); !slices.Contains(events, "end base") || time.Since(begin) != 15*time.Second {
			t.Errorf("%v after %v", events, time.Since(begin))
		}
		if i, j := slices.Index(s.all(), "end base"), slices.Index(s.all(), "end top"); i > j {
			t.Error("base waited for the stubborn one past the limit")
		}
	})
}

func TestHealthy(t *testing.T) {
	sick := func(from, to time.Duration) func(context.Context, Report) error {
		return func(ctx context.Context, run Report) error {
			run.Ready()
			sleep(ctx, from)
			run.Healthy(errors.New("no memory card"))
			sleep(ctx, to-from)
			run.Healthy(nil)
			<-ctx.Done()
			return nil
		}
	}
	flapping := func(ctx context.Context, run Report) error {
		run.Ready()
		sleep(ctx, 2*time.Second)
		return errors.New("fell over")
	}
	tests := []struct {
		name string
		core bool
		do   func(context.Context, Report) error
		at   time.Duration
		want string // empty: healthy
	}{
		{"well", true, well(time.Second), time.Minute, ""},
		{"unwell for less than the patience", true, sick(time.Minute, 2*time.Minute), time.Minute + 29*time.Second, ""},
		{"unwell for longer", true, sick(time.Minute, 2*time.Minute), time.Minute + 31*time.Second, "a: no memory card"},
		{"well again", true, sick(time.Minute, 2*time.Minute), 2*time.Minute + 11*time.Second, ""},
		{"does not get ready", true, well(time.Hour), 31 * time.Second, "a: does not get ready"},
		{"flaps", true, flapping, 45 * time.Second, "fell over"},
		{"flaps, but is not core", false, flapping, 45 * time.Second, ""},
		{"failed for good", true, func(context.Context, Report) error { return service.ErrFinal }, 31 * time.Second, "a: failed"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := &script{do: map[string]func(context.Context, Report) error{"a": tt.do}}
				super, stop := start(t, s, service.Spec{Name: "a", Core: tt.core})
				time.Sleep(tt.at)
				synctest.Wait()
				err := super.Healthy()
				if (err == nil) != (tt.want == "") || (err != nil && !strings.Contains(err.Error(), tt.want)) {
					t.Errorf("got %v; want %q", err, tt.want)
				}
				stop()
			})
		})
	}
}

func TestCrashLoopLeavesTheOthersAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &script{do: map[string]func(context.Context, Report) error{
			"crashes": func(context.Context, Report) error { return errors.New("boom") }, "other": well(0),
		}}
		super, stop := start(t, s, service.Spec{Name: "crashes"}, service.Spec{Name: "other", After: []string{"crashes"}})
		time.Sleep(time.Hour)
		if got := find(super, "other"); !got.Ready || got.Restarts != 0 {
			t.Errorf("%+v", got)
		}
		if got := find(super, "crashes"); got.Restarts < 100 {
			t.Errorf("given up: %+v", got)
		}
		stop()
	})
}

func TestChangeIsTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var states []string
		s := &script{do: map[string]func(context.Context, Report) error{"a": func(ctx context.Context, run Report) error {
			run.Ready()
			run.Ready()
			run.Healthy(errors.New("meh"))
			run.Healthy(errors.New("meh"))
			return service.ErrFinal
		}}}
		super, err := New(Config{Specs: []service.Spec{{Name: "a"}}, Runner: s, Change: func(now api.Service) {
			states = append(states, fmt.Sprintf("%s/%t/%s", now.State, now.Ready, now.Health))
		}})
		if err != nil {
			t.Fatal(err)
		}
		super.Run(t.Context())
		want := "[running/false/ running/true/ running/true/meh running/false/ failed/false/]"
		if fmt.Sprint(states) != want {
			t.Errorf("got %v; want %s", states, want)
		}
	})
}

func TestNewRefuses(t *testing.T) {
	tests := []struct {
		name  string
		specs []service.Spec
		want  string
	}{
		{"no name", []service.Spec{{}}, "a name is"},
		{"a path", []service.Spec{{Name: "../x"}}, "a name is"},
		{"twice", []service.Spec{{Name: "a"}, {Name: "a"}}, "listed twice"},
		{"itself", []service.Spec{{Name: "a", After: []string{"a"}}}, "in a circle: [a a]"},
		{"a circle", []service.Spec{{Name: "a", After: []string{"b"}}, {Name: "b", After: []string{"c"}}, {Name: "c", After: []string{"a"}}}, "in a circle"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := New(Config{Specs: tt.specs})
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v; want %q", err, tt.want)
			}
		})
	}
}

func TestLogOfAnUnknownService(t *testing.T) {
	super, err := New(Config{Specs: []service.Spec{{Name: "a"}}})
	if err != nil {
		t.Fatal(err)
	}
	if super.Log("a") == nil || super.Log("b") != nil {
		t.Error("want a log of a, and none of b")
	}
}
