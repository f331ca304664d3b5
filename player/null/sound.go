package null

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"manofwar/player"
)

// Sound is a card that nobody hears.
type Sound struct {
	opt     SoundOptions
	changed chan struct{}

	mu      sync.Mutex
	wake    chan struct{} // closed and replaced when a writer that waits has to look again
	cards   []player.Card
	card    player.Card
	format  player.SoundFormat // zero: nothing is configured
	buffer  int                // frames
	started time.Time          // zero: it stands still
	base    int64              // frames that had been heard at started
	written int64
	dry     bool // it ran dry and nobody was told
	gone    bool // the card in use was unplugged
	stalled bool
	waits   bool // it stands still until more is written
	record  []Run
}

// SoundOptions say what is simulated.
type SoundOptions struct {
	Cards    []player.Card         // none: one called "null"
	PPM      float64               // by how much its clock is fast, in millionths
	Period   int                   // frames by which it is seen to move; 0: 1
	Buffer   time.Duration         // 0: 200 ms
	Rates    []int                 // it takes; none: all
	Channels int                   // it has at most; 0: 8
	Sample   player.SampleFormat   // the one it has; "": every one
	IEC      bool                  // it passes compressed sound on
	Record   bool                  // keep all that is heard
	Waits    bool                  // stand still instead of running dry, for a test on a machine that is busy elsewhere
	Open     func(id string) error // asked whenever a card is configured, if it is set
}

// Run is a stretch of sound that was heard without a break.
type Run struct {
	At     time.Time // when its first frame was heard
	Format player.SoundFormat
	PCM    []byte // what was heard, or is still to be heard
}

// NewSound returns a card.
func NewSound(opt SoundOptions) *Sound {
	if opt.Cards == nil {
		opt.Cards = []player.Card{{ID: "null", Name: "Nowhere"}}
	}
	if opt.Buffer == 0 {
		opt.Buffer = 200 * time.Millisecond
	}
	opt.Period = max(opt.Period, 1)
	return &Sound{opt: opt, changed: make(chan struct{}, 1), wake: make(chan struct{}), cards: opt.Cards}
}

// Cards returns the simulated cards that are plugged in.
func (s *Sound) Cards() []player.Card {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.cards)
}

// Changed receives after Plug and Unplug.
func (s *Sound) Changed() <-chan struct{} { return s.changed }

// Unplug takes all cards away.
func (s *Sound) Unplug() { s.SetCards(nil) }

// Plug brings them back.
func (s *Sound) Plug() { s.SetCards(s.opt.Cards) }

// SetCards replaces the cards that are plugged in.
func (s *Sound) SetCards(cards []player.Card) {
	s.mu.Lock()
	s.cards = cards
	if s.format.Rate != 0 && !slices.Contains(cards, s.card) {
		s.stop(time.Now())
		s.gone = true
	}
	s.mu.Unlock()
	select {
	case s.changed <- struct{}{}:
	default:
	}
}

// Configure takes what the options allow.
func (s *Sound) Configure(id string, want player.SoundFormat) (player.Card, player.SoundFormat, error) {
	if s.opt.Open != nil {
		if err := s.opt.Open(id); err != nil {
			return player.Card{}, player.SoundFormat{}, err
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	i := slices.IndexFunc(s.cards, func(c player.Card) bool { return id == "" || c.ID == id })
	if i < 0 {
		return player.Card{}, player.SoundFormat{}, fmt.Errorf("open card %q: %w", id, player.ErrGone)
	}
	got := s.nearest(want)
	if got.Rate <= 0 || got.Channels <= 0 || want.Sample == player.IEC && !s.opt.IEC {
		return player.Card{}, player.SoundFormat{}, fmt.Errorf("configure for %v: %w", want, player.ErrFormat)
	}
	s.stop(time.Now())
	s.card, s.format, s.gone = s.cards[i], got, false
	s.buffer = int(s.opt.Buffer * time.Duration(got.Rate) / time.Second)
	return s.card, s.format, nil
}

// nearest returns what the card makes of a wish.
func (s *Sound) nearest(want player.SoundFormat) player.SoundFormat {
	got := want
	if len(s.opt.Rates) > 0 && !slices.Contains(s.opt.Rates, want.Rate) {
		got.Rate = slices.Max(s.opt.Rates)
		for _, r := range s.opt.Rates {
			if r > want.Rate {
				got.Rate = min(got.Rate, r)
			}
		}
	}
	if s.opt.Channels > 0 {
		got.Channels = min(got.Channels, s.opt.Channels)
	}
	if s.opt.Sample != "" && want.Sample != player.IEC {
		got.Sample = s.opt.Sample
	}
	return got
}

// Buffer returns how many frames fit.
func (s *Sound) Buffer() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.buffer
}

// Write keeps what would be heard.
func (s *Sound) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	done := 0
	for {
		now := time.Now()
		if err := s.advance(now); err != nil {
			return done, err
		}
		size := s.format.FrameSize()
		n := min((len(p)-done)/size, s.buffer-int(s.written-s.heard(now)))
		if n > 0 {
			s.take(p[done:done+n*size], n)
			done += n * size
			if s.waits {
				s.waits = false
				s.run(now)
			}
		}
		if len(p)-done < size {
			return done, nil
		}
		s.wait(max(time.Millisecond, s.opt.Buffer/20))
	}
}

// take queues n frames.
func (s *Sound) take(p []byte, n int) {
	if s.opt.Record {
		if s.written == 0 {
			s.record = append(s.record, Run{Format: s.format})
		}
		r := &s.record[len(s.record)-1]
		r.PCM = append(r.PCM, p...)
	}
	s.written += int64(n)
}

// wait lets others in for up to d.
func (s *Sound) wait(d time.Duration) {
	wake := s.wake
	s.mu.Unlock()
	timer := time.NewTimer(d)
	select {
	case <-wake:
	case <-timer.C:
	}
	timer.Stop()
	s.mu.Lock()
}

// Start lets it run.
func (s *Sound) Start() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	if err := s.advance(now); err != nil {
		return err
	}
	if s.started.IsZero() && !s.stalled {
		s.run(now)
	}
	return nil
}

func (s *Sound) run(now time.Time) {
	s.started = now
	if n := len(s.record); n > 0 && s.base == 0 {
		s.record[n-1].At = now
	}
}

// Stall lets the card stand still as broken ones do, or run again.
func (s *Sound) Stall(on bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	switch {
	case on && !s.started.IsZero():
		s.base, s.started = s.heard(now), time.Time{}
	case !on && s.stalled && s.written > 0:
		s.run(now)
	}
	s.stalled = on
}

// Starve lets it run dry at once, as when the processor was busy for too long.
func (s *Sound) Starve() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.started.IsZero() {
		s.stop(time.Now())
		s.dry = true
	}
}

// heard returns how many frames have been by now.
func (s *Sound) heard(now time.Time) int64 {
	if s.started.IsZero() {
		return s.base
	}
	n := int64(now.Sub(s.started).Seconds() * float64(s.format.Rate) * (1 + s.opt.PPM/1e6))
	return min(s.written, s.base+n)
}

// advance notes that the card ran dry or is gone.
func (s *Sound) advance(now time.Time) error {
	if s.gone || s.format.Rate == 0 {
		return player.ErrGone
	}
	switch {
	case s.started.IsZero() || s.heard(now) < s.written:
	case s.opt.Waits:
		s.base, s.started, s.waits = s.written, time.Time{}, true
	default:
		s.stop(now)
		s.dry = true
	}
	if s.dry {
		s.dry = false
		return player.ErrUnderrun
	}
	return nil
}

// stop forgets what is queued; the record keeps what was heard of it.
func (s *Sound) stop(now time.Time) {
	heard := s.heard(now)
	if n := len(s.record); n > 0 && s.written > 0 {
		r := &s.record[n-1]
		r.PCM = r.PCM[:len(r.PCM)-int(s.written-heard)*r.Format.FrameSize()]
		if len(r.PCM) == 0 {
			s.record = s.record[:n-1]
		}
	}
	s.started, s.base, s.written, s.dry, s.waits = time.Time{}, 0, 0, false, false
	close(s.wake)
	s.wake = make(chan struct{})
}

// Status tells how far it is.
func (s *Sound) Status() (player.SoundStatus, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	if err := s.advance(now); err != nil {
		return player.SoundStatus{}, err
	}
	heard := s.heard(now)
	return player.SoundStatus{At: now, Heard: heard - heard%int64(s.opt.Period), Written: s.written}, nil
}

// Drop stops at once.
func (s *Sound) Drop() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.gone || s.format.Rate == 0 {
		return player.ErrGone
	}
	s.stop(time.Now())
	return nil
}

// Drain waits until everything has been heard, and lets the card run for that if it does not.
func (s *Sound) Drain(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.written > 0 && s.started.IsZero() && !s.stalled {
		s.run(time.Now())
	}
	for s.written > 0 {
		now := time.Now()
		if s.gone {
			return player.ErrGone
		}
		left := s.written - s.heard(now)
		if left == 0 {
			break
		}
		s.wait(time.Millisecond)
		if ctx.Err() != nil {
			return fmt.Errorf("drain: %w", context.Cause(ctx))
		}
	}
	s.stop(time.Now())
	return nil
}

// Close lets a writer that waits return.
func (s *Sound) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.format.Rate != 0 {
		s.stop(time.Now())
	}
	s.format = player.SoundFormat{}
	return nil
}

// Runs returns all that was heard so far, if it is kept.
func (s *Sound) Runs() []Run {
	s.mu.Lock()
	defer s.mu.Unlock()
	runs := slices.Clone(s.record)
	if n := len(runs); n > 0 && s.written > 0 {
		r := &runs[n-1]
		r.PCM = slices.Clone(r.PCM[:len(r.PCM)-int(s.written-s.heard(time.Now()))*r.Format.FrameSize()])
	}
	return runs
}
