package player

import (
	"errors"
	"math"
	"slices"
	"time"
)

// crossfade is one track giving way to another.
type crossfade struct {
	from    *track
	n, done int // frames
}

// minCrossfade is the shortest that is worth it.
const minCrossfade = 100 * time.Millisecond

// fill keeps the lead queued, and starts the card if it does not run.
func (d *deck) fill() {
	block := int64(blockTime.Seconds() * float64(d.hz))
	for d.phase != still {
		room := d.leadFrames() - d.queued()
		if room <= 0 || d.started && room < block/4 {
			break
		}
		if len(d.samples) == 0 {
			d.mix(int(min(room, block)), d.needy())
		}
		if len(d.samples) == 0 || !d.write(int(room)) {
			break
		}
	}
	if d.started || d.sent == 0 || d.phase == still {
		return
	}
	if err := d.startCard(); err != nil {
		d.trouble(err)
		return
	}
	d.started, d.moved = true, time.Now()
	d.report(report{kind: trackRuns, track: d.track})
	d.listen(d.moved)
}

// needy reports whether there is no time left to wait for a track's sound.
func (d *deck) needy() bool {
	if !d.started {
		return d.sent == 0
	}
	return d.queued() < int64(urgency.Seconds()*float64(d.hz))
}

func (d *deck) startCard() error {
	if d.silent {
		return d.watch.Start()
	}
	return d.sound.Start()
}

// end returns the line's frame after all that was mixed.
func (d *deck) end() int64 { return d.base + d.sent + int64(len(d.samples)/d.channels()) }

// write gives up to n frames of what is mixed to the card, and returns false if that took none.
func (d *deck) write(n int) bool {
	ch := d.channels()
	n = min(n, len(d.samples)/ch)
	done, err := n, error(nil)
	if d.silent {
		err = d.watch.take(n)
	} else {
		d.bytes = d.pack.pack(d.bytes[:0], d.samples[:n*ch], d.format.Sample)
		done, err = d.sound.Write(d.bytes)
		done /= d.format.FrameSize()
	}
	if err != nil && d.silent {
		done = 0
	}
	d.sent += int64(done)
	d.samples = d.samples[:copy(d.samples, d.samples[done*ch:])]
	if err != nil {
		d.trouble(err)
	}
	return done > 0 && err == nil
}

// trouble is what the card's errors lead to.
func (d *deck) trouble(err error) {
	if errors.Is(err, ErrUnderrun) {
		d.ranDry()
		return
	}
	d.lose(time.Now(), err)
}

// mix appends up to n frames to what is to be written.
func (d *deck) mix(n int, urgent bool) {
	ch := d.channels()
	if d.phase == leaving {
		d.samples = append(d.samples, d.silence(n*ch)...)
		return
	}
	d.meet()
	buf := stretch(&d.scratch, n*ch)
	var got int
	var over bool
	if d.cross != nil {
		got, over = d.blend(buf, ch)
	} else {
		got, over = d.track.take(buf, ch, d.hz, urgent)
		d.amplify(d.track, buf[:got*ch])
	}
	if buf = buf[:got*ch]; !d.track.req.Pass {
		d.volume.apply(buf, ch)
		d.fade.apply(buf, ch)
		d.samples = d.bender.run(d.samples, buf)
	} else {
		if d.volume.goal == 0 {
			clear(buf)
		}
		d.samples = append(d.samples, buf...)
	}
	if over && d.cross == nil {
		d.conclude()
	}
}

// silence returns n samples of it.
func (d *deck) silence(n int) []float32 {
	buf := stretch(&d.scratch, n)
	clear(buf)
	return buf
}

// stretch returns n samples of a buffer that grows.
func stretch(buf *[]float32, n int) []float32 {
	*buf = slices.Grow((*buf)[:0], n)[:n]
	return *buf
}

// amplify applies what ReplayGain says of the track.
func (d *deck) amplify(t *track, samples []float32) {
	if t.req.Pass {
		return
	}
	f := t.gain.factor(d.o.gain)
	if t.taken*int64(d.channels()) <= int64(len(samples)) {
		t.level.jump(f)
	}
	t.level.set(f, d.hz)
	t.level.apply(samples, d.channels())
}

// conclude goes on with the next track where one ended, or ends with it.
func (d *deck) conclude() {
	next := d.o.next
	if next != nil && d.track.joins(next) && d.track.failure() == nil {
		if ok, _ := next.ready(time.Now()); ok {
			d.join(next)
			return
		}
		if d.started && !d.needy() {
			return // there is still time
		}
	}
	if !d.track.req.Pass {
		d.samples = d.bender.rest(d.samples)
	}
	d.finished, d.track = d.track, nil
	d.leave(d.end())
}

// join lets next follow at once: not a sample lies between.
func (d *deck) join(next *track) {
	m := mark{frame: d.end() + d.bender.pending(), track: next, pts: next.begin(), speed: next.speed * (1 + d.bent)}
	d.finished, d.track = d.track, next
	d.line.add(m)
	d.starts = append(d.starts, m)
}

// meet begins a crossfade when the rest of the track is not longer than that.
func (d *deck) meet() {
	t, next := d.track, d.o.next
	if d.o.crossfade <= 0 || d.cross != nil || next == nil || next == t || !t.fades(next) {
		return
	}
	left, last := t.sound.state()
	span := d.o.crossfade
	if whole := t.req.Info.Duration; whole > 0 {
		span = min(span, whole/2)
	}
	if !last || left > int(span.Seconds()*float64(d.hz)) || left < int(minCrossfade.Seconds()*float64(d.hz)) {
		return
	}
	if ok, _ := next.ready(time.Now()); !ok {
		return
	}
	d.join(next)
	d.cross = &crossfade{from: t, n: left}
}

// blend mixes two tracks with equal power.
func (d *deck) blend(buf []float32, ch int) (got int, over bool) {
	x := d.cross
	got, over = d.track.take(buf, ch, d.hz, false)
	d.amplify(d.track, buf[:got*ch])
	from := stretch(&d.other, got*ch)
	clear(from[x.from.sound.take(from, false)*ch:])
	d.amplify(x.from, from)
	for i := range got {
		in, out := 1.0, 0.0
		if x.done < x.n {
			in, out = math.Sincos(float64(x.done) / float64(x.n) * math.Pi / 2)
		}
		for c := i * ch; c < (i+1)*ch; c++ {
			buf[c] = buf[c]*float32(in) + from[c]*float32(out)
		}
		x.done++
	}
	if x.done >= x.n || over {
		d.cross = nil
	}
	return got, over
}
