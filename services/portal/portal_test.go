package portal

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	initapi "manofwar/init/api"
	"manofwar/internal/ipc"
	"manofwar/internal/media"
	"manofwar/internal/service"
	netapi "manofwar/netmgr/api"
	catalogapi "manofwar/services/catalog/api"
	streamapi "manofwar/services/stream/api"
)

// boat is a portal with the services it talks to, all on their real sockets.
type boat struct {
	addr    string // of the portal
	runDir  string
	library *ipc.Events // news of the catalog
	network *ipc.Events // of the network manager
	machine *ipc.Events // of PID 1

	theatre *theatre
	air     *air // what the network manager says
	scans   chan struct{}
	ejected chan string
	plans   map[string]streamapi.Plan // by what is asked for: "id/what"
}

// testUI stands for the built user interface.
var testUI = fstest.MapFS{
	"index.html":             {Data: []byte("<!doctype html><title>manofwar</title><div id=app></div>")},
	"assets/app-1a2b3c4d.js": {Data: bigScript()},
	"favicon.svg":            {Data: []byte("<svg xmlns='http://www.w3.org/2000/svg'/>")},
}

func bigScript() []byte {
	b := []byte("//")
	for range 500 {
		b = append(b, "all hands on deck "...)
	}
	return b
}

var (
	testLibrary = catalogapi.Status{
		Roots: []media.Root{{ID: "r1", Name: "MUSIC", Path: "/media/MUSIC", Disk: "d1", Items: 2}},
		Music: 1, Films: 1, Revision: 7,
	}
	testNetwork = netapi.Status{Hostname: "manofwar-2", Links: []netapi.Link{{Name: "eth0", State: netapi.Good}}}
	testDevice  = initapi.Status{
		Boot:     initapi.Boot{Board: "qemu", Version: "1.2.3", Developer: true, Uptime: 90 * time.Second},
		Services: []initapi.Service{{Name: "catalog", State: initapi.Running, Ready: true}, {Name: "stream", State: initapi.Running, Ready: true}, {Name: "netmgr", State: initapi.Running, Ready: true}},
	}
	testItem = media.Item{ID: "i1", Kind: media.Music, Root: "r1", Path: "a.flac", Tags: media.Tags{Title: "Ahoy"}}
)

// launch starts the services and the portal in front of them, until the test ends.
func launch(t testing.TB, opts Options) *boat {
	t.Helper()
	b := &boat{
		runDir: t.TempDir(), library: new(ipc.Events), network: new(ipc.Events), machine: new(ipc.Events),
		scans: make(chan struct{}, 10), ejected: make(chan string, 10), plans: make(map[string]streamapi.Plan),
	}
	b.catalog(t)
	b.stream(t)
	b.netmgr(t)
	b.init(t)
	b.cast(t)
	b.portal(t, opts)
	return b
}

// portal starts the portal alone.
func (b *boat) portal(t testing.TB, opts Options) {
	t.Helper()
	opened := make(chan net.Addr, 1)
	opts.Listen, opts.Listening = []string{"127.0.0.1:0"}, func(a net.Addr) { opened <- a }
	if opts.UI == nil {
		opts.UI = testUI
	}
	if opts.Names == nil {
		opts.Names = []string{"manofwar"}
	}
	run(t, "portal", b.runDir, New(opts))
	b.addr = (<-opened).String()
}

// run runs a service until the test ends or stop is called.
func run(t testing.TB, name, runDir string, svc service.Service) (stop func()) {
	t.Helper()
	ready := make(chan struct{})
	env := service.Env{
		Name: name, RunDir: runDir, StateDir: t.TempDir(), Log: slog.New(slog.DiscardHandler),
		Ready: func() { close(ready) }, Healthy: func(error) {},
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- svc.Run(ctx, env) }()
	stopped := false
	stop = func() {
		if stopped {
			return
		}
		stopped = true
		cancel()
		if err := <-done; err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	t.Cleanup(stop)
	select {
	case <-ready:
	case err := <-done:
		done <- nil
		t.Fatalf("%s: %v", name, err)
	}
	return stop
}

// fake runs handlers as the named service.
func fake(t testing.TB, runDir, name string, routes map[string]any) (stop func()) {
	mux := http.NewServeMux()
	for pattern, h := range routes {
		switch h := h.(type) {
		case http.Handler:
			mux.Handle(pattern, h)
		case func(w http.ResponseWriter, r *http.Request) error:
			mux.Handle(pattern, ipc.Handler(h))
		default:
			mux.HandleFunc(pattern, func(w http.ResponseWriter, _ *http.Request) { ipc.WriteJSON(w, h) })
		}
	}
	return run(t, name, runDir, service.Func(func(ctx context.Context, env service.Env) error {
		return ipc.Serve(ctx, env, mux)
	}))
}

func (b *boat) catalog(t testing.TB) (stop func()) {
	return fake(t, b.runDir, catalogapi.Name, map[string]any{
		"GET /status": testLibrary,
		"GET /events": http.Handler(b.library),
		"GET /items": func(w http.ResponseWriter, r *http.Request) error {
			p := catalogapi.Page{Total: 300}
			for range 300 {
				p.Items = append(p.Items, testItem)
			}
			if r.FormValue("q") == "nothing" {
				p = catalogapi.Page{Items: []media.Item{}}
			}
			ipc.WriteJSON(w, p)
			return nil
		},
		"GET /items/{id}": func(w http.ResponseWriter, r *http.Request) error {
			if r.PathValue("id") != "i1" {
				return &media.Error{Op: "find", Path: r.PathValue("id"), Err: media.ErrNotFound}
			}
			ipc.WriteJSON(w, testItem)
			return nil
		},
		"GET /albums":      catalogapi.Albums{Total: 1, Albums: []media.Album{{ID: "a1", Title: "Songs"}}},
		"GET /albums/{id}": catalogapi.AlbumPage{Album: media.Album{ID: "a1", Title: "Songs"}, Items: []media.Item{testItem}},
		"POST /scan": func(http.ResponseWriter, *http.Request) error {
			b.scans <- struct{}{}
			return nil
		},
	})
}

func (b *boat) stream(t testing.TB) (stop func()) {
	return fake(t, b.runDir, streamapi.Name, map[string]any{
		"GET /status": streamapi.Status{Transcode: "7.1"},
		"GET /plan/{id}/{what...}": func(w http.ResponseWriter, r *http.Request) error {
			plan, ok := b.plans[r.PathValue("id")+"/"+r.PathValue("what")]
			if !ok {
				return &media.Error{Op: "find", Path: r.PathValue("id"), Err: media.ErrNotFound}
			}
			ipc.WriteJSON(w, plan)
			return nil
		},
	})
}

func (b *boat) netmgr(t testing.TB) (stop func()) {
	b.air = &air{status: testNetwork, news: b.network, profiles: []netapi.Profile{}}
	return fake(t, b.runDir, netapi.Name, b.air.routes())
}

func (b *boat) init(t testing.TB) (stop func()) {
	return fake(t, b.runDir, initapi.Name, map[string]any{
		"GET /status": testDevice,
		"GET /memory": initapi.Memory{Init: 1, Services: map[string]int64{"portal": 2}},
		"GET /disks":  []initapi.Disk{{ID: "d1", Name: "MUSIC", FSType: "exfat", Path: "/media/MUSIC"}},
		"GET /events": http.Handler(b.machine),
		"GET /logs/{service}": func(w http.ResponseWriter, r *http.Request) error {
			if r.PathValue("service") != "catalog" {
				return &media.Error{Op: "find service", Path: r.PathValue("service"), Err: media.ErrNotFound}
			}
			ipc.WriteJSON(w, []initapi.Line{{Seq: 1, Text: "level=WARN msg=leaking"}, {Seq: 2, Text: "plain"}})
			return nil
		},
		"POST /eject": func(w http.ResponseWriter, r *http.Request) error {
			var in struct{ ID string }
			if err := ipc.ReadJSON(w, r, &in); err != nil {
				return err
			}
			b.ejected <- in.ID
			return nil
		},
	})
}

// file adds an item whose file holds content.
func (b *boat) file(t testing.TB, id string, content []byte) (path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), id)
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	b.plans[id+"/file"] = streamapi.Plan{
		Type: "audio/flac", ETag: `"` + id + `"`, Modified: time.Date(2026, 1, 2, 3, 4, 5, 6, time.UTC),
		Parts: []streamapi.Part{{Path: path, Length: int64(len(content))}},
	}
	return path
}

// reply is an answer with its body.
type reply struct {
	*http.Response
	body string
}

// do sends a request without following redirects, and without asking for compression unless the header does.
func (b *boat) do(t testing.TB, method, target string, header map[string]string) reply {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, "http://"+b.addr+target, nil)
	if err != nil {
		t.Fatal(err)
	}
	for k, v := range header {
		if k == "Host" {
			req.Host = v
		}
		req.Header.Set(k, v)
	}
	resp, err := plainTransport.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatalf("%s %s: %v", method, target, err)
	}
	return reply{resp, string(body)}
}

var plainTransport = &http.Transport{DisableCompression: true, DisableKeepAlives: true, ExpectContinueTimeout: 10 * time.Second}

// decode reads a JSON answer.
func decode[T any](t testing.TB, r reply) (v T) {
	t.Helper()
	if got := r.Header.Get("Content-Type"); got != "application/json" {
		t.Fatalf("%s: Content-Type %q: %s", r.Request.URL, got, r.body)
	}
	if err := json.Unmarshal([]byte(r.body), &v); err != nil {
		t.Fatalf("%s: %v in %s", r.Request.URL, err, r.body)
	}
	return v
}

// listen opens the stream of events of the web API.
func (b *boat) listen(t testing.TB, query ...string) <-chan ipc.Event {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), "GET", "http://"+b.addr+"/api/v1/events"+strings.Join(query, ""), nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := plainTransport.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { resp.Body.Close() })
	if got := resp.Header.Get("Content-Type"); got != "text/event-stream" {
		t.Fatalf("Content-Type %q", got)
	}
	events := make(chan ipc.Event)
	go func() {
		defer close(events)
		lines := bufio.NewScanner(resp.Body)
		var ev ipc.Event
		for lines.Scan() {
			if kind, ok := strings.CutPrefix(lines.Text(), "event: "); ok {
				ev.Kind = kind
			} else if data, ok := strings.CutPrefix(lines.Text(), "data: "); ok {
				ev.Data = []byte(data)
			} else if lines.Text() == "" && ev.Kind != "" {
				select {
				case events <- ev:
				case <-t.Context().Done():
					return
				}
				ev = ipc.Event{}
			}
		}
	}()
	return events
}

func TestCheckSaysWhatToDoAboutAnAddress(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	if err := (Options{Listen: []string{"127.0.0.1:0"}}).Check(t.Context()); err != nil {
		t.Errorf("a free port: %v", err)
	}
	for addr, hint := range map[string]string{
		taken.Addr().String(): "Another program uses this port",
		"127.0.0.1":           "such as 127.0.0.1:8080",
		"127.0.0.1:99999":     "such as 127.0.0.1:8080",
		"192.0.2.77:0":        "does not have that address",
	} {
		err := Options{Listen: []string{"127.0.0.1:0", addr}}.Check(t.Context())
		e, ok := errors.AsType[*media.Error](err)
		if !ok || !strings.Contains(e.Hint, hint) || strings.Count(err.Error(), addr) > 1 && strings.Contains(hint, "uses") {
			t.Errorf("%s: got %v, hint %q; want %q", addr, err, e.Hint, hint)
		}
	}
}
