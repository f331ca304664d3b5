package peerlink

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"testing/synctest"
	"time"
	"unsafe"
)

func TestClock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, s := range []Skew{{}, {Offset: 5 * time.Hour}, {Offset: -time.Minute, PPM: 100}} {
			c := NewClock(s)
			time.Sleep(1000 * time.Second)
			now := time.Now()
			want := 1000*time.Second + time.Duration(s.PPM)*time.Millisecond + s.Offset
			if got := c.At(now); (got - want).Abs() > time.Microsecond {
				t.Errorf("%+v: %v, want %v", s, got, want)
			}
			if got := c.Time(c.At(now)); got.Sub(now).Abs() > time.Microsecond {
				t.Errorf("%+v: back at %v instead of %v", s, got, now)
			}
		}
	})
}

// TestClockAfterTheTimeWasSet begins a clock before the network tells the time of day. What it says is written to other
// programs by that.
func TestClockAfterTheTimeWasSet(t *testing.T) {
	const years = 50 * 365 * 24 * time.Hour
	c := NewClock(Skew{Offset: time.Minute})
	early := setBack(c.start, years)
	if early.Sub(c.start) != 0 || c.start.Round(0).Sub(early.Round(0)) != years {
		t.Fatalf("%v was not set back: %v", c.start, early)
	}
	c.start = early
	now := time.Now()
	got := c.Time(c.At(now))
	if got.Sub(now) != 0 || got.Round(0).Sub(now.Round(0)).Abs() > years/2 {
		t.Errorf("at %v it says %v", now, got)
	}
}

// setBack returns a time as it was read while the time of day was so much earlier: its monotonic reading stays. No function of
// package time does that; its first word has the seconds since 1885 from the 30th bit on.
func setBack(t time.Time, by time.Duration) time.Time {
	*(*uint64)(unsafe.Pointer(&t)) -= uint64(by/time.Second) << 30
	return t
}

// network is two clocks and what is between them.
type network struct {
	random      *rand.Rand
	ahead       time.Duration
	ppm         float64
	delay       time.Duration // each way
	jitter      time.Duration // added at random, from 0 to this
	lopsided    time.Duration // added to the way there alone
	loss        float64       // after which it takes a fifth of a second more
	now         time.Duration // by our clock
	standsStill time.Duration // by which theirs has been stopped
}

func (n *network) theirs() time.Duration {
	return n.now + n.ahead - n.standsStill + time.Duration(float64(n.now)*n.ppm/1e6)
}

func (n *network) way() time.Duration {
	d := n.delay + time.Duration(n.random.Float64()*float64(n.jitter))
	if n.random.Float64() < n.loss {
		d += 200 * time.Millisecond
	}
	return d
}

func (n *network) sample() (s Sample) {
	s.Sent = n.now
	n.now += n.way() + n.lopsided
	s.Received = n.theirs()
	n.now += 80 * time.Microsecond
	s.Replied = n.theirs()
	n.now += n.way()
	s.Answered = n.now
	return s
}

// TestOffset has devices exchange the time over networks of many kinds, four times a second.
func TestOffset(t *testing.T) {
	for _, c := range []struct {
		name string
		n    network
		p95  time.Duration // that the line may be wrong by, after 20 s
	}{
		{"a wire", network{ahead: 3 * time.Hour, delay: 200 * time.Microsecond, jitter: 50 * time.Microsecond}, 50 * time.Microsecond},
		{"crystals apart", network{ppm: 100, ahead: -time.Hour, delay: time.Millisecond, jitter: 100 * time.Microsecond}, 60 * time.Microsecond},
		{"a busy radio", network{ppm: -100, delay: 2 * time.Millisecond, jitter: 6 * time.Millisecond, loss: 0.02}, 700 * time.Microsecond},
		{"a bad radio", network{ppm: 60, ahead: 48 * time.Hour, delay: 3 * time.Millisecond, jitter: 60 * time.Millisecond, loss: 0.1}, 4 * time.Millisecond},
		{"a slow way there", network{delay: time.Millisecond, jitter: time.Millisecond, lopsided: 2 * time.Millisecond}, 1300 * time.Microsecond},
	} {
		t.Run(c.name, func(t *testing.T) {
			n := &c.n
			n.random = rand.New(rand.NewPCG(1, 2))
			var o Offset
			var off []time.Duration
			for i := range 2400 {
				o.Add(n.sample())
				n.now += 250 * time.Millisecond
				if i > 80 {
					off = append(off, (o.Theirs(n.now) - n.theirs()).Abs())
				}
				if back := o.Ours(o.Theirs(n.now)); (back - n.now).Abs() > time.Microsecond {
					t.Fatalf("there and back: %v, want %v", back, n.now)
				}
			}
			slices.Sort(off)
			if p95 := off[len(off)*95/100]; p95 > c.p95 {
				t.Errorf("wrong by %v (95%%), want %v", p95, c.p95)
			} else {
				t.Logf("wrong by %v (95%%)", p95)
			}
		})
	}
}

// TestOffsetAfterAStandstill puts the other device to sleep: its clock stands still meanwhile.
func TestOffsetAfterAStandstill(t *testing.T) {
	for _, sleep := range []time.Duration{50 * time.Millisecond, time.Minute} {
		n := &network{random: rand.New(rand.NewPCG(3, 4)), delay: time.Millisecond, jitter: time.Millisecond}
		var o Offset
		for range 100 {
			o.Add(n.sample())
			n.now += time.Second
		}
		n.standsStill += sleep
		for range 10 {
			o.Add(n.sample())
			n.now += time.Second
		}
		if wrong := (o.Theirs(n.now) - n.theirs()).Abs(); wrong > time.Millisecond || o.Samples() != 10 {
			t.Errorf("after %v: wrong by %v, %d samples", sleep, wrong, o.Samples())
		}
	}
}

func TestNonsenseIsPassedOver(t *testing.T) {
	var o Offset
	for _, s := range []Sample{
		{Sent: 2, Answered: 1},
		{Sent: 1, Answered: 2, Received: 5, Replied: 4},
		{Sent: 1, Answered: 2, Received: 1, Replied: 100},
	} {
		if o.Add(s); o.Known() {
			t.Errorf("took %+v", s)
		}
	}
	for i := range maxSamples + 50 {
		o.Add(Sample{Sent: time.Duration(i) * time.Millisecond, Answered: time.Duration(i)*time.Millisecond + 10, Received: time.Duration(i) * time.Millisecond, Replied: time.Duration(i) * time.Millisecond})
	}
	if o.Samples() != maxSamples {
		t.Errorf("%d samples", o.Samples())
	}
}

func TestLimiter(t *testing.T) {
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	l := Limiter{Rate: 1, Burst: 3, Max: 10}
	allowed := 0
	for range 10 {
		if l.Allow("one", now) {
			allowed++
		}
	}
	if allowed != 3 || !l.Allow("two", now) || !l.Allow("one", now.Add(time.Second)) || l.Allow("one", now.Add(time.Second)) {
		t.Errorf("%d at once", allowed)
	}
	for i := range 100 {
		l.Allow(fmt.Sprint("stranger ", i), now)
	}
	if len(l.buckets) != 10 || l.Allow("eleventh", now) {
		t.Errorf("%d are remembered", len(l.buckets))
	}
	if !l.Allow("eleventh", now.Add(time.Minute)) || len(l.buckets) > 10 {
		t.Error("those who have gone are not forgotten")
	}
}
