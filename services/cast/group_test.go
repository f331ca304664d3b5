package cast

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"manofwar/internal/media"
	"manofwar/services/cast/api"
	"manofwar/services/cast/fakeplayer"
	"manofwar/services/cast/tv"
)

// room is another dongle's player, as package dongle would have it.
type testRoom struct {
	*fakeplayer.Player
	id   string
	gone func() // the dongle leaves
}

// another puts another dongle into the home.
func (c *crew) another(name string) *testRoom {
	c.t.Helper()
	r := &testRoom{Player: fakeplayer.New(songs), id: api.DonglePrefix + strings.ToLower(name)}
	r.come(c, name)
	return r
}

func (r *testRoom) come(c *crew, name string) {
	c.t.Helper()
	screen := tv.At(r.Player, api.Renderer{ID: r.id, Kind: api.Another, Name: name}, c.Service, slog.New(slog.DiscardHandler))
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		screen.Run(ctx)
	}()
	r.gone = func() {
		cancel()
		<-done
		c.Service.Lost(r.id)
	}
	c.rest()
}

// rest lets everything come to rest.
func (c *crew) rest() {
	c.t.Helper()
	c.must("GET", "/renderers", nil, nil)
}

func (c *crew) with(id string, rooms ...string) api.Session {
	c.t.Helper()
	var s api.Session
	c.must("POST", "/sessions/"+id+"/with", api.With{Renderers: rooms}, &s)
	return s
}

// plays checks what a room plays and where it is, to within some milliseconds of at.
func (r *testRoom) plays(t *testing.T, song int, at time.Duration) {
	t.Helper()
	s, err := r.Status(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	if song < 0 {
		if s.Item != nil && s.State == "playing" {
			t.Errorf("%s plays %s", r.id, s.Item.ID)
		}
		return
	}
	if s.Item == nil || s.Item.ID != media.ID(fmt.Sprintf("i%d", song)) || s.State != "playing" || (time.Duration(s.Position)-at).Abs() > 5*time.Millisecond {
		t.Errorf("%s: %s %+v at %v; want song %d at %v", r.id, s.State, s.Item, time.Duration(s.Position), song, at)
	}
}

// TestRoomsInStep adds rooms to what plays: they are where it is, through songs, pauses, seeks and skips.
func TestRoomsInStep(t *testing.T) {
	for _, delay := range delays {
		bubble(t, 5, func(c *crew) {
			kitchen, bath := c.another("Kitchen"), c.another("Bath")
			kitchen.Delay, bath.Delay = delay, delay/2
			defer func() { kitchen.gone(); bath.gone() }()
			id := c.playN(5, 0)
			time.Sleep(30 * time.Second)
			s := c.with(id, kitchen.id, bath.id)
			if len(s.With) != 2 || s.With[0].Renderer != kitchen.id {
				t.Errorf("with %+v", s.With)
			}
			where := func(song int) {
				t.Helper()
				time.Sleep(5 * time.Second)
				s := c.see(id)
				for _, r := range []*testRoom{kitchen, bath} {
					r.plays(t, song, time.Duration(s.Position))
				}
				for _, w := range s.With {
					if w.State != api.Playing || w.Problem != "" {
						t.Errorf("room %+v", w)
					}
				}
				c.expect(id, song, api.Playing, time.Duration(s.Position))
			}
			where(0)
			time.Sleep(songs)
			where(1)
			if got := strings.Count(strings.Join(kitchen.Verbs(), " "), "load"); got != 1 {
				t.Errorf("%d loads for two songs at a delay of %v: it began %v", got, delay, kitchen.Played())
			}
			c.control(id, "pause")
			time.Sleep(3 * time.Second)
			kitchen.plays(t, -1, 0)
			c.control(id, "play")
			where(1)
			to := media.Duration(100 * time.Second)
			c.must("POST", "/sessions/"+id+"/control", api.Control{Do: "seek", To: &to}, nil)
			where(1)
			c.control(id, "next")
			where(2)
			c.with(id, bath.id)
			time.Sleep(3 * time.Second)
			kitchen.plays(t, -1, 0)
			if s := c.see(id); len(s.With) != 1 {
				t.Errorf("with %+v", s.With)
			}
		})
	}
}

// TestRoomLeads has the session move to one of its rooms, and its first room go away.
func TestRoomLeads(t *testing.T) {
	bubble(t, 5, func(c *crew) {
		kitchen, bath := c.another("Kitchen"), c.another("Bath")
		defer bath.gone()
		id := c.playN(5, 0)
		time.Sleep(10 * time.Second)
		c.with(id, kitchen.id, bath.id)
		time.Sleep(5 * time.Second)
		c.must("POST", "/sessions/"+id+"/move", api.Move{Renderer: kitchen.id}, nil)
		time.Sleep(3 * time.Second)
		s := c.see(id)
		if s.Renderer != kitchen.id || len(s.With) != 1 || s.With[0].Renderer != bath.id {
			t.Fatalf("%s with %+v", describe(s), s.With)
		}
		kitchen.plays(t, 0, time.Duration(s.Position))
		bath.plays(t, 0, time.Duration(s.Position))
		kitchen.gone()
		time.Sleep(3 * time.Second)
		s = c.see(id)
		if s.Renderer != bath.id || len(s.With) != 0 || s.State != api.Playing || s.Problem != nil {
			t.Fatalf("%s with %+v", describe(s), s.With)
		}
		bath.plays(t, 0, time.Duration(s.Position))
		if got := bath.Played(); len(got) > 2 {
			t.Errorf("it began %v", got)
		}
	})
}

// TestRoomComesAndGoes has a room break off, come back, be taken for something else, and have its own buttons pressed.
func TestRoomComesAndGoes(t *testing.T) {
	bubble(t, 5, func(c *crew) {
		kitchen := c.another("Kitchen")
		id := c.playN(5, 0)
		c.with(id, kitchen.id)
		time.Sleep(5 * time.Second)
		kitchen.gone()
		if s := c.see(id); s.State != api.Playing || len(s.With) != 1 || s.With[0].Problem != "Kitchen is no longer there." {
			t.Errorf("%s with %+v", describe(s), s.With)
		}
		time.Sleep(10 * time.Second)
		kitchen.come(c, "Kitchen")
		time.Sleep(3 * time.Second)
		s := c.see(id)
		kitchen.plays(t, 0, time.Duration(s.Position))
		if s.With[0].State != api.Playing || s.With[0].Problem != "" {
			t.Errorf("with %+v", s.With)
		}

		if err := kitchen.Pause(t.Context()); err != nil {
			t.Fatal(err)
		}
		time.Sleep(3 * time.Second)
		if s := c.see(id); s.State != api.Paused {
			t.Errorf("its pause is not everybody's: %s", describe(s))
		}
		c.control(id, "play")
		time.Sleep(3 * time.Second)
		quiet := 20
		c.change(id, api.Change{Room: kitchen.id, Volume: &quiet})
		time.Sleep(2 * time.Second)
		p, _ := kitchen.Status(t.Context())
		if s := c.see(id); p.Volume != 20 || s.Volume != 60 || s.With[0].Volume != 20 {
			t.Errorf("volumes %d, %d, %+v", p.Volume, s.Volume, s.With)
		}

		var other api.Session
		c.must("POST", "/play", api.Play{What: api.What{Items: []media.ID{"i3"}}, Renderer: kitchen.id}, &other)
		time.Sleep(3 * time.Second)
		if s := c.see(id); len(s.With) != 0 || s.State != api.Playing {
			t.Errorf("%s with %+v", describe(s), s.With)
		}
		kitchen.plays(t, 3, time.Duration(c.see(other.ID).Position))
		c.must("DELETE", "/sessions/"+id, nil, nil)
		kitchen.gone()
	})
}

// TestRoomComesBackOtherwise has a room come back paused while the others play, and playing while they wait: it is told, and
// nobody else is.
func TestRoomComesBackOtherwise(t *testing.T) {
	bubble(t, 5, func(c *crew) {
		kitchen := c.another("Kitchen")
		id := c.playN(5, 0)
		c.with(id, kitchen.id)
		for _, plays := range []bool{true, false} {
			want, do, press := api.Playing, "play", kitchen.Pause
			if !plays {
				want, do, press = api.Paused, "pause", kitchen.Play
			}
			c.control(id, do)
			time.Sleep(5 * time.Second)
			kitchen.gone()
			if err := press(t.Context()); err != nil {
				t.Fatal(err)
			}
			time.Sleep(5 * time.Second)
			kitchen.come(c, "Kitchen")
			time.Sleep(5 * time.Second)
			s := c.see(id)
			if s.State != want || len(s.With) != 1 || s.With[0].State != want {
				t.Errorf("it came back after %s: %s with %+v", do, describe(s), s.With)
			}
			if plays {
				kitchen.plays(t, 0, time.Duration(s.Position))
			} else {
				kitchen.plays(t, -1, 0)
			}
		}
		kitchen.gone()
	})
}

// TestRoomsOutliveARestart starts the service anew in the middle.
func TestRoomsOutliveARestart(t *testing.T) {
	bubble(t, 5, func(c *crew) {
		kitchen := c.another("Kitchen")
		id := c.playN(5, 0)
		c.with(id, kitchen.id)
		time.Sleep(5 * time.Second)
		kitchen.gone()
		c.stop()
		c.start("a boot")
		kitchen.come(c, "Kitchen")
		time.Sleep(5 * time.Second)
		s := c.see(id)
		if len(s.With) != 1 || s.State != api.Playing {
			t.Fatalf("%s with %+v", describe(s), s.With)
		}
		kitchen.plays(t, 0, time.Duration(s.Position))
		c.expect(id, 0, api.Playing, time.Duration(s.Position))
		kitchen.gone()
	})
}

func TestWhatCannotBeInStep(t *testing.T) {
	bubble(t, 5, func(c *crew) {
		phone := c.open("12345678", "Anna's phone")
		kitchen := c.another("Kitchen")
		defer kitchen.gone()
		id := c.playN(5, 0)
		for _, rooms := range [][]string{
			{phone.id},
			{api.TV},
			{kitchen.id, kitchen.id},
			{"dongle-nobody"},
			{"a", "b", "c", "d", "e", "f", "g", "h", "i"},
		} {
			if err := c.call("POST", "/sessions/"+id+"/with", api.With{Renderers: rooms}, nil); err == nil {
				t.Errorf("accepted %v", rooms)
			}
		}
		volume := 3
		if err := c.call("POST", "/sessions/"+id+"/change", api.Change{Room: kitchen.id, Volume: &volume}, nil); err == nil {
			t.Error("changed the volume of a room that it does not play in")
		}
		c.with(id, kitchen.id)
		time.Sleep(3 * time.Second)
		c.must("POST", "/sessions/"+id+"/move", api.Move{Renderer: phone.id}, nil)
		time.Sleep(3 * time.Second)
		if s := c.see(id); len(s.With) != 0 {
			t.Errorf("a page leads %+v", s.With)
		}
		kitchen.plays(t, -1, 0)
		phone.close()
	})
}
