package cast

import (
	"time"

	"manofwar/services/cast/api"
	"manofwar/services/cast/queue"
	"manofwar/services/cast/renderer"
)

// reported takes in what the renderer does.
func (s *session) reported(r renderer.Report, now time.Time) {
	if e := r.Ended; e != nil {
		s.ended(*e, now)
	}
	switch {
	case r.Taken:
		s.park(now)
		return
	case r.Pressed != "":
		_ = s.control(api.Control{Do: r.Pressed}, now) // a key that means nothing here is passed over
		return
	case s.parked || s.over || r.Key == "":
		return
	case s.next != nil && r.Key == s.next.key:
		s.arrived(now)
	case r.Key != s.now.key:
		return // it has not followed the last order yet
	}
	if r.Play != nil && *r.Play != s.want {
		s.freeze(now)
		s.want = *r.Play
	}
	s.observe(r, now)
}

// arrived notes that the renderer has gone on by itself.
func (s *session) arrived(now time.Time) {
	s.take(s.next.step, now)
	s.flows = true
}

// observe learns how the current playing goes.
func (s *session) observe(r renderer.Report, now time.Time) {
	if r.Duration > 0 {
		s.now.duration = r.Duration
	}
	if t := r.Tracks; t != nil {
		if was := s.now.tracks; was != nil {
			s.now.audio = overruled(s.now.audio, was.Audio, t.Audio)
			s.now.subtitle = overruled(s.now.subtitle, was.Subtitle, t.Subtitle)
		}
		s.now.tracks = t
	}
	s.now.lacks = r.Lacks
	if r.Problem != nil {
		s.freeze(now)
		s.want, s.problem, s.forget = false, r.Problem, time.Time{}
	}
	if r.Seek < s.now.seek.Number || r.State == api.Loading {
		s.freeze(now)
		s.now.state = api.Loading
		return
	}
	s.now.state = r.State
	s.now.at = anchor{position: r.Position, time: r.At}
	if r.State == api.Playing {
		s.now.at.rate = r.Speed
		if s.problem != nil && s.forget.IsZero() {
			s.forget = now.Add(forgetAfter)
		}
	}
	if !s.want { // it may take a moment to pause
		s.freeze(now)
	}
}

// overruled returns the choice of a track that holds now that the renderer has gone from one to another: somebody at the
// renderer itself may have made another.
func overruled(chosen *int, was, is int) *int {
	if chosen != nil && *chosen == was && is != was {
		return &is
	}
	return chosen
}

// ended goes on after a playing is over.
func (s *session) ended(e renderer.Ended, now time.Time) {
	if s.parked || s.over {
		return
	}
	switch {
	case e.Problem != nil:
		s.fail(e.Key, *e.Problem, now)
	case e.Key != s.now.key:
	case e.Stopped:
		s.now.at = anchor{position: e.At, time: now}
		s.park(now)
	default:
		s.finished(now)
	}
}

// finished goes on after the current entry was played to its end.
func (s *session) finished(now time.Time) {
	asleep := s.sleep.end
	s.sleep.end = false
	s.failed.count = 0
	step, ok := s.queue.Next(s.bad(now))
	if !ok {
		s.finish(now)
		return
	}
	prepared := s.next != nil && s.next.entry == step.Entry
	s.take(step, now)
	s.flows = prepared
	if asleep {
		s.want = false
	}
}

// fail leaves out what cannot be played, be it the current playing or the one that would follow. After too many in a row
// the session stops where it was when they began.
func (s *session) fail(key string, p api.Problem, now time.Time) {
	switch {
	case key == s.now.key:
		if s.position(now)-s.now.begun > sound {
			s.failed.count = 0
		}
		if s.failed.count == 0 {
			s.failed.first, s.failed.at = s.now.entry, s.position(now)
		}
		s.failed.count++
		s.mark(s.now.entry.Key, p, s.failed.count, now)
		s.passOver(now)
	case s.next != nil && key == s.next.key:
		if s.failed.ahead == 0 {
			s.failed.then = s.next.entry
		}
		s.failed.ahead++
		s.mark(s.next.entry.Key, p, s.failed.ahead, now)
		s.next = nil
	}
}

// mark remembers what failed, and tells of it.
func (s *session) mark(k queue.Key, p api.Problem, left int, now time.Time) {
	if s.failed.bad == nil {
		s.failed.bad = make(map[queue.Key]time.Time)
	}
	s.failed.bad[k] = now.Add(badFor)
	p.Left = left
	p.At = now
	s.problem, s.forget = &p, time.Time{}
}

// passOver plays the next entry that may be tried, or gives up.
func (s *session) passOver(now time.Time) {
	if step, ok := s.queue.Following(s.bad(now)); ok && s.failed.count < min(maxFailures, s.queue.Len()) {
		s.take(step, now)
		return
	}
	first, at := s.failed.first, s.failed.at
	if !s.queue.Jump(first.Key) {
		first, _ = s.queue.Current()
		at = 0
	}
	s.begin(first, at, now)
	s.want, s.over = false, true
	s.failed = failures{}
}
