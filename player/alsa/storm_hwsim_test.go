//go:build hwsim

package alsa

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"manofwar/player"
)

// TestStorm gives one card a writer that never rests, and others who say whatever comes to their minds. Nobody may wait for
// ever.
func TestStorm(t *testing.T) {
	list := cards(t)
	id := list[len(list)-1].ID // the dummy: a clock of the kernel's own
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
	defer cancel()
	s := open(t)
	formats := []player.SoundFormat{
		{Rate: 48000, Channels: 2, Sample: player.S16}, {Rate: 44100, Channels: 2, Sample: player.S32}, {Rate: 32000, Channels: 1, Sample: player.S16},
	}
	if _, _, err := s.Configure(id, formats[0]); err != nil {
		t.Fatal(err)
	}
	allowed := func(what string, err error) {
		if err != nil && !errors.Is(err, player.ErrUnderrun) && !errors.Is(err, player.ErrGone) && ctx.Err() == nil {
			t.Errorf("%s: %v", what, err)
		}
	}
	var all sync.WaitGroup
	all.Go(func() {
		frames := make([]byte, 16<<10)
		for ctx.Err() == nil {
			_, err := s.Write(frames)
			allowed("write", err)
		}
	})
	for seed := range uint64(3) {
		all.Go(func() {
			random := rand.New(rand.NewPCG(seed, 7))
			for ctx.Err() == nil {
				switch random.IntN(12) {
				case 0:
					_, _, err := s.Configure(id, formats[random.IntN(len(formats))])
					allowed("configure", err)
				case 1, 2:
					allowed("drop", s.Drop())
				case 3:
					brief, cancel := context.WithTimeout(ctx, 20*time.Millisecond)
					if err := s.Drain(brief); brief.Err() == nil {
						allowed("drain", err)
					}
					cancel()
				case 4, 5, 6, 7:
					allowed("start", s.Start())
				default:
					st, err := s.Status()
					allowed("status", err)
					if err == nil && (st.Heard < 0 || st.Heard > st.Written) {
						t.Errorf("%+v", st)
					}
				}
			}
		})
	}
	<-ctx.Done()
	if err := s.Close(); err != nil { // with all of them at it
		t.Error(err)
	}
	all.Wait()
}
