package decode

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"manofwar/internal/media"
	"manofwar/player"
	"manofwar/player/decode/nut"
)

// codedStream is a stream whose pictures are decoded by hardware. It implements [player.Lender].
type codedStream struct {
	*stream
	Hardware
	headed  bool // the container holds what the decoder has to know first
	feeding sync.WaitGroup

	mu     sync.Mutex // guards broken
	broken error      // what ended the child's pictures before their time
}

// openHardware returns what decodes a request's pictures; nil: nothing but ffmpeg does.
func (d *Decoder) openHardware(r player.Request) Hardware {
	if d.Hardware == nil || r.Video == player.None || r.Software || r.Info.Container == "avi" { // AVI does not say when a picture is due
		return nil
	}
	h, err := d.Hardware(r)
	if err != nil {
		return nil // it has said so
	}
	return h
}

// openCoded starts a child that decodes all but the pictures.
func (d *Decoder) openCoded(ctx context.Context, r player.Request, h Hardware) (player.Stream, error) {
	c, err := newCommand(r, true)
	var s *stream
	if err == nil {
		s, err = d.open(ctx, r, c)
	}
	if err != nil {
		return nil, errors.Join(err, h.Close())
	}
	out := &codedStream{stream: s, Hardware: h, headed: headed[r.Info.Streams[r.Video].Codec]}
	out.feeding.Go(out.feed)
	return out, nil
}

// feed hands the child's packets on, until they end or nobody wants them any more.
func (s *codedStream) feed() {
	packets := codedReader{nut: nut.NewReader(s.pipes[pictures]), begun: !s.headed}
	for {
		packet, at, err := packets.next()
		if err == nil {
			if s.Feed(packet, s.base-cueShift+at) != nil {
				return // Lend returns why
			}
			continue
		}
		if err = s.end(err); err != io.EOF && !errors.Is(err, player.ErrKilled) && !errors.Is(err, media.ErrAway) && !errors.Is(err, player.ErrUnread) {
			err = fmt.Errorf("%w: %w", player.ErrHardware, err) // it may be the coded form that cannot be had, and not the file's fault
		}
		s.mu.Lock()
		s.broken = err
		s.mu.Unlock()
		_ = s.Finish() // likewise
		return
	}
}

// Lend returns the next picture, see [player.Lender].
func (s *codedStream) Lend() (*player.Frame, time.Duration, error) {
	f, at, err := s.Hardware.Lend()
	if err == io.EOF {
		s.mu.Lock()
		defer s.mu.Unlock()
		err = s.broken // and io.EOF where nothing broke
	}
	return f, at, err
}

// Picture is not for such a stream.
func (s *codedStream) Picture(*player.Frame) (time.Duration, error) {
	return 0, fmt.Errorf("pictures of this stream are lent: %w", player.ErrFormat)
}

// Close ends the child, and every read that waits.
func (s *codedStream) Close() error {
	err := errors.Join(s.stream.Close(), s.Hardware.Close()) // the child goes even if the hardware does not
	s.feeding.Wait()
	return err
}

// headed are the codecs with headers of their own, which containers hold apart. They are repeated in streams that need no
// container, but not at every keyframe.
var headed = map[string]bool{"h264": true, "hevc": true, "mpeg2video": true, "mpeg4": true}

// codedReader reads coded pictures.
type codedReader struct {
	nut   *nut.Reader
	begun bool // the headers were read, or there are none
	buf   []byte
}

// maxCoded bounds a coded picture: no level of H.264 or HEVC for 4K allows more.
const maxCoded = 8 << 20

// next returns a packet, which is valid until the next call. The first one begins with the codec's headers.
func (r *codedReader) next() ([]byte, time.Duration, error) {
	header, err := r.nut.Next()
	if err != nil {
		return nil, 0, err
	}
	if header.Size > maxCoded {
		return nil, 0, fmt.Errorf("a coded picture of %d bytes: %w", header.Size, player.ErrFormat)
	}
	s := &r.nut.Streams()[header.Stream]
	r.buf = r.buf[:0]
	if !r.begun {
		r.begun, r.buf = true, append(r.buf, s.Private...)
	}
	n := len(r.buf)
	if cap(r.buf) < n+header.Size {
		r.buf = append(make([]byte, 0, 2*(n+header.Size)), r.buf...)
	}
	r.buf = r.buf[:n+header.Size]
	if _, err := io.ReadFull(r.nut, r.buf[n:]); err != nil {
		return nil, 0, err
	}
	return r.buf, s.Time(header.PTS), nil
}
