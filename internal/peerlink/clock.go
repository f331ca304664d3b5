package peerlink

import "time"

// Clock is the one that a device speaks of on its links: the time since a moment of its own, by Go's monotonic reading, so
// that it goes on evenly while the time of day is being set. Two devices relate theirs by an [Offset].
type Clock struct {
	start time.Time
	skew  Skew
}

// Skew makes a clock wrong, for tests.
type Skew struct {
	Offset time.Duration
	PPM    float64 // by how much it is fast, in millionths
}

// NewClock returns a clock that begins now.
func NewClock(s Skew) *Clock { return &Clock{time.Now(), s} }

// At returns what the clock says at a time.
func (c *Clock) At(t time.Time) time.Duration {
	d := t.Sub(c.start)
	return d + time.Duration(float64(d)*c.skew.PPM/1e6) + c.skew.Offset
}

// Time returns when the clock says that. It has a monotonic reading, and is told to other programs by the time of day as that
// is now: it may have been set since the clock began.
func (c *Clock) Time(d time.Duration) time.Time {
	t, now := c.start.Add(time.Duration(float64(d-c.skew.Offset)/(1+c.skew.PPM/1e6))), time.Now()
	return now.Add(t.Sub(now)) // by the monotonic readings
}
