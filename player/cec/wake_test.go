package cec

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// fakeTV is a television that takes some time to wake up.
type fakeTV struct {
	t       *testing.T
	us      device
	away    bool          // nobody takes a message
	mute    bool          // it does not tell whether it is on
	wakes   time.Duration // after image view on
	since   time.Time     // when it was told
	said    []string
	visitor time.Duration // after which somebody else is switched to; 0: nobody
}

func (f *fakeTV) send(m message) error {
	if f.away {
		return errors.New("nobody")
	}
	switch m.op {
	case imageViewOn:
		f.since = time.Now()
		f.said = append(f.said, "wake")
	case activeSource:
		f.us.active = true
		f.said = append(f.said, "show us")
	case standby:
		f.said = append(f.said, "sleep")
	}
	return nil
}

func (f *fakeTV) ask(m message, answer opcode) (message, error) {
	if m.op != givePowerStatus || answer != reportPowerStatus || m.to != tv {
		f.t.Errorf("asked % x", m.bytes())
	}
	if f.mute {
		return message{}, errors.New("silence")
	}
	on := byte(1)
	if time.Since(f.since) >= f.wakes {
		on = powerOn
	}
	return message{from: tv, to: m.from, op: answer, operands: []byte{on}}, nil
}

func (f *fakeTV) state() device {
	if f.visitor > 0 && time.Since(f.since) >= f.visitor {
		f.us.active = false
	}
	return f.us
}

func TestWake(t *testing.T) {
	for _, c := range []struct {
		name  string
		tv    fakeTV
		want  []string
		takes time.Duration
	}{
		{"it is on", fakeTV{us: us()}, []string{"wake", "show us"}, 0},
		{"it wakes up", fakeTV{us: us(), wakes: 4500 * time.Millisecond}, []string{"wake", "show us", "show us"}, 5 * time.Second},
		{"it wakes up, and somebody chooses another input", fakeTV{us: us(), wakes: 4500 * time.Millisecond, visitor: 2 * time.Second}, []string{"wake", "show us"}, 2 * time.Second},
		{"it does not say", fakeTV{us: us(), mute: true}, []string{"wake", "show us"}, wakeLimit},
		{"there is none", fakeTV{us: newDevice()}, nil, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c.tv.t = t
				began := time.Now()
				if err := wake(t.Context(), &c.tv, c.tv.state); err != nil {
					t.Error(err)
				}
				if took := time.Since(began); took != c.takes {
					t.Errorf("took %v instead of %v", took, c.takes)
				}
				if !slices.Equal(c.tv.said, c.want) {
					t.Errorf("said %q; want %q", c.tv.said, c.want)
				}
			})
		})
	}
}

func TestWakeEnds(t *testing.T) {
	if err := wake(t.Context(), &fakeTV{t: t, us: us(), away: true}, func() device { return us() }); err == nil {
		t.Error("a television that takes no message was woken")
	}
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 2500*time.Millisecond)
		defer cancel()
		f := &fakeTV{t: t, us: us(), mute: true}
		began := time.Now()
		if err := wake(ctx, f, f.state); err != nil || time.Since(began) != 2500*time.Millisecond {
			t.Errorf("ended after %v: %v", time.Since(began), err)
		}
	})
}

// TestWakeAgain has somebody begin a second film while the television still wakes up, or never says that it is on.
func TestWakeAgain(t *testing.T) {
	again := []string{"wake", "show us", "wake", "show us"}
	for _, c := range []struct {
		name  string
		tv    fakeTV
		after time.Duration // of the second wish
		want  []string
		takes time.Duration // from the second wish on
	}{
		{"it does not say", fakeTV{us: us(), mute: true}, wakeLimit / 2, again, wakeLimit},
		{"it does not say, and was about to be asked", fakeTV{us: us(), mute: true}, 3 * wakeStep, again, wakeLimit},
		{"it wakes up", fakeTV{us: us(), wakes: 4500 * time.Millisecond}, 2500 * time.Millisecond, append(again, "show us"), 5 * time.Second},
		{"somebody has chosen another input", fakeTV{us: us(), mute: true, visitor: 2 * time.Second}, 4 * time.Second, again, 2 * time.Second},
		{"it is on", fakeTV{us: us()}, 0, again, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c.tv.t = t
				var w waker
				var running sync.WaitGroup
				wish := func() {
					wake := w.begin(t.Context(), &c.tv, c.tv.state)
					running.Go(func() {
						if err := wake(); err != nil {
							t.Error(err)
						}
					})
					synctest.Wait()
				}
				wish()
				time.Sleep(c.after)
				synctest.Wait()
				began := time.Now()
				wish()
				running.Wait()
				if took := time.Since(began); took != c.takes {
					t.Errorf("took %v instead of %v", took, c.takes)
				}
				if !slices.Equal(c.tv.said, c.want) {
					t.Errorf("said %q; want %q", c.tv.said, c.want)
				}
			})
		})
	}
}

func TestSleep(t *testing.T) {
	f := &fakeTV{t: t}
	shown := us()
	shown.active = true
	for _, d := range []device{us(), newDevice(), shown} {
		if err := sleep(f, d); err != nil {
			t.Error(err)
		}
	}
	if !slices.Equal(f.said, []string{"sleep"}) {
		t.Errorf("said %q; only a television that shows us is to sleep", f.said)
	}
}
