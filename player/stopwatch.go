package player

import "time"

// stopwatch stands in for a sound card where there is none, or where an item has no sound: it takes what is written,
// lets nobody hear it, and keeps time by the monotonic clock. It is for one goroutine.
type stopwatch struct {
	rate    int
	running bool
	at      time.Time
	base    int64 // heard at that time
	written int64
}

// stopwatchBuffer is how much of a second it holds.
const stopwatchBuffer = time.Second / 4

func (s *stopwatch) Buffer() int {
	return int(stopwatchBuffer * time.Duration(s.rate) / time.Second)
}

// take counts n frames as written.
func (s *stopwatch) take(n int) error {
	if _, err := s.Status(); err != nil {
		return err
	}
	s.written += int64(n)
	return nil
}

func (s *stopwatch) Start() error {
	if !s.running {
		s.at, s.running = time.Now(), true
	}
	return nil
}

// Status counts on as a card does, and runs dry as one.
func (s *stopwatch) Status() (SoundStatus, error) {
	now := time.Now()
	if !s.running {
		return SoundStatus{At: now, Heard: s.base, Written: s.written}, nil
	}
	heard := s.base + int64(now.Sub(s.at).Seconds()*float64(s.rate))
	if heard >= s.written {
		_ = s.Drop()
		return SoundStatus{}, ErrUnderrun
	}
	return SoundStatus{At: now, Heard: heard, Written: s.written}, nil
}

func (s *stopwatch) Drop() error {
	*s = stopwatch{rate: s.rate}
	return nil
}
