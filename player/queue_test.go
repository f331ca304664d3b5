package player

import (
	"testing"
	"time"
)

// counting puts n frames of one channel, which count on from first.
func counting(q *soundQueue, first, n int, pts time.Duration) {
	buf := make([]float32, n)
	for i := range buf {
		buf[i] = float32(first + i)
	}
	q.put(buf, n, pts)
}

func TestTimestampsPlaceSound(t *testing.T) {
	ms := func(n int) time.Duration { return time.Duration(n) * time.Millisecond } // a frame lasts one
	for _, c := range []struct {
		name   string
		begin  time.Duration
		chunks []time.Duration // of ten frames each
		want   []float32       // by tens: what the first frame of each is, -1 for silence
	}{
		{"one after the other", 0, []time.Duration{0, ms(10), ms(20)}, []float32{0, 10, 20}},
		{"rounded", 0, []time.Duration{0, ms(12), ms(17)}, []float32{0, 10, 20}},
		{"a late begin", 0, []time.Duration{ms(20), ms(30)}, []float32{-1, -1, 0, 10}},
		{"an early begin", ms(10), []time.Duration{0, ms(10), ms(20)}, []float32{10, 20}},
		{"a hole", 0, []time.Duration{0, ms(110)}, []float32{0, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, 10}},
		{"a jump back", 0, []time.Duration{0, ms(10), ms(20), ms(30), ms(40), 0, ms(50)}, []float32{0, 10, 20, 30, 40, 60}},
	} {
		t.Run(c.name, func(t *testing.T) {
			q := newSoundQueue(1000, 1, 1, time.Second)
			for i, pts := range c.chunks {
				counting(q, 10*i, 10, pts)
			}
			q.begin(c.begin)
			got := make([]float32, 1000)
			n := q.take(got, false)
			if n != 10*len(c.want) {
				t.Fatalf("%d frames", n)
			}
			for i, w := range c.want {
				if w == -1 {
					w = 0
				}
				if got[10*i] != w {
					t.Errorf("at %d: %v, want %v", 10*i, got[10*i], w)
				}
			}
		})
	}
}

func TestSilenceIsMadeUpFor(t *testing.T) {
	q := newSoundQueue(1000, 1, 1, time.Second)
	q.begin(0)
	if n := q.take(make([]float32, 50), true); n != 50 {
		t.Fatalf("%d frames of silence", n)
	}
	for i := range 10 { // what comes now is late
		counting(q, 10*i, 10, time.Duration(10*i)*time.Millisecond)
	}
	got := make([]float32, 100)
	if n := q.take(got, false); n != 50 || got[0] != 50 {
		t.Errorf("%d frames from %v", n, got[0])
	}
}
