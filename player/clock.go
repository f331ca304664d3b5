package player

import "time"

// clock follows a sound card: a phase-locked loop over what its [SoundStatus] says, so that a position between two
// looks is known to some hundredths of a millisecond although the card moves by periods and its crystal is off.
// The zero value has not seen anything yet.
type clock struct {
	at    time.Time
	frame float64 // heard at that time
	rate  float64 // frames per second, as the card really runs
	looks int
}

// The loop trusts a look as much as it knows nothing better: the first ones much, later ones a twentieth. At one look in
// 25 ms it settles within half a second.
const (
	leastGain = 0.05
	rateAfter = 5                      // looks that say nothing about the rate yet
	maxBend   = 0.1                    // by how much a card may be off; QEMU's HDA runs 7% fast
	lost      = 100 * time.Millisecond // more than this is not drift
	minLook   = 500 * time.Microsecond // looks closer together say nothing
)

// start begins anew at a frame, at the rate the card is said to have.
func (c *clock) start(at time.Time, frame float64, rate int) {
	*c = clock{at: at, frame: frame, rate: float64(rate)}
}

// frameAt returns which frame is heard at t.
func (c *clock) frameAt(t time.Time) float64 { return c.frame + t.Sub(c.at).Seconds()*c.rate }

// timeOf returns when a frame is heard.
func (c *clock) timeOf(frame float64) time.Time {
	return c.at.Add(time.Duration((frame - c.frame) / c.rate * float64(time.Second)))
}

// drift returns by how many millionths the card is faster than it is said to be; 0: it was not seen long enough.
func (c *clock) drift(nominal int) float64 {
	if c.looks < driftAfter || nominal <= 0 {
		return 0
	}
	return (c.rate/float64(nominal) - 1) * 1e6
}

// driftAfter is how many looks the rate takes to settle: ten seconds.
const driftAfter = 400

// look takes note that frame was heard at t; nominal is the rate the card is said to have.
func (c *clock) look(t time.Time, frame float64, nominal int) {
	passed := t.Sub(c.at)
	if passed < minLook {
		return
	}
	predicted := c.frameAt(t)
	off := frame - predicted
	if d := time.Duration(off / c.rate * float64(time.Second)); d > lost || d < -lost {
		c.start(t, frame, nominal)
		return
	}
	c.looks++
	gain := max(leastGain, 1/float64(c.looks+1))
	if c.looks > rateAfter {
		n := float64(nominal)
		c.rate += gain * gain / 4 * off / passed.Seconds() // critically damped
		c.rate = min(max(c.rate, n*(1-maxBend)), n*(1+maxBend))
	}
	c.at, c.frame = t, predicted+gain*off
}
