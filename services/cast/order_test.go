package cast

import (
	"encoding/json"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"manofwar/internal/media"
	"manofwar/services/cast/api"
)

// word is what somebody has heard of a session, in an answer or an event.
type word struct {
	api.Stamp
	revision uint64
}

// TestWhatIsToldHasAnOrder has several people add songs and look at once. By the sequence of all that they hear, in answers,
// lists and news, a queue never becomes older; nothing is heard after the end; and a restart begins another epoch.
func TestWhatIsToldHasAnOrder(t *testing.T) {
	bubble(t, 5, func(c *crew) {
		id := c.playN(1, 0)
		var heard words
		over := heard.follow(c)
		var people sync.WaitGroup
		for range 4 {
			people.Go(func() {
				for range 40 {
					heard.ask(c, "POST", "/sessions/"+id+"/queue", api.Edit{Do: "add", What: api.What{Items: []media.ID{"i1"}}})
					heard.ask(c, "GET", "/sessions/"+id, nil)
					heard.list(c)
					time.Sleep(7 * time.Millisecond)
				}
			})
		}
		people.Wait()
		time.Sleep(time.Second)
		c.must("DELETE", "/sessions/"+id, nil, nil)
		gone := over()
		all := heard.inOrder()
		if len(all) < 4*40*3 || all[len(all)-1].revision < 160 {
			t.Fatalf("%d words, the last %+v", len(all), all[len(all)-1])
		}
		for i, w := range all[1:] {
			if w.Epoch != all[0].Epoch || !all[i].Before(w.Stamp) || w.revision < all[i].revision {
				t.Fatalf("%+v after %+v", w, all[i])
			}
		}
		if last := all[len(all)-1]; !last.Before(gone) {
			t.Errorf("gone with %+v, after %+v", gone, last)
		}
		c.stop()
		c.start("a boot")
		var again api.Sessions
		if c.must("GET", "/sessions", nil, &again); again.Epoch == "" || again.Epoch == gone.Epoch {
			t.Errorf("epoch %q after %q", again.Epoch, gone.Epoch)
		}
	})
}

// words are what was heard.
type words struct {
	mu  sync.Mutex // guards all
	all []word
}

func (h *words) add(s api.Session) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.all = append(h.all, word{s.Stamp, s.Revision})
}

func (h *words) inOrder() []word {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.SortedFunc(slices.Values(h.all), func(a, b word) int { return int(a.Sequence) - int(b.Sequence) })
}

func (h *words) ask(c *crew, method, path string, in any) {
	var s api.Session
	if err := c.call(method, path, in, &s); err != nil {
		c.t.Error(err)
	}
	h.add(s)
}

// list asks for all sessions, of which there is one: it is older than the list that has it.
func (h *words) list(c *crew) {
	var all api.Sessions
	if err := c.call("GET", "/sessions", nil, &all); err != nil || len(all.Sessions) != 1 || !all.Sessions[0].Before(all.Stamp) {
		c.t.Errorf("%v, sessions %+v", err, all)
		return
	}
	h.add(all.Sessions[0])
}

// follow hears the news until over is called, which returns what was said of the session's end.
func (h *words) follow(c *crew) (over func() api.Stamp) {
	news, stop := c.events.Subscribe()
	var gone api.Gone
	var listening sync.WaitGroup
	listening.Go(func() {
		for ev := range news {
			var s api.Session
			switch ev.Kind {
			case "session":
				if err := json.Unmarshal(ev.Data, &s); err != nil {
					c.t.Error(err)
				}
				h.add(s)
			case "gone":
				if err := json.Unmarshal(ev.Data, &gone); err != nil {
					c.t.Error(err)
				}
			}
		}
	})
	return func() api.Stamp {
		time.Sleep(time.Second)
		synctest.Wait()
		stop()
		listening.Wait()
		return gone.Stamp
	}
}
