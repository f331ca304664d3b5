package cast

import (
	"slices"
	"strings"
	"testing"
	"time"

	"manofwar/internal/media"
	playerapi "manofwar/player/api"
	"manofwar/services/cast/api"
)

// delays are how long a player may take to do what it is told.
var delays = []time.Duration{0, 30 * time.Millisecond, 400 * time.Millisecond}

func TestSlowPlayerIsNotMistakenForSomebodyElse(t *testing.T) {
	for _, delay := range delays {
		bubble(t, 5, func(c *crew) {
			c.player.Delay = delay
			id := c.playN(5, 0)
			time.Sleep(10*time.Second + delay)
			c.expect(id, 0, api.Playing, 10*time.Second)
			for range 3 {
				c.control(id, "pause")
				time.Sleep(delay / 2)
				c.control(id, "play")
				time.Sleep(delay / 2)
			}
			c.control(id, "pause")
			time.Sleep(5 * time.Second)
			if s := c.see(id); s.State != api.Paused {
				t.Errorf("delay %v: %s", delay, describe(s))
			}
			louder := 80
			c.change(id, api.Change{Volume: &louder})
			time.Sleep(5 * time.Second)
			if s := c.see(id); s.Volume != louder {
				t.Errorf("delay %v: volume %d", delay, s.Volume)
			}
			to := media.Duration(2 * time.Minute)
			c.must("POST", "/sessions/"+id+"/control", api.Control{Do: "seek", To: &to}, nil)
			if s := c.see(id); s.Position != to {
				t.Errorf("delay %v: %s", delay, describe(s))
			}
			time.Sleep(5 * time.Second)
			c.expect(id, 0, api.Paused, 2*time.Minute)
			c.control(id, "play")
			c.control(id, "next")
			time.Sleep(3*time.Second + delay)
			c.expect(id, 1, api.Playing, 3*time.Second)
			time.Sleep(songs)
			c.expect(id, 2, api.Playing, 3*time.Second)
			if got := c.heard(); got != "1 2 3" {
				t.Errorf("delay %v: began %s", delay, got)
			}
		})
	}
}

func TestRemoteControlOfTheTelevision(t *testing.T) {
	for _, delay := range delays {
		bubble(t, 5, func(c *crew) {
			c.player.Delay = delay
			id := c.playN(5, 0)
			time.Sleep(10*time.Second + delay)
			c.player.Remote("pause")
			time.Sleep(4 * time.Second)
			c.expect(id, 0, api.Paused, 10*time.Second+delay)
			c.player.Remote("play")
			time.Sleep(4*time.Second + delay)
			c.expect(id, 0, api.Playing, 14*time.Second+delay)
			c.player.Remote("louder")
			time.Sleep(4*time.Second + delay)
			if s := c.see(id); s.Volume != 70 {
				t.Errorf("volume %d", s.Volume)
			}
			c.player.Remote("next")
			time.Sleep(4*time.Second + delay)
			c.expect(id, 1, api.Playing, 4*time.Second)
			c.player.Remote("stop")
			time.Sleep(4 * time.Second)
			c.expect(id, 1, api.Paused, 4*time.Second+delay)
			if s, _ := c.player.Status(t.Context()); s.Item != nil {
				t.Error("it was loaded again after stop")
			}
			c.control(id, "play")
			time.Sleep(time.Second + delay)
			c.expect(id, 1, api.Playing, 5*time.Second+delay)
		})
	}
}

func TestPlayerDies(t *testing.T) {
	for _, down := range []time.Duration{0, 300 * time.Millisecond, 10 * time.Second} {
		bubble(t, 3, func(c *crew) {
			id := c.playN(3, 0)
			quiet := 35
			c.change(id, api.Change{Volume: &quiet})
			time.Sleep(2 * time.Minute)
			c.player.Kill()
			time.Sleep(down)
			c.player.Start()
			time.Sleep(20 * time.Second)
			p, _ := c.player.Status(t.Context())
			lost := down + 4*time.Second
			if at := time.Duration(p.Position); p.Item == nil || at < 2*time.Minute+20*time.Second-lost || at > 2*time.Minute+20*time.Second || p.Volume != quiet {
				t.Errorf("away for %v: player at %v, volume %d: %+v", down, at, p.Volume, p.Item)
			}
			c.expect(id, 0, api.Playing, time.Duration(p.Position))
			var r api.Renderers
			if c.must("GET", "/renderers", nil, &r); r.Renderers[0].Problem != "" {
				t.Errorf("renderers %+v", r)
			}
			c.control(id, "pause")
			time.Sleep(time.Second)
			c.player.Kill()
			c.player.Start()
			time.Sleep(5 * time.Second)
			c.expect(id, 0, api.Paused, time.Duration(p.Position))
			if p, _ := c.player.Status(t.Context()); p.Item == nil || p.State != "paused" {
				t.Errorf("paused, then %s", p.State)
			}
		})
	}
}

// TestPlaysOnWithoutASound has the TV's sound fail: the phone says so, and nothing is stopped.
func TestPlaysOnWithoutASound(t *testing.T) {
	bubble(t, 3, func(c *crew) {
		id := c.playN(3, 0)
		time.Sleep(time.Minute)
		c.player.Lack(&playerapi.Problem{Code: "no-sound", Text: "The sound output does not work.", Hint: "Connect it again."})
		time.Sleep(5 * time.Second)
		c.expect(id, 0, api.Playing, time.Minute+5*time.Second)
		if p := c.see(id).Problem; p == nil || p.Code != "no-sound" || p.Hint == "" {
			t.Errorf("the phone is told %+v", p)
		}
		c.player.Lack(nil)
		time.Sleep(5 * time.Second)
		if p := c.see(id).Problem; p != nil {
			t.Errorf("it sounds again, and the phone is told %+v", p)
		}
	})
}

func TestPlayerIsAwayForLong(t *testing.T) {
	bubble(t, 3, func(c *crew) {
		id := c.playN(3, 0)
		time.Sleep(time.Minute)
		c.player.Kill()
		time.Sleep(10 * time.Second)
		var r api.Renderers
		if c.must("GET", "/renderers", nil, &r); r.Renderers[0].Problem == "" || r.Renderers[0].Name != "Test TV" {
			t.Errorf("renderers %+v", r)
		}
		if s := c.see(id); s.State != api.Loading && s.State != api.Playing {
			t.Errorf("session %s", describe(s))
		}
		c.control(id, "next") // what is asked for meanwhile is done later
		c.player.Start()
		time.Sleep(5 * time.Second)
		if s := c.see(id); s.Index != 1 || s.State != api.Playing {
			t.Errorf("session %s", describe(s))
		}
	})
}

func TestWhatKillsThePlayerIsLeftOut(t *testing.T) {
	bubble(t, 3, func(c *crew) {
		id := c.playN(3, 0)
		for range 8 {
			time.Sleep(3 * time.Second)
			if s, _ := c.player.Status(t.Context()); s.Item != nil && s.Item.ID == "i0" {
				c.player.Kill()
				c.player.Start()
			}
		}
		time.Sleep(3 * time.Second)
		if s := c.see(id); s.Index != 1 || s.State != api.Playing || s.Problem != nil && s.Problem.Left != 1 {
			t.Errorf("session %s", describe(s))
		}
	})
}

func TestWhatCannotBePlayedIsLeftOut(t *testing.T) {
	bubble(t, 6, func(c *crew) {
		c.player.Length = func(path string) time.Duration {
			if strings.Contains(path, "i1") {
				return 0
			}
			return songs
		}
		c.shelf.lose(media.ErrNotFound, "i3")
		id := c.playN(6, 0)
		time.Sleep(songs + time.Second)
		c.expect(id, 2, api.Playing, time.Second)
		s := c.see(id)
		if s.Problem == nil || s.Problem.Text == "" || s.Next == nil || s.Next.Item.ID != "i4" {
			t.Errorf("session %s, next %v", describe(s), s.Next)
		}
		time.Sleep(11 * time.Second)
		if s := c.see(id); s.Problem != nil {
			t.Errorf("still: %s", describe(s))
		}
		time.Sleep(songs - 10*time.Second)
		c.expect(id, 4, api.Playing, 2*time.Second)
		if got := c.heard(); got != "1 2 3 5" {
			t.Errorf("began %s", got)
		}
	})
}

func TestDiskPulledOut(t *testing.T) {
	bubble(t, 100, func(c *crew) {
		id := c.playN(100, 5)
		time.Sleep(time.Minute)
		c.shelf.lose(media.ErrAway, c.shelf.ids(100)...)
		time.Sleep(2 * songs) // the next song was open already
		s := c.see(id)
		if s.State != api.Stopped || s.Problem == nil || s.Problem.Code != "away" || s.Problem.Text != "Its disk is not connected." {
			t.Fatalf("session %s", describe(s))
		}
		if s.Index > 8 {
			t.Errorf("stopped far from where it was: %s", describe(s))
		}
		if c.shelf.looked() > 70 {
			t.Errorf("%d looks at a disk that is away", c.shelf.looked())
		}
		c.shelf.lose(nil, c.shelf.ids(100)...)
		c.control(id, "play")
		time.Sleep(time.Second)
		if s := c.see(id); s.State != api.Playing || s.Problem != nil {
			t.Errorf("back again: %s", describe(s))
		}
	})
}

func TestOnlySongIsBad(t *testing.T) {
	for _, repeat := range []api.Repeat{api.RepeatOff, api.RepeatAll, api.RepeatOne} {
		bubble(t, 1, func(c *crew) {
			c.shelf.lose(media.ErrCorrupt, "i0")
			id := c.playN(1, 0)
			c.change(id, api.Change{Repeat: &repeat})
			c.control(id, "play")
			time.Sleep(time.Minute)
			if s := c.see(id); s.State != api.Stopped || s.Problem == nil || s.Problem.Code != "corrupt" || s.Problem.Title != "Song 0" {
				t.Errorf("%s: %s", repeat, describe(s))
			}
			if c.shelf.looked() > 10 {
				t.Errorf("%s: asked %d times", repeat, c.shelf.looked())
			}
		})
	}
}

func TestSleep(t *testing.T) {
	bubble(t, 5, func(c *crew) {
		id := c.playN(5, 0)
		in := media.Duration(2 * time.Minute)
		c.change(id, api.Change{Sleep: &in})
		if s := c.see(id); s.Sleep.IsZero() {
			t.Error("nothing said of the timer")
		}
		volume := func() int {
			s, _ := c.player.Status(t.Context())
			return s.Volume
		}
		time.Sleep(100*time.Second - time.Millisecond)
		if v := volume(); v != 60 {
			t.Errorf("it fades too early: %d", v)
		}
		last := 60
		for range 19 {
			time.Sleep(time.Second)
			if v := volume(); v >= last {
				t.Errorf("from %d to %d", last, v)
			} else {
				last = v
			}
			if s := c.see(id); s.Volume != 60 {
				t.Errorf("the volume that is shown is %d", s.Volume)
			}
		}
		time.Sleep(5 * time.Second)
		c.expect(id, 0, api.Paused, 2*time.Minute)
		if s := c.see(id); volume() != 60 || !s.Sleep.IsZero() {
			t.Errorf("then: volume %d, %v", volume(), s.Sleep)
		}
		verbs := c.player.Verbs()
		if i := slices.Index(verbs, "pause"); i < 0 || i == len(verbs)-1 {
			t.Errorf("louder before the pause: %v", verbs)
		}
	})
}

func TestSleepAtTheEndOfTheTrack(t *testing.T) {
	bubble(t, 5, func(c *crew) {
		id := c.playN(5, 0)
		yes := true
		c.change(id, api.Change{SleepEnd: &yes})
		time.Sleep(10 * time.Minute)
		c.expect(id, 1, api.Paused, 0)
		if s := c.see(id); s.SleepEnd {
			t.Error("still asleep")
		}
		c.control(id, "play")
		time.Sleep(time.Second)
		c.expect(id, 1, api.Playing, time.Second)
	})
}
