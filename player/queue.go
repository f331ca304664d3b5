package player

import (
	"math"
	"sync"
	"time"
)

// chunk is a piece of decoded sound.
type chunk struct {
	samples []float32 // what is left of it
	buf     []float32 // what it was read into
	pts     time.Duration
}

// soundQueue holds a track's decoded sound until the deck takes it. One goroutine puts, one takes.
type soundQueue struct {
	rate, channels int
	speed          float64
	limit          int           // samples that may wait
	space          chan struct{} // receives when there is room again

	mu     sync.Mutex
	chunks []chunk
	free   [][]float32
	queued int       // samples that wait
	ended  bool      // nothing comes any more
	fed    time.Time // when something was put

	// For the one that takes.
	exact  bool          // the next chunk is placed to the sample
	expect time.Duration // where in the item the first sample is that the line gets
	taken  int64         // frames since then, filled gaps included
	gap    int64         // frames of silence that come before the first chunk; negative: frames of it that are too late
	placed bool          // gap was worked out for the first chunk
}

// Of sound.
const (
	chunkTime = 20 * time.Millisecond
	maxJitter = 40 * time.Millisecond // timestamps that are off by less are rounded, not broken
	maxQueue  = 2 << 20               // samples: 8 MiB
)

func newSoundQueue(rate, channels int, speed float64, ahead time.Duration) *soundQueue {
	limit := min(int(ahead.Seconds()*float64(rate))*channels, maxQueue)
	return &soundQueue{rate: rate, channels: channels, speed: speed, limit: limit, space: make(chan struct{}, 1)}
}

// buffer returns memory for the next chunk.
func (q *soundQueue) buffer() []float32 {
	q.mu.Lock()
	defer q.mu.Unlock()
	if n := len(q.free); n > 0 {
		b := q.free[n-1]
		q.free = q.free[:n-1]
		return b
	}
	return make([]float32, int(chunkTime.Seconds()*float64(q.rate))*q.channels)
}

// put adds n samples of buf, which belongs to the queue from now on, and reports whether there is room for more.
func (q *soundQueue) put(buf []float32, n int, pts time.Duration) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.chunks = append(q.chunks, chunk{buf[:n], buf, pts})
	q.queued += n
	q.fed = time.Now()
	return q.queued < q.limit
}

// end says that nothing more will be put.
func (q *soundQueue) end() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.ended = true
}

// state returns how many frames wait, and whether they are the last.
func (q *soundQueue) state() (frames int, last bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.queued / q.channels, q.ended
}

// since returns when something was put last.
func (q *soundQueue) since() time.Time {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.fed
}

// first returns the time of the first chunk; false: it has not come, or there is none.
func (q *soundQueue) first() (time.Duration, bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.chunks) == 0 {
		return 0, false
	}
	return q.chunks[0].pts, true
}

// begin says at which time in the item the line takes the first sample.
func (q *soundQueue) begin(pts time.Duration) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.exact, q.expect = true, pts
}

// take fills dst and returns how many frames it could. With silence it fills what is missing: for a film whose sound
// begins late or has holes, and whose pictures must not wait for it. What comes too late after that is left out.
func (q *soundQueue) take(dst []float32, silence bool) int {
	q.mu.Lock()
	defer q.mu.Unlock()
	want := len(dst) / q.channels
	done := 0
	for done < want {
		out := dst[done*q.channels:]
		if !q.settle() {
			if !silence {
				break
			}
			clear(out)
			q.taken += int64(want - done)
			q.exact = true
			done = want
			break
		}
		n := want - done
		if q.gap > 0 {
			n = min(n, int(q.gap))
			clear(out[:n*q.channels])
			q.gap -= int64(n)
		} else {
			n = min(n, len(q.chunks[0].samples)/q.channels)
			copy(out, q.chunks[0].samples[:n*q.channels])
			q.consume(n)
		}
		done += n
		q.taken += int64(n)
	}
	if q.queued < q.limit {
		select {
		case q.space <- struct{}{}:
		default:
		}
	}
	return done
}

// settle works out how the first chunk lies to what was taken so far, and drops what of it is too late. It returns
// false if nothing is left.
func (q *soundQueue) settle() bool {
	for len(q.chunks) > 0 {
		if !q.placed {
			q.place()
		}
		if q.gap >= 0 {
			return true
		}
		n := min(-q.gap, int64(len(q.chunks[0].samples)/q.channels))
		q.gap += n
		q.consume(int(n))
	}
	return false
}

// place compares the time of a chunk with the one that is due. Only the first chunk, and what comes after a break, is
// placed to the sample: other timestamps may be rounded, and a gap is what is well beyond that.
func (q *soundQueue) place() {
	q.placed = true
	q.gap = 0
	at := (q.chunks[0].pts - q.expect).Seconds() / q.speed * float64(q.rate)
	off := at - float64(q.taken)
	if q.exact || math.Abs(off) > maxJitter.Seconds()*float64(q.rate) {
		q.gap = int64(math.Round(off))
		q.exact = q.gap < 0 // until one is in time
	}
}

// consume removes n frames of the first chunk.
func (q *soundQueue) consume(n int) {
	c := &q.chunks[0]
	c.samples = c.samples[n*q.channels:]
	q.queued -= n * q.channels
	if len(c.samples) > 0 {
		return
	}
	q.free = append(q.free, c.buf)
	q.chunks[0] = chunk{}
	if q.chunks = q.chunks[1:]; len(q.chunks) == 0 {
		q.chunks = nil
	}
	q.placed = false
}
