package player

import (
	"sync"
	"time"
)

// measure counts pictures and how far they are from when they were due.
type measure struct {
	mu      sync.Mutex
	shown   int
	dropped int
	off     [offsets]int // by tenths of a millisecond; the last one counts all beyond
}

const (
	offsets    = 1000
	offsetUnit = 100 * time.Microsecond
)

func (m *measure) show(off time.Duration) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.shown++
	m.off[min(off.Abs()/offsetUnit, offsets-1)]++
}

func (m *measure) drop() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.dropped++
}

func (m *measure) reset() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.shown, m.dropped, m.off = 0, 0, [offsets]int{}
}

// read returns the counts and the 95th percentile of the distances.
func (m *measure) read() (shown, dropped int, p95 time.Duration) {
	m.mu.Lock()
	defer m.mu.Unlock()
	sum := 0
	for i, n := range m.off {
		if sum += n; sum*100 >= m.shown*95 && m.shown > 0 {
			return m.shown, m.dropped, time.Duration(i+1) * offsetUnit
		}
	}
	return m.shown, m.dropped, 0
}
