package player

import (
	"context"
	"math"
	"sync"
	"time"
)

// track is an item being decoded from one place on. A seek makes another one. Its readers fill queues, from which the
// deck takes the sound and the projector the pictures.
type track struct {
	entry *entry // whose item it is
	req   Request
	speed float64
	gain  Gain
	album string
	wake  func() // called when there is something new in a queue
	read  func() // called when a reader is at its end, or has another cue

	stream Stream
	cancel context.CancelFunc
	wg     sync.WaitGroup
	pool   frames      // of its pictures; nil: it has none
	sound  *soundQueue // nil: it has none
	after  <-chan struct{}
	room   chan struct{} // receives when there is room for cues
	drawn  chan struct{} // closed when all its pictures were read

	mu       sync.Mutex
	pictures []picture
	seen     bool          // a picture was read
	first    time.Duration // when the first one is due
	last     time.Duration // when the last one read is due
	looked   bool          // no more pictures come
	full     time.Time     // since when the pictures wait for the sound; zero: they do not
	err      error         // what ended the stream before its time
	cues     []Cue

	began time.Duration // where in the item the line takes it from; the deck's
	taken int64         // frames of the line since then; likewise
	level ramp          // of its ReplayGain; likewise
	mute  bool          // its sound did not come although its pictures did, and is not waited for; likewise
}

// picture is a decoded one that waits to be shown.
type picture struct {
	frame *Frame
	pts   time.Duration
}

// How much has to be there before a track begins.
const (
	prerollPictures = 5
	prerollSound    = 300 * time.Millisecond // as far as pictures leave room for it
	leastSound      = 100 * time.Millisecond
	refill          = 500 * time.Millisecond // of sound, after it ran dry; likewise
	soundAhead      = time.Second            // that a track decodes before it is heard
	soundGrace      = 300 * time.Millisecond // that pictures wait for their sound
	maxCues         = 256
	cueMemory       = 24 << 20 // bytes of those that are pictures: a song's words may be drawn anew 24 times a second
	silentRate      = 48000    // of the line of a track without sound
)

// start lets the readers run. after is closed when the pictures of the track before it were read: two films at once have
// no room.
func (t *track) start(ctx context.Context, s Stream) {
	t.stream, t.room = s, make(chan struct{}, 1)
	t.looked = t.pool == nil
	if t.sound != nil {
		t.wg.Go(func() { t.readSound(ctx) })
	}
	if t.pool != nil {
		t.wg.Go(func() { t.readPictures(ctx) })
	} else {
		close(t.drawn)
	}
	if t.req.Subtitle != None {
		t.wg.Go(func() { t.readCues(ctx) })
	}
}

// close ends decoding, gives the frames back that nobody took, and waits for the readers.
func (t *track) close() {
	t.cancel()
	_ = t.stream.Close() // what it says of its end interests nobody any more
	t.wg.Wait()
	t.mu.Lock()
	left := t.pictures
	t.pictures = nil
	t.mu.Unlock()
	for _, p := range left {
		t.pool.put(p.frame)
	}
}

// preroll returns how many pictures have to wait before the track begins.
func (t *track) preroll() int { return min(prerollPictures, t.pool.size()-1) }

// ready reports whether the track can begin or go on, and otherwise when to ask again if nothing wakes the asker; zero:
// only then. It is for the deck.
func (t *track) ready(now time.Time) (bool, time.Time) {
	t.mu.Lock()
	pictures := t.looked || t.pool != nil && len(t.pictures) >= t.preroll()
	crowded := t.pool != nil && len(t.pictures) >= t.pool.size()-2 // one is seen, one is being filled
	full := t.full
	t.mu.Unlock()
	if !pictures || t.sound == nil {
		return pictures, time.Time{}
	}
	frames, last := t.sound.state()
	need := prerollSound
	if t.taken > 0 {
		need = refill
	}
	if crowded {
		need = leastSound
	}
	if last || frames >= int(need.Seconds()*float64(t.sound.rate)) {
		return true, time.Time{}
	}
	if full.IsZero() {
		return false, time.Time{}
	}
	if fed := t.sound.since(); fed.After(full) {
		full = fed
	}
	if at := full.Add(soundGrace); now.Before(at) {
		return false, at
	}
	t.mute = frames == 0
	return true, time.Time{}
}

// begin returns where in the item the track begins: with what comes first of sound and pictures.
func (t *track) begin() time.Duration {
	pts := t.req.From
	t.mu.Lock()
	seen, first := t.seen, t.first
	t.mu.Unlock()
	if seen {
		pts = first
	}
	if t.sound != nil {
		if s, ok := t.sound.first(); ok && (!seen || s < pts) {
			pts = s
		}
		t.sound.begin(pts)
	}
	t.began = pts
	return pts
}

// take fills dst with sound, or with silence where the track has none but its pictures go on, and returns how many frames
// it could. urgent says that the card is about to run dry. over says that the track is at its end.
func (t *track) take(dst []float32, channels int, rate int, urgent bool) (n int, over bool) {
	want := len(dst) / channels
	defer func() { t.taken += int64(n) }()
	if t.sound != nil {
		n = t.sound.take(dst, false)
		if n == want {
			return n, false
		}
		if _, last := t.sound.state(); !last {
			if t.mute = t.mute && n == 0; t.mute && urgent {
				n = t.sound.take(dst, true)
			}
			return n, false
		}
	}
	left := min(want-n, t.left(rate, n))
	clear(dst[n*channels : (n+left)*channels])
	n += left
	return n, n < want
}

// left returns how many frames of silence the pictures still need after n more frames.
func (t *track) left(rate, n int) int {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.looked {
		return math.MaxInt
	}
	if !t.seen {
		return 0
	}
	end := (t.last + t.frameTime() - t.began).Seconds() / t.speed * float64(rate)
	return max(0, int(end)-int(t.taken)-n)
}

// frameTime returns how long a picture lasts in the item.
func (t *track) frameTime() time.Duration {
	r := t.req.Info.Rate
	if r.Num <= 0 || r.Den <= 0 {
		return 40 * time.Millisecond
	}
	return min(time.Duration(float64(time.Second)*float64(r.Den)/float64(r.Num)), time.Second)
}

// ahead returns how much sound is decoded and waits.
func (t *track) ahead() time.Duration {
	if t.sound == nil {
		return 0
	}
	frames, _ := t.sound.state()
	return time.Duration(frames) * time.Second / time.Duration(t.sound.rate)
}

// form returns the form of sound that the track wants from the card.
func (t *track) form() SoundFormat {
	f := SoundFormat{Rate: t.req.Rate, Channels: t.req.Channels, Sample: S32}
	if t.req.Pass {
		f.Sample = IEC
	}
	return f
}

// rate returns the frames per second of its line.
func (t *track) rate() int {
	if t.sound == nil {
		return silentRate
	}
	return t.req.Rate
}

// joins reports whether next can follow without a gap: the card need not be opened anew.
func (t *track) joins(next *track) bool {
	if t.sound == nil || next.sound == nil {
		return t.sound == nil && next.sound == nil
	}
	return t.form() == next.form()
}

// fades reports whether the track may give way to next in a crossfade: songs of one album follow each other as they were
// meant to, and films are not mixed.
func (t *track) fades(next *track) bool {
	music := t.sound != nil && t.pool == nil && next.pool == nil && !t.req.Pass
	return music && t.joins(next) && (t.album == "" || t.album != next.album)
}

// patience returns how long pictures may be kept back before their decoder, which waits for a frame, is late with the
// sound.
func (t *track) patience() time.Duration {
	frames := time.Duration(float64(t.pool.size()-2) * float64(t.frameTime()) / t.speed)
	return max(0, frames-firstLead-leastSound)
}

// decoded reports whether nothing more will be read: the next item may use the processor.
func (t *track) decoded() bool {
	if t.sound != nil {
		if _, last := t.sound.state(); !last {
			return false
		}
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.looked
}

// empty reports whether it ended without anything.
func (t *track) empty() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return !t.seen && t.taken == 0
}

// peek returns the next picture without taking it; none says whether there never will be another.
func (t *track) peek() (p picture, ok, none bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.pictures) == 0 {
		return picture{}, false, t.looked
	}
	return t.pictures[0], true, false
}

// pop takes the picture that was peeked; false: the track was closed meanwhile, and the frame is not the caller's.
func (t *track) pop() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.pictures) == 0 {
		return false
	}
	t.pictures[0] = picture{}
	if t.pictures = t.pictures[1:]; len(t.pictures) == 0 {
		t.pictures = nil
	}
	if len(t.pictures) < t.preroll() {
		t.full = time.Time{}
	}
	return true
}

// failure returns what ended it before its time.
func (t *track) failure() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.err
}
