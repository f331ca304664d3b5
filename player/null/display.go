package null

import (
	"encoding/binary"
	"errors"
	"fmt"
	"image"
	"slices"
	"sync"
	"time"

	"manofwar/player"
)

// Display is a screen that nobody sees. The zero value of [DisplayOptions] makes one of 1920 × 1080 at 60 Hz.
type Display struct {
	opt     DisplayOptions
	changed chan struct{}

	mu      sync.Mutex
	turned  *sync.Cond // another frame is shown, or the display is closed
	screen  player.Screen
	plugged bool
	closed  bool
	origin  time.Time // of the blanks
	last    time.Time // when the last frame became visible
	visible *player.Frame
	sign    uint64                   // of the visible frame when it was shown
	frames  map[*player.Frame][]byte // and their memory
	record  []Picture
	torn    int
	overlay Overlay
}

// DisplayOptions say what is simulated.
type DisplayOptions struct {
	Screen    player.Screen // without a mode: 1920 × 1080 at 60 Hz, which takes and scales everything
	Unplugged bool          // at first
	Frames    int           // that there is memory for; 0: any number
	Record    bool          // keep a [Picture] of every frame shown
}

// Picture is a frame that was shown.
type Picture struct {
	At     time.Time // when it became visible
	Sign   uint64    // the first eight bytes of its first plane, little endian
	Format player.Format
	Size   image.Point
	Dst    image.Rectangle
}

// Overlay is what lies over the pictures. The image is nil where there is none.
type Overlay struct {
	Image *image.RGBA // the caller's own
	At    image.Point
}

// NewDisplay returns a display.
func NewDisplay(opt DisplayOptions) *Display {
	if opt.Screen.Mode == (player.Mode{}) {
		opt.Screen = player.Screen{
			Connector: "null", Mode: player.Mode{Width: 1920, Height: 1080, Refresh: 60, Preferred: true},
			Formats: []player.Format{player.YUV420, player.NV12, player.XRGB8888}, Scales: true,
		}
	}
	if len(opt.Screen.Modes) == 0 {
		opt.Screen.Modes = []player.Mode{opt.Screen.Mode}
	}
	d := &Display{
		opt: opt, changed: make(chan struct{}, 1), screen: opt.Screen, plugged: !opt.Unplugged, origin: time.Now(),
		frames: make(map[*player.Frame][]byte),
	}
	d.turned = sync.NewCond(&d.mu)
	return d
}

// Screen returns the simulated screen.
func (d *Display) Screen() (player.Screen, bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.screen, d.plugged
}

// Changed receives after Plug and Unplug.
func (d *Display) Changed() <-chan struct{} { return d.changed }

// Unplug pulls the cable.
func (d *Display) Unplug() { d.plug(func() { d.plugged = false }) }

// Plug puts the cable back.
func (d *Display) Plug() { d.plug(func() { d.plugged = true }) }

// Replace puts the cable into another screen.
func (d *Display) Replace(s player.Screen) { d.plug(func() { d.plugged, d.screen = true, s }) }

func (d *Display) plug(change func()) {
	d.mu.Lock()
	change()
	d.mu.Unlock()
	select {
	case d.changed <- struct{}{}:
	default:
	}
}

// SetMode takes no time.
func (d *Display) SetMode(m player.Mode) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if !d.plugged {
		return player.ErrGone
	}
	i := slices.IndexFunc(d.screen.Modes, func(have player.Mode) bool {
		have.Preferred, m.Preferred = false, false
		return have == m
	})
	if i < 0 {
		return fmt.Errorf("set mode %d × %d: %w", m.Width, m.Height, player.ErrFormat)
	}
	d.screen.Mode = d.screen.Modes[i]
	return nil
}

// planes say how many bytes a line of each plane of a format has for two pixels, and how many lines share one.
var planes = map[player.Format][]struct{ pair, lines int }{
	player.XRGB8888: {{8, 1}},
	player.YUV420:   {{2, 1}, {1, 2}, {1, 2}},
	player.NV12:     {{2, 1}, {2, 2}},
}

// NewFrame returns memory that Free gives back at once.
func (d *Display) NewFrame(format player.Format, width, height int) (*player.Frame, error) {
	shape := planes[format]
	if shape == nil || width <= 0 || height <= 0 || width > 8192 || height > 8192 {
		return nil, fmt.Errorf("new frame of %d × %d: %w", width, height, player.ErrFormat)
	}
	f := &player.Frame{Format: format, Width: width, Height: height}
	var sizes [len(f.Planes)]int
	size := 0
	for i, p := range shape {
		f.Planes[i].Pitch = ((width+1)/2*p.pair + 63) &^ 63
		sizes[i] = f.Planes[i].Pitch * ((height + p.lines - 1) / p.lines)
		size += sizes[i]
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.opt.Frames > 0 && len(d.frames) >= d.opt.Frames {
		return nil, errors.New("out of memory")
	}
	memory, err := allocate(size)
	if err != nil {
		return nil, fmt.Errorf("new frame of %d × %d: %w", width, height, err)
	}
	d.frames[f] = memory
	for i, n := range sizes[:len(shape)] {
		f.Planes[i].Data, memory = memory[:n:n], memory[n:]
	}
	return f, nil
}

// Free gives the frame's memory back.
func (d *Display) Free(f *player.Frame) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for d.visible == f && !d.closed {
		d.turned.Wait()
	}
	if memory, ok := d.frames[f]; ok {
		delete(d.frames, f)
		release(memory)
	}
}

// Show waits for the next blank where the screen has one, and notes the frame.
func (d *Display) Show(f *player.Frame, dst image.Rectangle) (time.Time, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.takes(f, dst); err != nil {
		return time.Time{}, err
	}
	at := time.Now()
	if d.screen.VBlank {
		at = d.blank(at)
		d.mu.Unlock()
		time.Sleep(time.Until(at))
		d.mu.Lock()
		if !d.plugged {
			return time.Time{}, player.ErrGone
		}
	}
	d.turn(f, at)
	if d.opt.Record {
		d.record = append(d.record, Picture{at, d.sign, f.Format, image.Pt(f.Width, f.Height), dst})
	}
	return at, nil
}

// takes says whether the frame can be shown at dst.
func (d *Display) takes(f *player.Frame, dst image.Rectangle) error {
	switch {
	case d.closed || !d.plugged:
		return player.ErrGone
	case d.frames[f] == nil:
		return fmt.Errorf("show a frame that was freed: %w", player.ErrFormat)
	case dst.Empty() || !d.screen.Scales && dst.Size() != image.Pt(f.Width, f.Height):
		return fmt.Errorf("show at %v: %w", dst, player.ErrFormat)
	}
	return nil
}

// blank returns the first vertical blank after both now and the frame shown last.
func (d *Display) blank(now time.Time) time.Time {
	period := time.Duration(float64(time.Second) / d.screen.Mode.Refresh)
	if next := d.last.Add(period / 2); next.After(now) {
		now = next
	}
	return d.origin.Add((now.Sub(d.origin)/period + 1) * period)
}

// turn makes f visible, and looks whether anybody wrote into the frame that was.
func (d *Display) turn(f *player.Frame, at time.Time) {
	if d.visible != nil && d.visible != f && sign(d.visible) != d.sign {
		d.torn++
	}
	d.visible, d.sign, d.last = f, sign(f), at
	d.turned.Broadcast()
}

// sign is what tells one picture of a test from another.
func sign(f *player.Frame) uint64 {
	if len(f.Planes[0].Data) < 8 {
		return 0
	}
	return binary.LittleEndian.Uint64(f.Planes[0].Data)
}

// Overlay notes the image.
func (d *Display) Overlay(img *image.RGBA, at image.Point) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if !d.plugged {
		return player.ErrGone
	}
	d.overlay = Overlay{img, at}
	return nil
}

// Close lets a Free that waits return.
func (d *Display) Close() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.closed = true
	d.turned.Broadcast()
	return nil
}

// Pictures returns what was shown, in order.
func (d *Display) Pictures() []Picture {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Clone(d.record)
}

// Over returns what lies over the pictures.
func (d *Display) Over() Overlay {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.overlay
}

// Frames returns how many frames were made and not freed, and how many were written to while they were visible.
func (d *Display) Frames() (held, torn int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return len(d.frames), d.torn
}
