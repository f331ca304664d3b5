package alsa

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"manofwar/internal/monotonic"
	"manofwar/player"
)

// Sound plays on the machine's sound cards, on one at a time. It implements [player.Sound]. Make one with [Open].
type Sound struct {
	watch *watch

	mu      sync.Mutex // guards all below, and is taken before line
	device  *pcm       // nil: none is open
	encode  *encoder
	unmuted map[uint64]bool // cards, by the inode of their control node, which no later card has
	closed  bool

	// line guards what the writer and the others tell the device, and all below. The writer holds it when it has waited for
	// room, and mu never: whoever closes the device, with mu held, waits for the writer.
	line  sync.Mutex
	stale bool // what the encoder did last has nothing to do with what comes next
	epoch int  // counts what makes a waiting writer's frames of no use: Configure, Drop, Close
}

// Open starts to follow the sound cards. No card is opened before [Sound.Configure].
func Open() (*Sound, error) {
	w, err := startWatch()
	if err != nil {
		return nil, fmt.Errorf("alsa: %w", err)
	}
	return &Sound{watch: w, unmuted: make(map[uint64]bool)}, nil
}

// Cards implements [player.Sound]. The first is the one that Configure prefers; screens without sound are last.
func (s *Sound) Cards() []player.Card {
	var list []player.Card
	for _, o := range s.watch.outputs() {
		list = append(list, o.Card)
	}
	return list
}

// Changed implements [player.Sound].
func (s *Sound) Changed() <-chan struct{} { return s.watch.changed }

// Configure implements [player.Sound].
//
// A frame has its channels in the order of WAVE, as ffmpeg has it: front left and right, centre, low frequencies, back
// left and right, side left and right. What the card wants instead is done on the way.
func (s *Sound) Configure(card string, want player.SoundFormat) (player.Card, player.SoundFormat, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return player.Card{}, player.SoundFormat{}, fmt.Errorf("alsa: %w", os.ErrClosed)
	}
	if err := s.release(); err != nil {
		return player.Card{}, player.SoundFormat{}, fmt.Errorf("alsa: %w", err)
	}
	var errs []error
	for _, o := range s.watch.look() {
		if card != "" && o.ID != card || card == "" && !o.usable {
			continue
		}
		got, err := s.take(o, want)
		if err == nil {
			return o.Card, got, nil
		}
		errs = append(errs, err)
	}
	if len(errs) == 0 {
		errs = append(errs, player.ErrGone)
	}
	if card != "" {
		return player.Card{}, player.SoundFormat{}, fmt.Errorf("sound card %q: %w", card, errs[0])
	}
	return player.Card{}, player.SoundFormat{}, fmt.Errorf("sound: %w", errors.Join(errs...))
}

// take opens an output. The caller holds mu.
func (s *Sound) take(o output, want player.SoundFormat) (player.SoundFormat, error) {
	ctl, err := openControl(o.card)
	if err != nil {
		return player.SoundFormat{}, err
	}
	defer ctl.close()
	if !s.unmuted[o.inode] {
		if err := ctl.unmute(); err != nil {
			return player.SoundFormat{}, err
		}
		s.unmuted[o.inode] = true
	}
	d, err := openPCM(o.path(), want)
	if err != nil {
		return player.SoundFormat{}, err
	}
	if err := ctl.setNonAudio(o.device, want.Sample == player.IEC, d.format, d.rate); err != nil {
		return player.SoundFormat{}, errors.Join(err, d.close())
	}
	got := player.SoundFormat{Rate: d.rate, Channels: d.channels, Sample: d.format.sample(want.Sample)}
	s.encode = newEncoder(d.shape, got.Sample, ctl.channelMap(o.device, d.channels, o.HDMI))
	s.device = d
	return got, nil
}

// release closes the device that is open. The caller holds mu.
func (s *Sound) release() error {
	d := s.device
	s.device, s.encode = nil, nil
	if d == nil {
		return nil
	}
	s.line.Lock()
	s.epoch++
	_ = d.drop() // it may be gone
	s.line.Unlock()
	return d.close()
}

// errNone is what there is to say while no card is open.
var errNone = fmt.Errorf("alsa: no card is open: %w", player.ErrGone)

// Write implements [player.Sound]. What ends it early, by Drop, Configure or Close from elsewhere, makes it return what it
// had queued, which is forgotten like the rest, and no error.
func (s *Sound) Write(p []byte) (int, error) {
	d, encode, epoch, err := s.begin()
	if err != nil {
		return 0, err
	}
	size, chunk := encode.frameSize(), encode.chunk()
	for done := 0; ; {
		n := min(len(p)-done, chunk*size)
		n -= n % size
		if n == 0 {
			return done, nil
		}
		current, err := s.queue(d, epoch, encode.encode(p[done:done+n]))
		if err != nil || !current {
			return done, err
		}
		done += n
	}
}

// begin returns what a write needs.
func (s *Sound) begin() (*pcm, *encoder, int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.device == nil {
		return nil, nil, 0, errNone
	}
	s.line.Lock()
	defer s.line.Unlock()
	if s.stale {
		s.encode.reset()
		s.stale = false
	}
	err := s.device.file.SetWriteDeadline(time.Time{}) // an earlier Drop may have set one
	if err != nil {
		return nil, nil, 0, fmt.Errorf("alsa: %w", err)
	}
	return s.device, s.encode, s.epoch, nil
}

// queue writes frames in the card's own form, waiting for room. It tells whether the device still is at the epoch in which
// they were to be heard.
func (s *Sound) queue(d *pcm, epoch int, frames []byte) (current bool, err error) {
	size := d.frameSize()
	waited := d.raw.Write(func(fd uintptr) (done bool) {
		s.line.Lock()
		defer s.line.Unlock()
		for s.epoch == epoch && len(frames) > 0 {
			n, failed := writeFrames(fd, frames, size)
			if failed = s.recover(d, failed); errors.Is(failed, unix.EAGAIN) {
				return false
			}
			if err = failed; err != nil {
				return true
			}
			frames = frames[n*size:]
		}
		return true
	})
	s.line.Lock()
	defer s.line.Unlock()
	if s.epoch != epoch { // whatever waited says: a Drop's deadline, a Close
		return false, nil
	}
	if waited != nil { // a device that is gone can no more be waited for
		if _, err := d.status(); err != nil {
			return true, err
		}
		return true, fmt.Errorf("alsa: %w", waited)
	}
	return true, err
}

// recover makes the device ready again after a write that failed, and says what happened: [unix.EAGAIN] if there is no room,
// nil if the write is to be tried again. The caller holds line.
func (s *Sound) recover(d *pcm, err error) error {
	if errors.Is(err, unix.EBADFD) { // it drains, or has
		st, err := d.status()
		switch {
		case err != nil:
			return err
		case st.state == stateDraining:
			return unix.EAGAIN
		}
		return s.ready(d)
	}
	if err = known(err); errors.Is(err, player.ErrUnderrun) {
		return errors.Join(err, s.ready(d))
	}
	return err
}

// Buffer implements [player.Sound].
func (s *Sound) Buffer() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.device == nil {
		return 0
	}
	return s.device.buffer
}

// Start implements [player.Sound]. What plays already goes on; with nothing to play it is [player.ErrUnderrun].
func (s *Sound) Start() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.device == nil {
		return errNone
	}
	s.line.Lock()
	defer s.line.Unlock()
	st, err := s.device.status()
	switch {
	case err != nil:
		return err
	case st.state == stateRunning, st.state == stateDraining:
		return nil
	case st.state != statePrepared:
		return errors.Join(player.ErrUnderrun, s.ready(s.device))
	}
	return s.device.start()
}

// Status implements [player.Sound]. That the device ran dry is told once, by this or by Write.
func (s *Sound) Status() (player.SoundStatus, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.device == nil {
		return player.SoundStatus{}, errNone
	}
	s.line.Lock()
	defer s.line.Unlock()
	st, err := s.device.status()
	if err != nil {
		return player.SoundStatus{}, err
	}
	at := time.Now()
	if st.tstamp != (unix.Timespec{}) { // the kernel has not looked at the card since it was started
		at = monotonic.Time(time.Duration(st.tstamp.Nano()))
	}
	out := player.SoundStatus{At: at, Written: int64(st.applPtr)}
	switch st.state {
	case stateRunning, stateDraining, statePaused:
		out.Heard = max(0, out.Written-st.delay) // at the start the delay has what came before the first frame
	case stateSetup: // drained
		out.Heard = out.Written
	case stateXRun, stateSuspended:
		return player.SoundStatus{}, errors.Join(player.ErrUnderrun, s.ready(s.device))
	case stateDisconnected:
		return player.SoundStatus{}, player.ErrGone
	}
	return out, nil
}

// Drop implements [player.Sound].
func (s *Sound) Drop() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	d := s.device
	if d == nil {
		return errNone
	}
	s.line.Lock()
	defer s.line.Unlock()
	s.epoch++
	if err := d.file.SetWriteDeadline(time.Unix(1, 0)); err != nil { // ends a Write that waits
		return fmt.Errorf("alsa: %w", err)
	}
	if err := d.drop(); err != nil && !errors.Is(err, unix.EBADFD) {
		return err
	}
	return s.ready(d)
}

// Drain implements [player.Sound]. What is queued is heard even if Start was never called. Afterwards everything counts from
// zero.
func (s *Sound) Drain(ctx context.Context) error {
	d, epoch, err := s.drain()
	if err != nil {
		return err
	}
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
		case <-timer.C:
		}
		if ctx.Err() != nil {
			return fmt.Errorf("drain: %w", context.Cause(ctx))
		}
		left, err := s.left(d, epoch)
		if err != nil || left == 0 {
			return err
		}
		timer.Reset(left)
	}
}

// drain has the device end by itself.
func (s *Sound) drain() (*pcm, int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.device == nil {
		return nil, 0, errNone
	}
	s.line.Lock()
	defer s.line.Unlock()
	return s.device, s.epoch, s.device.drain()
}

// left is how long a draining device will still be heard. It is 0 if it has ended, and then the device is ready for the
// next Write, or if it has been told to do something else.
func (s *Sound) left(d *pcm, epoch int) (time.Duration, error) {
	s.line.Lock()
	defer s.line.Unlock()
	if s.epoch != epoch {
		return 0, nil
	}
	st, err := d.status()
	if err != nil {
		return 0, err
	}
	switch st.state {
	case stateDraining:
	case stateRunning, statePrepared: // told to go on, or made ready, by somebody else meanwhile
		return 0, nil
	default:
		return 0, s.ready(d)
	}
	// It ends with a period; what it holds of the last one is no more than a guess.
	return d.duration(max(st.delay, 0)) + time.Millisecond, nil
}

// ready empties the device for the next Write, and has everything count from zero. The caller holds line.
func (s *Sound) ready(d *pcm) error {
	s.stale = true
	return d.prepare()
}

// Close implements [player.Sound].
func (s *Sound) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil
	}
	s.closed = true
	return errors.Join(s.release(), s.watch.close())
}
