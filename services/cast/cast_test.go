package cast

import (
	"testing"
	"time"

	"manofwar/internal/media"
	"manofwar/services/cast/api"
)

func TestPlaysOneAfterTheOther(t *testing.T) {
	bubble(t, 3, func(c *crew) {
		id := c.playN(3, 0)
		time.Sleep(time.Minute)
		c.expect(id, 0, api.Playing, time.Minute)
		s := c.see(id)
		if s.Next == nil || s.Next.Item.Title != "Song 1" || s.Entry.Item.Title != "Song 0" || time.Duration(s.Duration) != songs || len(s.Streams) != 3 || s.Volume != 60 {
			t.Errorf("session %+v", s)
		}
		time.Sleep(songs)
		c.expect(id, 1, api.Playing, time.Minute)
		time.Sleep(songs)
		c.expect(id, 2, api.Playing, time.Minute)
		time.Sleep(songs)
		c.expect(id, 0, api.Stopped, 0)
		if got := c.heard(); got != "1 2 3" {
			t.Errorf("the player began %s", got)
		}
		loads := 0
		for _, v := range c.player.Verbs() {
			if v == "load" {
				loads++
			}
		}
		if loads != 1 {
			t.Errorf("%d loads: the joints had gaps", loads)
		}
		c.control(id, "play")
		time.Sleep(time.Second)
		c.expect(id, 0, api.Playing, time.Second)
	})
}

func TestControls(t *testing.T) {
	bubble(t, 5, func(c *crew) {
		id := c.playN(5, 1)
		time.Sleep(10 * time.Second)
		c.control(id, "pause")
		time.Sleep(time.Minute)
		c.expect(id, 1, api.Paused, 10*time.Second)
		c.control(id, "toggle")
		time.Sleep(5 * time.Second)
		c.expect(id, 1, api.Playing, 15*time.Second)
		c.control(id, "next")
		time.Sleep(2 * time.Second)
		c.expect(id, 2, api.Playing, 2*time.Second)
		c.control(id, "previous")
		time.Sleep(4 * time.Second)
		c.expect(id, 1, api.Playing, 4*time.Second)
		c.control(id, "previous")
		time.Sleep(time.Second)
		c.expect(id, 1, api.Playing, time.Second)
		to := media.Duration(2 * time.Minute)
		c.must("POST", "/sessions/"+id+"/control", api.Control{Do: "seek", To: &to}, nil)
		time.Sleep(time.Second)
		c.expect(id, 1, api.Playing, 2*time.Minute+time.Second)
		c.must("POST", "/sessions/"+id+"/control", api.Control{Do: "seek", By: media.Duration(-30 * time.Second)}, nil)
		time.Sleep(time.Second)
		c.expect(id, 1, api.Playing, 92*time.Second)
		var q api.Queue
		c.must("GET", "/sessions/"+id+"/queue", nil, &q)
		c.must("POST", "/sessions/"+id+"/control", api.Control{Do: "jump", Key: q.Entries[4].Key}, nil)
		time.Sleep(time.Second)
		c.expect(id, 4, api.Playing, time.Second)
		speed := 2.0
		c.change(id, api.Change{Speed: &speed})
		time.Sleep(10 * time.Second)
		c.expect(id, 4, api.Playing, 21*time.Second)
		c.must("DELETE", "/sessions/"+id, nil, nil)
		if st, _ := c.player.Status(t.Context()); st.Item != nil {
			t.Error("the player still plays")
		}
	})
}
