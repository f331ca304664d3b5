package kms

import (
	"bytes"
	"errors"
	"image"
	"image/color"
	"slices"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"manofwar/player"
	"manofwar/player/kms/drm"
	"manofwar/player/playertest"
)

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
