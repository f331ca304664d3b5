package judge

import (
	"context"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// lossy is a network that loses packets, each with the same chance, and sends them again as the kernel and [prober.ask] do.
type lossy struct {
	loss float64
	trip time.Duration

	mu     sync.Mutex // guards random
	random *rand.Rand
}

// exchange returns how long a packet and its answer take, when it is sent again after these times.
func (l *lossy) exchange(again ...time.Duration) time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, at := range append([]time.Duration{0}, again...) {
		if there, back := l.arrives(), l.arrives(); there && back {
			return at + l.trip
		}
	}
	return time.Hour
}

func (l *lossy) arrives() bool { return l.random.Float64() >= l.loss }

func (l *lossy) wait(ctx context.Context, took, patience time.Duration, o outcome) answer {
	if took > patience {
		took, o = patience, unreachable
	}
	pause(ctx, took)
	return answer{outcome: o}
}

func (l *lossy) open() time.Duration {
	return l.exchange(askAgain, 2*askAgain) + l.exchange(time.Second, 3*time.Second)
}

func (l *lossy) connect(ctx context.Context, _ operator, patience time.Duration) answer {
	return l.wait(ctx, l.open(), patience, connected)
}

func (l *lossy) operator(ctx context.Context, _ operator, patience time.Duration) answer {
	return l.wait(ctx, l.open()+l.exchange(l.trip+200*time.Millisecond, 3*l.trip+600*time.Millisecond), patience, right)
}

func (l *lossy) gateways(context.Context, time.Duration) bool { return true }

// TestLoss does not call a link dead that only loses packets.
func TestLoss(t *testing.T) {
	const days = 3
	for _, c := range []struct {
		loss float64
		trip time.Duration
		most int // false alarms
	}{
		{0.01, 20 * time.Millisecond, 0},
		{0.05, 20 * time.Millisecond, 0},
		{0.05, 300 * time.Millisecond, 0},
		{0.10, 50 * time.Millisecond, days},
	} {
		synctest.Test(t, func(t *testing.T) {
			l := &lossy{loss: c.loss, trip: c.trip, random: rand.New(rand.NewPCG(1, 2))}
			alarms := runFor(t, l, days*24*time.Hour)
			t.Logf("%.0f %% lost, %v there and back: %d false alarms in %d days", 100*c.loss, c.trip, alarms, days)
			if alarms > c.most {
				t.Errorf("want at most %d", c.most)
			}
		})
	}
}
