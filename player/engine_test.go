package player_test

import (
	"testing"
	"time"

	"manofwar/player/api"
)

func TestASongIsPlayedWhole(t *testing.T) {
	inBubble(t, setup{}, func(r *rig) {
		r.Load(api.Load{Item: song("/a.flac")})
		r.until("it plays", time.Second, is(api.Playing))
		r.until("it is over", 5*time.Second, is(api.Idle))
		r.wantReasons("/a.flac finished")
		got := r.stretches()
		if len(got) == 0 || got[0].id != 1 || got[0].first != 0 || got[0].n != 3*48000 {
			t.Errorf("heard %+v", got)
		}
	})
}

func TestAFilmIsShownInStep(t *testing.T) {
	inBubble(t, setup{}, func(r *rig) {
		r.Load(api.Load{Item: film("/film.mkv")})
		r.until("it plays", time.Second, is(api.Playing))
		r.wait(10 * time.Second)
		s := r.Status()
		if s.Sync.Shown < 240 || s.Sync.Dropped > 0 || s.Sync.Underruns > 0 || time.Duration(s.Sync.Offset) > time.Millisecond {
			t.Errorf("got %+v", s)
		}
		r.Stop()
		r.wait(time.Second)
		r.wantReasons("/film.mkv stopped")
	})
}
