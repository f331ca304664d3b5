package player_test

import (
	"bytes"
	"image"
	"sync"
	"testing"
	"time"

	"manofwar/internal/media"
	"manofwar/player"
	"manofwar/player/api"
)

// laborious is a display that has work with each picture, and can do it before.
type laborious struct {
	player.Display
	t *testing.T

	mu    sync.Mutex
	last  int // counts what was prepared
	ahead int // pictures that were shown by it
	late  int // pictures that were not
}

const labour = 12 * time.Millisecond

func (l *laborious) Show(f *player.Frame, dst image.Rectangle) (time.Time, error) {
	time.Sleep(labour)
	l.mu.Lock()
	l.late++
	l.mu.Unlock()
	return l.Display.Show(f, dst)
}

func (l *laborious) Prepare(f *player.Frame, dst image.Rectangle) func() (time.Time, error) {
	time.Sleep(labour)
	picture := bytes.Clone(f.Planes[0].Data[:64])
	l.mu.Lock()
	defer l.mu.Unlock()
	l.last++
	mine := l.last
	return func() (time.Time, error) {
		l.mu.Lock()
		l.ahead++
		last := l.last
		l.mu.Unlock()
		if mine != last || !bytes.Equal(picture, f.Planes[0].Data[:64]) {
			l.t.Error("what was prepared is not what is shown")
		}
		return l.Display.Show(f, dst)
	}
}

// TestWorkIsDoneBeforeAPictureIsDue has a display that needs a third of the time between two pictures for each.
func TestWorkIsDoneBeforeAPictureIsDue(t *testing.T) {
	var display *laborious
	wrap := func(d player.Display) player.Display {
		display = &laborious{Display: d, t: t}
		return display
	}
	inBubble(t, setup{wrap: wrap}, func(r *rig) {
		r.Load(api.Load{Item: film("/film.mkv")})
		r.until("it plays", time.Second, is(api.Playing))
		for i := range 8 {
			r.wait(time.Second)
			to := media.Duration(time.Duration(i) * time.Second)
			r.Seek(api.Seek{To: &to})
			r.wait(time.Second + time.Duration(i)*7*time.Millisecond)
			r.Pause()
			r.wait(200 * time.Millisecond)
			r.Play()
		}
		s := r.Status()
		if s.Sync.Dropped > 0 || time.Duration(s.Sync.Offset) > time.Millisecond {
			t.Errorf("got %+v", s.Sync)
		}
	})
	if display.ahead < 300 || display.late > display.ahead/10 {
		t.Errorf("%d pictures were prepared, %d were not", display.ahead, display.late)
	}
}
