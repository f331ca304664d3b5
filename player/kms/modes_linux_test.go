package kms

import (
	"image"
	"testing"

	"golang.org/x/sys/unix"

	"manofwar/player"
	"manofwar/player/kms/drm"
)

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
		if got := h.first(wanted{mode: tt.modes[0], of: &h}); got != 0 {
			t.Errorf("%s: got %+v, want what was chosen", tt.name, tt.modes[got])
		}
		other := head{modes: tt.modes, connector: socket{edid: []byte("another")}}
		if got := h.first(wanted{mode: tt.modes[0], of: &other}); got != tt.want {
			t.Errorf("%s: got %+v, which was chosen for another screen; want %+v", tt.name, tt.modes[got], tt.modes[tt.want])
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
	r.card.modes = r.card.modes[:3] // the mode that was set is among them
	r.card.mu.Unlock()
	r.Plug()
	if got, _ := r.Screen(); got.Mode != s.Modes[0] {
		t.Errorf("got %+v of another screen, want the one that it prefers", got.Mode)
	}
}
