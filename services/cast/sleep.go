package cast

import "time"

// fadeFor is how long before it pauses the sound begins to fade.
const fadeFor = 20 * time.Second

// fadeStep is how often it becomes a little quieter.
const fadeStep = 250 * time.Millisecond

// sleep is when a session pauses by itself.
type sleep struct {
	at  time.Time // zero: never
	end bool      // at the end of the entry
}

// set starts the timer; 0 stops it.
func (z *sleep) set(after time.Duration, now time.Time) {
	z.at = time.Time{}
	if after > 0 {
		z.at = now.Add(after)
	}
}

// fade is what is left of the volume, 0 to 1.
func (z *sleep) fade(now time.Time) float64 {
	if z.at.IsZero() {
		return 1
	}
	return min(1, max(0, float64(z.at.Sub(now))/float64(fadeFor)))
}

// due is when the timer next has something to do; zero: never.
func (z *sleep) due(now time.Time) time.Time {
	if z.at.IsZero() {
		return time.Time{}
	}
	if begins := z.at.Add(-fadeFor); now.Before(begins) {
		return begins
	}
	if step := now.Add(fadeStep); step.Before(z.at) {
		return step
	}
	return z.at
}

// due is when the session next has something to do by itself; zero: never.
func (s *session) due(now time.Time) time.Time {
	at := s.sleep.due(now)
	if f := s.forget; !f.IsZero() && (at.IsZero() || f.Before(at)) {
		at = f
	}
	return at
}

// tick does what is due.
func (s *session) tick(now time.Time) {
	if !s.sleep.at.IsZero() && !now.Before(s.sleep.at) {
		s.sleep = sleep{}
		s.pause(now)
	}
	if !s.forget.IsZero() && !now.Before(s.forget) {
		s.problem, s.forget = nil, time.Time{}
	}
}
