package player

import (
	"context"
	"time"
)

// openEvery is how often an item is opened at most, however fast somebody seeks.
const openEvery = 120 * time.Millisecond

// open starts to open an entry, in place of what was opened of it before. Attempts follow each other slowly.
func (e *Engine) open(n *entry) {
	e.drop(n)
	n.revive()
	if due := n.spawned.Add(openEvery); e.now.Before(due) {
		n.due = due
		return
	}
	n.opening, n.spawned, n.due = true, e.now, time.Time{}
	ctx, cancel := context.WithCancel(e.ctx)
	n.stop = cancel
	o := opened{entry: n, attempt: n.attempt, cancel: cancel, info: n.info, ctx: ctx}
	job := *n // for the opener, which must not see what the engine changes meanwhile
	c := e.conditions(n)
	e.wg.Go(func() {
		o.run(e.opt.Decoder, &job, c)
		if !e.post(func() { e.handle(report{kind: itemOpened, open: &o}) }) {
			o.discard()
		}
	})
}

// opened is what came of opening an entry.
type opened struct {
	entry   *entry
	attempt int
	ctx     context.Context
	cancel  context.CancelFunc
	info    *Info
	req     Request
	stream  Stream
	err     error
	ahead   time.Duration
}

// run looks at the source, if nobody has yet, and opens it.
func (o *opened) run(d Decoder, n *entry, c conditions) {
	if o.info == nil {
		info, err := d.Probe(o.ctx, Source{Path: n.item.Path, URL: n.item.URL})
		if err != nil {
			o.err = err
			return
		}
		o.info = &info
	}
	if o.req, o.err = n.request(o.info, c); o.err == nil {
		o.stream, o.err = d.Open(o.ctx, o.req)
	}
	o.ahead = soundAhead + c.crossfade + c.offset
}

// discard lets go what nobody wants any more.
func (o *opened) discard() {
	o.cancel()
	if o.stream != nil {
		_ = o.stream.Close() // it was never read
	}
}

// drop ends what was begun of an entry; it is let go behind the engine's back, as that may take a moment.
func (e *Engine) drop(n *entry) {
	if n == nil {
		return
	}
	n.attempt++
	n.due, n.opening = time.Time{}, false
	if n.stop != nil {
		n.stop()
		n.stop = nil
	}
	if t := n.track; t != nil {
		n.track = nil
		e.wg.Go(t.close)
	}
}

// conditions returns what an opener of the entry has to know.
func (e *Engine) conditions(n *entry) conditions {
	card := e.outputs.choose(e.settings.Card)
	known := make(map[wish]SoundFormat, len(e.outputs.formats))
	for k, v := range e.outputs.formats {
		known[k] = v
	}
	o := outputs{formats: known}
	c := conditions{
		screen: e.outputs.screen, seen: e.outputs.seen, speed: e.speed, pass: e.settings.Passthrough,
		becomes: func(want SoundFormat) SoundFormat { return o.becomes(card, want) }, crossfade: time.Duration(e.settings.Crossfade),
		offset: max(0, e.offset()),
	}
	if n == e.next && c.crossfade > 0 && e.current.track != nil && !n.wantsVideo() && !e.current.wantsVideo() {
		like := e.current.track.req
		c.like = &like
	}
	return c
}

// itemOpened makes a track of what was opened.
func (e *Engine) itemOpened(o *opened) {
	n := o.entry
	if n.attempt != o.attempt || n != e.current && n != e.next {
		e.wg.Go(o.discard)
		return
	}
	n.opening = false
	if o.info != nil {
		n.info = o.info
		n.settle(o.info)
	}
	if o.err != nil {
		e.wg.Go(o.discard)
		e.fail(n, o.err)
		return
	}
	n.stop = nil
	n.track = e.newTrack(o)
	if !n.wantsVideo() || n.track.pool == nil || !e.settings.MatchRate || n.began {
		return
	}
	if m, worth := modeFor(e.outputs.screen, o.info.Rate); worth && n == e.current {
		e.mode, e.shifting, e.film = m, true, nil
	} else if worth {
		n.alone = true
	}
}

func (e *Engine) newTrack(o *opened) *track {
	t := &track{
		entry: o.entry, req: o.req, speed: max(o.req.Speed, 0.01), gain: o.info.Gain, album: o.entry.item.Album, cancel: o.cancel, drawn: make(chan struct{}),
		wake: func() { e.deck.fed(); e.projector.fed() },
		read: func() { e.post(func() {}) },
	}
	if o.req.Audio != None {
		ch := o.req.Channels
		if o.req.Pass {
			ch = 1 // one of the decoder's samples is a pair
		}
		t.sound = newSoundQueue(o.req.Rate, ch, t.speed, o.ahead)
	}
	if l, ok := o.stream.(Lender); ok && o.req.Video != None {
		e.retirePool() // the hardware has its own
		t.pool = lent{l}
	} else if o.req.Video != None {
		if !e.pool.fits(o.req.Format, o.req.Width, o.req.Height) {
			e.retirePool()
			e.pool = newPool(e.opt.Display, o.req.Format, o.req.Width, o.req.Height)
		}
		t.pool = e.pool
	}
	if c := e.current; c != nil && o.entry == e.next && c.track != nil {
		t.after = c.track.drawn
	}
	t.start(o.ctx, o.stream)
	return t
}

// retirePool makes room for another one. The film that is seen may still decode into it.
func (e *Engine) retirePool() {
	c, old := e.current, e.pool
	if c == nil || c.track == nil || old == nil || c.track.pool != frames(old) {
		e.releasePool()
		return
	}
	drawn := c.track.drawn
	e.pool = nil
	e.wg.Go(func() { <-drawn; old.close() })
}

// releasePool frees the frames of the last film, behind the engine's back.
func (e *Engine) releasePool() {
	if e.pool != nil {
		e.wg.Go(e.pool.close)
		e.pool = nil
	}
}
