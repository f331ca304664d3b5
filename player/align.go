package player

import (
	"time"

	"manofwar/player/api"
)

// pursuit is how the engine keeps step with another player that plays the same: a large distance is leapt over once, a
// small one is made up for by playing a little faster or slower, as nobody hears it.
type pursuit struct {
	said  time.Time     // when we were last told where to be
	start time.Time     // when what was leapt to begins
	leap  time.Duration // that it takes to open the item at another place
	bend  float64
}

const (
	catchUp   = 4 * time.Second        // in which a distance is made up for
	tooFar    = 60 * time.Millisecond  // to make up for
	firstLeap = 600 * time.Millisecond // that opening an item is thought to take at first
	mostLeap  = 4 * time.Second
	settling  = time.Second // after a leap, before the next one
	// alignedAnew is how long after that it may take until we are told again where to be.
	alignedAnew = 3 * time.Second
	alone       = 20 * time.Second // without being told, it goes on at its own pace
)

// Align says where the current item should be. Said again every second or two, it keeps several players in step.
func (e *Engine) Align(a api.Align) {
	e.do(func() {
		c, p := e.current, &e.pursuit
		if c == nil || c.item.Key != a.Key || e.state(c) != api.Playing || e.now.Before(p.start.Add(settling)) {
			return
		}
		want := time.Duration(a.Position) + time.Duration(float64(e.now.Sub(a.At))*e.speed)
		if want != c.clamp(want) {
			return
		}
		p.said = e.now
		off := want - e.position()
		if off.Abs() <= tooFar {
			p.bend = off.Seconds() / catchUp.Seconds() / e.speed
			return
		}
		p.leap = min(max(p.leap+p.late(off, e.now), firstLeap), mostLeap)
		p.start, p.bend = e.now.Add(p.leap), 0
		e.reopen(c.clamp(want + time.Duration(float64(p.leap)*e.speed)))
	})
}

// late returns how much longer the last leap should have taken: what it begins too late, it is behind right after it. Somebody
// who is as far ahead for another reason is leapt to in a moment more than need be.
func (p *pursuit) late(off time.Duration, now time.Time) time.Duration {
	if off <= 0 || off > mostLeap || now.After(p.start.Add(settling+alignedAnew)) {
		return 0
	}
	return off + off/4
}

// rest lets the pursuit end if nobody speaks of it any more, and returns when to ask again.
func (p *pursuit) rest(now time.Time) time.Duration {
	if p.bend == 0 {
		return never
	}
	if left := p.said.Add(alone).Sub(now); left > 0 {
		return left
	}
	p.bend = 0
	return never
}
