package v4l2

import (
	"os"
	"sync"
	"time"

	"manofwar/player"
)

// Pictures are those of one film from one place on. One goroutine feeds them and calls Finish, one takes them; Return and Close
// may be called from anywhere. The hardware is this film's from the first call of Lend to the end or Close.
type Pictures struct {
	decoder *Decoder
	want    wanted
	from    time.Duration
	begun   chan struct{} // closed when session is there, or will not be
	closed  chan struct{}
	closing sync.Once
	letting sync.WaitGroup // go of the hardware, which may take as long as that does

	mu      sync.Mutex // guards all below
	session *session   // nil: not yet
	user    int
	over    error // what Lend returned last of all; nil: it has not
}

// Feed hands over the next compressed picture, in the order of decoding, and when it is due. It waits while the hardware
// has enough, or is another film's. Its errors are those of [player.Stream]'s reads, or [player.ErrHardware].
func (p *Pictures) Feed(packet []byte, at time.Duration) error {
	s, user, err := p.wait()
	if err != nil {
		return err
	}
	return s.feed(user, packet, at)
}

// Finish says that there are no more.
func (p *Pictures) Finish() error {
	s, user, err := p.wait()
	if err != nil {
		return err
	}
	return s.finish(user)
}

// wait waits until the hardware is this film's.
func (p *Pictures) wait() (*session, int, error) {
	select {
	case <-p.begun:
	case <-p.closed:
		return nil, 0, os.ErrClosed
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.session, p.user, p.over
}

// Lend returns the next picture, see [player.Lender].
func (p *Pictures) Lend() (*player.Frame, time.Duration, error) {
	s, user, err := p.begin()
	if err != nil {
		return nil, 0, err
	}
	f, at, err := s.lend(user)
	if err != nil {
		p.end(err)
	}
	return f, at, err
}

// begin has the hardware become this film's, at the first call.
func (p *Pictures) begin() (*session, int, error) {
	select {
	case <-p.begun:
		return p.wait()
	default:
	}
	select {
	case p.decoder.turn <- struct{}{}:
	case <-p.closed:
		return nil, 0, os.ErrClosed
	}
	s, err := p.decoder.obtain(p.want)
	user := 0
	if err == nil {
		if user, err = s.restart(p.from); err != nil {
			p.decoder.release(s)
		}
	}
	p.mu.Lock()
	if err != nil {
		p.over = err
		<-p.decoder.turn
	} else {
		p.session, p.user = s, user
	}
	p.mu.Unlock()
	close(p.begun)
	select {
	case <-p.closed: // meanwhile
		p.end(os.ErrClosed)
	default:
	}
	return p.wait()
}

// end lets the hardware go, behind the caller's back: a film goes on in software while a device that stands still is waited for.
func (p *Pictures) end(err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.session == nil || p.over != nil {
		return
	}
	p.over = err
	s := p.session
	p.letting.Go(func() {
		p.decoder.release(s)
		<-p.decoder.turn
	})
}

// Return takes a frame back, see [player.Lender].
func (p *Pictures) Return(f *player.Frame) {
	p.mu.Lock()
	s := p.session
	p.mu.Unlock()
	if s != nil && s.giveBack(f) == 0 {
		p.decoder.returned(s)
	}
}

// Lends returns how many frames may be lent at a time.
func (p *Pictures) Lends() int { return lends }

// Close ends every call that waits.
func (p *Pictures) Close() error {
	p.closing.Do(func() { close(p.closed) })
	p.end(os.ErrClosed)
	p.letting.Wait()
	return nil
}
