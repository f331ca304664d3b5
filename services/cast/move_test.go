package cast

import (
	"testing"
	"testing/synctest"
	"time"

	"manofwar/internal/media"
	"manofwar/services/cast/api"
)

// TestMovesInOneTap takes music from the TV to a phone and back.
func TestMovesInOneTap(t *testing.T) {
	for _, delay := range delays {
		bubble(t, 4, func(c *crew) {
			c.player.Delay = delay
			phone := c.open("12345678", "Anna's phone")
			id := c.playN(4, 0)
			time.Sleep(70*time.Second + delay)
			c.must("POST", "/sessions/"+id+"/move", api.Move{Renderer: phone.id}, nil)
			time.Sleep(time.Second)
			phone.heard(0, true, 71*time.Second)
			c.expect(id, 0, api.Playing, 71*time.Second)
			if s, _ := c.player.Status(t.Context()); s.Item != nil {
				t.Error("the TV plays on")
			}
			if s := c.see(id); s.Volume != 100 || s.Renderer != phone.id {
				t.Errorf("on the phone: %s at volume %d", describe(s), s.Volume)
			}
			quiet := 20
			c.change(id, api.Change{Volume: &quiet})
			time.Sleep(songs)
			phone.heard(1, true, 71*time.Second)
			c.must("POST", "/sessions/"+id+"/move", api.Move{Renderer: api.TV}, nil)
			time.Sleep(2*time.Second + delay)
			c.expect(id, 1, api.Playing, 73*time.Second)
			phone.heard(-1, false, 0)
			if s := c.see(id); s.Volume != 60 || s.Next == nil || s.Next.Item.ID != "i2" {
				t.Errorf("on the TV: %s at volume %d", describe(s), s.Volume)
			}
			time.Sleep(songs)
			c.expect(id, 2, api.Playing, 73*time.Second)
			phone.close()
		})
	}
}

func TestMoveReplacesWhatPlaysThere(t *testing.T) {
	bubble(t, 4, func(c *crew) {
		phone := c.open("12345678", "Anna's phone")
		tv := c.playN(4, 0)
		time.Sleep(time.Second)
		var s api.Session
		c.must("POST", "/play", api.Play{What: api.What{Album: "a"}, Renderer: phone.id}, &s)
		var all api.Sessions
		if c.must("GET", "/sessions", nil, &all); len(all.Sessions) != 2 || all.Sessions[0].ID != s.ID {
			t.Errorf("sessions %+v", all)
		}
		time.Sleep(time.Second)
		c.must("POST", "/sessions/"+tv+"/move", api.Move{Renderer: phone.id}, nil)
		time.Sleep(time.Second)
		phone.heard(0, true, 3*time.Second)
		if c.must("GET", "/sessions", nil, &all); len(all.Sessions) != 1 || all.Sessions[0].ID != tv {
			t.Errorf("sessions %+v", all)
		}
		if err := c.call("POST", "/sessions/"+tv+"/move", api.Move{Renderer: "page-nobody00"}, nil); err == nil {
			t.Error("moved to where nothing is")
		}
		phone.close()
	})
}

// TestPages has pages come, break off, come back and leave.
func TestPages(t *testing.T) {
	bubble(t, 4, func(c *crew) {
		phone := c.open("12345678", "  Anna's\tphone  ")
		var r api.Renderers
		if c.must("GET", "/renderers", nil, &r); len(r.Renderers) != 2 || r.Renderers[0].ID != api.TV || r.Renderers[1].Name != "Anna's phone" {
			t.Errorf("renderers %+v", r)
		}
		var s api.Session
		c.must("POST", "/play", api.Play{What: api.What{Items: c.shelf.ids(4)}, Renderer: phone.id}, &s)
		time.Sleep(10 * time.Second)
		phone.heard(0, true, 10*time.Second)
		c.expect(s.ID, 0, api.Playing, 10*time.Second)

		phone.close() // its connection breaks; it plays on
		time.Sleep(3 * time.Second)
		phone.listen("Anna's phone")
		time.Sleep(time.Second)
		phone.heard(0, true, 14*time.Second)
		c.expect(s.ID, 0, api.Playing, 14*time.Second)

		phone.close() // it is loaded anew
		anew := c.open("12345678", "Anna's phone")
		time.Sleep(time.Second)
		anew.heard(0, true, 15*time.Second)

		anew.close() // it leaves
		time.Sleep(4 * time.Second)
		if got := c.see(s.ID); got.State != api.Playing {
			t.Errorf("gone too early: %s", describe(got))
		}
		time.Sleep(2 * time.Second)
		got := c.see(s.ID)
		if got.State != api.Paused || got.Problem == nil || got.Problem.Text != "Anna's phone is no longer there." {
			t.Errorf("left: %s", describe(got))
		}
		if c.must("GET", "/renderers", nil, &r); len(r.Renderers) != 1 {
			t.Errorf("renderers %+v", r)
		}
		c.must("POST", "/sessions/"+s.ID+"/move", api.Move{Renderer: api.TV}, nil)
		c.control(s.ID, "play")
		time.Sleep(time.Second)
		if at := time.Duration(c.see(s.ID).Position); at < 15*time.Second || at > 23*time.Second {
			t.Errorf("goes on at %v", at)
		}
		c.expect(s.ID, 0, api.Playing, time.Duration(c.see(s.ID).Position))
	})
}

func TestPageComesBackLater(t *testing.T) {
	bubble(t, 4, func(c *crew) {
		phone := c.open("12345678", "Anna's phone")
		var s api.Session
		c.must("POST", "/play", api.Play{What: api.What{Items: c.shelf.ids(4)}, Renderer: phone.id}, &s)
		time.Sleep(10 * time.Second)
		phone.close()
		time.Sleep(time.Minute)
		phone = c.open("12345678", "Anna's phone")
		time.Sleep(time.Second)
		phone.heard(-1, false, 0)
		was := time.Duration(c.see(s.ID).Position)
		c.control(s.ID, "play")
		time.Sleep(time.Second)
		phone.heard(0, true, was+time.Second)
		if got := c.see(s.ID); got.Problem != nil && got.Problem.Code == codeGone {
			t.Errorf("%s", describe(got))
		}
		phone.close()
	})
}

func TestTabIsDuplicated(t *testing.T) {
	bubble(t, 4, func(c *crew) {
		first := c.open("12345678", "Tab")
		second := c.open("12345678", "Tab")
		first.mu.Lock()
		taken := first.taken
		first.mu.Unlock()
		if !taken {
			t.Error("the first was not told")
		}
		var s api.Session
		c.must("POST", "/play", api.Play{What: api.What{Items: c.shelf.ids(4)}, Renderer: second.id}, &s)
		time.Sleep(10 * time.Second)
		second.heard(0, true, 10*time.Second)
		first.heard(-1, false, 0)
		first.close()
		time.Sleep(10 * time.Second)
		second.heard(0, true, 20*time.Second)
		second.close()
	})
}

func TestPageWantsATap(t *testing.T) {
	bubble(t, 4, func(c *crew) {
		phone := c.open("12345678", "Anna's phone")
		phone.blocked = true
		var s api.Session
		c.must("POST", "/play", api.Play{What: api.What{Items: c.shelf.ids(4)}, Renderer: phone.id}, &s)
		time.Sleep(time.Second)
		got := c.see(s.ID)
		if got.State != api.Paused || got.Problem == nil || got.Problem.Code != "blocked" || got.Index != 0 {
			t.Errorf("%s", describe(got))
		}
		phone.mu.Lock()
		phone.blocked = false
		phone.mu.Unlock()
		c.control(s.ID, "play")
		time.Sleep(time.Second)
		phone.heard(0, true, time.Second)
		if got := c.see(s.ID); got.State != api.Playing || got.Problem != nil {
			t.Errorf("%s", describe(got))
		}
		phone.close()
	})
}

func TestPageThatTalksNonsense(t *testing.T) {
	bubble(t, 4, func(c *crew) {
		phone := c.open("12345678", "Anna's phone")
		for _, r := range []api.Report{
			{State: "dancing"},
			{State: api.Playing, Position: media.Duration(-time.Second)},
			{State: api.Playing, Position: media.Duration(2000 * time.Hour)},
			{State: api.Playing, Problem: &api.Problem{}},
		} {
			if err := c.call("POST", "/browsers/"+phone.id+"/status", r, nil); err == nil {
				t.Errorf("accepted %+v", r)
			}
		}
		if err := c.call("POST", "/browsers/page-nobody00/status", api.Report{State: api.Paused}, nil); err == nil {
			t.Error("accepted of nobody")
		}
		for _, id := range []string{"page-", "page-short", "tv", "page-12345678%20", "page-12345678901234567890123456789012345678901234567890"} {
			if err := c.call("GET", "/browsers/"+id+"/events", nil, nil); err == nil {
				t.Errorf("%s was let in", id)
			}
		}
		// A report of what was never ordered changes nothing.
		id := c.playN(4, 0)
		c.must("POST", "/browsers/"+phone.id+"/status", api.Report{Key: "s1.1.1", State: api.Playing, Ended: true}, nil)
		synctest.Wait()
		c.expect(id, 0, api.Playing, 0)
		phone.close()
	})
}
