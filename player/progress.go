package player

import (
	"cmp"
	"errors"
	"image"
	"reflect"
	"time"

	"manofwar/internal/media"
	"manofwar/player/api"
)

// How items follow each other.
const (
	openAhead    = 10 * time.Second      // before its turn the next item is opened
	mayFail      = 3                     // items in a row before playback stops
	forgiven     = 5 * time.Second       // after which an earlier failure does not count for what is loaded
	shownFor     = 10 * time.Second      // a problem is told at least, while others play
	mayRefuse    = 3                     // forms of an item that a card refuses before it is left out
	hopeFor      = 5 * time.Second       // an item that breaks off again sooner is damaged
	mostPatience = 30 * time.Second      // for what does not come
	cueTick      = 20 * time.Millisecond // subtitles change at most
	retryEvery   = 5 * time.Second       // a card that did not work is tried again
)

// reopen lets the current item go on at another place, or in another way.
func (e *Engine) reopen(at time.Duration) {
	e.current.from, e.current.since = at, time.Time{}
	if e.next != nil { // part of it may have been written already
		e.drop(e.next)
		e.next.revive()
	}
	e.open(e.current)
}

// revive lets a dropped entry be opened again.
func (n *entry) revive() { n.track, n.began, n.dry = nil, false, false }

// handle takes note of what the deck, the projector or an opener has to say.
func (e *Engine) handle(r report) {
	c := e.current
	mine := c != nil && r.track != nil && r.track == c.track
	switch r.kind {
	case itemOpened:
		e.itemOpened(r.open)
	case trackBegan:
		e.trackBegan(r.track)
	case trackEnded:
		if mine {
			e.trackEnded()
		}
	case trackRefused:
		if mine {
			e.trackRefused(r)
		}
	case trackWaits, trackRuns:
		if mine {
			c.dry = r.kind == trackWaits
		}
	case trackPlaced, trackRested, trackRead:
		e.urgent = e.urgent || mine && r.kind != trackRead
	case cardOpened:
		e.outputs.card, e.outputs.form, e.outputs.missing = r.card, r.form, nil
	case cardGone:
		e.outputs.card, e.outputs.form = Card{}, SoundFormat{}
		e.outputs.missing = noSound(e.settings.Card, e.outputs.cards, e.now)
		e.outputs.retry = e.now.Add(retryEvery)
	case modeSet:
		e.shifting = false
		e.outputs.look(e.opt)
	}
}

// trackBegan notes that a track is heard: the current one, or the next one because the current one is over.
func (e *Engine) trackBegan(t *track) {
	if n := e.next; n != nil && n.track == t {
		e.finish()
		e.current, e.next = n, nil
	}
	if c := e.current; c != nil && c.track == t {
		if !c.played {
			e.measureAnew()
		}
		c.began, c.played, c.dry = true, true, false
		e.failures = 0
		if p := e.problem; p != nil && e.now.Sub(p.At) > shownFor {
			e.problem = nil
		}
	}
}

// measureAnew forgets how well pictures and sound kept together until now.
func (e *Engine) measureAnew() {
	e.projector.sync.reset()
	e.deck.underruns.Store(0)
}

// finish tells that the current item is over, and lets go of it.
func (e *Engine) finish() {
	c := e.current
	if t := c.track; t != nil && t.failure() != nil {
		e.opt.Log.Warn("item broke off", "item", nameOf(&c.item), "err", t.failure())
		e.problem = brokeOff(&c.item, t.failure(), e.now)
		e.ended(c, "problem", e.problem)
	} else {
		e.ended(c, "finished", nil)
	}
	e.drop(c)
}

// trackEnded goes on after the current item has ended without a joint.
//
// One that broke off is tried once more where it was: that its decoder died, or a network failed, need not be its fault.
func (e *Engine) trackEnded() {
	c := e.current
	if e.goInSoftware(c) {
		return
	}
	err, at := c.track.failure(), e.position()
	something := c.played || !c.track.empty() || c.track.req.From > 0
	switch {
	case err != nil && !c.track.empty() && at >= c.broke+hopeFor:
		e.opt.Log.Warn("item broke off", "item", nameOf(&c.item), "at", at, "err", err)
		c.broke = at
		e.reopen(at)
	case err == nil && something, err != nil && c.played:
		e.finish()
		e.proceed()
	default:
		e.fail(c, cmp.Or(err, media.ErrCorrupt))
	}
}

// goWithoutPictures goes on with the sound of a film for whose pictures there is no memory. Its decoder waits for somebody
// to take them.
func (e *Engine) goWithoutPictures(c *entry) {
	if c.track == nil || !errors.Is(c.track.failure(), errNoFrame) {
		return
	}
	e.opt.Log.Warn("no pictures", "item", nameOf(&c.item), "err", c.track.failure())
	c.unseen = true
	e.reopen(e.position())
}

// goInSoftware opens an item again, at the same place, whose pictures the hardware does not decode. It reports whether it
// did.
func (e *Engine) goInSoftware(n *entry) bool {
	if n == nil || n.track == nil || n.soft || !errors.Is(n.track.failure(), ErrHardware) {
		return false
	}
	e.opt.Log.Warn("pictures are decoded by software", "item", nameOf(&n.item), "err", n.track.failure())
	n.soft, n.spawned = true, time.Time{}
	if n == e.current {
		e.reopen(e.position())
		return true
	}
	e.drop(n)
	n.revive()
	return true
}

// fail leaves an entry out.
func (e *Engine) fail(n *entry, err error) {
	e.opt.Log.Warn("item left out", "item", nameOf(&n.item), "err", err)
	e.problem = problemOf(&n.item, err, e.now)
	e.failures++
	e.failedAt = e.now
	e.ended(n, "problem", e.problem)
	e.drop(n)
	if n == e.next {
		e.next = nil
		return
	}
	e.proceed()
}

// proceed plays the next item, unless too many have failed.
func (e *Engine) proceed() {
	switch {
	case e.failures >= mayFail:
		e.halt()
		e.problem = tooManyFailures(e.now)
	case e.next == nil:
		e.halt()
	default:
		e.current, e.next = e.next, nil
		if c := e.current; c.track == nil && !c.opening {
			e.open(c)
		} else if c.alone && c.track != nil {
			if m, worth := modeFor(e.outputs.screen, c.info.Rate); worth {
				e.mode, e.shifting = m, true
			}
		}
	}
}

// trackRefused opens the current item in a form that the card takes.
func (e *Engine) trackRefused(r report) {
	c := e.current
	want := r.track.form()
	if want.Sample == IEC {
		c.packed = false
	} else {
		e.outputs.formats[wish{e.outputs.choose(e.settings.Card), want}] = r.form
	}
	if c.refused++; c.refused > mayRefuse {
		e.fail(c, media.ErrUnsupported)
		return
	}
	c.spawned = time.Time{}
	e.reopen(e.position())
}

// ended tells that an item is over.
func (e *Engine) ended(n *entry, reason string, p *api.Problem) {
	if n == nil || e.opt.Ended == nil {
		return
	}
	at := n.from
	if n == e.current {
		if at = e.position(); reason == "finished" && n.duration() > 0 {
			at = n.duration()
		}
	}
	end := api.Ended{Key: n.item.Key, Reason: reason, At: duration(at), Problem: p}
	e.teller.tell(func() { e.opt.Ended(end) })
}

// advance does what the time is ripe for, and returns when to come back.
func (e *Engine) advance() time.Duration {
	wait := never
	c := e.current
	if (c == nil || !c.wantsVideo()) && (e.next == nil || !e.next.wantsVideo()) {
		e.releasePool()
	}
	if c == nil {
		e.showCues(nil)
		return wait
	}
	e.goWithoutPictures(c)
	e.goInSoftware(c)
	e.goInSoftware(e.next)
	patience := e.patience(c)
	if patience <= 0 {
		e.fail(c, errSilent)
		return 0
	}
	wait = min(wait, patience)
	wait = min(wait, e.pursuit.rest(e.now))
	if !c.due.IsZero() {
		if c.due.After(e.now) {
			wait = min(wait, c.due.Sub(e.now))
		} else {
			e.open(c)
		}
	}
	if n := e.next; n != nil && n.track == nil && !n.opening && c.track != nil && e.failures < mayFail {
		if ahead := e.untilNext(c); ahead <= 0 {
			e.open(n)
			if !n.due.IsZero() {
				wait = min(wait, n.due.Sub(e.now))
			}
		} else if !e.paused {
			wait = min(wait, ahead)
		}
	}
	if e.outputs.missing != nil && len(e.outputs.cards) > 0 {
		if left := e.outputs.retry.Sub(e.now); left > 0 {
			wait = min(wait, left)
		} else {
			e.outputs.cardChanges++
			e.outputs.retry = e.now.Add(retryEvery)
			wait = min(wait, retryEvery)
		}
	}
	return min(wait, e.subtitle(c))
}

// patience returns how much longer an item is waited for that is being opened, or that ran dry.
func (e *Engine) patience(c *entry) time.Duration {
	if e.state(c) != api.Loading {
		c.since = time.Time{}
		return never
	}
	if c.since.IsZero() {
		c.since = e.now
	}
	return c.since.Add(mostPatience).Sub(e.now)
}

// untilNext returns how long the next item need not be opened yet.
func (e *Engine) untilNext(c *entry) time.Duration {
	if c.track.decoded() {
		return 0
	}
	if c.duration() == 0 {
		return never
	}
	left := time.Duration(float64(c.duration()-e.position()) / e.speed)
	return left - openAhead - time.Duration(e.settings.Crossfade)
}

// subtitle shows the cues of this moment, and returns when that changes.
func (e *Engine) subtitle(c *entry) time.Duration {
	if c.track == nil || c.track.req.Subtitle == None {
		e.showCues(nil)
		return never
	}
	at := e.position()
	cues, change := c.track.cuesAt(at)
	for i := range cues {
		e.place(&cues[i], c.track.req)
	}
	e.showCues(cues)
	if change == 0 || e.paused {
		return never
	}
	return max(cueTick, time.Duration(float64(change-at)/e.speed))
}

// place lays a cue that is a picture on the screen, whose mode is then its canvas.
func (e *Engine) place(c *Cue, r Request) {
	if c.Image == nil || r.Video == None || !e.outputs.seen || c.Canvas.X <= 0 || c.Canvas.Y <= 0 {
		return
	}
	st, mode := r.Info.Streams[r.Video], e.outputs.screen.Mode
	on := canvas(fit(e.outputs.screen, image.Pt(r.Width, r.Height), r.Info.Aspect), image.Pt(st.Width, st.Height), c.Canvas)
	onto := func(p image.Point) image.Point {
		return on.Min.Add(image.Pt(p.X*on.Dx()/c.Canvas.X, p.Y*on.Dy()/c.Canvas.Y))
	}
	c.At, c.Canvas = image.Rectangle{onto(c.At.Min), onto(c.At.Max)}, image.Pt(mode.Width, mode.Height)
}

func (e *Engine) showCues(cues []Cue) {
	if reflect.DeepEqual(cues, e.cues) {
		return
	}
	e.cues = cues
	if e.opt.Cues != nil {
		e.teller.tell(func() { e.opt.Cues(cues) })
	}
}
