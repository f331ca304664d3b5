package v4l2

import (
	"errors"
	"fmt"
	"image"
	"io"
	"os"
	"sync"
	"time"

	"manofwar/player"
)

// session is a decoder of a device, set up for one codec. One user at a time feeds compressed pictures and takes decoded ones on
// loan; a goroutine of its own waits for the device.
type session struct {
	node     *node
	display  Display
	codec    uint32
	size     image.Point // of the compressed pictures, as their container has it
	patience time.Duration
	watching sync.WaitGroup

	mu      sync.Mutex // guards all below
	changed *sync.Cond // something that somebody may wait for, is otherwise
	user    int        // who feeds and takes; to others it is closed
	closed  bool
	failure error // why the device does not go on

	input  [][]byte // the coded queue's buffers
	free   []int    // those that the device does not have
	ending bool     // nothing more is fed
	cut    error    // because that could not be; nil: it is the end

	output  setup // of the decoded queue
	flowing bool  // it has been started
	renewed bool  // the format changes: when the last picture in the old one has come, the queue is set up anew
	last    bool  // the last picture before that, or of all, has come
	ended   bool  // it was the last of all

	fruitful bool // the device has made a picture since it began
	barren   int  // packets that it was fed since the last one

	from  time.Duration
	ready []decoded // not taken yet
	lent  map[*player.Frame]loan

	awaited int16 // the events that are waited for
	epoch   int   // counts starts and stops of queues, by which those change
}

// decoded is a picture that waits to be taken.
type decoded struct {
	frame *player.Frame
	at    time.Duration
}

const (
	inputs        = 4               // buffers for compressed pictures
	lends         = 8               // frames that may be lent at a time: longer than a sound card's buffer
	usualPatience = 5 * time.Second // with a device that does nothing
	shift         = time.Hour       // is added to times, so that those before an item's beginning are numbers without a sign
)

// newSession sets a device up, which is closed with the session, and here if that fails.
func newSession(n *node, d Display, format uint32, size image.Point) (*session, error) {
	s := &session{node: n, display: d, codec: format, size: size, patience: usualPatience, lent: make(map[*player.Frame]loan)}
	s.changed = sync.NewCond(&s.mu)
	if err := s.prepare(); err != nil {
		return nil, errors.Join(err, s.release())
	}
	s.watching.Go(s.watch)
	return s, nil
}

// prepare sets the coded queue up.
func (s *session) prepare() error {
	if err := s.node.subscribe(); err != nil {
		return err
	}
	// As large as the largest picture that the levels of H.264 and HEVC allow: half of what it is decoded.
	want := shape{fourCC: s.codec, width: s.size.X, height: s.size.Y, parts: [3]partShape{{size: max(s.size.X*s.size.Y*3/4, 1<<19)}}}
	got, err := s.node.setShape(s.node.coded, want)
	if err != nil {
		return err
	}
	if got.fourCC != want.fourCC {
		return fmt.Errorf("%s does not take the codec after all", s.node.path)
	}
	count, err := s.node.allocate(s.node.coded, inputs)
	if err != nil {
		return err
	}
	for i := range count {
		data, err := s.node.mapBuffer(s.node.coded, i)
		if err != nil {
			return err
		}
		s.input, s.free = append(s.input, data), append(s.free, i)
	}
	return nil
}

// feed hands over a compressed picture that is due at a time. It waits while the device has all it can hold.
func (s *session) feed(user int, packet []byte, at time.Duration) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for s.alive(user) == nil && len(s.free) == 0 {
		s.changed.Wait()
	}
	if err := s.alive(user); err != nil {
		return err
	}
	i := s.free[len(s.free)-1]
	if len(packet) > len(s.input[i]) {
		s.cut = fmt.Errorf("%w: %s: a picture of %d bytes where %d have room", player.ErrHardware, s.node.path, len(packet), len(s.input[i]))
		return errors.Join(s.cut, s.drain())
	}
	used := copy(s.input[i], packet)
	if err := s.node.enqueue(s.node.coded, i, 1, used, len(s.input[i]), at+shift); err != nil {
		return s.fail(err)
	}
	s.free = s.free[:len(s.free)-1]
	s.barren++
	s.poke()
	return nil
}

// finish says that nothing more is fed: what was is decoded to its end.
func (s *session) finish(user int) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.alive(user); err != nil {
		return err
	}
	return s.drain()
}

// drain has the device decode what it has. mu is held.
func (s *session) drain() error {
	s.ending = true
	if s.flowing && !s.renewed {
		if err := s.node.stop(); err != nil {
			return s.fail(err)
		}
	}
	s.poke()
	return nil
}

// lend returns the next picture, and waits for it. At the end it returns io.EOF.
func (s *session) lend(user int) (*player.Frame, time.Duration, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for {
		switch {
		case s.user != user || s.closed:
			return nil, 0, os.ErrClosed
		case len(s.ready) > 0 && len(s.lent)-len(s.ready) < lends:
			p := s.ready[0]
			s.ready = s.ready[1:]
			return p.frame, p.at, nil
		case len(s.ready) > 0:
		case s.failure != nil:
			return nil, 0, s.failure
		case s.ended && s.cut != nil:
			return nil, 0, s.cut
		case s.ended:
			return nil, 0, io.EOF
		}
		s.changed.Wait()
	}
}

// giveBack takes a frame back that was lent, and returns how many still are.
func (s *session) giveBack(f *player.Frame) (left int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	l, ok := s.lent[f]
	if !ok {
		return len(s.lent)
	}
	delete(s.lent, f)
	if s.closed || l.number != s.output.number {
		s.display.Free(f)
	} else if s.failure == nil {
		_ = s.fill(l.index) // the failure is noted
	}
	s.changed.Broadcast()
	return len(s.lent)
}

// leave ends the user's part: whoever still feeds or takes is told. What was fed and decoded is forgotten, what is lent
// stays so.
func (s *session) leave() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.user++
	for _, p := range s.ready {
		l := s.lent[p.frame]
		delete(s.lent, p.frame)
		if l.number != s.output.number {
			s.display.Free(p.frame)
		}
	}
	s.ready = nil
	s.changed.Broadcast()
	if s.failure == nil {
		_ = s.halt() // the failure is noted
	}
}

// halt stops both queues, which gives all buffers back. mu is held.
func (s *session) halt() error {
	s.epoch++
	if err := s.node.stream(s.node.coded, false); err != nil {
		return s.fail(err)
	}
	s.free = s.free[:0]
	for i := range s.input {
		s.free = append(s.free, i)
	}
	if s.output.frames != nil {
		if err := s.node.stream(s.node.decoded, false); err != nil {
			return s.fail(err)
		}
		clear(s.output.inside)
	}
	s.flowing = false
	return nil
}

// restart begins again after leave, for another user, or another place of the same film (dev-decoder.rst, "Seek"). Pictures
// due before from are left out.
func (s *session) restart(from time.Duration) (user int, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.failure != nil {
		return 0, s.failure
	}
	s.from, s.ending, s.last, s.ended, s.cut = from, false, false, false, nil
	s.fruitful, s.barren = false, 0
	changes, err := s.node.sourceChanged()
	if err == nil && (s.output.frames != nil || changes || s.renewed) {
		err = s.renew(changes || s.renewed) // before the coded queue: then the driver need not tell of a format that is not new
	}
	if err == nil {
		err = s.node.stream(s.node.coded, true)
	}
	if err != nil {
		return 0, s.fail(err)
	}
	s.poke()
	return s.user, nil
}

// close gives everything back but the frames that are lent, which giveBack frees.
func (s *session) close() error {
	s.mu.Lock()
	s.closed = true
	s.changed.Broadcast()
	s.mu.Unlock()
	s.node.wake()
	s.watching.Wait()
	return s.release()
}

// release is the end of close, when nobody waits for the device any more.
func (s *session) release() error {
	s.mu.Lock()
	s.freeFrames()
	input := s.input
	s.mu.Unlock() // the kernel may wait for the device: whoever gives a frame back must not
	var err error
	for _, data := range input {
		err = errors.Join(err, s.node.munmap(data))
	}
	return errors.Join(err, s.node.close()) // which stops the queues, and frees their buffers
}

// state returns how many frames are lent, and whether the session is of further use.
func (s *session) state() (lent int, healthy bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.lent), s.failure == nil && !s.closed
}

// alive returns what keeps a user from going on. mu is held.
func (s *session) alive(user int) error {
	if s.user != user || s.closed {
		return os.ErrClosed
	}
	return s.failure
}

// fail notes that the device does not go on, and returns that. mu is held.
func (s *session) fail(err error) error {
	if s.failure == nil {
		s.failure = fmt.Errorf("%w: %s: %w", player.ErrHardware, s.node.path, err)
	}
	s.changed.Broadcast()
	s.poke()
	return s.failure
}
