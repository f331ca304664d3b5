package v4l2

import (
	"fmt"
	"image"
	"os"
	"slices"
	"time"

	"manofwar/player"
)

// setup is how the decoded queue is set up. The zero value is a queue that is not.
type setup struct {
	number  int // counts set-ups
	shape   shape
	visible image.Rectangle
	frames  []*player.Frame // one for each buffer
	inside  []bool          // the device has it
	parts   int             // of a buffer
}

// loan is where a frame belongs that is not the session's own at the time: it is lent, or is about to be.
type loan struct{ number, index int }

const (
	usualNeed = 4  // buffers that a decoder needs for itself, where it does not say
	mostNeed  = 32 // that are believed
)

// renew stops the decoded queue, and starts it again for the format that the device has read from the stream
// (dev-decoder.rst, "Capture Setup"). Buffers and frames stay as they are if they suit that. mu is held.
func (s *session) renew(again bool) error {
	if s.flowing {
		if err := s.node.stream(s.node.decoded, false); err != nil {
			return err
		}
	}
	s.flowing, s.renewed, s.last = false, false, false
	s.epoch++
	clear(s.output.inside)
	if again || s.output.frames == nil {
		if err := s.arrange(); err != nil {
			return err
		}
	}
	if err := s.node.stream(s.node.decoded, true); err != nil {
		return err
	}
	s.flowing = true
	for i, f := range s.output.frames {
		if _, out := s.lent[f]; !out {
			if err := s.fill(i); err != nil {
				return err
			}
		}
	}
	if s.ending { // it forgot that when the queue was stopped
		return s.node.stop()
	}
	return nil
}

// arrange makes buffers and frames of the format, unless those that there are have it.
func (s *session) arrange() error {
	now, err := s.node.shape(s.node.decoded)
	if err != nil {
		return err
	}
	need, ok := s.node.value(controlMinCapture)
	if !ok {
		need = usualNeed
	}
	need = min(max(need, 1), mostNeed) + lends
	visible := s.node.visible(now)
	if o := &s.output; now == o.shape && visible == o.visible && len(o.frames) >= need {
		return nil
	}
	s.freeFrames()
	if _, err := s.node.allocate(s.node.decoded, 0); err != nil {
		return err
	}
	if now, err = s.choose(now); err != nil {
		return err
	}
	count, err := s.node.allocate(s.node.decoded, need)
	if err != nil {
		return err
	}
	if count < need {
		return fmt.Errorf("there is memory for %d pictures of %d × %d, and %d are needed", count, now.width, now.height, need)
	}
	return s.importAll(now, s.node.visible(now), count)
}

// choose sets a format that the screen takes: the device's own choice, if it is one.
func (s *session) choose(now shape) (shape, error) {
	screen, ok := s.display.Screen()
	if !ok {
		return now, player.ErrGone
	}
	if p, ok := pictureOf(now.fourCC); ok && slices.Contains(screen.Formats, p.format) {
		return now, nil
	}
	offered := s.node.formats(s.node.decoded)
	for _, f := range screen.Formats {
		for _, p := range pictures {
			if p.format != f || !slices.Contains(offered, p.fourCC) {
				continue
			}
			got, err := s.node.setShape(s.node.decoded, shape{fourCC: p.fourCC, width: now.width, height: now.height})
			if err == nil && got.fourCC == p.fourCC {
				return got, nil
			}
		}
	}
	return now, fmt.Errorf("pictures in format %08x: %w", now.fourCC, player.ErrFormat)
}

// importAll makes a frame of each buffer.
func (s *session) importAll(now shape, visible image.Rectangle, count int) error {
	p, _ := pictureOf(now.fourCC)
	places, err := now.places(p, visible)
	if err != nil {
		return err
	}
	s.output = setup{number: s.output.number + 1, shape: now, visible: visible, parts: p.parts, inside: make([]bool, count)}
	for i := range count {
		f, err := s.importBuffer(i, p, places)
		if err != nil {
			return err
		}
		s.output.frames = append(s.output.frames, f)
	}
	return nil
}

// importBuffer makes a frame of a buffer. The display holds its memory, the files are not needed any more.
func (s *session) importBuffer(index int, p picture, places []place) (f *player.Frame, err error) {
	files := make([]*os.File, p.parts)
	defer func() {
		for _, file := range files {
			if file != nil {
				_ = file.Close() // the memory has a holder by then, or is not wanted
			}
		}
	}()
	for i := range files {
		if files[i], err = s.node.export(s.node.decoded, index, i); err != nil {
			return nil, err
		}
	}
	size := s.output.visible.Size()
	if p.format != player.XRGB8888 {
		size.X, size.Y = size.X&^1, size.Y&^1
	}
	m := player.Imported{Format: p.format, Width: size.X, Height: size.Y}
	for _, at := range places {
		m.Planes = append(m.Planes, player.ImportedPlane{File: files[at.part], Pitch: at.pitch, Offset: at.offset})
	}
	if f, err = s.display.Import(m); err != nil {
		return nil, fmt.Errorf("import a picture into the display: %w", err)
	}
	return f, nil
}

// freeFrames frees the frames that are not lent; the others are freed when they come back. mu is held.
func (s *session) freeFrames() {
	for _, f := range s.output.frames {
		if _, out := s.lent[f]; !out {
			s.display.Free(f)
		}
	}
	s.output = setup{number: s.output.number + 1}
}

// fill hands a buffer to the device. mu is held.
func (s *session) fill(index int) error {
	if !s.flowing || s.last {
		return nil // all that are free will be handed over when it begins
	}
	if err := s.node.enqueue(s.node.decoded, index, s.output.parts, 0, 0, 0); err != nil {
		return s.fail(err)
	}
	s.output.inside[index] = true
	s.poke()
	return nil
}

// held returns how many of the queue's frames are not the device's.
func (o *setup) held() (n int) {
	for _, in := range o.inside {
		if !in {
			n++
		}
	}
	return n
}

// early is how much before the wanted place a picture may be due and is shown nevertheless: rounding.
const early = time.Millisecond
