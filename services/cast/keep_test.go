package cast

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"manofwar/internal/media"
	"manofwar/services/cast/api"
	"manofwar/services/cast/renderer"
)

// TestCastIsRestarted ends cast while the player plays on.
func TestCastIsRestarted(t *testing.T) {
	for _, away := range []time.Duration{0, 20 * time.Second, songs + 20*time.Second} {
		bubble(t, 5, func(c *crew) {
			id := c.playN(5, 0)
			one, all := api.RepeatOne, api.RepeatAll
			c.change(id, api.Change{Repeat: &one})
			c.change(id, api.Change{Repeat: &all})
			time.Sleep(time.Minute)
			c.stop()
			time.Sleep(away)
			c.player.Verbs()
			c.start("a boot")
			time.Sleep(5 * time.Second)
			total := time.Minute + away + 5*time.Second
			song := int(total / songs)
			c.expect(id, song, api.Playing, total%songs)
			if s := c.see(id); s.Repeat != all || s.Total != 5 {
				t.Errorf("%+v", s)
			}
			if verbs := c.player.Verbs(); slices.Contains(verbs, "load") || slices.Contains(verbs, "seek") || slices.Contains(verbs, "stop") {
				t.Errorf("away for %v: the player was disturbed: %v", away, verbs)
			}
			time.Sleep(songs)
			c.expect(id, song+1, api.Playing, total%songs)
		})
	}
}

// TestCastIsRestartedWhileTheNextPlays has the library answer for what the player is at later than for what it was at.
func TestCastIsRestartedWhileTheNextPlays(t *testing.T) {
	bubble(t, 5, func(c *crew) {
		id := c.playN(5, 0)
		time.Sleep(time.Minute)
		c.stop()
		time.Sleep(songs)
		c.player.Verbs()
		c.shelf.slow = func(id media.ID) time.Duration {
			if id == "i1" {
				return 3 * time.Second
			}
			return 0
		}
		c.start("a boot")
		time.Sleep(10 * time.Second)
		c.expect(id, 1, api.Playing, time.Minute+10*time.Second)
		if verbs := c.player.Verbs(); !slices.Equal(verbs, []string{"next"}) {
			t.Errorf("the player was disturbed: %v", verbs)
		}
	})
}

// TestPlaceIsKeptAtTheEnd ends cast at any time between two looks at the player and two savings.
func TestPlaceIsKeptAtTheEnd(t *testing.T) {
	for played := 30 * time.Second; played < 50*time.Second; played += 500 * time.Millisecond {
		bubble(t, 5, func(c *crew) {
			id := c.playN(5, 2)
			time.Sleep(played)
			c.stop()
			c.player.Kill()
			c.player.Start()
			c.start("another boot")
			c.expect(id, 2, api.Paused, played)
		})
	}
}

func TestEverythingIsRestarted(t *testing.T) {
	bubble(t, 5, func(c *crew) {
		id := c.playN(5, 2)
		shuffle := true
		c.change(id, api.Change{Shuffle: &shuffle})
		time.Sleep(time.Minute)
		before := c.see(id)
		c.stop()
		c.player.Kill()
		c.player.Start()
		c.start("another boot")
		time.Sleep(time.Minute)
		c.expect(id, 2, api.Paused, time.Minute)
		s := c.see(id)
		if s.Entry.Item.Title != "Song 2" || s.Total != 5 || !s.Shuffle || s.Revision != before.Revision || s.Entry.Key != before.Entry.Key {
			t.Errorf("after:  %+v\nbefore: %+v", s, before)
		}
		if p, _ := c.player.Status(t.Context()); p.Item != nil {
			t.Error("the TV shows what was paused")
		}
		c.control(id, "play")
		time.Sleep(time.Second)
		c.expect(id, 2, api.Playing, time.Minute+time.Second)
	})
}

// TestCastAndPlayerAreRestarted has them die together on a device that runs on: the music goes on.
func TestCastAndPlayerAreRestarted(t *testing.T) {
	bubble(t, 5, func(c *crew) {
		id := c.playN(5, 0)
		time.Sleep(65 * time.Second)
		c.stop()
		c.player.Kill()
		c.player.Start()
		c.start("a boot")
		time.Sleep(5 * time.Second)
		s := c.see(id)
		if at := time.Duration(s.Position); s.State != api.Playing || at < 60*time.Second || at > 70*time.Second {
			t.Errorf("%s", describe(s))
		}
		c.expect(id, 0, api.Playing, time.Duration(s.Position))
	})
}

func TestPageIsNotBackAfterARestart(t *testing.T) {
	bubble(t, 5, func(c *crew) {
		phone := c.open("12345678", "Anna's phone")
		var s api.Session
		c.must("POST", "/play", api.Play{What: api.What{Items: c.shelf.ids(4)}, Renderer: phone.id}, &s)
		time.Sleep(30 * time.Second)
		phone.close()
		c.stop()
		c.start("a boot")
		time.Sleep(20 * time.Second)
		if got := c.see(s.ID); got.State != api.Paused || got.Problem == nil || got.Problem.Text != "Anna's phone is no longer there." {
			t.Errorf("%s", describe(got))
		}
		c.stop()
		c.start("a boot")
		phone = c.open("12345678", "Anna's phone")
		time.Sleep(20 * time.Second)
		c.control(s.ID, "play")
		time.Sleep(time.Second)
		phone.mu.Lock()
		defer phone.mu.Unlock()
		if !phone.plays {
			t.Error("it came back and does not play")
		}
		go phone.close()
	})
}

// TestPowerCuts copies what is on the card at many moments, and starts from each copy.
func TestPowerCuts(t *testing.T) {
	bubble(t, 50, func(c *crew) {
		id := c.playN(10, 0)
		cuts := filepath.Join(c.dir, "..", "cuts")
		for i := range 60 {
			time.Sleep(time.Duration(i*i%1700) * time.Millisecond)
			switch i % 6 {
			case 0:
				c.edit(id, api.Edit{Do: "add", What: api.What{Items: c.shelf.ids(3)}})
			case 1:
				shuffle := i%4 == 1
				c.change(id, api.Change{Shuffle: &shuffle})
			case 2:
				c.control(id, "next")
			case 3:
				c.control(id, "toggle")
			}
			copyDir(t, c.dir, filepath.Join(cuts, fmt.Sprint(i)))
		}
		dir := c.dir
		c.stop()
		for i := range 60 {
			c.dir = filepath.Join(cuts, fmt.Sprint(i))
			c.start("a boot")
			c.mu.Lock()
			sessions := len(c.sessions)
			for _, s := range c.sessions {
				if s.queue.Len() < 10 || s.queue.Index() < 0 || s.queue.Index() >= s.queue.Len() {
					t.Errorf("cut %d: %d entries, at %d", i, s.queue.Len(), s.queue.Index())
				}
			}
			c.mu.Unlock()
			if _, err := os.Stat(filepath.Join(c.dir, keptName)); err == nil && sessions != 1 {
				t.Errorf("cut %d: %d sessions", i, sessions)
			}
			c.stop()
		}
		c.dir = dir
		c.start("a boot")
		files, _ := os.ReadDir(dir)
		if len(files) > 3 {
			t.Errorf("left on the card: %v", files)
		}
	})
}

// TestCardIsSpared has people press buttons all the time, and counts what is written.
func TestCardIsSpared(t *testing.T) {
	bubble(t, 5, func(c *crew) {
		var wrote []time.Time
		c.store.replace = func(name string, data []byte, perm os.FileMode) error {
			if filepath.Base(name) == keptName {
				wrote = append(wrote, time.Now())
			}
			return os.WriteFile(name, data, perm)
		}
		id := c.playN(5, 0)
		for i := range 90 {
			shuffle := i%2 == 0
			c.change(id, api.Change{Shuffle: &shuffle})
			c.control(id, "toggle")
			time.Sleep(700 * time.Millisecond)
		}
		time.Sleep(2 * saveEvery)
		c.control(id, "pause")
		c.stop()                            // waits for what writes
		for i := 1; i < len(wrote)-1; i++ { // the last one is that at the end
			if apart := wrote[i].Sub(wrote[i-1]); apart < saveEvery {
				t.Errorf("write %d is %v after the one before", i, apart)
			}
		}
		if n := len(wrote); n < 7 || n > 11 {
			t.Errorf("written %d times in 83 s", n)
		}
		c.start("a boot")
		if s := c.see(id); s.State != api.Paused {
			t.Errorf("what was done last is lost: %s", describe(s))
		}
	})
}

func copyDir(t *testing.T, from, to string) {
	t.Helper()
	if err := os.CopyFS(to, os.DirFS(from)); err != nil {
		t.Fatal(err)
	}
}

func TestDamagedStateIsLeftOut(t *testing.T) {
	bubble(t, 5, func(c *crew) {
		id := c.playN(5, 0)
		time.Sleep(5 * time.Second)
		c.stop()
		files, _ := filepath.Glob(filepath.Join(c.dir, queueName+"*"))
		for _, f := range files {
			if err := os.WriteFile(f, []byte("damaged"), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		c.start("a boot")
		if err := c.call("GET", "/sessions/"+id, nil, nil); err == nil {
			t.Error("a session without a queue")
		}
		c.stop()
		if err := os.WriteFile(filepath.Join(c.dir, keptName), []byte("{"), 0o600); err != nil {
			t.Fatal(err)
		}
		c.start("a boot")
		c.playN(3, 0)
	})
}

// TestRecordIsOfItsMoment has a session change while what was recorded of it is on its way to the card.
func TestRecordIsOfItsMoment(t *testing.T) {
	c := New(Options{})
	c.random = rand.New(rand.NewPCG(1, 2))
	now := time.Now()
	s := newSession("s", "tv", c.newQueue())
	s.with = []string{"kitchen", "bath"}
	s.sleep.at = now.Add(fadeFor / 2)
	p := &place{level: renderer.Level{Volume: 60, Known: true}}
	k := s.record(p, now)
	p.level.Volume = 3
	s.with = slices.DeleteFunc(s.with, func(id string) bool { return id == "kitchen" })
	if k.Volume == nil || *k.Volume != 60 || !slices.Equal(k.With, []string{"kitchen", "bath"}) {
		t.Errorf("volume %v, with %q", k.Volume, k.With)
	}
}
