package judge

import (
	"context"
	"log/slog"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"manofwar/netmgr"
	"manofwar/netmgr/api"
)

// world is a network that a test plays. Each of its parts takes its time.
type world struct {
	mu      sync.Mutex // guards what follows
	gateway bool
	answer  answer // of all operators
	takes   time.Duration
	looks   map[LookKind]int
}

func (w *world) set(gateway bool, a answer) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.gateway, w.answer = gateway, a
}

// asked returns how many looks there were of each kind, and counts anew.
func (w *world) asked() map[LookKind]int {
	w.mu.Lock()
	defer w.mu.Unlock()
	old := w.looks
	w.looks = make(map[LookKind]int)
	return old
}

// wait answers after the time it takes, or when patience is at its end where there is no answer.
func (w *world) wait(ctx context.Context, kind LookKind, patience time.Duration) (answer, bool) {
	w.mu.Lock()
	a, gateway, d := w.answer, w.gateway, w.takes
	w.looks[kind]++
	w.mu.Unlock()
	if d > patience {
		a = answer{outcome: unreachable}
	}
	if a.outcome == unreachable || a.outcome == unresolved || a.outcome == silent {
		d = patience
	}
	pause(ctx, d)
	return a, gateway
}

func (w *world) gateways(ctx context.Context, patience time.Duration) bool {
	w.mu.Lock()
	gateway := w.gateway
	w.mu.Unlock()
	if !gateway {
		pause(ctx, patience)
	}
	return gateway
}

func (w *world) operator(ctx context.Context, _ operator, patience time.Duration) answer {
	a, _ := w.wait(ctx, LookOne, patience)
	return a
}

func (w *world) connect(ctx context.Context, _ operator, patience time.Duration) answer {
	a, _ := w.wait(ctx, LookConnect, patience)
	if a.outcome > connected {
		a.outcome = connected
	}
	return a
}

// told is one verdict and when it came.
type told struct {
	netmgr.Judged
	after time.Duration
}

// judged runs a judge over the world within a bubble of fake time and returns what reads its next verdict.
func judged(t *testing.T, o Options, w *world) (j *Judge, next func() told) {
	t.Helper()
	w.looks = make(map[LookKind]int)
	verdicts := make(chan told, 100)
	began := time.Now()
	o.Log, o.look = slog.New(slog.DiscardHandler), w
	o.Link.Index, o.Link.Generation = 3, 5
	o.Tell = func(_ context.Context, v netmgr.Judged) { verdicts <- told{v, time.Since(began)} }
	j = New(o)
	ctx, cancel := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() { j.Run(ctx) })
	t.Cleanup(func() { cancel(); running.Wait() })
	return j, func() told {
		select {
		case v := <-verdicts:
			return v
		case <-time.After(10 * time.Minute):
			t.Fatal("no verdict")
		}
		return told{}
	}
}

// runFor judges for a while and counts how often the link was not good.
func runFor(t *testing.T, l looker, d time.Duration) (bad int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), d)
	defer cancel()
	New(Options{
		Link: Link{Name: "eth0", Gateways: gateways("192.0.2.1")}, Log: slog.New(slog.DiscardHandler), look: l,
		Tell: func(_ context.Context, v netmgr.Judged) {
			if v.State != api.Good {
				bad++
			}
		},
	}).Run(ctx)
	return bad
}

var well = answer{outcome: right}

// TestDeath measures, over all moments at which the internet can die, how long it takes until that is told.
func TestDeath(t *testing.T) {
	for _, c := range []struct {
		name  string
		dead  answer
		most  time.Duration
		state api.State
	}{
		{"black hole", answer{outcome: unreachable}, 7500 * time.Millisecond, api.LANOnly},
		{"name server", answer{outcome: unresolved}, 7500 * time.Millisecond, api.LANOnly},
		{"name server only", answer{outcome: right, deaf: true}, 6500 * time.Millisecond, api.LANOnly},
		{"HTTP only", answer{outcome: silent}, 10500 * time.Millisecond, api.LANOnly},
		{"captive", answer{outcome: altered}, 9500 * time.Millisecond, api.Captive},
	} {
		t.Run(c.name, func(t *testing.T) {
			var longest, sum time.Duration
			const steps = 60
			for i := range steps {
				synctest.Test(t, func(t *testing.T) {
					w := &world{gateway: true, answer: well, takes: 40 * time.Millisecond}
					_, next := judged(t, Options{Link: Link{Name: "eth0", Gateways: gateways("192.0.2.1")}}, w)
					if v := next(); v.State != api.Good || v.after > 50*time.Millisecond || v.Index != 3 || v.Generation != 5 {
						t.Fatalf("%+v", v)
					}
					time.Sleep(time.Minute + time.Duration(i)*100*time.Millisecond)
					died := time.Now()
					w.set(true, c.dead)
					if v := next(); v.State != c.state || v.Reason == "" {
						t.Fatalf("%+v", v)
					}
					took := time.Since(died)
					longest, sum = max(longest, took), sum+took
				})
			}
			t.Logf("noticed within %v, on average %v", longest, sum/steps)
			if longest > c.most {
				t.Errorf("noticed after %v, want %v", longest, c.most)
			}
		})
	}
}

// TestCourse follows links through what happens to them.
func TestCourse(t *testing.T) {
	link := Link{Name: "eth0", Gateways: gateways("192.0.2.1")}
	dead := answer{outcome: unreachable}
	t.Run("recovery is proven", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			w := &world{gateway: true, answer: well, takes: 40 * time.Millisecond}
			_, next := judged(t, Options{Link: link}, w)
			next()
			w.set(true, dead)
			next()
			time.Sleep(30 * time.Second)
			w.set(true, well)
			back := time.Now()
			if v := next(); v.State != api.Good || v.Reason != "" || time.Since(back) < proof || time.Since(back) > 8*time.Second {
				t.Errorf("%+v after %v", v, time.Since(back))
			}
		})
	})
	t.Run("at first one success is enough", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			w := &world{gateway: true, answer: dead, takes: 40 * time.Millisecond}
			_, next := judged(t, Options{Link: link}, w)
			if v := next(); v.State != api.LANOnly || v.after > 3*time.Second {
				t.Errorf("%+v", v)
			}
			time.Sleep(5 * time.Second)
			w.set(true, well)
			back := time.Now()
			if v := next(); v.State != api.Good || time.Since(back) > 4*time.Second {
				t.Errorf("%+v after %v", v, time.Since(back))
			}
		})
	})
	t.Run("a hiccup is none", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			w := &world{gateway: true, answer: well, takes: 40 * time.Millisecond}
			_, next := judged(t, Options{Link: link}, w)
			next()
			for range 100 {
				time.Sleep(10 * time.Second)
				w.set(true, dead)
				time.Sleep(1500 * time.Millisecond)
				w.set(true, well)
			}
			w.set(false, dead)
			if v := next(); v.State != api.Associated || v.Reason != reasonSilent {
				t.Errorf("%+v", v)
			}
		})
	})
	t.Run("the router goes after the internet", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			w := &world{gateway: true, answer: dead}
			_, next := judged(t, Options{Link: link}, w)
			next()
			w.set(false, dead)
			if v := next(); v.State != api.Associated {
				t.Errorf("%+v", v)
			}
		})
	})
	t.Run("off", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			w := &world{gateway: true, answer: dead}
			_, next := judged(t, Options{Link: link, Off: true}, w)
			if v := next(); v.State != api.Good {
				t.Errorf("%+v", v)
			}
			w.set(false, dead)
			if v := next(); v.State != api.Associated {
				t.Errorf("%+v", v)
			}
			if n := w.asked(); len(n) != 0 {
				t.Errorf("operators were asked: %v", n)
			}
		})
	})
	t.Run("a nudge looks at once", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			w := &world{gateway: true, answer: answer{outcome: altered}}
			j, next := judged(t, Options{Link: link}, w)
			if v := next(); v.State != api.Captive {
				t.Fatalf("%+v", v)
			}
			time.Sleep(time.Hour)
			w.set(true, well)
			signed := time.Now()
			j.Nudge()
			if v := next(); v.State != api.Good || time.Since(signed) > time.Second {
				t.Errorf("%+v after %v", v, time.Since(signed))
			}
		})
	})
	t.Run("a link that comes into use is watched at once", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			w := &world{gateway: true, answer: well, takes: 40 * time.Millisecond}
			j, next := judged(t, Options{Link: link, Pace: netmgr.Costly}, w)
			next()
			time.Sleep(time.Hour + time.Second)
			w.set(true, dead)
			j.SetPace(netmgr.InUse)
			used := time.Now()
			if v := next(); v.State != api.LANOnly || time.Since(used) > 7500*time.Millisecond {
				t.Errorf("%+v after %v", v, time.Since(used))
			}
		})
	})
	t.Run("full of somebody's traffic", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			w := &world{gateway: true, answer: well, takes: 40 * time.Millisecond}
			_, next := judged(t, Options{Link: link}, w)
			next()
			time.Sleep(time.Hour)
			w.mu.Lock()
			w.takes = 2 * time.Second
			w.mu.Unlock()
			time.Sleep(time.Hour)
			w.set(false, dead)
			if v := next(); v.State != api.Associated || v.after < 2*time.Hour {
				t.Errorf("%+v", v)
			}
		})
	})
	t.Run("by satellite", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			w := &world{gateway: true, answer: well, takes: 1800 * time.Millisecond}
			_, next := judged(t, Options{Link: link}, w)
			if v := next(); v.State != api.Good {
				t.Errorf("%+v", v)
			}
			time.Sleep(time.Hour)
			w.set(true, dead)
			if v := next(); v.State != api.LANOnly || v.after < time.Hour {
				t.Errorf("%+v", v)
			}
		})
	})
}

// TestPace counts what is asked in an hour of peace.
func TestPace(t *testing.T) {
	for pace, want := range map[netmgr.Pace]int{netmgr.InUse: 1200, netmgr.Standby: 240, netmgr.Costly: 120} {
		t.Run(string(pace), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := &world{gateway: true, answer: well, takes: 40 * time.Millisecond}
				j, next := judged(t, Options{Link: Link{Name: "eth0", Gateways: gateways("192.0.2.1")}}, w)
				next()
				j.SetPace(pace)
				time.Sleep(time.Hour)
				n := w.asked()
				if got := n[LookConnect] + n[LookOne]; got < want-5 || got > want+5 {
					t.Errorf("%d looks in an hour, want %d", got, want)
				}
				w.set(true, answer{outcome: unreachable})
				next()
				w.asked()
				time.Sleep(time.Hour)
				if got := w.asked()[LookOne]; got > 2*450 {
					t.Errorf("%d questions in an hour without internet", got)
				}
			})
		})
	}
}
