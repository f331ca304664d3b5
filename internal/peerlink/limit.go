package peerlink

import (
	"maps"
	"sync"
	"time"
)

// Limiter bounds how often each of many may do something: Burst times at once, Rate times a second in the long run. It
// remembers no more than Max of them; whoever comes while it is full is refused. It is safe for concurrent use.
type Limiter struct {
	Rate  float64
	Burst float64
	Max   int

	mu      sync.Mutex // guards buckets
	buckets map[string]bucket
}

// bucket is what somebody has left.
type bucket struct {
	left float64
	at   time.Time
}

// Allow takes one of what the name has left, and reports whether there was any.
func (l *Limiter) Allow(name string, now time.Time) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	b, known := l.buckets[name]
	if !known {
		if len(l.buckets) >= l.Max {
			maps.DeleteFunc(l.buckets, func(_ string, b bucket) bool { return l.filled(b, now) >= l.Burst })
		}
		if len(l.buckets) >= l.Max {
			return false
		}
		b = bucket{l.Burst, now}
	}
	left := l.filled(b, now)
	if left < 1 {
		return false
	}
	if l.buckets == nil {
		l.buckets = make(map[string]bucket)
	}
	l.buckets[name] = bucket{left - 1, now}
	return true
}

// filled is what a bucket holds by now.
func (l *Limiter) filled(b bucket, now time.Time) float64 {
	return min(l.Burst, b.left+max(0, now.Sub(b.at).Seconds())*l.Rate)
}
