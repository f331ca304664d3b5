package cast

import (
	"fmt"
	"maps"
	"math"
	"time"

	"manofwar/internal/media"
	"manofwar/services/cast/api"
	"manofwar/services/cast/queue"
	"manofwar/services/cast/renderer"
)

// session is a queue and what becomes of it. It does nothing by itself: it is told of commands, of reports and of items
// that were looked up, and says what the renderer should do. The service's lock guards it.
type session struct {
	id    string
	place string // the ID of the renderer
	queue *queue.Queue
	used  time.Time // when somebody last had a wish

	want     bool     // it is to play
	over     bool     // the queue is, or nothing of it can be played
	with     []string // the IDs of the renderers that follow
	aligning bool     // they are being told where it is
	flows    bool     // it has gone on to what is played now by itself

	parked bool // nothing of it is at the renderer until somebody wants it to play: after a restart of the dongle, say

	links map[media.ID]api.Link // what of the queue is not in the library

	now   playing
	next  *playing
	plays uint64 // how many playings were begun
	speed float64
	sleep sleep

	problem *api.Problem
	forget  time.Time // when the problem has been there long enough; zero: not while nothing plays
	failed  failures
}

// playing is one playing of an entry.
type playing struct {
	lacks *api.Problem // at the renderer, that it plays without

	key   string // names it to the renderer
	entry queue.Entry
	step  queue.Step     // of what follows: how to get there
	item  *renderer.Item // nil: it is being looked up
	asked bool           // somebody looks it up, or has done so in vain
	media *media.Item    // what a person sees of it; nil: only its ID
	known chan struct{}  // closed once it was looked up
	given bool           // the renderer has it since before a restart, and may be at it

	seek     api.Seek
	begun    time.Duration // where it began
	state    api.State     // at the renderer
	at       anchor
	duration time.Duration
	tracks   *renderer.Tracks
	audio    *int // chosen by a person
	subtitle *int
}

// anchor is a place in an item at one moment, from which others follow.
type anchor struct {
	position time.Duration
	time     time.Time
	rate     float64 // 0: it stands
}

func (a anchor) after(now time.Time) time.Duration {
	if a.rate == 0 {
		return a.position
	}
	return max(0, a.position+time.Duration(float64(now.Sub(a.time))*a.rate))
}

// failures are entries that could not be played, one after the other.
type failures struct {
	count int
	first queue.Entry // what was to be played when it began
	at    time.Duration
	ahead int // of those to come, and the first of them
	then  queue.Entry
	bad   map[queue.Key]time.Time // until when not to try them again
}

// reach goes on to what follows: what was ahead is behind.
func (f *failures) reach() {
	if f.ahead > 0 {
		if f.count == 0 {
			f.first, f.at = f.then, 0
		}
		f.count += f.ahead
		f.ahead = 0
	}
}

const (
	// maxFailures is how many entries are left out in a row before the session stops: whoever pulled out the disk would
	// otherwise find the queue at its end.
	maxFailures = 20
	// badFor is how long an entry that failed is not tried again, unless somebody asks for it.
	badFor = 30 * time.Minute
	// sound is how much of an entry has to be heard for it to have played.
	sound = 5 * time.Second
	// forgetAfter is how long a problem is shown while something else plays.
	forgetAfter = 10 * time.Second
)

func newSession(id, place string, q *queue.Queue) *session {
	return &session{id: id, place: place, queue: q, speed: 1}
}

// begin makes entry what is played, from a place in it.
func (s *session) begin(entry queue.Entry, from time.Duration, now time.Time) {
	s.flows = false
	s.now = s.playing(entry)
	s.now.seek.To, s.now.begun = media.Duration(from), from
	s.now.at = anchor{position: from, time: now}
	s.next = nil
}

// playing returns a new playing of entry.
func (s *session) playing(entry queue.Entry) playing {
	s.plays++
	return playing{
		key: fmt.Sprintf("%s.%s.%d", s.id, entry.Key, s.plays), entry: entry,
		seek: api.Seek{Number: 1}, state: api.Loading, known: make(chan struct{}),
	}
}

// again begins the same once more where it is: the renderer has let go of it, or is another.
func (s *session) again(now time.Time) {
	was := s.now
	s.begin(was.entry, was.at.after(now), now)
	same := was.item != nil && was.item.Link == nil // a link is looked up anew: the place may be another, or its address
	if same {
		item := *was.item
		item.Key = s.now.key
		s.now.item, s.now.asked = &item, true
	}
	s.now.duration, s.now.media = was.duration, was.media
	if same {
		close(s.now.known)
	}
	s.now.audio, s.now.subtitle, s.now.tracks = was.audio, was.subtitle, was.tracks
}

// take goes to what follows, which may have been prepared already.
func (s *session) take(step queue.Step, now time.Time) {
	s.queue.Take(step)
	s.failed.reach()
	s.flows = false
	if n := s.next; n != nil && n.entry == step.Entry {
		s.now, s.next = *n, nil
		s.now.at = anchor{time: now}
		return
	}
	s.begin(step.Entry, 0, now)
}

// follow finds what comes next, so that the renderer can have it early. It is called after every change.
func (s *session) follow(now time.Time) {
	if s.sleep.end || s.over || s.parked || s.failed.ahead >= maxFailures {
		s.next = nil
		return
	}
	step, ok := s.queue.Next(s.bad(now))
	if !ok {
		s.next = nil
		return
	}
	if s.next == nil || s.next.entry != step.Entry {
		p := s.playing(step.Entry)
		s.next = &p
	}
	s.next.step = step
}

// bad returns what tells entries that are not to be tried now; nil: all are.
func (s *session) bad(now time.Time) func(queue.Key) bool {
	maps.DeleteFunc(s.failed.bad, func(_ queue.Key, until time.Time) bool { return !now.Before(until) })
	if len(s.failed.bad) == 0 {
		return nil
	}
	return func(k queue.Key) bool {
		_, bad := s.failed.bad[k]
		return bad
	}
}

// state is what a person is told that it does.
func (s *session) state() api.State {
	switch {
	case s.over:
		return api.Stopped
	case !s.want:
		return api.Paused
	case s.now.state == api.Playing:
		return api.Playing
	}
	return api.Loading
}

// position is where in the entry it is.
func (s *session) position(now time.Time) time.Duration {
	p := s.now.at.after(now)
	if d := s.now.duration; d > 0 {
		p = min(p, d)
	}
	return p
}

// freeze stops the position where it is.
func (s *session) freeze(now time.Time) {
	s.now.at = anchor{position: s.position(now), time: now}
}

// park has the renderer let go of it. It waits, paused, where it is.
func (s *session) park(now time.Time) {
	s.freeze(now)
	s.want, s.parked, s.next = false, true, nil
	s.now.state = api.Paused
}

// finish ends the queue: it stands at its beginning.
func (s *session) finish(now time.Time) {
	s.queue.Rewind()
	s.now = playing{}
	s.stop(now)
}

// order returns what the renderer should do at the level that it is set to; false: that is not known yet.
func (s *session) order(level renderer.Level, now time.Time) (renderer.Order, bool) {
	if s.parked || s.over {
		return renderer.Order{Level: level, Speed: 1}, true
	}
	if s.now.item == nil {
		return renderer.Order{}, false
	}
	if n := s.next; n != nil && n.given && n.item == nil { // an order without it would have a renderer go back that is at it
		return renderer.Order{}, false
	}
	o := renderer.Order{
		Entry: s.now.item, Play: s.want, Seek: s.now.seek, Speed: s.speed, Level: level,
		Audio: s.now.audio, Subtitle: s.now.subtitle,
	}
	if s.now.state != api.Loading { // it was followed: the place is for whoever has to begin anew
		o.Seek.To = media.Duration(s.position(now))
	}
	if s.next != nil {
		o.Next = s.next.item
	}
	if f := s.sleep.fade(now); f < 1 {
		o.Level.Volume = int(math.Round(float64(level.Volume) * f))
	}
	return o, true
}

// snapshot is the session as everybody sees it.
func (s *session) snapshot(level renderer.Level, now time.Time) api.Session {
	out := api.Session{
		ID: s.id, Renderer: s.place, State: s.state(), Index: s.queue.Index(), Total: s.queue.Len(), Revision: s.queue.Revision(),
		Position: media.Duration(s.position(now)), At: now, Now: now, Duration: media.Duration(s.now.duration),
		Speed: s.speed, Volume: level.Volume, Muted: level.Muted, Repeat: s.queue.Repeat(), Shuffle: s.queue.Shuffled(),
		Sleep: s.sleep.at, SleepEnd: s.sleep.end, Audio: -1, Subtitle: -1, Problem: s.problem,
	}
	if s.queue.Len() == 0 {
		return out
	}
	if out.Problem == nil {
		out.Problem = s.now.lacks
	}
	out.Entry = s.now.shown()
	if s.next != nil {
		out.Next = s.next.shown()
	}
	if it := s.now.media; it != nil {
		out.Streams = it.Streams
		if out.Duration == 0 {
			out.Duration = it.Duration
		}
	}
	if t := s.now.tracks; t != nil {
		out.Streams, out.Chapters, out.Audio, out.Subtitle = t.Streams, t.Chapters, t.Audio, t.Subtitle
	}
	if s.now.audio != nil {
		out.Audio = *s.now.audio
	}
	if s.now.subtitle != nil {
		out.Subtitle = *s.now.subtitle
	}
	return out
}

// shown is the entry as everybody sees it: with its ID alone until it was looked up.
func (p *playing) shown() *api.Entry {
	e := &api.Entry{Key: p.entry.Key.String(), Item: media.Item{ID: p.entry.ID}}
	if p.item != nil {
		e.Link = p.item.Link
	}
	if p.media != nil {
		e.Item = *p.media
	}
	return e
}
