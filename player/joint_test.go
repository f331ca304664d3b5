package player_test

import (
	"testing"
	"time"

	"manofwar/player"
	"manofwar/player/api"
	"manofwar/player/playertest"
)

// TestFilmsOfTwoShapes plays an episode after another one of another size, on a screen that scales: the frames of the first
// are not taken away while it is decoded, though the second is opened before its end.
func TestFilmsOfTwoShapes(t *testing.T) {
	items := map[string]playertest.Recipe{
		"/one.mkv": {ID: 1, Length: 8 * time.Second, Rate: 48000, FPS: player.Rational{Num: 25, Den: 1}, Width: 640, Height: 360},
		"/two.mkv": {ID: 2, Length: 2 * time.Second, Rate: 48000, FPS: player.Rational{Num: 25, Den: 1}, Width: 320, Height: 240},
	}
	inBubble(t, setup{items: items}, func(r *rig) {
		r.Load(api.Load{Item: film("/one.mkv"), Next: new(film("/two.mkv"))})
		r.until("its end", 15*time.Second, func(s api.Status) bool { return s.Item == nil || s.Item.Key == "/two.mkv" })
		widths := map[int]int{}
		for _, p := range r.display.Pictures() {
			widths[p.Size.X]++
		}
		if n := widths[640]; n < 199 {
			t.Errorf("%d of 200 pictures of the first were seen: %v", n, widths)
		}
		r.until("the end", 15*time.Second, is(api.Idle))
		if held, torn := r.display.Frames(); torn > 0 || held > 20 {
			t.Errorf("%d frames are held, %d were torn", held, torn)
		}
	})
}
