package kms

import (
	"errors"
	"fmt"
	"image"
	"os"

	"manofwar/player"
	"manofwar/player/kms/drm"
)

// buffer is a picture in memory that the card knows as a framebuffer.
type buffer struct {
	id            uint32
	format        player.Format
	width, height int
	owner         card            // whose memory it is
	twin          *buffer         // on another card, that was there when the owner had gone; nil: none
	memory        *drm.Memory     // nil: it is another's, or imported
	patch         patch           // what has been blended into it
	spare         []byte          // memory for the next patch
	filled        image.Rectangle // of a canvas: where it is not black
}

// align is what lines begin at a multiple of, in bytes: more than any scanout or decoder here wants.
const align = 64

// maxSize is the longest side of a picture: what the largest hardware here takes.
const maxSize = 8192

// shape is how the planes of a format lie in memory.
type shape struct {
	bits   int                        // of a pixel in the first plane
	planes []struct{ wide, high int } // the first plane's lines are longer than each plane's by wide, and more by high
}

var shapes = map[player.Format]shape{
	player.XRGB8888: {32, []struct{ wide, high int }{{1, 1}}},
	drm.ARGB8888:    {32, []struct{ wide, high int }{{1, 1}}},
	player.YUV420:   {8, []struct{ wide, high int }{{1, 1}, {2, 2}, {2, 2}}},
	player.NV12:     {8, []struct{ wide, high int }{{1, 1}, {1, 2}}},
}

// subsampled tells whether colours have half the size.
func (s shape) subsampled() bool { return len(s.planes) > 1 }

// place returns where each plane of a picture begins, how long its lines are, and the end of all. pitch is the first
// plane's.
func (s shape) place(height, pitch int) (planes []drm.FramebufferPlane, end int) {
	for _, p := range s.planes {
		planes = append(planes, drm.FramebufferPlane{Pitch: pitch / p.wide, Offset: end})
		end += pitch / p.wide * (height / p.high)
	}
	return planes, end
}

// pitches returns the pitch of the first plane of a view of memory: lines of pixels stay where they are, those of bytes
// are packed.
func pitches(f player.Format, width, pitch int) int {
	if !shapes[f].subsampled() {
		return pitch
	}
	return (width + align - 1) &^ (align - 1)
}

// newBuffer allocates a picture. What is in it is not defined.
func newBuffer(c card, f player.Format, width, height int) (*buffer, error) {
	s := shapes[f]
	lines := height
	if s.subsampled() {
		lines += height / 2
	}
	perLine := align / (s.bits / 8)
	m, err := c.Allocate((width+perLine-1)/perLine*perLine, lines, s.bits)
	if err != nil {
		return nil, err
	}
	b := &buffer{format: f, width: width, height: height, memory: m}
	if err := b.add(c, m, m.Pitch); err != nil {
		return nil, errors.Join(err, c.Free(m))
	}
	return b, nil
}

// add makes the picture in memory known to the card.
func (b *buffer) add(c card, m *drm.Memory, pitch int) error {
	planes, end := shapes[b.format].place(b.height, pitch)
	if end > len(m.Data) {
		return fmt.Errorf("picture of %d bytes in %d: %w", end, len(m.Data), player.ErrFormat)
	}
	for i := range planes {
		planes[i].Handle = m.Handle
	}
	var err error
	b.owner = c
	b.id, err = c.AddFramebuffer(drm.Framebuffer{
		Format: uint32(b.format), Width: b.width, Height: b.height, Planes: planes, Modifier: drm.ModifierLinear,
	})
	return err
}

// free gives the picture back. The card may be gone, and everything with it.
func (b *buffer) free(c card) {
	_ = c.RemoveFramebuffer(b.id)
	if b.memory != nil {
		_ = c.Free(b.memory)
	}
}

// size is the whole of the picture.
func (b *buffer) size() image.Point { return image.Pt(b.width, b.height) }

// NewFrame implements [player.Display].
func (d *Display) NewFrame(f player.Format, width, height int) (*player.Frame, error) {
	if err := checkFrame(f, width, height); err != nil {
		return nil, err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.card == nil {
		return nil, player.ErrGone
	}
	b, err := newBuffer(d.card, f, width, height)
	if err != nil {
		return nil, d.explain("new frame", err)
	}
	frame := &player.Frame{Format: f, Width: width, Height: height, Handle: b}
	planes, end := shapes[f].place(height, b.memory.Pitch)
	for i, p := range planes {
		next := end
		if i+1 < len(planes) {
			next = planes[i+1].Offset
		}
		frame.Planes[i] = player.Plane{Data: b.memory.Data[p.Offset:next:next], Pitch: p.Pitch}
	}
	d.frames[frame] = b
	return frame, nil
}

func checkFrame(f player.Format, width, height int) error {
	s, ok := shapes[f]
	if !ok || f == drm.ARGB8888 || width <= 0 || height <= 0 || width > maxSize || height > maxSize ||
		s.subsampled() && (width|height)&1 != 0 {
		return fmt.Errorf("frame of %d × %d: %w", width, height, player.ErrFormat)
	}
	return nil
}

// Free implements [player.Display].
func (d *Display) Free(f *player.Frame) {
	d.mu.Lock()
	defer d.mu.Unlock()
	b := d.frames[f]
	if b == nil {
		return
	}
	for !d.closed && (d.shown.of(b) || d.flying.of(b)) {
		d.turned.Wait()
	}
	if d.frames[f] != b {
		return // freed meanwhile
	}
	delete(d.frames, f)
	f.Planes, f.Handle = [3]player.Plane{}, nil
	if b.twin != nil {
		b.twin.free(b.twin.owner)
	}
	b.free(b.owner)
}

// home returns a frame's buffer on the card that is there now. Frames outlive their card: their memory is mapped, and is
// copied to the new one whenever they are shown.
func (d *Display) home(b *buffer) (*buffer, error) {
	if b.owner == d.card {
		return b, nil
	}
	if b.memory == nil { // another device's, known to the old card only; the new one can show something else
		return nil, fmt.Errorf("show what was imported into another card: %w", player.ErrFormat)
	}
	t := b.twin
	if t == nil || t.owner != d.card {
		var err error
		if t, err = newBuffer(d.card, b.format, b.width, b.height); err != nil {
			return nil, d.explain("show", err)
		}
		if b.twin != nil {
			b.twin.free(b.twin.owner)
		}
		b.twin = t
	}
	t.patch = patch{}
	from, _ := shapes[b.format].place(b.height, b.memory.Pitch)
	to, _ := shapes[b.format].place(b.height, t.memory.Pitch)
	for i, p := range shapes[b.format].planes {
		for y := range b.height / p.high {
			n := min(from[i].Pitch, to[i].Pitch)
			copy(t.memory.Data[to[i].Offset+y*to[i].Pitch:][:n], b.memory.Data[from[i].Offset+y*from[i].Pitch:][:n])
		}
	}
	return t, nil
}

// Import implements [player.Importer]. The planes have no data.
func (d *Display) Import(p player.Imported) (*player.Frame, error) {
	if err := checkFrame(p.Format, p.Width, p.Height); err != nil {
		return nil, err
	}
	if len(p.Planes) != len(shapes[p.Format].planes) {
		return nil, fmt.Errorf("import of %d planes: %w", len(p.Planes), player.ErrFormat)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.card == nil {
		return nil, player.ErrGone
	}
	b := &buffer{format: p.Format, width: p.Width, height: p.Height, owner: d.card}
	f := drm.Framebuffer{Format: uint32(p.Format), Width: p.Width, Height: p.Height, Modifier: p.Modifier, Explicit: true}
	handles := make(map[uint32]bool) // the same memory has the same handle, however often it is asked for
	var err error
	for _, plane := range p.Planes {
		var handle uint32
		if handle, err = importFile(d.card, plane.File); err != nil {
			break
		}
		handles[handle] = true
		f.Planes = append(f.Planes, drm.FramebufferPlane{Handle: handle, Pitch: plane.Pitch, Offset: plane.Offset})
	}
	if err == nil {
		b.id, err = d.card.AddFramebuffer(f)
	}
	for handle := range handles { // the framebuffer keeps the memory
		err = errors.Join(err, d.card.CloseObject(handle))
	}
	if err != nil {
		return nil, d.explain("import", err)
	}
	frame := &player.Frame{Format: p.Format, Width: p.Width, Height: p.Height, Handle: b}
	d.frames[frame] = b
	return frame, nil
}

func importFile(c card, f *os.File) (handle uint32, err error) {
	raw, err := f.SyscallConn()
	if err != nil {
		return 0, err
	}
	var failed error
	err = raw.Control(func(fd uintptr) { handle, failed = c.ImportObject(fd) })
	if err == nil {
		err = failed
	}
	return handle, err
}
