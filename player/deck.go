package player

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"
)

// deck plays the sound of one track after the other and moves the [line]. It is told what should be so by an order, of
// which the latest counts, and tells what came of it by reports. One goroutine runs it; it is the only one that writes
// to the card.
//
// It keeps little queued in the card, and ends what is heard with a ramp and silence before it drops the rest: whatever
// is ordered is heard after the lead without a click.
type deck struct {
	sound  Sound
	log    *slog.Logger
	line   *line
	report func(report)
	wake   chan struct{}
	hungry atomic.Bool // it waits for a track's queues

	mu    sync.Mutex
	order order

	o         order // being carried out
	phase     phase
	started   bool   // the card runs
	hz        int    // the line's frames per second
	width     int    // its channels
	track     *track // being written; nil: none
	leaveAt   int64  // the line's frame at which a phase of leaving ends
	finished  *track // ends there
	done      *track // ended, and was reported
	starts    []mark // of tracks that are written but not heard yet
	cross     *crossfade
	samples   []float32 // mixed but not written
	scratch   []float32
	other     []float32
	bytes     []byte
	pack      packer
	bender    bender
	bent      float64
	volume    ramp
	fade      ramp
	lead      time.Duration
	underruns atomic.Int64

	card    string      // that was asked for
	opened  Card        // that was opened
	format  SoundFormat // that it takes
	wanted  SoundFormat // that was asked for
	open    bool
	silent  bool // the stopwatch stands in
	tried   int  // the order's count of changed cards when one was last tried
	watch   stopwatch
	base    int64 // the line's frame at which the card counts zero
	sent    int64 // frames written since
	heard   int64 // the line's frame that was heard last
	moved   time.Time
	looked  time.Time // when it was last listened to
	refused *track    // a track whose form the card does not take
}

// Of the card's buffer.
const (
	firstLead = 100 * time.Millisecond // that is queued
	mostLead  = 400 * time.Millisecond // after it ran dry again and again
	blockTime = 10 * time.Millisecond
	urgency   = 40 * time.Millisecond
	stuck     = 3 * time.Second // after which a card that does not move is taken for gone
)

func newDeck(s Sound, l *line, log *slog.Logger, report func(report)) *deck {
	d := &deck{sound: s, line: l, log: log, report: report, wake: make(chan struct{}, 1), lead: firstLead}
	d.hz, d.watch.rate, d.silent = l.rate, l.rate, true
	d.fade.jump(1)
	return d
}

// set replaces the order.
func (d *deck) set(o order) {
	d.mu.Lock()
	same := d.order == o
	d.order = o
	d.mu.Unlock()
	if !same {
		d.poke()
	}
}

func (d *deck) poke() {
	select {
	case d.wake <- struct{}{}:
	default:
	}
}

// fed says that a queue of a track has something new.
func (d *deck) fed() {
	if d.hungry.Load() {
		d.poke()
	}
}

// run plays until ctx ends.
func (d *deck) run(ctx context.Context) {
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for ctx.Err() == nil {
		timer.Reset(d.step(time.Now()))
		select {
		case <-ctx.Done():
		case <-d.wake:
		case <-timer.C:
		}
	}
	if d.open {
		_ = d.sound.Drop() // nobody is left to be told
	}
}

// step does what can be done now and returns when to come back, if nobody pokes before.
func (d *deck) step(now time.Time) time.Duration {
	d.mu.Lock()
	d.o = d.order
	d.mu.Unlock()
	d.hungry.Store(true)
	if d.started {
		d.listen(now)
	}
	if d.phase == running {
		d.obey()
	}
	if d.phase == leaving && d.heard >= d.leaveAt {
		d.rest()
	}
	if d.phase == still {
		if wait := d.begin(now); d.phase == still {
			return wait
		}
	}
	if d.fill(); d.phase == still {
		return time.Millisecond
	}
	wait := time.Duration(d.leadFrames()) * time.Second / time.Duration(4*d.hz)
	if at, ok := d.line.timeOf(d.leaveAt); ok && d.phase == leaving {
		wait = min(wait, max(time.Millisecond, time.Until(at)+time.Millisecond/2))
	}
	if d.phase == running && d.queued() >= d.leadFrames()/2 {
		d.hungry.Store(false)
	}
	return wait
}

// status asks the card, or the stopwatch.
func (d *deck) status() (SoundStatus, error) {
	if d.silent {
		return d.watch.Status()
	}
	return d.sound.Status()
}

// listen takes note of how far the card is.
func (d *deck) listen(now time.Time) {
	st, err := d.status()
	defer func() { d.looked = now }()
	switch {
	case err == nil:
		if heard := d.base + st.Heard; heard > d.heard || d.moved.IsZero() {
			d.moved = now
		} else if !d.silent && now.Sub(d.moved) > stuck {
			d.lose(now, errStuck)
			return
		}
		d.heard = d.base + st.Heard
		d.line.look(st.At, d.heard)
		d.pass()
	case errors.Is(err, ErrUnderrun):
		d.ranDry()
	default:
		d.lose(now, err)
	}
}

var errStuck = errors.New("the card does not move")

// pass reports the tracks that are heard now.
func (d *deck) pass() {
	for len(d.starts) > 0 && d.starts[0].frame <= d.heard {
		d.report(report{kind: trackBegan, track: d.starts[0].track})
		d.starts = d.starts[1:]
		d.finished = nil
	}
	d.line.forget(d.heard)
}

// ranDry goes on after an underrun: all that was written was heard, and the line waits there until there is enough to
// begin again. A card that runs dry gets more queued from then on.
func (d *deck) ranDry() {
	d.base += d.sent
	d.sent, d.heard = 0, d.base
	d.pass()
	d.line.stop(d.base)
	d.started = false
	if d.phase == leaving {
		d.heard = max(d.heard, d.leaveAt)
		d.pass()
		return
	}
	d.phase = still
	d.fade.jump(0)
	d.underruns.Add(1)
	d.lead = min(d.lead*3/2, mostLead)
	d.report(report{kind: trackWaits, track: d.track})
	d.log.Warn("sound ran dry", "decoded", d.track.ahead(), "unattended", time.Since(d.looked), "lead", d.lead)
}

// lose goes on without the card: the stopwatch takes over where it was.
func (d *deck) lose(now time.Time, err error) {
	d.log.Warn("sound card lost", "card", d.opened.ID, "err", err)
	d.open = false
	heard := min(max(d.base, int64(d.line.frameAt(now))), d.base+d.sent)
	d.watch = stopwatch{rate: d.hz, running: d.started, at: now, base: heard - d.base, written: d.sent}
	d.silent = true
	d.report(report{kind: cardGone, err: err})
}

// queued returns how many frames are written and not heard.
func (d *deck) queued() int64 {
	if !d.started {
		return d.sent
	}
	now := max(d.base, int64(d.line.frameAt(time.Now())))
	return max(0, d.base+d.sent-now)
}

// leadFrames returns how many should be.
func (d *deck) leadFrames() int64 {
	lead := int64(d.lead.Seconds() * float64(d.hz))
	if d.silent {
		return min(int64(d.watch.Buffer()), lead)
	}
	return min(int64(d.sound.Buffer()), lead)
}

// obey brings a running deck in line with its order.
func (d *deck) obey() {
	d.volume.set(d.o.volume, d.hz)
	if by := min(max(d.o.bend, -maxBending), maxBending); by != d.bent && !d.track.req.Pass {
		d.bent = by
		d.line.bend(d.end()+d.bender.pending(), d.track.speed*(1+by))
		d.bender.set(by)
	}
	joined := d.track == d.o.next && d.track != nil
	switch {
	case d.track != d.o.track && !joined && len(d.starts) > 0 && d.finished == d.o.track && d.finished != nil:
		d.leave(d.starts[0].frame) // what follows was changed when it was written but not heard
	case d.track != d.o.track && !joined, d.o.paused, d.o.card != d.card && !d.silent:
		d.fadeOut()
	case d.silent && d.track.sound != nil && (d.o.card != d.card || d.o.cards != d.tried):
		d.comeBack()
	}
}

// fadeOut ends what is heard by a ramp after what is queued.
func (d *deck) fadeOut() {
	d.fade.set(0, d.hz)
	d.mix(int(rampTime.Seconds()*float64(d.hz))+1, true)
	if d.phase == running { // not at its end anyway
		d.leave(d.end())
	}
}

// leave says at which frame what is queued ends; silence follows it.
func (d *deck) leave(frame int64) {
	d.phase, d.leaveAt = leaving, frame
}

// rest forgets what is queued after the end, and stands still.
func (d *deck) rest() {
	if d.silent {
		_ = d.watch.Drop()
	} else if err := d.sound.Drop(); err != nil && !errors.Is(err, ErrGone) {
		d.log.Warn("drop", "err", err)
	}
	d.line.stop(d.leaveAt)
	d.base, d.heard, d.sent = d.leaveAt, d.leaveAt, 0
	d.samples, d.phase, d.started = d.samples[:0], still, false
	d.moved = time.Time{}
	if len(d.starts) > 0 { // a joint that is not heard any more
		d.line.cut(d.leaveAt)
		d.starts, d.track = nil, nil
	}
	if t := d.finished; t != nil && d.track == nil {
		d.done = t
		d.report(report{kind: trackEnded, track: t})
	}
	d.finished = nil
	d.report(report{kind: trackRested, track: d.track})
	if d.track != d.o.track && d.track != d.o.next {
		d.track = nil
	}
	if d.track == nil {
		d.cross = nil
	}
	d.fade.jump(0)
}
