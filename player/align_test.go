package player_test

import (
	"context"
	"encoding/binary"
	"log/slog"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"manofwar/internal/media"
	"manofwar/player"
	"manofwar/player/api"
	"manofwar/player/null"
	"manofwar/player/playertest"
)

// TestTwoPlayersInStep lets a second player follow one whose card runs at another speed. What the two cards play tells
// where they are: the song is a slope.
func TestTwoPlayersInStep(t *testing.T) {
	const length, rate = 90 * time.Second, 8000
	items := map[string]playertest.Recipe{"/a.flac": {ID: 1, Length: length, Rate: rate, Delay: 300 * time.Millisecond, Loud: func(n int64) float32 {
		return float32(float64(n)/(length.Seconds()*rate)*2 - 1)
	}}}
	one := setup{items: items, sound: null.SoundOptions{PPM: 60, Sample: player.S32}}
	inBubble(t, one, func(r *rig) {
		sound := null.NewSound(null.SoundOptions{PPM: -60, Sample: player.S32, Record: true, Period: 8})
		second := player.New(player.Options{
			Display: null.NewDisplay(null.DisplayOptions{}), Sound: sound, Log: slog.New(slog.DiscardHandler),
			Decoder: &playertest.Decoder{Items: items},
		})
		ctx, cancel := context.WithCancel(r.t.Context())
		done := make(chan error)
		go func() { done <- second.Run(ctx) }()
		defer func() { cancel(); <-done }()
		synctest.Wait()
		r.Load(api.Load{Item: song("/a.flac")})
		r.wait(700 * time.Millisecond)
		second.Load(api.Load{Item: song("/a.flac")})
		rng := rand.New(rand.NewPCG(1, 1))
		var off []float64
		for i := range 300 {
			r.wait(200 * time.Millisecond)
			if i%5 == 0 { // the clocks of the two are known to a millisecond
				s := r.Status()
				noise := time.Duration(rng.NormFloat64() * float64(time.Millisecond))
				second.Align(api.Align{Key: "/a.flac", Position: s.Position, At: s.At.Add(noise)})
			}
			if i > 50 {
				apart := slopeNow(r.sound, 60) - slopeNow(sound, -60)
				off = append(off, math.Abs(apart.Seconds()*1000))
			}
		}
		slices.Sort(off)
		if p95 := off[len(off)*95/100]; p95 > 1.5 {
			t.Errorf("95%% of the time within %.2f ms", p95)
		}
		if n := len(sound.Runs()); n > 2 {
			t.Errorf("it leapt %d times", n-1)
		}
	})
}

// slopeNow returns where in the song a card is now.
func slopeNow(s *null.Sound, ppm float64) time.Duration {
	runs := s.Runs()
	run := runs[len(runs)-1]
	i := int(time.Since(run.At).Seconds() * float64(run.Format.Rate) * (1 + ppm/1e6))
	i = min(i, len(run.PCM)/run.Format.FrameSize()-1)
	v := float64(int32(binary.LittleEndian.Uint32(run.PCM[i*run.Format.FrameSize():]))) / (1 << 31)
	return time.Duration((v + 1) / 2 * float64(90*time.Second))
}

func TestAlignIsIgnoredWhereItDoesNotFit(t *testing.T) {
	inBubble(t, setup{}, func(r *rig) {
		r.Align(api.Align{Key: "/a.flac", At: time.Now()})
		r.Load(api.Load{Item: song("/a.flac")})
		r.Align(api.Align{Key: "/a.flac", Position: media.Duration(2 * time.Second), At: time.Now()}) // it is being opened
		r.until("it plays", time.Second, is(api.Playing))
		for _, a := range []api.Align{
			{Key: "/b.flac", Position: media.Duration(2 * time.Second), At: time.Now()},
			{Key: "/a.flac", Position: media.Duration(time.Hour), At: time.Now()},
			{Key: "/a.flac", Position: media.Duration(time.Second), At: time.Now().Add(time.Hour)},
		} {
			r.Align(a)
			r.wait(10 * time.Millisecond)
			if s := r.Status(); s.State != api.Playing || time.Duration(s.Position) > 200*time.Millisecond {
				t.Errorf("%+v: %v at %v", a, s.State, time.Duration(s.Position))
			}
		}
		r.until("it is over", 5*time.Second, is(api.Idle))
		r.wantHeard(heard{id: 1, n: 3 * 48000})
	})
}
