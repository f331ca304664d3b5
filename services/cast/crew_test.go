package cast

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"manofwar/internal/ipc"
	"manofwar/internal/media"
	"manofwar/services/cast/api"
	"manofwar/services/cast/browser"
	"manofwar/services/cast/dlna"
	"manofwar/services/cast/fakeplayer"
	"manofwar/services/cast/tv"
	catalogapi "manofwar/services/catalog/api"
	streamapi "manofwar/services/stream/api"
)

// shelf is a library with the items i0 to i(n-1) on one album, and the stream service that finds their covers.
type shelf struct {
	n    int
	mu   sync.Mutex
	away map[media.ID]error
	asks int                          // for files
	slow func(media.ID) time.Duration // how long the answer for a file takes; nil: no time
}

func (l *shelf) item(id media.ID) media.Item {
	return media.Item{ID: id, Kind: media.Music, Path: string(id) + ".flac", Tags: media.Tags{Title: "Song " + string(id[1:])}}
}

func (l *shelf) has(id media.ID) bool {
	var i int
	_, err := fmt.Sscanf(string(id), "i%d", &i)
	return err == nil && i >= 0 && i < l.n
}

func (l *shelf) File(ctx context.Context, id media.ID) (catalogapi.File, error) {
	if l.slow != nil {
		pause(ctx, l.slow(id))
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.asks++
	if err := l.away[id]; err != nil {
		return catalogapi.File{}, &media.Error{Op: "open", Path: string(id), Err: err}
	}
	if !l.has(id) {
		return catalogapi.File{}, &media.Error{Op: "find item", Path: string(id), Err: media.ErrNotFound}
	}
	return catalogapi.File{Item: l.item(id), Path: "/media/" + string(id) + ".flac"}, nil
}

func (l *shelf) Lookup(_ context.Context, ids []media.ID) (found []media.Item, err error) {
	for _, id := range ids {
		if l.has(id) {
			found = append(found, l.item(id))
		}
	}
	return found, nil
}

func (l *shelf) IDs(_ context.Context, q catalogapi.Query) (ids []media.ID, err error) {
	if q.Kind == media.Film {
		return nil, nil
	}
	return l.ids(l.n), nil
}

func (l *shelf) ids(n int) (ids []media.ID) {
	for i := range n {
		ids = append(ids, media.ID(fmt.Sprintf("i%d", i)))
	}
	return ids
}

func (l *shelf) Album(_ context.Context, id media.ID) (p catalogapi.AlbumPage, err error) {
	for _, id := range l.ids(l.n) {
		p.Items = append(p.Items, l.item(id))
	}
	return p, nil
}

func (l *shelf) Plan(_ context.Context, id media.ID, _ string, _ url.Values) (streamapi.Plan, error) {
	return streamapi.Plan{Parts: []streamapi.Part{{Path: "/media/" + string(id) + ".flac", Offset: 42, Length: 1000}}}, nil
}

// looked returns how many files were asked for.
func (l *shelf) looked() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.asks
}

func (l *shelf) lose(err error, ids ...media.ID) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.away == nil {
		l.away = make(map[media.ID]error)
	}
	for _, id := range ids {
		l.away[id] = err
	}
}

// crew is cast on a fake player and a small library, in a bubble of its own time.
type crew struct {
	t      *testing.T
	player *fakeplayer.Player
	shelf  *shelf
	dir    string

	*Service
	mux  http.Handler
	stop func()
}

// songs is how long each of the library's are.
const songs = 3 * time.Minute

// bubble runs f with a crew of the fake player and n songs.
func bubble(t *testing.T, n int, f func(c *crew)) {
	synctest.Test(t, func(t *testing.T) {
		c := &crew{t: t, player: fakeplayer.New(songs), shelf: &shelf{n: n}, dir: t.TempDir()}
		c.start("a boot")
		defer func() { c.stop() }()
		f(c)
	})
}

// start starts cast, on what an earlier one kept.
func (c *crew) start(life string) {
	c.t.Helper()
	log := slog.New(slog.DiscardHandler)
	s := New(Options{})
	s.log, s.library, s.planner = log, c.shelf, c.shelf
	s.random = rand.New(rand.NewPCG(1, 2))
	s.stepping = make(chan struct{}, 1)
	s.sessions, s.places, s.stale = make(map[string]*session), make(map[string]*place), newStale()
	s.pages, s.devices = browser.New(s, log), dlna.New(s, 0, log)
	s.store = newStore(c.dir, "")
	s.store.life, s.store.replace = life, os.WriteFile // without waiting for the disk: hours pass here in seconds
	if err := s.restore(); err != nil {
		c.t.Fatal(err)
	}
	c.Service, c.mux = s, s.handler()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = s.run(ctx, tv.New(c.player, s, log), func(error) {}, func(ctx context.Context) error { <-ctx.Done(); return nil })
	}()
	c.stop = func() {
		cancel()
		<-done
	}
	synctest.Wait()
}

// call sends a request as the portal does.
func (c *crew) call(method, path string, in, out any) error {
	c.t.Helper()
	var body io.Reader
	if in != nil {
		data, err := json.Marshal(in)
		if err != nil {
			c.t.Fatal(err)
		}
		body = bytes.NewReader(data)
	}
	w := httptest.NewRecorder()
	c.mux.ServeHTTP(w, httptest.NewRequest(method, path, body))
	if w.Code/100 != 2 {
		e := &ipc.Error{Status: w.Code}
		if err := json.Unmarshal(w.Body.Bytes(), e); err != nil {
			c.t.Fatalf("%s %s: %d %s", method, path, w.Code, w.Body)
		}
		return e
	}
	if out != nil && w.Code != http.StatusNoContent {
		if err := json.Unmarshal(w.Body.Bytes(), out); err != nil {
			c.t.Fatal(err)
		}
	}
	return nil
}

// must is call for what has to work, and lets everything come to rest.
func (c *crew) must(method, path string, in, out any) {
	c.t.Helper()
	if err := c.call(method, path, in, out); err != nil {
		c.t.Fatalf("%s %s: %v", method, path, err)
	}
	synctest.Wait()
}

// playN plays the first n songs on the TV from the one at index, and returns the session's ID.
func (c *crew) playN(n, index int) string {
	c.t.Helper()
	var s api.Session
	c.must("POST", "/play", api.Play{What: api.What{Items: c.shelf.ids(n)}, Renderer: api.TV, Index: &index}, &s)
	return s.ID
}

// see returns a session as it is.
func (c *crew) see(id string) (s api.Session) {
	c.t.Helper()
	synctest.Wait()
	c.must("GET", "/sessions/"+id, nil, &s)
	return s
}

func (c *crew) control(id, do string) {
	c.t.Helper()
	c.must("POST", "/sessions/"+id+"/control", api.Control{Do: do}, nil)
}

func (c *crew) change(id string, ch api.Change) {
	c.t.Helper()
	c.must("POST", "/sessions/"+id+"/change", ch, nil)
}

func (c *crew) edit(id string, e api.Edit) {
	c.t.Helper()
	c.must("POST", "/sessions/"+id+"/queue", e, nil)
}

// expect checks what plays: the song's number, the state, and the position to within a tenth of a second.
func (c *crew) expect(id string, song int, state api.State, at time.Duration) {
	c.t.Helper()
	s := c.see(id)
	if s.Entry == nil || s.Entry.Item.ID != media.ID(fmt.Sprintf("i%d", song)) || s.State != state || (time.Duration(s.Position)-at).Abs() > 100*time.Millisecond {
		c.t.Errorf("session: %s; want song %d, %s, at %v", describe(s), song, state, at)
	}
	p, err := c.player.Status(context.Background())
	if err != nil || s.Renderer != api.TV || state != api.Playing {
		return
	}
	if p.Item == nil || p.Item.ID != s.Entry.Item.ID || p.State != "playing" || (time.Duration(p.Position)-at).Abs() > 100*time.Millisecond {
		c.t.Errorf("player: %+v at %v; want song %d at %v", p.Item, time.Duration(p.Position), song, at)
	}
}

func describe(s api.Session) string {
	entry := "nothing"
	if s.Entry != nil {
		entry = string(s.Entry.Item.ID)
	}
	text := fmt.Sprintf("%s of %s (%d of %d) %s at %v on %s", entry, s.ID, s.Index, s.Total, s.State, time.Duration(s.Position), s.Renderer)
	if s.Problem != nil {
		text += fmt.Sprintf(", %s: %s (%d)", s.Problem.Code, s.Problem.Text, s.Problem.Left)
	}
	return text
}

// heard returns the songs that the player has begun, such as "0 1 2".
func (c *crew) heard() string {
	var all []string
	for _, key := range c.player.Played() {
		parts := strings.Split(key, ".")
		all = append(all, parts[1])
	}
	return strings.Join(all, " ")
}
