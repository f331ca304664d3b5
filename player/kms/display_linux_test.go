package kms

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/color"
	"log/slog"
	"os"
	"slices"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"manofwar/player"
	"manofwar/player/kms/drm"
	"manofwar/player/playertest"
)

// rig is a display on a simulated card, whose plug can be pulled.
type rig struct {
	*Display
	card *simulated
}

func newRig(t *testing.T, h hardware) rig {
	t.Helper()
	c := newSimulated(h)
	d := begin(slog.New(slog.NewTextHandler(t.Output(), nil)), nil, func() (card, error) { return c, nil })
	t.Cleanup(func() {
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	})
	return rig{d, c}
}

func (r rig) connect(yes bool) {
	r.card.mu.Lock()
	r.card.connected = yes
	r.card.mu.Unlock()
	r.look(true)
}

// Unplug implements [playertest.Plug].
func (r rig) Unplug() { r.connect(false) }

// Plug implements [playertest.Plug].
func (r rig) Plug() { r.connect(true) }

// fill returns a frame of noise, for small frames in XRGB.
func (r rig) fill(t *testing.T, f player.Format, size image.Point, seed byte) *player.Frame {
	t.Helper()
	fr, err := r.NewFrame(f, size.X, size.Y)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range fr.Planes {
		for i := range p.Data {
			p.Data[i] = byte(i)*7 ^ byte(i>>8) ^ seed
		}
	}
	return fr
}

func (r rig) show(t *testing.T, f *player.Frame, dst image.Rectangle) {
	t.Helper()
	if _, err := r.Show(f, dst); err != nil {
		t.Fatal(err)
	}
}

func (r rig) lay(t *testing.T, img *image.RGBA, at image.Point) {
	t.Helper()
	if err := r.Overlay(img, at); err != nil {
		t.Fatal(err)
	}
}

func TestConformanceOfEveryHardware(t *testing.T) {
	for _, h := range everyHardware {
		t.Run(h.name, func(t *testing.T) {
			t.Parallel()
			playertest.Display(t, func(t *testing.T) player.Display { return newRig(t, h) })
		})
	}
}

func TestWhatHardwareOffers(t *testing.T) {
	video := []player.Format{player.YUV420, player.NV12, player.XRGB8888}
	for _, tt := range []struct {
		hardware
		formats []player.Format
		scales  bool
	}{
		{broadcom, video, true},
		{covered, video, true},
		{uncovered, video[2:], false},
		{menu, video[2:], false},
		{virtual, video[2:], false},
	} {
		r := newRig(t, tt.hardware)
		s, ok := r.Screen()
		if !ok || !slices.Equal(s.Formats, tt.formats) || s.Scales != tt.scales || s.VBlank != tt.vblank || s.Connector != "HDMI-A-1" {
			t.Errorf("%s: got %+v", tt.name, s)
		}
	}
}

// TestEveryHardwareShowsTheSame goes through the same pictures on all kinds of hardware: by a plane or by a copy, with a
// plane above or blended, what is seen is one.
func TestEveryHardwareShowsTheSame(t *testing.T) {
	var want [][]byte
	for i, h := range everyHardware {
		r := newRig(t, h)
		var got [][]byte
		look := func() { got = append(got, bytes.Clone(r.card.picture().Pix)) }
		if err := r.SetMode(player.Mode{Width: 160, Height: 120, Refresh: r.refresh(t, 160)}); err != nil {
			t.Fatal(err)
		}
		whole := image.Rect(0, 0, 160, 120)
		full, other := r.fill(t, player.XRGB8888, whole.Max, 1), r.fill(t, player.XRGB8888, whole.Max, 99)
		small, large := r.fill(t, player.XRGB8888, image.Pt(100, 60), 7), r.fill(t, player.XRGB8888, image.Pt(200, 140), 3)
		img := noisy(50, 30)
		look()
		r.show(t, full, whole)
		look()
		r.lay(t, img, image.Pt(20, 20))
		r.show(t, other, whole)
		look()
		r.lay(t, img, image.Pt(140, 100))
		r.settle(t)
		look()
		r.show(t, small, image.Rect(30, 30, 130, 90))
		look()
		r.lay(t, noisy(20, 60), image.Pt(100, 80))
		r.settle(t)
		look()
		r.lay(t, nil, image.Point{})
		r.settle(t)
		look()
		r.show(t, small, image.Rect(0, 0, 100, 60))
		look()
		r.show(t, large, image.Rect(-20, -10, 180, 130))
		look()
		r.lay(t, img, image.Pt(-10, -10))
		r.show(t, full, whole)
		look()
		r.lay(t, nil, image.Point{})
		r.show(t, full, whole)
		look()
		if i == 0 {
			want = got
			continue
		}
		for k := range want {
			if !bytes.Equal(got[k], want[k]) {
				t.Errorf("%s: picture %d is another", h.name, k)
			}
		}
	}
	for k, a := range want {
		same := slices.IndexFunc(want[:k], func(b []byte) bool { return bytes.Equal(a, b) })
		if same >= 0 && k != len(want)-1 {
			t.Errorf("picture %d is like %d: nothing was tested", k, same)
		}
	}
	if !bytes.Equal(want[len(want)-1], want[1]) {
		t.Error("something is left of what lay over the first picture")
	}
}

// refresh returns that of the first mode of a width.
func (r rig) refresh(t *testing.T, width int) float64 {
	t.Helper()
	s, _ := r.Screen()
	for _, m := range s.Modes {
		if m.Width == width {
			return m.Refresh
		}
	}
	t.Fatalf("no mode of width %d", width)
	return 0
}

// settle waits until what was laid over is shown by itself.
func (r rig) settle(t *testing.T) {
	t.Helper()
	for deadline := time.Now().Add(5 * time.Second); ; {
		r.mu.Lock()
		stale := r.stale
		r.mu.Unlock()
		if !stale {
			return
		}
		if time.Now().After(deadline) {
			t.Fatal("an overlay is not shown by itself")
		}
		<-time.After(time.Millisecond)
	}
}

func TestVideoOnPlanes(t *testing.T) {
	screen := image.Rect(0, 0, 320, 180)
	for _, tt := range []struct {
		hardware
		planes []int // that are used without and with something that lies over the picture
		over   []int
	}{
		{broadcom, []int{0}, []int{0, 1}},
		{covered, []int{0, 1}, []int{0, 1, 2}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := newRig(t, tt.hardware)
			fr := r.fill(t, player.YUV420, image.Pt(200, 100), 5)
			r.show(t, fr, image.Rect(-40, 10, 360, 170)) // twice the width, with 40 of 400 beyond each edge
			used := r.card.layouts()
			if got := planesOf(used); !slices.Equal(got, tt.planes) {
				t.Fatalf("planes %v are used, want %v", got, tt.planes)
			}
			video := used[len(used)-1]
			if want := image.Rect(0, 10, 320, 170); video.dst != want {
				t.Errorf("at %v, want %v", video.dst, want)
			}
			if want := image.Rect(20<<16, 0, 180<<16, 100<<16); video.crop != want {
				t.Errorf("of the picture %v is shown, want %v", video.crop, want)
			}
			if video.encoding != 1 || video.colours != 3 {
				t.Errorf("colours %d, %d, want those of a small picture", video.encoding, video.colours)
			}
			if len(used) > 1 && (used[0].dst != screen || used[0].buffer.Format != uint32(player.XRGB8888)) {
				t.Errorf("below is %+v, want black", used[0])
			}

			r.lay(t, noisy(64, 32), image.Pt(300, 160)) // 20 × 20 of it are on the screen
			r.show(t, fr, screen)
			used = r.card.layouts()
			if got := planesOf(used); !slices.Equal(got, tt.over) {
				t.Fatalf("planes %v are used, want %v", got, tt.over)
			}
			over := used[len(used)-1]
			if over.buffer.Format != drm.ARGB8888 || over.dst != image.Rect(300, 160, 320, 180) || over.crop != image.Rect(0, 0, 20<<16, 20<<16) ||
				tt.hardware.planes[over.plane].colours && over.blend != 4 {
				t.Errorf("above is %+v", over)
			}

			hd := r.fill(t, player.NV12, image.Pt(1920, 800), 5)
			r.show(t, hd, image.Rect(0, 23, 320, 156))
			used = r.card.layouts()
			if video := used[len(used)-2]; video.encoding != 2 || video.buffer.Planes[1].Offset != 1920*800 || video.buffer.Planes[1].Pitch != 1920 {
				t.Errorf("HD is %+v", video)
			}
			r.lay(t, nil, image.Point{})
			r.settle(t)
			if got := planesOf(r.card.layouts()); !slices.Equal(got, tt.planes) {
				t.Errorf("planes %v are used, want %v", got, tt.planes)
			}
		})
	}
}

func planesOf(list []layout) (planes []int) {
	for _, l := range list {
		planes = append(planes, l.plane)
	}
	return planes
}

func TestOverlayWaitsForTheNextShow(t *testing.T) {
	r := newRig(t, virtual)
	a := r.fill(t, player.XRGB8888, image.Pt(320, 180), 1)
	whole := image.Rect(0, 0, 320, 180)
	r.show(t, a, whole)
	before := r.card.count()
	r.lay(t, noisy(10, 10), image.Point{})
	r.show(t, a, whole)
	if got := r.card.count(); got != before+1 {
		t.Errorf("%d commits, want one that has both", got-before)
	}
}

// count returns how many commits there were.
func (c *simulated) count() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.commits
}

// TestNobodyWaitsForTheBlank has a slow screen: while a picture waits for it, only whoever shows another one does.
func TestNobodyWaitsForTheBlank(t *testing.T) {
	r := newRig(t, broadcom)
	r.Unplug()
	r.card.mu.Lock()
	r.card.modes = []drm.ModeInfo{timing(320, 180, 3, 0)}
	r.card.mu.Unlock()
	r.Plug()
	whole := image.Rect(0, 0, 320, 180)
	a, b := r.fill(t, player.XRGB8888, whole.Max, 1), r.fill(t, player.XRGB8888, whole.Max, 2)
	r.show(t, a, whole)
	shown, freed := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(shown)
		r.show(t, b, whole)
	}()
	for flying := false; !flying; {
		r.mu.Lock()
		flying = r.flying != nil
		r.mu.Unlock()
	}
	r.lay(t, noisy(10, 10), image.Point{})
	r.Free(r.fill(t, player.XRGB8888, whole.Max, 3))
	go func() {
		defer close(freed)
		r.Free(b)
	}()
	select {
	case <-shown:
		t.Error("an overlay or a new frame has waited for the blank")
	case <-freed:
		t.Error("a frame was freed that is about to be shown")
	case <-time.After(20 * time.Millisecond):
	}
	<-shown
	r.mu.Lock()
	if !r.stale {
		t.Error("an overlay that came too late for a picture is taken for shown")
	}
	r.mu.Unlock()
	r.show(t, a, whole)
	<-freed
}

func TestErrorsOfTheKernel(t *testing.T) {
	for _, tt := range []struct {
		kernel error
		want   error
	}{
		{unix.EACCES, ErrInUse},
		{unix.EINVAL, player.ErrFormat},
		{unix.ENOSPC, player.ErrFormat},
		{unix.ENODEV, player.ErrGone},
		{unix.EIO, unix.EIO},
	} {
		r := newRig(t, virtual)
		fr := r.fill(t, player.XRGB8888, image.Pt(320, 180), 1)
		r.card.refuse(func(uint32) error { return tt.kernel })
		if _, err := r.Show(fr, image.Rect(0, 0, 320, 180)); !errors.Is(err, tt.want) || !errors.Is(err, tt.kernel) {
			t.Errorf("show: %v, want %v", err, tt.want)
		}
		s, _ := r.Screen()
		if err := r.SetMode(s.Modes[1]); !errors.Is(err, tt.want) {
			t.Errorf("set mode: %v, want %v", err, tt.want)
		}
		if after, _ := r.Screen(); after.Mode != s.Mode {
			t.Errorf("the mode is %+v after that failed", after.Mode)
		}
		r.card.refuse(nil)
		r.show(t, fr, image.Rect(0, 0, 320, 180))
	}
}

func (c *simulated) refuse(f func(flags uint32) error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.fail = f
}

func TestBusyAfterAMode(t *testing.T) {
	r := newRig(t, virtual)
	fr := r.fill(t, player.XRGB8888, image.Pt(320, 180), 1)
	r.card.refuse(func(flags uint32) error {
		if flags&drm.NonBlock != 0 {
			return unix.EBUSY
		}
		return nil
	})
	r.show(t, fr, image.Rect(0, 0, 320, 180))
}

func TestOverlayThatDoesNotFitIsLeftOut(t *testing.T) {
	r := newRig(t, broadcom)
	fr := r.fill(t, player.YUV420, image.Pt(64, 64), 1)
	r.lay(t, noisy(10, 10), image.Point{})
	first := true
	r.card.refuse(func(flags uint32) error {
		if first && flags&drm.TestOnly == 0 {
			first = false
			return unix.ENOSPC
		}
		return nil
	})
	r.show(t, fr, image.Rect(0, 0, 320, 180))
	if got := planesOf(r.card.layouts()); !slices.Equal(got, []int{0}) {
		t.Errorf("planes %v are used", got)
	}
}

func TestFirstMode(t *testing.T) {
	mode := func(w, h int, hz float64, flags string) player.Mode {
		return player.Mode{Width: w, Height: h, Refresh: hz, Interlaced: flags == "i", Preferred: flags == "p"}
	}
	for _, tt := range []struct {
		name  string
		modes []player.Mode
		want  int
	}{
		{"the screen's choice", []player.Mode{mode(1920, 1080, 60, ""), mode(1360, 768, 60, "p")}, 1},
		{"4K is too large", []player.Mode{mode(3840, 2160, 60, "p"), mode(1280, 720, 60, ""), mode(1920, 1080, 24, ""), mode(1920, 1080, 60, ""), mode(1920, 1080, 59.94, "")}, 3},
		{"whole pictures before halves", []player.Mode{mode(1920, 1080, 60, "i"), mode(1280, 720, 50, "")}, 1},
		{"nothing but 4K", []player.Mode{mode(4096, 2160, 24, ""), mode(3840, 2160, 30, "p")}, 1},
		{"fast screens are not driven fast", []player.Mode{mode(1920, 1080, 60, ""), mode(1920, 1080, 144, "")}, 0},
	} {
		h := head{modes: tt.modes}
		if got := h.first(wanted{}); got != tt.want {
			t.Errorf("%s: got %+v, want %+v", tt.name, tt.modes[got], tt.modes[tt.want])
		}
		if got := h.first(wanted{mode: tt.modes[0], chosen: true}); got != 0 {
			t.Errorf("%s: got %+v, want what was chosen", tt.name, tt.modes[got])
		}
	}
}

func TestListModes(t *testing.T) {
	modes, infos := listModes([]drm.ModeInfo{
		timing(1920, 1080, 60, 1<<3),
		timing(1920, 1080, 60, 0), // again, with another shape of pixels
		timing(1280, 720, 60, 1<<3),
		{HDisplay: 720, VDisplay: 480, Clock: 27000, HTotal: 858, VTotal: 525, Flags: 1 << 14}, // two pictures
		{HDisplay: 720},
	})
	if len(modes) != 2 || len(infos) != 2 || !modes[0].Preferred || modes[1].Preferred || infos[1].HDisplay != 1280 {
		t.Errorf("got %+v", modes)
	}
}

func TestModeOutlivesTheScreen(t *testing.T) {
	r := newRig(t, virtual)
	s, _ := r.Screen()
	if err := r.SetMode(s.Modes[2]); err != nil {
		t.Fatal(err)
	}
	r.Unplug()
	r.Plug()
	if got, _ := r.Screen(); got.Mode != s.Modes[2] {
		t.Errorf("got %+v, want the mode that was set", got.Mode)
	}
	r.Unplug()
	r.card.mu.Lock()
	r.card.modes = r.card.modes[:1]
	r.card.mu.Unlock()
	r.Plug()
	if got, _ := r.Screen(); got.Mode != s.Modes[0] {
		t.Errorf("got %+v of a screen that has one mode", got.Mode)
	}
}

func TestNothingIsLost(t *testing.T) {
	for _, h := range everyHardware {
		r := newRig(t, h)
		for i := range 3 {
			s, _ := r.Screen()
			if err := r.SetMode(s.Modes[i%len(s.Modes)]); err != nil {
				t.Fatal(err)
			}
			s, _ = r.Screen()
			whole := bounds(s.Mode)
			full, small := r.fill(t, player.XRGB8888, whole.Max, 1), r.fill(t, player.XRGB8888, image.Pt(64, 64), 2)
			video := r.fill(t, s.Formats[0], image.Pt(96, 80), 3)
			r.lay(t, noisy(40, 40+i*20), image.Pt(5, 5))
			r.show(t, full, whole)
			r.show(t, small, image.Rect(3, 3, 67, 67))
			r.show(t, video, image.Rect(3, 3, 99, 83))
			r.lay(t, noisy(60, 20), image.Pt(9, 9))
			r.show(t, full, whole)
			for _, f := range []*player.Frame{small, video} {
				r.Free(f)
				r.Free(f)
			}
			if i == 1 {
				r.Unplug()
				r.Plug()
			}
			gone := make(chan struct{})
			go func() { r.Free(full); close(gone) }()
			r.Unplug()
			<-gone
			r.Plug()
		}
		if err := r.Close(); err != nil {
			t.Error(err)
		}
		if lost := r.card.leaks(); lost != "" {
			t.Errorf("%s: %s were not given back", h.name, lost)
		}
	}
}

func TestImport(t *testing.T) {
	r := newRig(t, broadcom)
	f, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	const modifier = 0x0700000000000004 // columns of the Raspberry Pi's decoder
	fr, err := r.Import(player.Imported{
		Format: player.NV12, Width: 1920, Height: 1080, Modifier: modifier,
		Planes: []player.ImportedPlane{{f, 1920, 0}, {f, 1920, 1920 * 1088}},
	})
	if err != nil {
		t.Fatal(err)
	}
	r.show(t, fr, image.Rect(0, 0, 320, 180))
	got := r.card.layouts()[0].buffer
	handle := uint32(10_000 + f.Fd())
	want := []drm.FramebufferPlane{{Handle: handle, Pitch: 1920}, {Handle: handle, Pitch: 1920, Offset: 1920 * 1088}}
	if !slices.Equal(got.Planes, want) || got.Modifier != modifier || !got.Explicit || got.Width != 1920 || got.Format != uint32(player.NV12) {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if fr.Planes[0].Data != nil {
		t.Error("the frame has data")
	}
	if len(r.card.imports) > 0 {
		t.Error("the handle was not given back")
	}
	for _, p := range []player.Imported{
		{Format: player.NV12, Width: 64, Height: 64, Planes: []player.ImportedPlane{{f, 64, 0}}},
		{Format: player.NV12, Width: 63, Height: 64, Planes: make([]player.ImportedPlane, 2)},
		{Format: 1, Width: 64, Height: 64},
	} {
		if _, err := r.Import(p); !errors.Is(err, player.ErrFormat) {
			t.Errorf("%+v: %v", p, err)
		}
	}

	// Without planes it can be shown only as it is.
	r = newRig(t, virtual)
	fr, err = r.Import(player.Imported{Format: player.XRGB8888, Width: 320, Height: 180, Planes: []player.ImportedPlane{{f, 1280, 0}}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.Show(fr, image.Rect(0, 0, 320, 180)); !errors.Is(err, player.ErrFormat) {
		t.Errorf("got %v", err)
	}
}

func TestNoCardAtFirst(t *testing.T) {
	c := newSimulated(virtual)
	problem := fmt.Errorf("not allowed to use the screen: %w", os.ErrPermission)
	there := false
	d := begin(slog.New(slog.DiscardHandler), nil, func() (card, error) {
		if !there {
			return nil, problem
		}
		return c, nil
	})
	defer d.Close()
	if _, ok := d.Screen(); ok || !errors.Is(d.Problem(), os.ErrPermission) {
		t.Errorf("got %v", d.Problem())
	}
	if _, err := d.NewFrame(player.XRGB8888, 64, 64); !errors.Is(err, player.ErrGone) {
		t.Errorf("new frame: %v", err)
	}
	if err := d.Overlay(image.NewRGBA(image.Rect(0, 0, 1, 1)), image.Point{}); !errors.Is(err, player.ErrGone) {
		t.Errorf("overlay: %v", err)
	}
	d.mu.Lock()
	there = true
	d.mu.Unlock()
	d.look(true)
	select {
	case <-d.Changed():
	default:
		t.Error("Changed did not receive")
	}
	if _, ok := d.Screen(); !ok || d.Problem() != nil {
		t.Errorf("no screen, %v", d.Problem())
	}
}

func TestFramesOutliveTheirCard(t *testing.T) {
	for _, h := range everyHardware {
		first, second := newSimulated(h), newSimulated(h)
		now := first
		d := begin(slog.New(slog.DiscardHandler), nil, func() (card, error) {
			if now == nil {
				return nil, errNoCard
			}
			return now, nil
		})
		r := rig{d, first}
		whole := image.Rect(0, 0, 320, 180)
		s, _ := r.Screen()
		full, video := r.fill(t, player.XRGB8888, whole.Max, 1), r.fill(t, s.Formats[0], image.Pt(100, 60), 5)
		place := image.Rect(20, 20, 120, 80)
		var want [2][]layout
		r.lay(t, noisy(50, 30), image.Pt(5, 5))
		r.show(t, video, place)
		want[0] = first.layouts()
		r.show(t, full, whole)
		want[1] = first.layouts()
		picture := first.picture()

		first.mu.Lock()
		first.gone = true
		first.mu.Unlock()
		d.mu.Lock()
		now = nil
		d.mu.Unlock()
		if _, err := r.Show(full, whole); !errors.Is(err, player.ErrGone) {
			t.Errorf("%s: show: %v", h.name, err)
		}
		r.look(true)
		if _, ok := r.Screen(); ok {
			t.Errorf("%s: there is a screen without a card", h.name)
		}
		if _, err := r.NewFrame(player.XRGB8888, 64, 64); !errors.Is(err, player.ErrGone) {
			t.Errorf("%s: new frame: %v", h.name, err)
		}
		d.mu.Lock()
		now = second
		d.mu.Unlock()
		r.look(true)
		r.card = second
		for i, f := range []*player.Frame{video, full} {
			r.show(t, f, []image.Rectangle{place, whole}[i])
			got := second.layouts()
			if !slices.Equal(planesOf(got), planesOf(want[i])) || got[len(got)-1].dst != want[i][len(got)-1].dst {
				t.Errorf("%s: got %+v, want %+v", h.name, got, want[i])
			}
		}
		if !bytes.Equal(second.picture().Pix, picture.Pix) {
			t.Errorf("%s: the picture is another on the new card", h.name)
		}
		r.Free(video)
		r.Unplug()
		r.Free(full)
		if err := d.Close(); err != nil {
			t.Error(err)
		}
		if lost := second.leaks() + first.leaks(); lost != "" {
			t.Errorf("%s: %s were not given back", h.name, lost)
		}
	}
}

func TestCrop(t *testing.T) {
	whole := image.Rect(0, 0, 640<<16, 480<<16)
	dst := image.Rect(-100, 20, 1180, 980)
	if got := crop(image.Pt(640, 480), dst, dst); got != whole {
		t.Errorf("got %v", got)
	}
	if got, want := crop(image.Pt(640, 480), dst, image.Rect(0, 20, 1080, 500)), image.Rect(50<<16, 0, 590<<16, 240<<16); got != want {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestOverlayPixels(t *testing.T) {
	img := image.NewRGBA(image.Rect(0, 0, 2, 1))
	img.SetRGBA(0, 0, color.RGBA{1, 2, 3, 4})
	img.SetRGBA(1, 0, color.RGBA{0, 0, 0, 255})
	if got := newOverlay(img, image.Pt(7, 8)); !bytes.Equal(got.pix, []byte{3, 2, 1, 4, 0, 0, 0, 255}) || got.rect != image.Rect(7, 8, 9, 9) {
		t.Errorf("got %+v", got)
	}
}
