package cast

import (
	"errors"
	"slices"
	"testing"
	"time"

	"manofwar/internal/media"
	"manofwar/services/cast/api"
)

// TestStopFreesTheRenderer stops a song in the middle: it is at its beginning, nothing of it is on the television, and it
// plays again from there.
func TestStopFreesTheRenderer(t *testing.T) {
	bubble(t, 3, func(c *crew) {
		id := c.playN(3, 1)
		time.Sleep(10 * time.Second)
		c.control(id, "stop")
		time.Sleep(time.Second)
		c.expect(id, 1, api.Stopped, 0)
		if st, _ := c.player.Status(t.Context()); st.Item != nil {
			t.Error("the player still has it")
		}
		c.control(id, "stop") // again: nothing changes
		c.expect(id, 1, api.Stopped, 0)
		c.control(id, "play")
		time.Sleep(2 * time.Second)
		c.expect(id, 1, api.Playing, 2*time.Second)
	})
}

// TestOpenBegins opens a renderer on which nothing plays, fills its queue and plays it.
func TestOpenBegins(t *testing.T) {
	bubble(t, 3, func(c *crew) {
		var s, again api.Session
		c.must("POST", "/open", api.Open{Renderer: api.TV}, &s)
		c.must("POST", "/open", api.Open{Renderer: api.TV}, &again)
		if s.Total != 0 || s.State != api.Stopped || s.Index != -1 || again.ID != s.ID {
			t.Errorf("opened %+v, then %+v", s, again)
		}
		if err := c.call("POST", "/open", api.Open{Renderer: "cellar"}, nil); !errors.Is(err, media.ErrNotFound) {
			t.Errorf("opened what is not there: %v", err)
		}
		for _, do := range []string{"play", "pause", "stop", "next", "previous"} {
			c.control(s.ID, do) // of nothing
		}
		c.edit(s.ID, api.Edit{Do: "add", What: api.What{Items: []media.ID{"i2", "i0", "i2"}}})
		c.expect(s.ID, 2, api.Stopped, 0)
		var k api.Keys
		c.must("GET", "/sessions/"+s.ID+"/keys", nil, &k)
		if c.see(s.ID).Revision != k.Revision || len(k.Keys) != 3 || k.Keys[0] == k.Keys[2] || !slices.Equal(k.Items, []media.ID{"i2", "i0", "i2"}) {
			t.Errorf("keys %+v", k)
		}
		c.control(s.ID, "play")
		time.Sleep(time.Second)
		c.expect(s.ID, 2, api.Playing, time.Second)
		c.edit(s.ID, api.Edit{Do: "remove", Keys: k.Keys})
		time.Sleep(time.Second)
		if s := c.see(s.ID); s.Total != 0 || s.State != api.Stopped || s.Entry != nil {
			t.Errorf("emptied, it is %+v", s)
		}
		if err := c.call("GET", "/sessions/gone/keys", nil, nil); !errors.Is(err, media.ErrNotFound) {
			t.Errorf("keys of no session: %v", err)
		}
	})
}
