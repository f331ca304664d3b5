package cast_test

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"manofwar/internal/ipc"
	"manofwar/internal/media"
	"manofwar/internal/service"
	playerapi "manofwar/player/api"
	"manofwar/services/cast"
	"manofwar/services/cast/api"
	"manofwar/services/cast/fakeplayer"
	catalogapi "manofwar/services/catalog/api"
	streamapi "manofwar/services/stream/api"
)

// TestOverTheSockets plays three short songs through every real socket, in real time, and kills the player in between.
func TestOverTheSockets(t *testing.T) {
	dir := t.TempDir()
	player := fakeplayer.New(700 * time.Millisecond)
	stopPlayer := runService(t, dir, playerapi.Name, handlerService(player.Handler()))
	runService(t, dir, catalogapi.Name, handlerService(catalog()))
	runService(t, dir, streamapi.Name, handlerService(stream()))
	runService(t, dir, api.Name, cast.New(cast.Options{}))
	c := api.NewClient(dir)

	news := follow(t, c)
	news.until(t, "renderers", func(data []byte) bool { return strings.Contains(string(data), `"Test TV"`) })
	s, err := c.Play(t.Context(), api.Play{Renderer: api.TV, What: api.What{Items: []media.ID{"a", "b", "c"}}})
	if err != nil || s.Total != 3 || s.Entry.Item.Title != "Song a" {
		t.Fatalf("%+v, %v", s, err)
	}
	news.session(t, func(s api.Session) bool { return s.State == api.Playing && s.Index == 0 })
	news.session(t, func(s api.Session) bool { return s.State == api.Playing && s.Index == 1 })
	player.Kill()
	player.Start()
	stopPlayer()
	time.AfterFunc(100*time.Millisecond, func() { runService(t, dir, playerapi.Name, handlerService(player.Handler())) })
	news.session(t, func(s api.Session) bool { return s.State == api.Playing && s.Index == 2 })
	end := news.session(t, func(s api.Session) bool { return s.State == api.Stopped })
	if end.Index != 0 || end.Problem != nil {
		t.Errorf("at the end: %+v, %+v", end, end.Problem)
	}
	if err := c.Stop(t.Context(), s.ID); err != nil {
		t.Error(err)
	}
	news.until(t, "gone", func([]byte) bool { return true })
}

// paper reads the news.
type paper struct{ events chan ipc.Event }

func follow(t *testing.T, c *api.Client) paper {
	p := paper{make(chan ipc.Event, 100)}
	go func() {
		for ev, err := range c.Events(t.Context()) {
			if err != nil {
				return
			}
			p.events <- ev
		}
	}()
	return p
}

func (p paper) until(t *testing.T, kind string, is func([]byte) bool) {
	t.Helper()
	deadline := time.After(15 * time.Second)
	for {
		select {
		case ev := <-p.events:
			if ev.Kind == kind && is(ev.Data) {
				return
			}
		case <-deadline:
			t.Fatalf("no such %s", kind)
		}
	}
}

func (p paper) session(t *testing.T, is func(api.Session) bool) (s api.Session) {
	t.Helper()
	p.until(t, "session", func(data []byte) bool {
		s = api.Session{}
		return json.Unmarshal(data, &s) == nil && is(s)
	})
	return s
}

func catalog() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /items/{id}/file", func(w http.ResponseWriter, r *http.Request) {
		id := r.PathValue("id")
		it := media.Item{ID: media.ID(id), Kind: media.Music, Path: id + ".flac", Tags: media.Tags{Title: "Song " + id}}
		ipc.WriteJSON(w, catalogapi.File{Item: it, Path: "/media/" + id + ".flac"})
	})
	return mux
}

func stream() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /plan/{id}/cover", func(w http.ResponseWriter, r *http.Request) {
		ipc.WriteError(w, r, &media.Error{Op: "find cover", Err: media.ErrNotFound})
	})
	return mux
}

func handlerService(h http.Handler) service.Service {
	return service.Func(func(ctx context.Context, env service.Env) error { return ipc.Serve(ctx, env, h) })
}

// runService runs a service until the test ends or stop is called.
func runService(t *testing.T, dir, name string, svc service.Service) (stop func()) {
	t.Helper()
	ready := make(chan struct{})
	env := service.Env{
		Name: name, RunDir: dir, StateDir: t.TempDir(), Log: slog.New(slog.DiscardHandler),
		Ready: func() { close(ready) }, Healthy: func(error) {},
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := svc.Run(ctx, env); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}()
	stop = func() {
		cancel()
		<-done
	}
	t.Cleanup(stop)
	select {
	case <-ready:
	case <-done:
	}
	return stop
}
