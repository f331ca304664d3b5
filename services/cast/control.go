package cast

import (
	"fmt"
	"time"

	"manofwar/internal/media"
	"manofwar/services/cast/api"
	"manofwar/services/cast/queue"
)

// againAfter is how far into an entry "previous" begins it anew instead of going back.
const againAfter = 3 * time.Second

// control presses a button. The error wraps [media.ErrInvalid] or [media.ErrNotFound].
func (s *session) control(c api.Control, now time.Time) error {
	if c.Do == "jump" {
		return s.jump(queue.ParseKey(c.Key), now)
	}
	if c.Key != "" && c.Key != s.now.entry.Key.String() {
		return nil // somebody else was first
	}
	do := c.Do
	if do == "toggle" {
		do = "play"
		if s.want {
			do = "pause"
		}
	}
	switch do {
	case "play":
		s.play(now)
	case "pause":
		s.pause(now)
	case "next":
		s.skip(now)
	case "previous":
		s.back(now)
	case "seek":
		return s.seek(c, now)
	case "stop":
		s.stop(now)
	default:
		return invalid("do", "expected play, pause, toggle, next, previous, seek, jump or stop")
	}
	return nil
}

func (s *session) play(now time.Time) {
	if s.queue.Len() == 0 || s.want && !s.over {
		return
	}
	if s.over || s.parked {
		s.again(now)
	}
	s.want, s.over, s.parked = true, false, false
	s.clear()
}

// clear forgets what has gone wrong: somebody wants it tried again.
func (s *session) clear() { s.problem, s.failed = nil, failures{} }

func (s *session) pause(now time.Time) {
	s.freeze(now)
	s.want = false
}

// stop has the renderer let go of the entry, which stands at its beginning.
func (s *session) stop(now time.Time) {
	s.want, s.over, s.next = false, true, nil
	if e, ok := s.queue.Current(); ok {
		s.begin(e, 0, now)
	}
}

// skip goes to the following entry, which plays if this one did.
func (s *session) skip(now time.Time) {
	if step, ok := s.queue.Following(s.bad(now)); ok {
		s.take(step, now)
		s.over = false
	} else if s.queue.Len() > 0 {
		s.finish(now)
	}
}

func (s *session) back(now time.Time) {
	if s.position(now) > againAfter || !s.queue.Previous() {
		s.seekTo(0, now)
		return
	}
	e, _ := s.queue.Current()
	s.begin(e, 0, now)
	s.over = false
}

func (s *session) jump(k queue.Key, now time.Time) error {
	if !s.queue.Jump(k) {
		return &media.Error{Op: "jump to", Path: "key", Err: media.ErrNotFound, Hint: "Somebody has taken it out of the queue."}
	}
	e, _ := s.queue.Current()
	s.begin(e, 0, now)
	s.want, s.over, s.parked = true, false, false
	s.clear()
	return nil
}

// maxPosition is longer than anything that is played.
const maxPosition = media.Duration(1000 * time.Hour)

func (s *session) seek(c api.Control, now time.Time) error {
	if c.To != nil && (*c.To < 0 || *c.To > maxPosition) || c.By < -maxPosition || c.By > maxPosition {
		return invalid("to", "not a place in anything")
	}
	to := s.position(now) + time.Duration(c.By)
	if c.To != nil {
		to = time.Duration(*c.To)
	}
	s.seekTo(to, now)
	return nil
}

func (s *session) seekTo(to time.Duration, now time.Time) {
	if s.queue.Len() == 0 {
		return
	}
	to = max(to, 0)
	if d := s.now.duration; d > 0 {
		to = min(to, d)
	}
	s.now.seek.Number++
	s.now.seek.To = media.Duration(to)
	s.now.begun = to
	s.now.at = anchor{position: to, time: now}
	if s.want {
		s.now.state = api.Loading
	}
}

// change alters what the session has to say about. The volume is the renderer's.
func (s *session) change(c api.Change, now time.Time) error {
	if err := checkChange(c); err != nil {
		return err
	}
	if c.Speed != nil {
		s.freezeAt(now)
		s.speed = *c.Speed
	}
	if c.Audio != nil {
		s.now.audio = c.Audio
	}
	if c.Subtitle != nil {
		s.now.subtitle = c.Subtitle
	}
	if c.Repeat != nil {
		s.queue.SetRepeat(*c.Repeat)
	}
	if c.Shuffle != nil {
		s.queue.Shuffle(*c.Shuffle)
	}
	if c.Sleep != nil {
		s.sleep.set(time.Duration(*c.Sleep), now)
	}
	if c.SleepEnd != nil {
		s.sleep.end = *c.SleepEnd
	}
	return nil
}

// freezeAt begins a new stretch of the position, which goes on at another rate.
func (s *session) freezeAt(now time.Time) {
	s.now.at.position, s.now.at.time = s.position(now), now
}

const (
	minSpeed  = 0.5
	maxSpeed  = 2.0
	maxStream = 1000
	maxSleep  = media.Duration(24 * time.Hour)
)

func checkChange(c api.Change) error {
	switch {
	case c.Volume != nil && (*c.Volume < 0 || *c.Volume > 100):
		return invalid("volume", "expected 0 to 100")
	case c.Speed != nil && !(*c.Speed >= minSpeed && *c.Speed <= maxSpeed): // NaN is neither
		return invalid("speed", fmt.Sprintf("expected %v to %v", minSpeed, maxSpeed))
	case c.Audio != nil && (*c.Audio < -1 || *c.Audio > maxStream):
		return invalid("audio", "expected the number of a stream, or -1 for none")
	case c.Subtitle != nil && (*c.Subtitle < -1 || *c.Subtitle > maxStream):
		return invalid("subtitle", "expected the number of a stream, or -1 for none")
	case c.Repeat != nil && *c.Repeat != api.RepeatOff && *c.Repeat != api.RepeatAll && *c.Repeat != api.RepeatOne:
		return invalid("repeat", "expected off, all or one")
	case c.Sleep != nil && (*c.Sleep < 0 || *c.Sleep > maxSleep):
		return invalid("sleep", "expected up to 24 hours")
	}
	return nil
}

// edit alters the queue. The items of add and next were found already.
func (s *session) edit(e api.Edit, ids []media.ID, now time.Time) error {
	empty := s.queue.Len() == 0
	keys := make([]queue.Key, len(e.Keys))
	for i, k := range e.Keys {
		keys[i] = queue.ParseKey(k)
	}
	switch e.Do {
	case "add", "next":
		if len(ids) > s.queue.Room() {
			return &media.Error{
				Op: "add to", Path: "the queue", Err: media.ErrFull,
				Hint: fmt.Sprintf("A queue holds %d entries. Take some out first.", api.MaxQueue),
			}
		}
		if err := s.adopt(e.Links); err != nil {
			return err
		}
		if e.Do == "add" {
			s.queue.Add(ids)
		} else {
			s.queue.Insert(ids)
		}
	case "move":
		s.queue.Move(keys, queue.ParseKey(e.Before))
	case "remove":
		if replaced, over := s.queue.Remove(keys); replaced {
			s.replaced(over, now)
		}
	case "clear":
		s.queue.Clear()
	default:
		return invalid("do", "expected add, next, move, remove or clear")
	}
	if first, ok := s.queue.Current(); ok && empty {
		s.begin(first, 0, now)
		s.over = true // it plays when somebody says so
	}
	return nil
}

// replaced goes on with what is current now that the entry that was played has been taken out.
func (s *session) replaced(over bool, now time.Time) {
	e, ok := s.queue.Current()
	if over || !ok {
		s.finish(now)
		return
	}
	s.begin(e, 0, now)
}

func invalid(field, why string) error {
	return &media.Error{Op: "read", Path: field, Err: fmt.Errorf("%w: %s", media.ErrInvalid, why)}
}
