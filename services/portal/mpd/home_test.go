package mpd

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"manofwar/internal/ipc"
	"manofwar/internal/media"
	"manofwar/internal/service"
	playerapi "manofwar/player/api"
	"manofwar/services/cast"
	castapi "manofwar/services/cast/api"
	"manofwar/services/cast/fakeplayer"
	catalogapi "manofwar/services/catalog/api"
	"manofwar/services/portal/guest"
	streamapi "manofwar/services/stream/api"
)

// home is everything that clients come to: the real cast with a player that keeps time, a catalog, and who is let in.
type home struct {
	player  *fakeplayer.Player
	catalog *shelves
	cast    *castapi.Client
	guests  *guest.Guests
	server  *Server
	address string
}

// shelves are a catalog: the libraries "music" and "cellar", of which only the first is shared at the beginning.
type shelves struct {
	mu       sync.Mutex // guards the rest
	items    []media.Item
	found    map[string][]media.Item // of queries that were answered
	revision uint64
	scans    int
	events   ipc.Events
}

// changed is when everything was.
var changed = time.Date(2024, 5, 6, 7, 8, 9, 0, time.UTC)

// stock returns n songs of the shared library on albums of four, one film of it, and one song of the cellar.
func stock(n int) *shelves {
	s := &shelves{revision: 1}
	for i := range n {
		album := i / 4
		it := media.Item{
			ID: media.ID(fmt.Sprintf("i%d", i)), Kind: media.Music, Root: "music", Size: 1000 + int64(i), Modified: changed, Added: changed,
			Path: fmt.Sprintf("Artist %d/Album %d/%d - Song %d.flac", album/2, album, i%4+1, i), Duration: media.Duration(200 * time.Second),
			Tags: media.Tags{
				Title: fmt.Sprintf("Song %d", i), Artists: []string{fmt.Sprintf("Artist %d", album/2)}, Album: fmt.Sprintf("Album %d", album),
				Track: i%4 + 1, Year: 1990 + album, Genres: []string{"Jazz"},
			},
		}
		if i%8 == 7 {
			it.Artists, it.AlbumArtists, it.Disc = append(it.Artists, "Guest"), []string{it.Artists[0]}, 2
		}
		s.items = append(s.items, it)
	}
	s.items = append(
		s.items,
		media.Item{ID: "film", Kind: media.Film, Root: "music", Path: "A film.mkv", Duration: media.Duration(time.Hour), Tags: media.Tags{Title: "A film"}, Modified: changed, Added: changed},
		media.Item{ID: "secret", Kind: media.Music, Root: "cellar", Path: "diary/1.flac", Duration: media.Duration(time.Minute), Tags: media.Tags{Title: "Dear diary", Artists: []string{"Me"}}},
	)
	return s
}

func (s *shelves) selected(r *http.Request) (found []media.Item) {
	v := r.URL.Query()
	s.mu.Lock()
	defer s.mu.Unlock()
	key := v.Get("kind") + fmt.Sprint(v["library"])
	if found, ok := s.found[key]; ok {
		return found
	}
	defer func() {
		if s.found == nil {
			s.found = make(map[string][]media.Item)
		}
		s.found[key] = found
	}()
	for _, it := range s.items {
		if kind := v.Get("kind"); kind != "" && kind != string(it.Kind) {
			continue
		}
		if of := v["library"]; len(of) > 0 && !slices.Contains(of, string(it.Root)) {
			continue
		}
		found = append(found, it)
	}
	return found
}

func (s *shelves) item(id media.ID) (media.Item, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, it := range s.items {
		if it.ID == id {
			return it, nil
		}
	}
	return media.Item{}, &media.Error{Op: "find item", Path: string(id), Err: media.ErrNotFound}
}

func (s *shelves) status() catalogapi.Status {
	s.mu.Lock()
	defer s.mu.Unlock()
	return catalogapi.Status{
		Roots: []media.Root{{ID: "cellar", Name: "Cellar"}, {ID: "music", Name: "Music"}}, Revision: s.revision,
		Scan: catalogapi.Scan{Finished: changed},
	}
}

// change alters the library and says so.
func (s *shelves) change(t *testing.T, how func(items []media.Item) []media.Item) {
	t.Helper()
	s.mu.Lock()
	s.items, s.found = how(s.items), nil
	s.revision++
	revision := s.revision
	s.mu.Unlock()
	if err := s.events.Publish("changed", catalogapi.Changed{Revision: revision}); err != nil {
		t.Error(err)
	}
}

func (s *shelves) handler() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /events", &s.events)
	for pattern, f := range map[string]func(w http.ResponseWriter, r *http.Request) error{
		"GET /items": func(w http.ResponseWriter, r *http.Request) error {
			all := s.selected(r)
			offset, _ := strconv.Atoi(r.URL.Query().Get("offset"))
			limit, _ := strconv.Atoi(r.URL.Query().Get("limit"))
			offset = min(offset, len(all))
			ipc.WriteJSON(w, catalogapi.Page{Total: len(all), Items: all[offset:min(offset+limit, len(all))]})
			return nil
		},
		"POST /lookup": func(w http.ResponseWriter, r *http.Request) error {
			var in catalogapi.Lookup
			if err := ipc.ReadJSON(w, r, &in); err != nil {
				return err
			}
			var found catalogapi.Found
			for _, id := range in.IDs {
				if it, err := s.item(id); err == nil {
					found.Items = append(found.Items, it)
				}
			}
			ipc.WriteJSON(w, found)
			return nil
		},
		"GET /items/{id}/file": func(w http.ResponseWriter, r *http.Request) error {
			it, err := s.item(media.ID(r.PathValue("id")))
			if err == nil {
				ipc.WriteJSON(w, catalogapi.File{Item: it, Path: "/media/" + it.Path})
			}
			return err
		},
		"GET /status": func(w http.ResponseWriter, _ *http.Request) error {
			ipc.WriteJSON(w, s.status())
			return nil
		},
		"POST /scan": func(w http.ResponseWriter, _ *http.Request) error {
			s.mu.Lock()
			s.scans++
			s.mu.Unlock()
			w.WriteHeader(http.StatusNoContent)
			return nil
		},
	} {
		mux.Handle(pattern, ipc.Handler(f))
	}
	return mux
}

// pictures are the covers of the songs: the first has one in a file, the second one that was made.
func pictures(dir string) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /plan/{id}/cover", ipc.Handler(func(w http.ResponseWriter, r *http.Request) error {
		switch r.PathValue("id") {
		case "i0":
			ipc.WriteJSON(w, streamapi.Plan{Type: "image/jpeg", Parts: []streamapi.Part{{Path: dir + "/cover.jpg", Offset: 10, Length: 20000}}})
		case "i1":
			ipc.WriteJSON(w, streamapi.Plan{Type: "image/png", Parts: []streamapi.Part{{Inline: []byte("pic")}, {Inline: []byte("ture")}}})
		default:
			return &media.Error{Op: "show the cover of", Err: media.ErrNotFound}
		}
		return nil
	}))
	return mux
}

// picture is the bytes of the file's cover, of which the file has ten more before and behind.
func pictureFile(t *testing.T, dir string) []byte {
	t.Helper()
	data := make([]byte, 20020)
	for i := range data {
		data[i] = byte(i * 7 / 3)
	}
	if err := os.WriteFile(dir+"/cover.jpg", data, 0o600); err != nil {
		t.Fatal(err)
	}
	return data[10:20010]
}

// live begins everything, with n songs, and ends it with the test.
func live(t *testing.T, n int) *home {
	t.Helper()
	dir, err := os.MkdirTemp("", "mpd-") // short: a socket's path has about 100 bytes
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	h := &home{player: fakeplayer.New(200 * time.Second), catalog: stock(n), cast: castapi.NewClient(dir), guests: guest.Open(dir, slog.New(slog.DiscardHandler))}
	h.share(t, "music")
	run(t, dir, playerapi.Name, answers(h.player.Handler()))
	run(t, dir, catalogapi.Name, answers(h.catalog.handler()))
	run(t, dir, streamapi.Name, answers(pictures(dir)))
	run(t, dir, castapi.Name, cast.New(cast.Options{}))
	catalog := catalogapi.NewClient(dir)
	h.server = New(Options{
		Library: h.guests.Library(guest.MPD, catalog), Catalog: catalog, Cast: h.cast, Planner: streamapi.NewClient(dir),
		Player: playerapi.NewClient(dir), Open: openFile, Log: slog.New(slog.DiscardHandler),
	})
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	h.address = ln.Addr().String()
	begin(t, func(ctx context.Context) error { return h.server.serve(ctx, ln) })
	h.ready(t)
	return h
}

func openFile(path string) (*os.File, int64, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, 0, err
	}
	info, err := f.Stat()
	return f, info.Size(), err
}

// ready waits until cast has found the player.
func (h *home) ready(t *testing.T) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	for {
		for ev, err := range h.cast.Events(ctx) {
			if err == nil && strings.Contains(string(ev.Data), `"tv"`) {
				return
			}
		}
		if !pause(ctx, 10*time.Millisecond) {
			t.Fatal("cast has no TV")
		}
	}
}

// patience is how long a test waits for what has to come.
const patience = 3 * time.Minute

func (h *home) share(t *testing.T, libraries ...media.ID) {
	t.Helper()
	if err := h.guests.Choose(guest.Choices{guest.MPD: {On: true, Libraries: libraries}}); err != nil {
		t.Fatal(err)
	}
}

func answers(handler http.Handler) service.Service {
	return service.Func(func(ctx context.Context, env service.Env) error { return ipc.Serve(ctx, env, handler) })
}

// run runs a service until the test ends.
func run(t *testing.T, dir, name string, svc service.Service) {
	t.Helper()
	state := t.TempDir()
	ready := make(chan struct{})
	begin(t, func(ctx context.Context) error {
		return svc.Run(ctx, service.Env{
			Name: name, StateDir: state, RunDir: dir, Log: slog.New(slog.DiscardHandler),
			Ready: func() { close(ready) }, Healthy: func(error) {},
		})
	})
	select {
	case <-ready:
	case <-time.After(patience):
		t.Fatalf("%s is not ready", name)
	}
}

// begin runs f beside the test, and ends it with that.
func begin(t *testing.T, f func(context.Context) error) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- f(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
}

// caller is a client on the wire.
type caller struct {
	conn net.Conn
	in   *bufio.Reader
}

// call connects and reads the greeting.
func (h *home) call(t *testing.T) *caller {
	t.Helper()
	conn, err := net.Dial("tcp", h.address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	c := &caller{conn, bufio.NewReader(conn)}
	if line := c.line(t); line != "OK MPD 0.23.5" {
		t.Fatalf("greeted with %q", line)
	}
	return c
}

func (c *caller) write(t *testing.T, text string) {
	t.Helper()
	if err := c.conn.SetDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(c.conn, text); err != nil {
		t.Fatal(err)
	}
}

func (c *caller) line(t *testing.T) string {
	t.Helper()
	line, err := c.in.ReadString('\n')
	if err != nil {
		t.Fatalf("after %q: %v", line, err)
	}
	return strings.TrimSuffix(line, "\n")
}

// answer reads lines up to the one that ends an answer.
func (c *caller) answer(t *testing.T) (lines []string) {
	t.Helper()
	for {
		line := c.line(t)
		lines = append(lines, line)
		if n, ok := strings.CutPrefix(line, "binary: "); ok {
			size, _ := strconv.Atoi(n)
			data := make([]byte, size+1)
			if _, err := io.ReadFull(c.in, data); err != nil || data[size] != '\n' {
				t.Fatalf("%d bytes: %v", size, err)
			}
			lines = append(lines, string(data[:size]))
		}
		if line == "OK" || strings.HasPrefix(line, "ACK ") {
			return lines
		}
	}
}

// say gives a command and returns the answer.
func (c *caller) say(t *testing.T, command string) []string {
	t.Helper()
	c.write(t, command+"\n")
	return c.answer(t)
}

// must is say for what has to be well, without the OK.
func (c *caller) must(t *testing.T, command string) []string {
	t.Helper()
	lines := c.say(t, command)
	if lines[len(lines)-1] != "OK" {
		t.Fatalf("%s: %s", command, strings.Join(lines, "\n"))
	}
	return lines[:len(lines)-1]
}

// field returns what an answer says under a name.
func field(lines []string, name string) string {
	for _, line := range lines {
		if v, ok := strings.CutPrefix(line, name+": "); ok {
			return v
		}
	}
	return ""
}

// until asks for the status until it is as wanted, such as "state: play".
func (c *caller) until(t *testing.T, want ...string) []string {
	t.Helper()
	for deadline := time.Now().Add(patience); ; {
		status := c.must(t, "status")
		missing := slices.ContainsFunc(want, func(w string) bool { return !slices.Contains(status, w) })
		if !missing {
			return status
		}
		if time.Now().After(deadline) {
			t.Fatalf("not %v: %v", want, status)
		}
		pause(t.Context(), 5*time.Millisecond)
	}
}

// inDir opens files by their names, wherever a plan has them.
func inDir(dir string) func(string) (*os.File, int64, error) {
	return func(path string) (*os.File, int64, error) { return openFile(filepath.Join(dir, filepath.Base(path))) }
}
