package player

import (
	"maps"
	"time"

	"manofwar/internal/media"
	"manofwar/player/api"
)

// Load plays something else.
func (e *Engine) Load(l api.Load) {
	e.do(func() {
		e.ended(e.current, "replaced", nil)
		e.drop(e.current)
		e.drop(e.next)
		e.next = nil
		if e.now.Sub(e.failedAt) > forgiven {
			e.failures = 0
		}
		e.problem, e.paused, e.pursuit = nil, l.Paused, pursuit{}
		e.current = newEntry(l.Item)
		if l.Next != nil {
			e.next = newEntry(*l.Next)
		}
		e.measureAnew()
		e.open(e.current)
	})
}

// SetNext says what follows the current item; nil: nothing. While nothing is loaded it does nothing.
func (e *Engine) SetNext(it *api.Item) {
	e.do(func() {
		switch n := e.next; {
		case e.current == nil:
		case it == nil:
			e.drop(n)
			e.next = nil
		case n != nil && n.item.Key == it.Key && n.item.Path == it.Path && n.item.URL == it.URL && n.item.Start == it.Start:
			n.item = *it
		default:
			e.drop(n)
			e.next = newEntry(*it)
		}
	})
}

// Play goes on.
func (e *Engine) Play() { e.do(func() { e.paused = e.paused && e.current == nil }) }

// Pause waits where the current item is.
func (e *Engine) Pause() { e.do(func() { e.paused = e.current != nil }) }

// Stop forgets what is loaded.
func (e *Engine) Stop() {
	e.do(func() {
		e.ended(e.current, "stopped", nil)
		e.halt()
		e.problem = nil
	})
}

// halt forgets what is loaded.
func (e *Engine) halt() {
	e.drop(e.current)
	e.drop(e.next)
	e.current, e.next, e.paused = nil, nil, false
}

// Seek moves in the current item. One that follows another before that was carried out moves from where that one leads.
func (e *Engine) Seek(s api.Seek) {
	e.do(func() {
		if e.current == nil {
			return
		}
		to := e.position() + time.Duration(s.By)
		if s.To != nil {
			to = time.Duration(*s.To)
		}
		e.pursuit = pursuit{}
		e.reopen(e.current.clamp(to))
	})
}

// Change alters what is not nil. What does not fit the current item is left alone.
func (e *Engine) Change(c api.Change) {
	e.do(func() {
		if c.Volume != nil {
			e.volume = min(max(*c.Volume, 0), 100)
		}
		if c.Muted != nil {
			e.muted = *c.Muted
		}
		again := false
		if c.Speed != nil {
			if s := min(max(*c.Speed, 0.5), 2); s == s && s != e.speed { //nolint:staticcheck // not a number is no speed
				e.speed, again = s, true
			}
		}
		if e.current == nil {
			return
		}
		again = e.current.choose(media.Audio, c.Audio) || again
		again = e.current.choose(media.Subtitle, c.Subtitle) || again
		if again {
			e.reopen(e.position())
		}
	})
}

// Set takes over the owner's choices.
func (e *Engine) Set(s api.Settings) {
	e.do(func() {
		passed := e.settings.Passthrough
		e.settings = sane(s)
		if c := e.current; c != nil && passed != e.settings.Passthrough && c.info != nil && passable(c.info, c.audio) {
			e.reopen(e.position())
		}
	})
}

// The bounds of the settings.
const (
	maxCrossfade = 12 * time.Second
	mostOffset   = 2 * time.Second
	leastOffset  = -250 * time.Millisecond // pictures can be kept back no further than there are frames
)

// sane returns settings within their bounds.
func sane(s api.Settings) api.Settings {
	s.Crossfade = min(max(s.Crossfade, 0), media.Duration(maxCrossfade))
	within := func(d media.Duration) media.Duration {
		return min(max(d, media.Duration(leastOffset)), media.Duration(mostOffset))
	}
	s.Offset, s.Offsets = within(s.Offset), maps.Clone(s.Offsets)
	for card, d := range s.Offsets {
		s.Offsets[card] = within(d)
	}
	return s
}
