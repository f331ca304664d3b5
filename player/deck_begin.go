package player

import (
	"errors"
	"time"
)

// never is how long a deck sleeps that only a poke can give something to do.
const never = time.Hour

// maxWait is how long a track may be told to wait before it begins.
const maxWait = 5 * time.Second

// begin lets a deck that stands still play what is ordered, and returns when to come back if it cannot yet.
func (d *deck) begin(now time.Time) time.Duration {
	t := d.o.track
	switch {
	case t == nil:
		d.track, d.done, d.refused = nil, nil, nil
		return never
	case t == d.done, d.track != nil && d.track == d.o.next: // the engine is about to hear of it
		return never
	}
	if ok, at := t.ready(now); !ok {
		if at.IsZero() {
			return never
		}
		return max(time.Millisecond, at.Sub(now))
	}
	if d.track != t {
		d.place(t)
	}
	if d.o.paused || d.refused == t || !d.configure() {
		return never
	}
	if wait := d.o.start.Add(-d.o.offset).Sub(now); wait > 0 && wait < maxWait {
		return wait
	}
	d.volume.jump(d.o.volume)
	d.fade.set(1, d.hz)
	d.phase = running
	return 0
}

// place puts a track on a line of its own, where it waits.
func (d *deck) place(t *track) {
	d.track, d.cross, d.finished, d.done = t, nil, nil, nil
	d.hz = t.rate()
	d.line.reset(d.hz)
	d.base, d.sent, d.heard = 0, 0, 0
	pts := t.begin()
	first := int64(0)
	if t.pool != nil { // pictures go ahead of their sound
		first = max(0, int64(d.o.offset.Seconds()*float64(d.hz)))
	}
	d.samples = append(d.samples[:0], make([]float32, int(first)*d.channels())...)
	m := mark{frame: first, track: t, pts: pts, speed: t.speed}
	d.line.add(m)
	m.frame = 0
	d.starts = append(d.starts[:0], m)
	d.bent = 0
	d.bender.reset(d.channels())
	if t.req.From == 0 {
		d.fade.jump(1) // an item begins with its first sample
	} else {
		d.fade.jump(0)
	}
	d.report(report{kind: trackPlaced, track: t})
}

// channels returns how many samples a frame of the track has.
func (d *deck) channels() int {
	if d.track == nil || d.track.sound == nil {
		return max(1, d.width)
	}
	d.width = d.track.sound.channels
	return d.width
}

// configure opens the card for the track. It returns false if the track has another form than the card takes, which is
// reported. Without a card the stopwatch keeps time.
func (d *deck) configure() bool {
	t := d.track
	d.watch = stopwatch{rate: d.hz}
	if t.sound == nil {
		d.silent, d.card = true, d.o.card
		return true
	}
	want := t.form()
	if d.open && d.card == d.o.card && d.tried == d.o.cards && d.wanted == want {
		d.silent = false
		return true
	}
	switch err := d.openCard(want); {
	case errors.Is(err, errRefused):
		d.refused = t
		d.report(report{kind: trackRefused, track: t, form: d.format})
		return false
	case err != nil:
		d.silent = true
		d.report(report{kind: cardGone, err: err})
	default:
		d.silent = false
	}
	return true
}

var errRefused = errors.New("the card takes another form of sound")

// openCard opens the ordered card for a form. Errors are errRefused, and those of [Sound].
func (d *deck) openCard(want SoundFormat) error {
	d.card, d.tried, d.open = d.o.card, d.o.cards, false
	card, got, err := d.sound.Configure(d.o.card, want)
	if err != nil && d.o.any && want.Sample != IEC {
		card, got, err = d.sound.Configure("", want)
	}
	if errors.Is(err, ErrFormat) && want.Sample == IEC {
		d.format = SoundFormat{}
		return errRefused
	}
	if err != nil {
		return err
	}
	d.opened, d.format = card, got
	if got.Rate != want.Rate || got.Channels != want.Channels || (got.Sample == IEC) != (want.Sample == IEC) {
		return errRefused
	}
	d.open, d.wanted = true, want
	d.report(report{kind: cardOpened, card: card, form: got})
	return nil
}

// comeBack lets a card that was plugged in take over from the stopwatch. What the stopwatch has already been given is
// not heard any more; silence takes its place, so that the rest is heard when it is due.
func (d *deck) comeBack() {
	switch err := d.openCard(d.track.form()); {
	case errors.Is(err, errRefused):
		d.refused = d.track
		d.report(report{kind: trackRefused, track: d.track, form: d.format})
		return
	case err != nil:
		d.report(report{kind: cardGone, err: err})
		return
	}
	heard := min(max(d.base, int64(d.line.frameAt(time.Now()))), d.base+d.sent)
	quiet := int(d.base + d.sent - heard)
	d.silent, d.started = false, false
	d.samples = append(make([]float32, quiet*d.channels()), d.samples...)
	d.base, d.sent, d.heard = heard, 0, heard
	d.fade.jump(0)
	d.fade.set(1, d.hz)
}
