package v4l2

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"

	"manofwar/player"
)

// Errors of a device that answers no more.
var (
	errStuck  = errors.New("the device stands still")
	errBroken = errors.New("the device reports an error")
	errDamage = errors.New("a picture could not be decoded")
)

// watch waits for the device, and takes what it has done, until the session is closed or fails.
func (s *session) watch() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for !s.closed && s.failure == nil {
		events, epoch := s.events(), s.epoch
		s.awaited = events
		s.mu.Unlock()
		got, err := s.node.wait(events, s.patience)
		s.mu.Lock()
		switch {
		case s.closed || s.failure != nil: // who had it may have left: nobody would give back what is taken now
		case err != nil:
			_ = s.fail(err) // whoever waits is told
		case got == 0 && epoch == s.epoch && s.stuck():
			_ = s.fail(fmt.Errorf("%w: it has %d packets and %d buffers for pictures, %d pictures wait", errStuck,
				len(s.input)-len(s.free), len(s.output.frames)-s.output.held(), len(s.ready)))
		case got != 0 && got != rung:
			progress, err := s.take()
			if err == nil && !progress && epoch == s.epoch && got&unix.POLLERR != 0 {
				err = errBroken
			}
			if err != nil {
				_ = s.fail(err)
			}
		}
	}
}

// events returns what there is to wait for. A queue in which the device has nothing would be told to be broken. mu is held.
func (s *session) events() int16 {
	events := int16(unix.POLLPRI)
	if len(s.free) < len(s.input) {
		events |= unix.POLLOUT
	}
	if s.flowing && !s.last && s.output.held() < len(s.output.frames) {
		events |= unix.POLLIN
	}
	return events
}

// poke has the goroutine look again if there is more to wait for than it does. mu is held.
func (s *session) poke() {
	if s.failure != nil || s.events()&^s.awaited != 0 {
		s.awaited = s.events()
		s.node.wake()
	}
}

// mostBarren is how many packets may make no picture yet: codecs hold back 16 at the most, and a device some.
const mostBarren = 32

// stuck tells whether the device does nothing although it could. It was given all that it has room for, or all that
// there is, and memory for more pictures than it said to need. mu is held.
func (s *session) stuck() bool {
	fed := len(s.free) == 0 || s.ending && !s.ended || s.barren > mostBarren
	return fed && (!s.flowing || s.output.held() <= lends/2)
}

// take takes all that the device has done, and tells whether that was anything. mu is held.
func (s *session) take() (progress bool, err error) {
	changes, err := s.node.sourceChanged()
	if err != nil {
		return false, err
	}
	s.renewed = s.renewed || changes
	coded, err := s.takeCoded()
	if err != nil {
		return false, err
	}
	pictures, err := s.takePictures()
	if err != nil {
		return false, err
	}
	if s.last && !s.renewed { // the event may have come in between
		if more, err := s.node.sourceChanged(); err != nil {
			return false, err
		} else if more {
			s.renewed = true
		}
	}
	switch {
	case s.renewed && (!s.flowing || s.last):
		err = s.renew(true)
	case s.last && s.ending:
		if !s.fruitful && s.barren > 0 && s.cut == nil {
			s.cut = fmt.Errorf("%w: %s: it took %d packets and made no picture", player.ErrHardware, s.node.path, s.barren)
		}
		s.ended = true
		s.changed.Broadcast()
	}
	return changes || coded || pictures, err
}

// takeCoded takes buffers back that were decoded.
func (s *session) takeCoded() (progress bool, err error) {
	for len(s.free) < len(s.input) {
		b, err := s.node.dequeue(s.node.coded, 1)
		if errors.Is(err, unix.EAGAIN) {
			return progress, nil
		}
		if err != nil {
			return progress, fmt.Errorf("take a buffer back: %w", err)
		}
		if b.index >= len(s.input) {
			return progress, fmt.Errorf("take a buffer back: there is none of number %d", b.index)
		}
		s.free, progress = append(s.free, b.index), true
		s.changed.Broadcast()
	}
	return progress, nil
}

// takePictures takes decoded pictures. mu is held.
func (s *session) takePictures() (progress bool, err error) {
	for s.flowing && !s.last && s.output.held() < len(s.output.frames) {
		b, err := s.node.dequeue(s.node.decoded, s.output.parts)
		switch {
		case errors.Is(err, unix.EAGAIN):
			return progress, nil
		case errors.Is(err, unix.EPIPE):
			s.last = true
			return true, nil
		case err != nil:
			return progress, fmt.Errorf("take a picture: %w", err)
		case b.index >= len(s.output.frames):
			return progress, fmt.Errorf("take a picture: there is none of number %d", b.index)
		}
		progress = true
		if err := s.picture(b); err != nil {
			return progress, err
		}
	}
	return progress, nil
}

// picture takes a decoded picture in. One that is damaged ends the session at its place; those before are good.
func (s *session) picture(b taken) error {
	f, at := s.output.frames[b.index], b.stamp-shift
	s.output.inside[b.index] = false
	s.last = b.flags&flagLast != 0
	if b.used != 0 || b.flags&flagError != 0 {
		s.fruitful, s.barren = true, 0
	}
	switch {
	case at < s.from-early, b.used == 0 && b.flags&flagError == 0: // leads to the place sought, damaged or not; or marks an end
		return s.fill(b.index)
	case b.flags&flagError != 0:
		return errDamage
	}
	s.lent[f] = loan{s.output.number, b.index}
	s.ready = append(s.ready, decoded{f, at})
	s.changed.Broadcast()
	return nil
}
