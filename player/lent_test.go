package player_test

import (
	"fmt"
	"image"
	"testing"
	"time"

	"manofwar/internal/media"
	"manofwar/player"
	"manofwar/player/api"
	"manofwar/player/playertest"
)

// onLoan is the usual items, with the frames of films lent.
func onLoan(change func(*playertest.Recipe)) map[string]playertest.Recipe {
	items := usual()
	for path, r := range items {
		if r.Width > 0 {
			r.Lent = 8
			change(&r)
			items[path] = r
		}
	}
	return items
}

func TestFramesThatAreLent(t *testing.T) {
	inBubble(t, setup{items: onLoan(func(*playertest.Recipe) {})}, func(r *rig) {
		r.Load(api.Load{Item: film("/film.mkv"), Next: new(film("/mute.mkv"))})
		r.until("plays", 2*time.Second, is(api.Playing))
		if s := r.Status(); s.Decoding != api.Hardware {
			t.Errorf("decoding is %q", s.Decoding)
		}
		r.wait(3 * time.Second)
		r.Seek(api.Seek{By: media.Duration(-time.Second)})
		r.wait(2 * time.Second)
		r.Pause()
		r.wait(time.Second)
		r.Play()
		r.until("the next", 30*time.Second, func(s api.Status) bool { return s.Item != nil && s.Item.Key == "/mute.mkv" })
		r.until("the end", 10*time.Second, is(api.Idle))
		r.wait(time.Second)
		r.inStep(time.Time{}, 48000, 25, 0, 25*time.Millisecond)
		r.wantReasons("/film.mkv finished", "/mute.mkv finished")
		if s := r.Status(); s.Sync.Dropped > 0 || s.Decoding != "" {
			t.Errorf("status %+v", s)
		}
	})
}

func TestWhatHardwareGivesUpGoesOnInSoftware(t *testing.T) {
	for _, c := range []struct {
		path string
		at   time.Duration
	}{{"/film.mkv", 0}, {"/film.mkv", 6 * time.Second}, {"/film.mkv", 100 * time.Millisecond}, {"/mute.mkv", 0}, {"/mute.mkv", 2 * time.Second}} {
		t.Run(fmt.Sprintf("%s at %v", c.path[1:], c.at), func(t *testing.T) {
			items := onLoan(func(r *playertest.Recipe) {
				r.Break, r.BreakAt, r.Breaks = fmt.Errorf("decode: %w", player.ErrHardware), c.at, 1
			})
			inBubble(t, setup{items: items}, func(r *rig) {
				r.Load(api.Load{Item: film(c.path)})
				r.until("software", 10*time.Second, func(s api.Status) bool { return s.State == api.Playing && s.Decoding == api.Software })
				before := time.Duration(r.Status().Position)
				if before > c.at+500*time.Millisecond || before < c.at-1500*time.Millisecond {
					t.Errorf("it goes on at %v", before)
				}
				r.until("the end", 30*time.Second, is(api.Idle))
				r.wantReasons(c.path + " finished")
				if s := r.Status(); s.Problem != nil {
					t.Errorf("a problem: %+v", s.Problem)
				}
				requests, _ := r.decoder.Opened()
				if len(requests) != 2 || requests[0].Software || !requests[1].Software {
					t.Errorf("it was opened for %+v", requests)
				}
			})
		})
	}
}

func TestLentFramesThatTheScreenDoesNotShow(t *testing.T) {
	shown := 0
	wrap := func(d player.Display) player.Display {
		return refusing{d, func(*player.Frame) bool { shown++; return shown == 20 }}
	}
	inBubble(t, setup{items: onLoan(func(*playertest.Recipe) {}), wrap: wrap}, func(r *rig) {
		r.Load(api.Load{Item: film("/film.mkv")})
		r.until("hardware", 10*time.Second, func(s api.Status) bool { return s.State == api.Playing && s.Decoding == api.Hardware })
		r.until("software", 10*time.Second, func(s api.Status) bool { return s.State == api.Playing && s.Decoding == api.Software })
		r.until("the end", 30*time.Second, is(api.Idle))
		r.wantReasons("/film.mkv finished")
	})
}

// refusing is a display that does not show some frames.
type refusing struct {
	player.Display
	refuses func(*player.Frame) bool
}

func (d refusing) Show(f *player.Frame, dst image.Rectangle) (time.Time, error) {
	if f.Format != player.XRGB8888 && d.refuses(f) {
		return time.Time{}, fmt.Errorf("show: %w", player.ErrFormat)
	}
	return d.Display.Show(f, dst)
}

// TestLentFramesAndAnotherScreen puts the cable into another screen: the frames may be those of a card that is gone.
func TestLentFramesAndAnotherScreen(t *testing.T) {
	inBubble(t, setup{items: onLoan(func(*playertest.Recipe) {})}, func(r *rig) {
		r.Load(api.Load{Item: film("/film.mkv")})
		r.until("plays", 2*time.Second, is(api.Playing))
		r.wait(time.Second)
		r.display.Unplug()
		r.wait(time.Second)
		r.display.Plug()
		r.wait(time.Second)
		if requests, _ := r.decoder.Opened(); len(requests) != 2 || requests[1].Software {
			t.Errorf("it was opened for %+v", requests)
		}
		r.until("the end", 30*time.Second, is(api.Idle))
		r.wantReasons("/film.mkv finished")
	})
}
