package cast

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"manofwar/internal/media"
	"manofwar/services/cast/api"
)

func links(urls ...string) api.What {
	var w api.What
	for _, u := range urls {
		w.Links = append(w.Links, api.Link{URL: u, Kind: media.Music, Title: "Song of " + u[len(u)-5:], Artist: "Abe"})
	}
	return w
}

// TestPlaysLinks plays what another device offers: with what is known of it, one after the other, and across a restart.
func TestPlaysLinks(t *testing.T) {
	bubble(t, 4, func(c *crew) {
		var s api.Session
		c.must("POST", "/play", api.Play{What: links("http://192.168.7.9:8200/a.mp3"), Renderer: api.TV}, &s)
		c.edit(s.ID, api.Edit{Do: "add", What: links("http://10.1.2.3/b.mp3")})
		c.edit(s.ID, api.Edit{Do: "add", What: api.What{Items: []media.ID{"i1"}}})
		time.Sleep(time.Minute)
		s = c.see(s.ID)
		if s.Entry.Link == nil || s.Entry.Link.URL != "http://192.168.7.9:8200/a.mp3" || s.Entry.Item.Title != "Song of a.mp3" || s.Entry.Item.Artists[0] != "Abe" {
			t.Errorf("%s: %+v", describe(s), s.Entry)
		}
		p, _ := c.player.Status(t.Context())
		if p.Item == nil || p.Item.URL != "http://192.168.7.9:8200/a.mp3" || p.Item.Path != "" || p.Item.Title != "Song of a.mp3" || p.State != "playing" {
			t.Errorf("player: %+v", p.Item)
		}
		c.stop()
		c.start("a boot")
		time.Sleep(3 * time.Second)
		var q api.Queue
		if c.must("GET", "/sessions/"+s.ID+"/queue", nil, &q); len(q.Entries) != 3 || q.Entries[1].Link == nil || q.Entries[1].Item.Title != "Song of b.mp3" || q.Entries[2].Link != nil {
			t.Errorf("queue after a restart: %+v", q)
		}
		time.Sleep(songs)
		if p, _ = c.player.Status(t.Context()); p.Item == nil || p.Item.URL != "http://10.1.2.3:80/b.mp3" {
			t.Errorf("player after a restart: %+v", p.Item)
		}
		c.control(s.ID, "next")
		time.Sleep(time.Second)
		c.expect(s.ID, 1, api.Playing, time.Second)
	})
}

// TestLinksLeadNowhereElse refuses what is malformed at once, and what leads elsewhere when it is about to play.
func TestLinksLeadNowhereElse(t *testing.T) {
	bubble(t, 4, func(c *crew) {
		for _, l := range []api.Link{
			{URL: "https://192.168.7.9/a", Kind: media.Music},
			{URL: "file:///etc/passwd", Kind: media.Music},
			{URL: "http:///a", Kind: media.Music},
			{URL: "http://me@192.168.7.9/a", Kind: media.Music},
			{URL: "http://192.168.7.9/" + strings.Repeat("a", api.MaxURL), Kind: media.Music},
			{URL: "http://192.168.7.9/a", Kind: "picture"},
			{URL: "http://192.168.7.9/a", Kind: media.Music, Title: strings.Repeat("a", 501)},
			{URL: "http://192.168.7.9/a", Kind: media.Music, Art: "file:///etc/passwd"},
			{URL: "http://192.168.7.9/a", Kind: media.Music, Duration: -media.Duration(time.Second)},
		} {
			if err := c.call("POST", "/play", api.Play{What: api.What{Links: []api.Link{l}}, Renderer: api.TV}, nil); err == nil {
				t.Errorf("%+v was taken", l)
			}
		}
		if err := c.call("POST", "/play", api.Play{What: api.What{Links: make([]api.Link, api.MaxLinks+1)}, Renderer: api.TV}, nil); err == nil {
			t.Error("any number of links was taken")
		}
		for _, u := range []string{"http://127.0.0.1/a.mp3", "http://[::1]:80/a.mp3", "http://[::ffff:127.0.0.1]/a.mp3", "http://8.8.8.8/a.mp3", "http://0.0.0.0/a.mp3"} {
			var s api.Session
			c.must("POST", "/play", api.Play{What: links(u), Renderer: api.TV}, &s)
			time.Sleep(time.Second)
			if s = c.see(s.ID); s.Problem == nil || s.Problem.Code != "denied" || s.State != api.Stopped {
				t.Errorf("%s: %s", u, describe(s))
			}
		}
		if n := len(c.player.Played()); n > 0 {
			t.Errorf("the player was given %d of them", n)
		}
	})
}

// TestLinksStayOnTheTV says why a phone does not go on with what another device sends.
func TestLinksStayOnTheTV(t *testing.T) {
	bubble(t, 4, func(c *crew) {
		phone := c.open("12345678", "Anna's phone")
		var s api.Session
		c.must("POST", "/play", api.Play{What: links("http://192.168.7.9/a.mp3"), Renderer: api.TV}, &s)
		time.Sleep(time.Minute)
		c.must("POST", "/sessions/"+s.ID+"/move", api.Move{Renderer: phone.id}, nil)
		time.Sleep(time.Second)
		if s = c.see(s.ID); s.Problem == nil || s.Problem.Code != "unsupported" || !strings.Contains(s.Problem.Text, "only the TV") {
			t.Errorf("%s", describe(s))
		}
		c.must("POST", "/sessions/"+s.ID+"/move", api.Move{Renderer: api.TV}, nil)
		c.control(s.ID, "play")
		time.Sleep(time.Second)
		if s = c.see(s.ID); s.State != api.Playing {
			t.Errorf("back on the TV: %s", describe(s))
		}
		phone.close()
	})
}

func TestHome(t *testing.T) {
	c := &Service{}
	for ip, want := range map[string]bool{
		"192.168.1.1": true, "10.0.0.1": true, "172.16.0.1": true, "169.254.3.4": true, "fd00::1": true, "::ffff:192.168.1.1": true,
		"127.0.0.1": false, "::1": false, "0.0.0.0": false, "::": false, "8.8.8.8": false, "2001:db8::1": false, "224.0.0.1": false, "255.255.255.255": false,
		"::ffff:127.0.0.1": false, "172.32.0.1": false,
	} {
		if got := c.home(netip.MustParseAddr(ip)); got != want {
			t.Errorf("%s: %v", ip, got)
		}
	}
}
