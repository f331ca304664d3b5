package cast

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"manofwar/internal/media"
	"manofwar/services/cast/api"
)

// TestNewsAreFew presses a slider for a second: everybody hears of it at once and at the end, and not much in between.
func TestNewsAreFew(t *testing.T) {
	bubble(t, 5, func(c *crew) {
		id := c.playN(5, 0)
		time.Sleep(time.Minute)
		news, stop := c.events.Subscribe()
		defer stop()
		count, last := 0, api.Session{}
		drain := func() (n int) {
			synctest.Wait()
			for {
				select {
				case ev := <-news:
					if ev.Kind == "session" {
						n++
						if err := json.Unmarshal(ev.Data, &last); err != nil {
							t.Fatal(err)
						}
					}
				default:
					count += n
					return n
				}
			}
		}
		for i := range 100 {
			volume := i
			c.change(id, api.Change{Volume: &volume})
			if n := drain(); i == 0 && n != 1 {
				t.Errorf("%d news at once", n)
			}
			time.Sleep(10 * time.Millisecond)
		}
		time.Sleep(time.Second)
		drain()
		if count > 13 || last.Volume != 99 {
			t.Errorf("%d news, the last of volume %d", count, last.Volume)
		}
		count = 0
		time.Sleep(90 * time.Second)
		if drain(); count != 0 {
			t.Errorf("%d news though only time has passed", count)
		}
		time.Sleep(time.Minute)
		if drain(); count == 0 || count > 4 || last.Index != 1 {
			t.Errorf("%d news of the next song: %s", count, describe(last))
		}
	})
}

func TestTwoPeopleAtOnce(t *testing.T) {
	bubble(t, 10, func(c *crew) {
		id := c.playN(10, 0)
		key := c.see(id).Entry.Key
		for range 2 {
			c.must("POST", "/sessions/"+id+"/control", api.Control{Do: "next", Key: key}, nil)
		}
		if s := c.see(id); s.Index != 1 {
			t.Errorf("two who skip one skip to %d", s.Index)
		}
		for range 3 { // a phone whose network stutters
			c.must("POST", "/sessions/"+id+"/control", api.Control{Do: "next", Once: "a"}, nil)
			c.edit(id, api.Edit{Do: "add", What: api.What{Items: []media.ID{"i3"}}, Once: "b"})
		}
		if s := c.see(id); s.Index != 2 || s.Total != 11 {
			t.Errorf("done more than once: %s", describe(s))
		}
		for range 2 {
			c.must("POST", "/play", api.Play{What: api.What{Items: c.shelf.ids(3)}, Renderer: api.TV, Once: "c"}, nil)
			time.Sleep(time.Second)
		}
		c.expect(id, 0, api.Playing, 2*time.Second)
		var q api.Queue
		c.must("GET", "/sessions/"+id+"/queue", nil, &q)
		c.edit(id, api.Edit{Do: "remove", Keys: []string{q.Entries[1].Key}})
		c.edit(id, api.Edit{Do: "move", Keys: []string{q.Entries[1].Key, q.Entries[2].Key}, Before: q.Entries[0].Key})
		c.must("GET", "/sessions/"+id+"/queue", nil, &q)
		if q.Total != 2 || q.Entries[0].Item.ID != "i2" {
			t.Errorf("queue %+v", q)
		}
		c.expect(id, 0, api.Playing, 2*time.Second)
	})
}

func TestEditsReachThePlayer(t *testing.T) {
	bubble(t, 10, func(c *crew) {
		id := c.playN(3, 0)
		time.Sleep(time.Second)
		next := func() string {
			synctest.Wait()
			s, _ := c.player.Status(t.Context())
			_, rest, _ := strings.Cut(s.Next, ".")
			key, _, _ := strings.Cut(rest, ".")
			return key
		}
		if next() != "2" {
			t.Errorf("next is %q", next())
		}
		c.edit(id, api.Edit{Do: "next", What: api.What{Items: []media.ID{"i7"}}})
		if next() != "4" {
			t.Errorf("after play next it is %q", next())
		}
		c.edit(id, api.Edit{Do: "remove", Keys: []string{"4", "2"}})
		if next() != "3" {
			t.Errorf("after remove it is %q", next())
		}
		c.edit(id, api.Edit{Do: "clear"})
		if next() != "" {
			t.Errorf("after clear it is %q", next())
		}
		one := api.RepeatOne
		c.change(id, api.Change{Repeat: &one})
		if next() != "1" {
			t.Errorf("repeating one it is %q", next())
		}
		time.Sleep(2*songs + 4*time.Second)
		c.expect(id, 0, api.Playing, 5*time.Second)
		c.edit(id, api.Edit{Do: "remove", Keys: []string{"1"}})
		if s := c.see(id); s.State != api.Stopped || s.Total != 0 || s.Entry != nil || s.Index != -1 {
			t.Errorf("empty: %s", describe(s))
		}
		c.control(id, "play")
		c.control(id, "next")
		c.control(id, "previous")
		c.edit(id, api.Edit{Do: "add", What: api.What{Search: &api.Search{Text: "x"}}})
		if s := c.see(id); s.State != api.Stopped || s.Total != 10 || s.Entry == nil {
			t.Errorf("filled again: %s", describe(s))
		}
		c.control(id, "play")
		time.Sleep(time.Second)
		c.expect(id, 0, api.Playing, time.Second)
	})
}

func TestBadRequests(t *testing.T) {
	bubble(t, 10, func(c *crew) {
		id := c.playN(3, 0)
		many := make([]media.ID, api.MaxItems+1)
		for i := range many {
			many[i] = "i1"
		}
		minus, long := -1, media.Duration(48*time.Hour)
		slow, repeat := 0.1, api.Repeat("twice")
		far := media.Duration(2000 * time.Hour)
		for _, c2 := range []struct {
			path string
			body any
			want error
		}{
			{"/play", api.Play{Renderer: "nowhere", What: api.What{Album: "a"}}, media.ErrNotFound},
			{"/play", api.Play{Renderer: api.TV}, media.ErrInvalid},
			{"/play", api.Play{Renderer: api.TV, What: api.What{Album: "a", Items: many[:1]}}, media.ErrInvalid},
			{"/play", api.Play{Renderer: api.TV, What: api.What{Items: many}}, media.ErrFull},
			{"/play", api.Play{Renderer: api.TV, What: api.What{Items: []media.ID{"a\nb"}}}, media.ErrInvalid},
			{"/play", api.Play{Renderer: api.TV, What: api.What{Search: &api.Search{Kind: media.Film}}}, media.ErrNotFound},
			{"/play", api.Play{Renderer: api.TV, What: api.What{Album: "a"}, Index: &minus}, media.ErrInvalid},
			{"/play", api.Play{Renderer: api.TV, What: api.What{Album: "a"}, Once: strings.Repeat("x", 65)}, media.ErrInvalid},
			{"/sessions/s99/control", api.Control{Do: "play"}, media.ErrNotFound},
			{"/sessions/" + id + "/control", api.Control{Do: "dance"}, media.ErrInvalid},
			{"/sessions/" + id + "/control", api.Control{Do: "jump", Key: "zz"}, media.ErrNotFound},
			{"/sessions/" + id + "/control", api.Control{Do: "seek", To: &far}, media.ErrInvalid},
			{"/sessions/" + id + "/queue", api.Edit{Do: "burn"}, media.ErrInvalid},
			{"/sessions/" + id + "/queue", api.Edit{Do: "add"}, media.ErrInvalid},
			{"/sessions/" + id + "/queue", api.Edit{Do: "add", What: api.What{Items: many[:api.MaxItems]}}, media.ErrFull},
			{"/sessions/" + id + "/change", api.Change{Volume: &minus}, media.ErrInvalid},
			{"/sessions/" + id + "/change", api.Change{Speed: &slow}, media.ErrInvalid},
			{"/sessions/" + id + "/change", api.Change{Repeat: &repeat}, media.ErrInvalid},
			{"/sessions/" + id + "/change", api.Change{Sleep: &long}, media.ErrInvalid},
			{"/sessions/" + id + "/move", api.Move{Renderer: "nowhere"}, media.ErrNotFound},
		} {
			if err := c.call("POST", c2.path, c2.body, nil); !errors.Is(err, c2.want) {
				t.Errorf("%s %.80v: %v; want %v", c2.path, c2.body, err, c2.want)
			}
		}
		for _, q := range []string{"?limit=501", "?limit=0", "?offset=-1", "?offset=x"} {
			if err := c.call("GET", "/sessions/"+id+"/queue"+q, nil, nil); !errors.Is(err, media.ErrInvalid) {
				t.Errorf("queue%s: %v", q, err)
			}
		}
		c.expect(id, 0, api.Playing, 0)
	})
}

func TestSessionsAreBounded(t *testing.T) {
	bubble(t, 3, func(c *crew) {
		var pages []*testPage
		for i := range maxSessions + 1 {
			pages = append(pages, c.open(fmt.Sprintf("page%06d", i), "Page"))
		}
		for i, p := range pages {
			err := c.call("POST", "/play", api.Play{What: api.What{Album: "a"}, Renderer: p.id}, nil)
			synctest.Wait()
			if (err == nil) != (i < maxSessions) {
				t.Errorf("session %d: %v", i, err)
			}
		}
		pages[3].close()
		time.Sleep(10 * time.Second)
		if err := c.call("POST", "/play", api.Play{What: api.What{Album: "a"}, Renderer: pages[maxSessions].id}, nil); err != nil {
			t.Errorf("one has gone, and yet: %v", err)
		}
		for _, p := range pages {
			p.close()
		}
	})
}

// TestTwentyThousand plays a whole library, in real time: the answer may not wait for it to be looked up.
func TestTwentyThousand(t *testing.T) {
	bubble(t, api.MaxQueue, func(c *crew) {
		c.shelf.slow = func(media.ID) time.Duration { return time.Second }
		body := api.Play{What: api.What{Items: c.shelf.ids(api.MaxQueue)}, Renderer: api.TV, Shuffle: true}
		began := time.Now()
		var s api.Session
		c.must("POST", "/play", body, &s)
		if took := time.Since(began); took > knownWithin || s.Total != api.MaxQueue {
			t.Errorf("waited for %v, got %d", took, s.Total)
		}
		time.Sleep(3 * time.Second)
		if c.shelf.looked() > 3 {
			t.Errorf("%d items looked up", c.shelf.looked())
		}
		var q api.Queue
		c.must("GET", fmt.Sprintf("/sessions/%s/queue?offset=%d&limit=500", s.ID, api.MaxQueue-500), nil, &q)
		if len(q.Entries) != 500 || q.Entries[0].Item.Title == "" {
			t.Errorf("last page: %d entries", len(q.Entries))
		}
	})
}

// BenchmarkPlay20000 is how long the answer to a request for a whole library takes.
func BenchmarkPlay20000(b *testing.B) {
	l := &shelf{n: api.MaxQueue}
	data, err := json.Marshal(api.Play{What: api.What{Items: l.ids(l.n)}, Renderer: api.TV, Shuffle: true})
	if err != nil {
		b.Fatal(err)
	}
	q := newSession("s1", api.TV, (&Service{random: rand.New(rand.NewPCG(1, 2))}).newQueue())
	for b.Loop() {
		var in api.Play
		if err := json.Unmarshal(data, &in); err != nil {
			b.Fatal(err)
		}
		if err := checkWhat(in.What); err != nil {
			b.Fatal(err)
		}
		q.start(in, in.Items, time.Now())
		q.follow(time.Now())
	}
}

// TestTenThousandCommands presses everything at random, on three places at once, while players die and disks go, and
// looks at what is always true.
func TestTenThousandCommands(t *testing.T) {
	for seed := range uint64(4) {
		bubble(t, 40, func(c *crew) {
			r := rand.New(rand.NewPCG(seed, 11))
			c.player.Delay = delays[seed%3]
			c.player.Length = func(path string) time.Duration {
				if strings.Contains(path, "i13") {
					return 0
				}
				return songs
			}
			pages := []*testPage{c.open("12345678", "A"), c.open("abcdefgh", "B")}
			places := []string{api.TV, pages[0].id, pages[1].id, "nowhere"}
			for range 2500 {
				c.anything(r, places)
				if r.IntN(3) == 0 {
					time.Sleep(time.Duration(r.IntN(int(songs / 4))))
				}
				c.always()
			}
			c.player.Start()
			c.shelf.lose(nil, c.shelf.ids(40)...)
			time.Sleep(time.Minute)
			c.settled()
			for _, p := range pages {
				p.close()
			}
		})
	}
}

// anything does one of the things that happen.
func (c *crew) anything(r *rand.Rand, places []string) {
	var all api.Sessions
	if err := c.call("GET", "/sessions", nil, &all); err != nil {
		c.t.Fatal(err)
	}
	id := "s0"
	if n := len(all.Sessions); n > 0 {
		id = all.Sessions[r.IntN(n)].ID
	}
	path := "/sessions/" + id
	keys := func() (keys []string) {
		for range r.IntN(4) {
			keys = append(keys, fmt.Sprintf("%x", r.IntN(60)))
		}
		return keys
	}
	item := media.ID(fmt.Sprintf("i%d", r.IntN(45)))
	to := media.Duration(r.IntN(200)) * media.Duration(time.Second)
	switch r.IntN(24) {
	case 0, 1:
		index := r.IntN(50)
		_ = c.call("POST", "/play", api.Play{What: api.What{Album: "a"}, Renderer: places[r.IntN(4)], Index: &index, Shuffle: r.IntN(2) == 0, Paused: r.IntN(4) == 0}, nil)
	case 2, 3, 4, 5:
		_ = c.call("POST", path+"/control", api.Control{Do: []string{"play", "pause", "toggle", "stop"}[r.IntN(4)]}, nil)
	case 6, 7, 8:
		_ = c.call("POST", path+"/control", api.Control{Do: []string{"next", "previous"}[r.IntN(2)]}, nil)
	case 9:
		_ = c.call("POST", path+"/control", api.Control{Do: "seek", To: &to}, nil)
	case 10:
		_ = c.call("POST", path+"/control", api.Control{Do: "jump", Key: fmt.Sprintf("%x", r.IntN(60))}, nil)
	case 11, 12:
		_ = c.call("POST", path+"/queue", api.Edit{Do: []string{"add", "next"}[r.IntN(2)], What: api.What{Items: []media.ID{item}}}, nil)
	case 13:
		_ = c.call("POST", path+"/queue", api.Edit{Do: "move", Keys: keys(), Before: fmt.Sprintf("%x", r.IntN(60))}, nil)
	case 14:
		_ = c.call("POST", path+"/queue", api.Edit{Do: "remove", Keys: keys()}, nil)
	case 15:
		yes, repeat := r.IntN(2) == 0, []api.Repeat{api.RepeatOff, api.RepeatAll, api.RepeatOne}[r.IntN(3)]
		_ = c.call("POST", path+"/change", api.Change{Shuffle: &yes, Repeat: &repeat, SleepEnd: &yes, Sleep: &to}, nil)
	case 16:
		volume, speed, track := r.IntN(101), 0.5+r.Float64(), r.IntN(4)-1
		_ = c.call("POST", path+"/change", api.Change{Volume: &volume, Speed: &speed, Audio: &track, Subtitle: &track}, nil)
	case 17, 18:
		_ = c.call("POST", path+"/move", api.Move{Renderer: places[r.IntN(4)]}, nil)
	case 19:
		if r.IntN(4) == 0 {
			_ = c.call("DELETE", path, nil, nil)
		}
	case 20:
		c.player.Remote([]string{"play", "pause", "stop", "louder", "next", "previous"}[r.IntN(6)])
	case 21:
		c.player.Kill()
	case 22:
		c.player.Start()
	case 23:
		var err error
		if r.IntN(2) == 0 {
			err = media.ErrAway
		}
		c.shelf.lose(err, item)
	}
}

// always looks at what is true at any time.
func (c *crew) always() {
	c.t.Helper()
	c.mu.Lock()
	defer c.mu.Unlock()
	now := time.Now()
	at := map[string]string{}
	for id, s := range c.sessions {
		p := c.places[s.place]
		if p == nil || p.session != id || at[s.place] != "" {
			c.t.Fatalf("session %s is not what %s plays: %+v", id, s.place, p)
		}
		at[s.place] = id
		e, ok := s.queue.Current()
		if ok && e != s.now.entry {
			c.t.Fatalf("session %s plays %v; the queue is at %v", id, s.now.entry, e)
		}
		if s.next != nil && (s.over || s.parked) {
			c.t.Fatalf("session %s does not play, and prepares what is next", id)
		}
		if at := s.position(now); at < 0 || at > songs && s.now.duration > 0 {
			c.t.Fatalf("session %s at %v", id, at)
		}
		if s.want && (s.over || s.parked || !ok) {
			c.t.Fatalf("session %s wants to play and cannot: over %t, parked %t, %d entries", id, s.over, s.parked, s.queue.Len())
		}
	}
	for id, p := range c.places {
		if p.session != "" && c.sessions[p.session] == nil {
			c.t.Fatalf("%s plays %s, which is no more", id, p.session)
		}
	}
}

// settled checks that after a while without commands the TV does what its session says.
func (c *crew) settled() {
	c.t.Helper()
	synctest.Wait()
	p, err := c.player.Status(c.t.Context())
	if err != nil {
		c.t.Fatal(err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	s := c.sessions[c.places[api.TV].session]
	now := time.Now()
	switch {
	case s == nil || s.over || s.parked:
		if p.Item != nil {
			c.t.Errorf("nothing should play on the TV, and %s does", p.Item.Key)
		}
	case p.Item == nil || p.Item.Key != s.now.key:
		c.t.Errorf("the TV plays %+v; want %s", p.Item, s.now.key)
	case (p.State == "playing") != s.want:
		c.t.Errorf("the TV is %s; the session wants to play: %t", p.State, s.want)
	case (time.Duration(p.Position) - s.position(now)).Abs() > 100*time.Millisecond:
		c.t.Errorf("the TV is at %v; the session at %v", time.Duration(p.Position), s.position(now))
	}
}

// TestManyAtOnce has many phones at it at the same time, for the race detector.
func TestManyAtOnce(t *testing.T) {
	bubble(t, 40, func(c *crew) {
		page := c.open("12345678", "A")
		var wg sync.WaitGroup
		for i := range uint64(8) {
			wg.Go(func() {
				r := rand.New(rand.NewPCG(i, 5))
				for range 150 {
					c.anything(r, []string{api.TV, page.id, api.TV, "nowhere"})
					time.Sleep(time.Duration(r.IntN(int(time.Second))))
				}
			})
		}
		wg.Wait()
		c.player.Start()
		time.Sleep(time.Minute)
		c.always()
		c.settled()
		page.close()
	})
}
