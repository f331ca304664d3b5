package kms

import (
	"bytes"
	"errors"
	"image"
	"testing"
	"time"

	"manofwar/player"
)

// TestPreparedPicturesLookTheSame holds what Prepare returns to Show, whatever comes in between.
func TestPreparedPicturesLookTheSame(t *testing.T) {
	type frames struct{ full, small, other *player.Frame }
	whole, middle := image.Rect(0, 0, 160, 120), image.Rect(30, 30, 130, 90)
	between := map[string]func(*testing.T, rig, frames){
		"nothing":           func(*testing.T, rig, frames) {},
		"another overlay":   func(t *testing.T, r rig, _ frames) { r.lay(t, noisy(20, 60), image.Pt(100, 80)) },
		"no overlay":        func(t *testing.T, r rig, _ frames) { r.lay(t, nil, image.Point{}) },
		"another picture":   func(t *testing.T, r rig, f frames) { r.show(t, f.other, whole) },
		"another, prepared": func(_ *testing.T, r rig, f frames) { r.Prepare(f.other, whole) },
		"a mode": func(t *testing.T, r rig, _ frames) {
			if err := r.SetMode(player.Mode{Width: 160, Height: 120, Refresh: r.refresh(t, 160)}); err != nil {
				t.Fatal(err)
			}
		},
		"an unplugged screen": func(_ *testing.T, r rig, _ frames) { r.Unplug(); r.Plug() },
	}
	for _, h := range []hardware{uncovered, menu, virtual} {
		for name, come := range between {
			t.Run(h.name+", "+name, func(t *testing.T) {
				t.Parallel()
				pictures := func(prepare bool) (seen [][]byte) {
					r := newRig(t, h)
					if err := r.SetMode(player.Mode{Width: 160, Height: 120, Refresh: r.refresh(t, 160)}); err != nil {
						t.Fatal(err)
					}
					f := frames{r.fill(t, player.XRGB8888, whole.Max, 1), r.fill(t, player.XRGB8888, middle.Size(), 7), r.fill(t, player.XRGB8888, whole.Max, 99)}
					for _, over := range []*image.RGBA{nil, noisy(50, 30)} {
						r.lay(t, over, image.Pt(20, 20))
						for _, step := range []struct {
							frame *player.Frame
							dst   image.Rectangle
						}{{f.full, whole}, {f.small, middle}, {f.small, image.Rect(-10, 0, 90, 60)}, {f.full, whole}} {
							var show func() (time.Time, error)
							if prepare {
								show = r.Prepare(step.frame, step.dst)
							}
							come(t, r, f)
							if show == nil {
								show = func() (time.Time, error) { return r.Show(step.frame, step.dst) }
							}
							if _, err := show(); err != nil {
								t.Fatal(err)
							}
							seen = append(seen, bytes.Clone(r.card.picture().Pix))
						}
					}
					return seen
				}
				want, got := pictures(false), pictures(true)
				for i := range want {
					if !bytes.Equal(want[i], got[i]) {
						t.Errorf("picture %d is another", i)
					}
				}
			})
		}
	}
}

func TestPrepareHasNothingToDo(t *testing.T) {
	r := newRig(t, virtual)
	s, _ := r.Screen()
	whole := bounds(s.Mode)
	full, small := r.fill(t, player.XRGB8888, whole.Max, 1), r.fill(t, player.XRGB8888, image.Pt(100, 60), 7)
	if r.Prepare(full, whole) != nil {
		t.Error("a frame that is shown as it is was put together")
	}
	if r.Prepare(small, whole) != nil || r.Prepare(small, image.Rect(9000, 0, 9100, 60)) != nil {
		t.Error("what cannot be shown was put together")
	}
	show := r.Prepare(small, image.Rect(0, 0, 100, 60))
	if show == nil {
		t.Fatal("a frame between bars was not put together")
	}
	r.Free(small)
	if _, err := show(); !errors.Is(err, player.ErrFormat) {
		t.Errorf("a frame that was freed: %v", err)
	}
	r.Unplug()
	if r.Prepare(full, whole) != nil {
		t.Error("a picture was put together for no screen")
	}
}
