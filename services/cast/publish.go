package cast

import (
	"context"
	"encoding/json"
	"net/http"
	"time"

	"manofwar/internal/ipc"
	"manofwar/services/cast/api"
)

// pace is the least time between two words about the same session.
const pace = 100 * time.Millisecond

// stale is what has changed since it was last told or kept. The service's lock guards it, but for the channels.
type stale struct {
	sessions map[string]bool // to be told of; false: it has gone
	places   bool
	unsaved  bool

	tell  chan struct{} // there is something to tell; holds one
	met   chan struct{} // the other dongles are other than they were; holds one
	keep  chan struct{} // there is something to keep; holds one
	clock chan struct{} // something may be due at another time; holds one
}

func newStale() stale {
	return stale{
		sessions: make(map[string]bool),
		met:      make(chan struct{}, 1),
		tell:     make(chan struct{}, 1), keep: make(chan struct{}, 1), clock: make(chan struct{}, 1),
	}
}

func (s *stale) session(id string) { s.mark(id, true) }
func (s *stale) gone(id string)    { s.mark(id, false) }

func (s *stale) mark(id string, there bool) {
	s.sessions[id] = there
	s.unsaved = true
	tell(s.tell)
	tell(s.keep)
	tell(s.clock)
}

// dongles may be called by anybody: what it notes is in a channel.
func (s *stale) dongles() {
	tell(s.met)
	tell(s.tell)
}

func (s *stale) renderers() {
	s.places = true
	tell(s.tell)
}

// publish tells what has changed, at once and then at the pace, until ctx ends.
func (c *Service) publish(ctx context.Context) {
	last := make(map[string]gist)
	for {
		select {
		case <-ctx.Done():
			return
		case <-c.stale.tell:
		}
		for _, ev := range c.news(last) {
			c.events.Send(ev)
		}
		select {
		case <-c.stale.met:
			c.events.Send(event("devices", c.others()))
		default:
		}
		if !pause(ctx, pace) {
			return
		}
	}
}

// news returns what has not been told, and notes in last that it has.
func (c *Service) news(last map[string]gist) (all []ipc.Event) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.stale.places {
		c.stale.places = false
		all = append(all, event("renderers", c.renderers()))
	}
	now := time.Now()
	for id, there := range c.stale.sessions {
		s := c.sessions[id]
		if !there || s == nil {
			delete(last, id)
			all = append(all, event("gone", api.Gone{Stamp: c.stamp(), ID: id}))
			continue
		}
		told := c.snapshot(s, now)
		if g := gistOf(s, told); !g.same(last[id], now) {
			last[id] = g
			all = append(all, event("session", told))
		}
	}
	clear(c.stale.sessions)
	return all
}

// first is what a listener has to know to understand the news.
func (c *Service) first() []ipc.Event {
	devices := c.others()
	c.mu.Lock()
	defer c.mu.Unlock()
	return []ipc.Event{event("renderers", c.renderers()), event("sessions", c.list(time.Now())), event("devices", devices)}
}

func (c *Service) getEvents(w http.ResponseWriter, r *http.Request) {
	c.events.ServeFrom(w, r, c.first)
}

// gist is what has to differ for a session to be news: all but the passing of time.
type gist struct {
	words string
	at    anchor
}

// near is how far the position may be from where it was expected without that being news.
const near = 60 * time.Millisecond

func gistOf(s *session, told api.Session) gist {
	told.Stamp, told.Position, told.At, told.Now = api.Stamp{}, 0, time.Time{}, time.Time{}
	at := s.now.at
	if s.state() != api.Playing {
		at.rate = 0
	}
	return gist{string(encode(told)), at}
}

func (g gist) same(other gist, now time.Time) bool {
	return g.words == other.words && g.at.rate == other.at.rate && (g.at.after(now)-other.at.after(now)).Abs() < near
}

func event(kind string, v any) ipc.Event { return ipc.Event{Kind: kind, Data: encode(v)} }

// encode returns v as JSON. What is told is made of values that always encode.
func encode(v any) []byte {
	data, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return data
}

// keepTime does what sessions have to do by themselves, until ctx ends.
func (c *Service) keepTime(ctx context.Context) {
	t := time.NewTimer(time.Hour)
	defer t.Stop()
	for {
		if d, ok := c.ticks(); ok {
			t.Reset(d)
		} else {
			t.Stop()
		}
		select {
		case <-ctx.Done():
			return
		case <-t.C:
		case <-c.stale.clock:
		}
	}
}

// ticks does what is due, and returns how long until more is; false: nothing is.
func (c *Service) ticks() (time.Duration, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := time.Now()
	var next time.Time
	for _, s := range c.sessions {
		at := s.due(now)
		if !at.IsZero() && (!at.After(now) || s.sleep.fade(now) < 1) {
			s.tick(now)
			c.settle(s, now)
			at = s.due(now)
		}
		if !at.IsZero() && (next.IsZero() || at.Before(next)) {
			next = at
		}
	}
	select {
	case <-c.stale.clock: // of what was done here
	default:
	}
	return max(0, next.Sub(now)), !next.IsZero()
}
