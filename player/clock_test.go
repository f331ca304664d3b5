package player

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"
)

func TestTheClockFollowsACard(t *testing.T) {
	for _, c := range []struct {
		name   string
		ppm    float64
		period int64
		jitter time.Duration // of when a look is taken
		from   time.Duration // when it has settled
		within time.Duration
	}{
		{"ideal", 0, 1, 0, 2 * time.Second, 50 * time.Microsecond},
		{"fast", 100, 1, 0, 2 * time.Second, 50 * time.Microsecond},
		{"slow, looked at late", -100, 1, 4 * time.Millisecond, 2 * time.Second, 50 * time.Microsecond},
		{"by small periods", 100, 32, 4 * time.Millisecond, 2 * time.Second, time.Millisecond},
		{"by periods", -100, 480, 4 * time.Millisecond, 2 * time.Second, 12 * time.Millisecond},
		{"like QEMU's HDA", 70000, 1, 0, 10 * time.Second, time.Millisecond},
	} {
		t.Run(c.name, func(t *testing.T) {
			const rate = 48000
			rng := rand.New(rand.NewPCG(1, 2))
			real := rate * (1 + c.ppm/1e6)
			begin := time.Now()
			var k clock
			k.start(begin, 0, rate)
			worst := time.Duration(0)
			for at := 25 * time.Millisecond; at < 20*time.Second; at += 25 * time.Millisecond {
				late := at
				if c.jitter > 0 {
					late += time.Duration(rng.Int64N(int64(c.jitter)))
				}
				frame := int64(late.Seconds() * real)
				k.look(begin.Add(late), float64(frame-frame%c.period), rate)
				if at > c.from {
					later := late + 13*time.Millisecond
					off := (k.frameAt(begin.Add(later)) - later.Seconds()*real) / rate
					worst = max(worst, time.Duration(math.Abs(off)*float64(time.Second)))
				}
			}
			if worst > c.within {
				t.Errorf("off by up to %v", worst)
			}
		})
	}
}

func TestTheClockTellsDrift(t *testing.T) {
	for _, ppm := range []float64{0, 37, -120, 70000} {
		const rate = 48000
		begin := time.Now()
		var k clock
		k.start(begin, 0, rate)
		for i := range 40 * 30 {
			at := time.Duration(i+1) * 25 * time.Millisecond
			k.look(begin.Add(at), math.Floor(at.Seconds()*rate*(1+ppm/1e6)), rate)
			if early := k.drift(rate); i < driftAfter/2 && early != 0 {
				t.Fatalf("%v millionths were told as %v after %v", ppm, early, at)
			}
		}
		if got := k.drift(rate); math.Abs(got-ppm) > 2 {
			t.Errorf("%v millionths are told as %.1f", ppm, got)
		}
	}
}

func TestTheClockGivesUpWhatIsLost(t *testing.T) {
	begin := time.Now()
	var k clock
	k.start(begin, 0, 48000)
	k.look(begin.Add(time.Second), 48000, 48000)
	k.look(begin.Add(2*time.Second), 48000, 48000) // it stood still for a second
	if got := k.frameAt(begin.Add(2 * time.Second)); got != 48000 {
		t.Errorf("at frame %v", got)
	}
	k.look(begin.Add(2*time.Second), 1e9, 48000) // at the same time: says nothing
	if got := k.timeOf(96000); !got.Equal(begin.Add(3 * time.Second)) {
		t.Errorf("in a second it is %v", got.Sub(begin))
	}
}
