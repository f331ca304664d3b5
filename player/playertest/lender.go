package playertest

import (
	"io"
	"sync"
	"time"

	"manofwar/player"
)

// lender is a stream that lends its frames, as one of a hardware decoder does.
type lender struct {
	*stream
	frames int
	idle   chan *player.Frame

	mu     sync.Mutex
	closed bool
}

// lend makes the stream's frames.
func (d *Decoder) lend(s *stream) (player.Stream, error) {
	l := &lender{stream: s, frames: s.recipe.Lent, idle: make(chan *player.Frame, s.recipe.Lent)}
	for range l.frames {
		f, err := d.Display.NewFrame(s.req.Format, s.req.Width, s.req.Height)
		if err != nil {
			_ = l.Close() // of what was made so far
			return nil, err
		}
		l.idle <- f
	}
	return l, nil
}

// Lend fills the next frame, see [player.Lender].
func (l *lender) Lend() (*player.Frame, time.Duration, error) {
	var f *player.Frame
	select {
	case f = <-l.idle:
	case <-l.stream.closed:
		return nil, 0, io.ErrClosedPipe
	}
	at, err := l.Picture(f)
	if err != nil {
		l.Return(f)
		return nil, 0, err
	}
	return f, at, nil
}

// Return takes a frame back, and frees it when the stream is closed.
func (l *lender) Return(f *player.Frame) {
	l.mu.Lock()
	closed := l.closed
	if !closed {
		l.idle <- f // never full: it has room for all there are
	}
	l.mu.Unlock()
	if closed {
		l.decoder.Display.Free(f)
	}
}

// Lends returns how many frames there are.
func (l *lender) Lends() int { return l.frames }

// Close frees what is not lent.
func (l *lender) Close() error {
	l.mu.Lock()
	l.closed = true
	l.mu.Unlock()
	err := l.stream.Close()
	for {
		select {
		case f := <-l.idle:
			l.decoder.Display.Free(f)
		default:
			return err
		}
	}
}
