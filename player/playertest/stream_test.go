package playertest_test

import (
	"testing"
	"time"

	"manofwar/player"
	"manofwar/player/null"
	"manofwar/player/playertest"
)

// TestStream holds the streams that are made up to the suite: those whose pictures are filled in, and those that lend.
func TestStream(t *testing.T) {
	for name, lent := range map[string]int{"filled in": 0, "lent": 5} {
		t.Run(name, func(t *testing.T) {
			display := null.NewDisplay(null.DisplayOptions{})
			d := &playertest.Decoder{Display: display, Items: map[string]playertest.Recipe{
				"/film": {ID: 1, Length: time.Second, FPS: player.Rational{Num: 25, Den: 1}, Width: 64, Height: 64, Lent: lent},
			}}
			var due []time.Duration
			for i := range 25 {
				due = append(due, time.Duration(i)*40*time.Millisecond)
			}
			playertest.Stream(t, playertest.Film{
				Due: due, Lent: lent > 0,
				Open: func(t *testing.T, from time.Duration) player.Stream {
					s, err := d.Open(t.Context(), player.Request{
						Source: player.Source{Path: "/film"}, From: from, Audio: player.None, Subtitle: player.None,
						Format: player.NV12, Width: 64, Height: 64, Speed: 1,
					})
					if err != nil {
						t.Fatal(err)
					}
					return s
				},
				Frame: func() *player.Frame {
					f, err := display.NewFrame(player.NV12, 64, 64)
					if err != nil {
						t.Fatal(err)
					}
					t.Cleanup(func() { display.Free(f) })
					return f
				},
			})
			if held, _ := display.Frames(); lent > 0 && held != 0 {
				t.Errorf("%d frames were left", held)
			}
		})
	}
}
