package dongle

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"manofwar/internal/identity"
	"manofwar/internal/ipc"
	"manofwar/internal/media"
	"manofwar/internal/peerlink"
	playerapi "manofwar/player/api"
	"manofwar/services/cast/api"
	"manofwar/services/cast/fakeplayer"
	"manofwar/services/cast/renderer"
)

// home is a dongle on the loopback, with a player that keeps time and nothing else.
type home struct {
	t       *testing.T
	name    string
	player  *fakeplayer.Player
	network *Network
	news    chan struct{} // something has changed; holds one
	stop    func()

	mu      sync.Mutex // guards the rest
	places  map[string]renderer.Renderer
	infos   map[string]api.Renderer
	reports map[string]renderer.Report
}

func (h *home) Found(info api.Renderer, to renderer.Renderer) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.places[info.ID], h.infos[info.ID] = to, info
	tell(h.news)
}

func (h *home) Reported(id string, r renderer.Report) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.reports[id] = r
	tell(h.news)
}

func (h *home) Lost(id string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.places, id)
	tell(h.news)
}

// newHome starts a dongle. What it keeps is in dir.
func newHome(t *testing.T, name, dir string, skew peerlink.Skew) *home {
	t.Helper()
	holder, err := identity.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	list, err := identity.OpenList(dir)
	if err != nil {
		t.Fatal(err)
	}
	h := &home{
		t: t, name: name, player: fakeplayer.New(time.Hour), news: make(chan struct{}, 1),
		places: make(map[string]renderer.Renderer), infos: make(map[string]api.Renderer), reports: make(map[string]renderer.Report),
	}
	var listen net.ListenConfig
	h.network = New(Options{
		Listener: h, Holder: holder, Trusted: list, Player: h.player, Log: slog.New(slog.DiscardHandler), Skew: skew,
		Name: func(context.Context) string { return name }, Changed: func() { tell(h.news) },
		Listen: func(ctx context.Context) (net.Listener, error) { return listen.Listen(ctx, "tcp", "127.0.0.1:0") },
		Browse: func(ctx context.Context, _ func(peerlink.Found)) error { return nil },
		Tell:   func(identity.ID, string, int) (func(), error) { return func() {}, nil },
	})
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		h.network.Run(ctx)
	}()
	h.stop = sync.OnceFunc(func() {
		cancel()
		<-done
	})
	t.Cleanup(h.stop)
	h.until("it has a name", func() bool { return h.network.ownName() == name })
	return h
}

// until waits for something to become so, looking after every change and now and then.
func (h *home) until(what string, is func() bool) {
	h.t.Helper()
	limit, look := time.After(time.Minute), time.NewTicker(20*time.Millisecond)
	defer look.Stop()
	for !is() {
		select {
		case <-h.news:
		case <-look.C:
		case <-limit:
			h.t.Fatalf("%s: never: %s; devices %+v", h.name, what, h.network.Devices())
		}
	}
}

// find has one see the other as if by DNS-SD.
func (h *home) find(other *home) {
	h.network.Found(peerlink.Found{
		ID: other.network.Holder.ID, Name: other.name, Addresses: []string{fmt.Sprintf("127.0.0.1:%d", other.network.port)},
	})
}

func (h *home) id() string { return string(h.network.Holder.ID) }

// knows returns what it says of another; the zero value: nothing.
func (h *home) knows(other *home) api.Device {
	for _, d := range h.network.Devices().Devices {
		if d.ID == other.id() {
			return d
		}
	}
	return api.Device{}
}

func (h *home) place(other *home) renderer.Renderer {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.places[api.DonglePrefix+other.id()]
}

// befriend has both owners say so.
func (h *home) befriend(other *home) {
	h.t.Helper()
	h.find(other)
	if err := h.network.Trust(other.id()); err != nil {
		h.t.Fatal(err)
	}
	other.until("is asked", func() bool { return other.knows(h).Asks })
	if err := other.network.Trust(h.id()); err != nil {
		h.t.Fatal(err)
	}
	h.until("has a place to play at", func() bool { return h.place(other) != nil })
}

// TestPlaysThere has one play a file of its own at the other, whose player fetches it.
func TestPlaysThere(t *testing.T) {
	a := newHome(t, "A", t.TempDir(), peerlink.Skew{})
	b := newHome(t, "B", t.TempDir(), peerlink.Skew{Offset: -9 * time.Hour, PPM: 80})
	b.player.Length = func(string) time.Duration { return time.Hour }
	a.befriend(b)
	song := filepath.Join(t.TempDir(), "song.flac")
	content := strings.Repeat("0123456789", 10000)
	if err := os.WriteFile(song, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	item := &renderer.Item{Key: "s1.1.1", Media: media.Item{ID: "i1", Kind: media.Music, Tags: media.Tags{Title: "Song"}}, Path: song}
	item.Cover = &playerapi.Cover{Path: song, Offset: 10, Length: 20}
	place := a.place(b)
	place.Order(renderer.Order{Entry: item, Play: true, Speed: 1, Seek: api.Seek{Number: 1}})
	var loaded *playerapi.Item
	b.until("plays", func() bool {
		s, _ := b.player.Status(t.Context())
		loaded = s.Item
		return s.Item != nil && s.State == playerapi.Playing
	})
	if loaded.Path != "" || loaded.Title != "Song" || !strings.HasSuffix(loaded.Key, "/s1.1.1") || string(loaded.Cover.Inline) != content[10:30] {
		t.Errorf("loaded %+v", loaded)
	}
	if got, status := fetch(t, loaded.URL, "bytes=5-14"); got != content[5:15] || status != http.StatusPartialContent {
		t.Errorf("a range: %d %q", status, got)
	}
	if got, status := fetch(t, loaded.URL, ""); got != content || status != http.StatusOK {
		t.Errorf("all: %d, %d bytes", status, len(got))
	}
	if _, status := fetch(t, strings.Replace(loaded.URL, "s1.1.1", "s1.2.2", 1), ""); status != http.StatusNotFound {
		t.Errorf("what was not offered: %d", status)
	}
	if _, status := fetch(t, strings.Replace(loaded.URL, b.network.door.token, "guess", 1), ""); status != http.StatusNotFound {
		t.Errorf("a guess: %d", status)
	}
	id := api.DonglePrefix + b.id()
	a.until("hears of it", func() bool {
		a.mu.Lock()
		defer a.mu.Unlock()
		r := a.reports[id]
		return r.Key == "s1.1.1" && r.State == api.Playing && time.Since(r.At).Abs() < time.Minute
	})

	// Where it is, and where it should be, is by our clock: theirs is hours behind.
	step := place.(renderer.InStep)
	m, err := step.Where(t.Context())
	if err != nil || m.Key != "s1.1.1" || !m.Playing {
		t.Fatalf("%+v, %v", m, err)
	}
	before, err := b.player.Status(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	there := time.Duration(before.Position) - before.At.Sub(m.At) // where it was at m.At
	if off := (there - m.Position).Abs(); off > 2*time.Second {
		t.Errorf("its place is known wrong by %v", off)
	}
	m.Position += 30 * time.Minute
	if err := step.Align(t.Context(), m); err != nil {
		t.Fatal(err)
	}
	after, _ := b.player.Status(t.Context())
	if leapt := time.Duration(after.Position - before.Position); leapt < 29*time.Minute || leapt > 31*time.Minute {
		t.Errorf("it leapt by %v", leapt)
	}

	// Somebody plays something else there: we hear that, and no more.
	if err := b.player.Load(t.Context(), playerapi.Load{Item: playerapi.Item{Key: "s9.9.9", Path: "/secret.flac", Title: "Secret"}}); err != nil {
		t.Fatal(err)
	}
	m, err = step.Where(t.Context())
	if err != nil || m.Key != other {
		t.Errorf("%+v, %v", m, err)
	}
}

func fetch(t *testing.T, url, ranges string) (string, int) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), "GET", url, nil)
	if err != nil {
		t.Fatal(err)
	}
	if ranges != "" {
		req.Header.Set("Range", ranges)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(body), resp.StatusCode
}

// TestStrangersMaySayHello tries every verb with the key of somebody unknown.
func TestStrangersMaySayHello(t *testing.T) {
	b := newHome(t, "B", t.TempDir(), peerlink.Skew{})
	stranger, err := identity.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	tr, err := peerlink.Dial(stranger, b.network.Holder.ID, func() string { return fmt.Sprintf("127.0.0.1:%d", b.network.port) })
	if err != nil {
		t.Fatal(err)
	}
	defer tr.CloseIdleConnections()
	c := ipc.NewClientOver("b", tr)
	for _, verb := range []string{
		"GET /clock", "GET /items/s1.1.1", "GET /player/status", "GET /player/events", "POST /player/load", "POST /player/next", "POST /player/play",
		"POST /player/pause", "POST /player/stop", "POST /player/seek", "POST /player/change", "POST /player/align",
	} {
		method, path, _ := strings.Cut(verb, " ")
		if err := c.Call(t.Context(), method, path, nil, nil); !errors.Is(err, media.ErrDenied) {
			t.Errorf("%s: %v", verb, err)
		}
	}
	if verbs := b.player.Verbs(); len(verbs) != 0 {
		t.Errorf("the player was told %v", verbs)
	}
	for _, bad := range []any{Hello{Port: 70000}, strings.Repeat("x", maxHello), map[string]int{"more": 1}} {
		if err := c.Post(t.Context(), "/hello", bad, nil); !errors.Is(err, media.ErrInvalid) {
			t.Errorf("%.20v: %v", bad, err)
		}
	}
	var answer Hello
	if err := c.Post(t.Context(), "/hello", Hello{Name: "Evil\n\x00 twin", Asks: true}, &answer); err != nil || answer.Name != "B" || answer.Trusts {
		t.Errorf("hello: %+v, %v", answer, err)
	}
	d := b.network.Devices().Devices
	if len(d) != 1 || d[0].Name != "Evil twin" || !d[0].Asks || d[0].Trusted {
		t.Errorf("devices: %+v", d)
	}
	refused := 0
	for range 30 {
		if err := c.Post(t.Context(), "/hello", Hello{Name: "x"}, nil); errors.Is(err, media.ErrBusy) {
			refused++
		}
	}
	if refused == 0 {
		t.Error("hellos are not bounded")
	}
}

// TestStrangersAreFew has many devices be found.
func TestStrangersAreFew(t *testing.T) {
	b := newHome(t, "B", t.TempDir(), peerlink.Skew{})
	for i := range 100 {
		b.network.Found(peerlink.Found{ID: identity.ID(fmt.Sprintf("%052d", i)), Addresses: []string{"127.0.0.1:9"}})
	}
	if n := len(b.network.Devices().Devices); n != maxDevices {
		t.Errorf("%d are remembered", n)
	}
	b.network.forget(time.Now().Add(time.Hour))
	if n := len(b.network.Devices().Devices); n != 0 {
		t.Errorf("%d are still remembered an hour later", n)
	}
}

// TestItemsOfOthers are refused unless their bytes come from whoever wants them played.
func TestItemsOfOthers(t *testing.T) {
	b := newHome(t, "B", t.TempDir(), peerlink.Skew{})
	from := identity.ID(strings.Repeat("a", 52))
	for _, it := range []playerapi.Item{
		{Key: "a", Path: "/etc/passwd"},
		{Key: "a", URL: "http://192.0.2.1/"},
		{Key: "a", Cover: &playerapi.Cover{Path: "/etc/passwd"}},
		{Key: "a", Cover: &playerapi.Cover{Inline: make([]byte, maxCover+1)}},
		{Key: ""},
		{Key: "../a"},
		{Key: "a?b"},
	} {
		if _, err := b.network.accept(from, it); !errors.Is(err, media.ErrInvalid) {
			t.Errorf("accepted %+v: %v", it, err)
		}
	}
	it, err := b.network.accept(from, playerapi.Item{Key: "s1.1.1"})
	if err != nil || strip(from, it.Key) != "s1.1.1" || strip("b"+from[1:], it.Key) != other {
		t.Errorf("%+v, %v", it, err)
	}
}

// TestProblemsOfOthersAreTheirs has an item of somebody else's fail after ours was loaded, and one of ours.
func TestProblemsOfOthersAreTheirs(t *testing.T) {
	b := newHome(t, "B", t.TempDir(), peerlink.Skew{})
	from := identity.ID(strings.Repeat("a", 52))
	for key, want := range map[string]string{"s9.9.9": "nothing", mark("b"+from[1:]) + "s1.1.1": "nothing", mark(from) + "s1.1.1": "s1.1.1", "": ""} {
		s := b.network.tellStatus(from, playerapi.Status{
			Item: &playerapi.Item{Key: mark(from) + "s1.1.2"}, Problem: &playerapi.Problem{Key: key, Text: "Secret.flac is damaged."},
		})
		told := "nothing"
		if s.Problem != nil {
			told = s.Problem.Key
		}
		if told != want {
			t.Errorf("a problem of %q is told as that of %q", key, told)
		}
	}
}

// FuzzHello has a stranger send whatever it likes: what is remembered of it is one line with a name.
func FuzzHello(f *testing.F) {
	f.Add([]byte(`{"name":"Kitchen","port":16690,"asks":true}`))
	f.Add([]byte(`{"name":"\u0000\n","port":-1}`))
	f.Add([]byte(`[`))
	dir := f.TempDir()
	holder, err := identity.Open(dir)
	if err != nil {
		f.Fatal(err)
	}
	list, err := identity.OpenList(dir)
	if err != nil {
		f.Fatal(err)
	}
	stranger := ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize)).Public()
	f.Fuzz(func(t *testing.T, body []byte) {
		n := New(Options{Holder: holder, Trusted: list, Changed: func() {}, Log: slog.New(slog.DiscardHandler)})
		r := httptest.NewRequestWithContext(t.Context(), "POST", "/hello", bytes.NewReader(body))
		r.TLS = &tls.ConnectionState{PeerCertificates: []*x509.Certificate{{PublicKey: stranger}}}
		w := httptest.NewRecorder()
		ipc.Handler(n.postHello).ServeHTTP(w, r)
		devices := n.Devices().Devices
		if w.Code == http.StatusOK != (len(devices) == 1) || w.Code/100 == 5 {
			t.Errorf("%q: %d, %+v", body, w.Code, devices)
		}
		for _, d := range devices {
			if d.Name != peerlink.CleanName(d.Name) || d.Trusted || d.Trusts {
				t.Errorf("%q: %+v", body, d)
			}
		}
	})
}
