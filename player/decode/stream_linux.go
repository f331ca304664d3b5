package decode

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"manofwar/internal/media"
	"manofwar/player"
	"manofwar/player/decode/nut"
)

// stream is an open item: what its child writes, as pictures, sound and subtitles.
type stream struct {
	name  string // for a person
	path  string // empty: it is not a file
	child *child // nil: nothing is decoded
	base  time.Duration
	pipes [outputs]*os.File // nil: there is no such output

	picture pictureReader
	sound   soundReader
	cue     cueReader

	close  sync.Once
	closed chan struct{}
}

// Open starts decoding. The stream lives until it is closed or ctx ends.
//
// ffmpeg reads the source once and in order. When the pictures are not taken, their pipe fills, and after it the queues
// in front of it; then nothing reads the source, and the sound ends when its own buffers are empty. With ffmpeg 7.1 that
// is 1.1 to 1.6 s later, at the price of 40 MB for its queues at 1080p; with 5.1, which has one queue less, 0.13 s. The
// reverse takes 2 s and more: the sound's pipe holds a [pipeSize], 2.7 s of stereo at 48 kHz. So a player keeps more time
// in pictures than its sound card buffers, and takes both.
func (d *Decoder) Open(ctx context.Context, r player.Request) (player.Stream, error) {
	if hardware := d.openHardware(r); hardware != nil {
		return d.openCoded(ctx, r, hardware)
	}
	c, err := newCommand(r, false)
	if err != nil {
		return nil, err
	}
	s, err := d.open(ctx, r, c)
	if err != nil {
		return nil, err
	}
	if p := s.pipes[pictures]; p != nil {
		s.picture = pictureReader{nut: nut.NewReader(p), planes: newPlanes(p), format: r.Format, width: r.Width, height: r.Height}
	}
	return s, nil
}

// open starts the child, and has sound and subtitles read from it.
func (d *Decoder) open(ctx context.Context, r player.Request, c command) (_ *stream, err error) {
	s := &stream{name: name(r.Source), path: r.Path, base: c.base, closed: make(chan struct{})}
	if err := s.openCues(r); err != nil {
		return nil, err
	}
	var ends []*os.File
	for o, used := range c.fds {
		if !used {
			continue
		}
		read, write, err := pipe()
		if err != nil {
			s.closePipes()
			for _, end := range ends {
				_ = end.Close()
			}
			return nil, err
		}
		s.pipes[o], ends = read, append(ends, write)
	}
	if len(ends) > 0 {
		if s.child, err = start(ctx, d.ffmpeg(), c.args, nil, ends...); err != nil {
			s.closePipes()
			return nil, &media.Error{Op: "play", Path: s.name, Err: err}
		}
	}
	s.connect(r, c)
	return s, nil
}

// connect puts the readers of sound and subtitles on their pipes.
func (s *stream) connect(r player.Request, c command) {
	if p := s.pipes[sound]; p != nil {
		s.sound = soundReader{nut: nut.NewReader(p), base: c.base, speed: c.speed, rate: r.Rate, channels: r.Channels, packed: c.pass, from: r.From}
	}
	if p := s.pipes[cues]; p != nil {
		s.cue = newCueReader(c.cue, p, c.base-cueShift)
	}
}

// Picture fills f, see [player.Stream].
func (s *stream) Picture(f *player.Frame) (time.Duration, error) {
	if s.picture.nut == nil {
		return 0, s.end(io.EOF)
	}
	at, err := s.picture.read(f)
	if err != nil {
		return 0, s.end(err)
	}
	return s.base + at, nil
}

// Sound fills p, see [player.Stream]. Of a stream that is passed on, each float's bits are a pair of 16-bit samples.
func (s *stream) Sound(p []float32) (int, time.Duration, error) {
	if s.sound.nut == nil {
		return 0, 0, s.end(io.EOF)
	}
	n, at, err := s.sound.read(p)
	if err != nil {
		return n, at, s.end(err)
	}
	return n, at, nil
}

// Subtitle returns the next subtitle, see [player.Stream].
func (s *stream) Subtitle() (player.Cue, error) {
	if s.cue == nil {
		return player.Cue{}, s.end(io.EOF)
	}
	c, err := s.cue.next()
	if err != nil {
		return player.Cue{}, s.end(err)
	}
	return c, nil
}

// end tells what the end of a pipe means: the item's, that of the stream, or an accident.
func (s *stream) end(err error) error {
	select {
	case <-s.closed:
		return os.ErrClosed
	default:
	}
	if err != io.EOF && !errors.Is(err, io.ErrUnexpectedEOF) || s.child == nil {
		return err
	}
	reason := s.child.result()
	select {
	case <-s.closed: // while waiting: that is why it ended
		return os.ErrClosed
	default:
	}
	switch {
	case reason != nil && !errors.Is(reason, player.ErrKilled) && s.path != "" && checkFile(s.path) != nil:
		return &media.Error{Op: "play", Path: s.name, Err: media.ErrAway}
	case reason != nil && !errors.Is(reason, player.ErrKilled) && s.path != "" && lost(s.path):
		return &media.Error{Op: "play", Path: s.name, Err: errUnread}
	case reason != nil:
		return &media.Error{Op: "play", Path: s.name, Err: reason}
	case err != io.EOF:
		return &media.Error{Op: "play", Path: s.name, Err: fmt.Errorf("the decoder stopped in the middle: %w", err)}
	}
	return io.EOF
}

// Close ends the child and every read that waits, and returns when the child is gone. Its error says that the child does
// not go, which happens when it waits for a disk that does not answer.
func (s *stream) Close() (err error) {
	s.close.Do(func() {
		close(s.closed)
		if s.child != nil {
			s.child.kill()
		}
		s.closePipes()
		if s.child != nil {
			err = s.child.wait(leaving)
		}
	})
	return err
}

// leaving is how long a child that was killed may take to be gone.
const leaving = 5 * time.Second

func (s *stream) closePipes() {
	for _, p := range s.pipes {
		if p != nil {
			_ = p.Close()
		}
	}
}
