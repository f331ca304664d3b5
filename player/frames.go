package player

import (
	"context"
	"errors"
	"sync"
	"time"
)

// frames are what a track's pictures lie in.
type frames interface {
	read(ctx context.Context, s Stream) (*Frame, time.Duration, error) // the next picture of the stream
	put(*Frame)                                                        // takes a frame back that is not on the screen
	size() int                                                         // how many there may be
}

// lent are those of the stream itself.
type lent struct{ Lender }

func (l lent) read(context.Context, Stream) (*Frame, time.Duration, error) { return l.Lend() }

func (l lent) put(f *Frame) { l.Return(f) }

func (l lent) size() int { return l.Lends() }

// pool lends the frames of one shape to the tracks that decode into them. At most max of them exist; they are made when
// they are first needed, and outlive a seek.
type pool struct {
	display Display
	format  Format
	w, h    int
	max     int
	idle    chan *Frame

	mu     sync.Mutex
	made   int
	closed bool
}

// How many frames a pool has: enough to be longer than what is queued as sound, and not more than memory allows.
const (
	mostFrames  = 20
	leastFrames = 6
	frameMemory = 35 << 20 // bytes: 11 of 1080p, whose player is to stay below 60 MB in all
)

func newPool(d Display, f Format, w, h int) *pool {
	size := w * h * 3 / 2
	if f == XRGB8888 {
		size = w * h * 4
	}
	n := min(max(frameMemory/max(size, 1), leastFrames), mostFrames)
	return &pool{display: d, format: f, w: w, h: h, max: n, idle: make(chan *Frame, n)}
}

// fits reports whether the pool's frames have that shape.
func (p *pool) fits(f Format, w, h int) bool {
	return p != nil && p.format == f && p.w == w && p.h == h
}

var errNoFrame = errors.New("there is no memory for pictures")

// get returns a frame, and waits for one if all are in use. Errors are errNoFrame and that of ctx.
func (p *pool) get(ctx context.Context) (*Frame, error) {
	select {
	case f := <-p.idle:
		return f, nil
	default:
	}
	if p.grow() {
		f, err := p.display.NewFrame(p.format, p.w, p.h)
		if err == nil {
			return f, nil
		}
		if p.shrink() < 2 { // one to see and one to fill
			return nil, errors.Join(errNoFrame, err)
		}
	}
	select {
	case f := <-p.idle:
		return f, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// read has the stream fill a frame.
func (p *pool) read(ctx context.Context, s Stream) (*Frame, time.Duration, error) {
	f, err := p.get(ctx)
	if err != nil {
		return nil, 0, err
	}
	pts, err := s.Picture(f)
	if err != nil {
		p.put(f)
		return nil, 0, err
	}
	return f, pts, nil
}

// grow reserves the right to make one more.
func (p *pool) grow() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.made == p.max || p.closed {
		return false
	}
	p.made++
	return true
}

// shrink gives the right back, and does not ask for it again: memory for more there is not.
func (p *pool) shrink() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.made--
	p.max = p.made
	return p.made
}

// size returns how many frames there may be.
func (p *pool) size() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.max
}

// put takes a frame back that is not on the screen.
func (p *pool) put(f *Frame) {
	p.mu.Lock()
	closed := p.closed
	if !closed {
		p.idle <- f // never full: it has room for all there are
	}
	p.mu.Unlock()
	if closed {
		p.display.Free(f)
	}
}

// close frees the frames, those in use as soon as they come back.
func (p *pool) close() {
	if p == nil {
		return
	}
	p.mu.Lock()
	p.closed = true
	p.mu.Unlock()
	for {
		select {
		case f := <-p.idle:
			p.display.Free(f)
		default:
			return
		}
	}
}
