package portal

import (
	"net/http"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	initapi "manofwar/init/api"
	"manofwar/internal/ipc"
	"manofwar/internal/media"
	catalogapi "manofwar/services/catalog/api"
)

func TestStatusOfAll(t *testing.T) {
	b := launch(t, Options{Version: "9.9"})
	s := decode[statusAnswer](t, b.do(t, "GET", "/api/v1/status", nil))
	if s.Name != "manofwar-2" || s.Version != "9.9" || !s.Developer || s.Hosted {
		t.Errorf("got name %q, version %q, developer %v, hosted %v", s.Name, s.Version, s.Developer, s.Hosted)
	}
	if s.Library == nil || s.Library.Revision != 7 || s.Stream == nil || s.Network == nil || s.Device == nil {
		t.Fatalf("a part is missing: %+v", s)
	}
	if d := s.Device; d.Board != "qemu" || d.Uptime != 90 || d.Data.State != "ok" || d.Data.Total == 0 || len(d.Services) != 3 || len(d.Disks) != 1 {
		t.Errorf("device: %+v, data %+v", d, d.Data)
	}
	if len(s.Notices) != 0 {
		t.Errorf("notices of a healthy device: %+v", s.Notices)
	}
}

func TestStatusWithNobodyThere(t *testing.T) {
	b := &boat{runDir: t.TempDir()}
	b.portal(t, Options{})
	start := time.Now()
	s := decode[statusAnswer](t, b.do(t, "GET", "/api/v1/status", nil))
	if took := time.Since(start); took > 2*time.Second {
		t.Errorf("took %v", took)
	}
	if s.Library != nil || s.Device != nil || s.Name != "manofwar" {
		t.Errorf("got %+v", s)
	}
	if len(s.Notices) != 4 || s.Notices[0].Code != "service-away" || s.Notices[0].Since.IsZero() {
		t.Errorf("notices: %+v", s.Notices)
	}
	if got := b.do(t, "GET", "/", nil); got.StatusCode != 200 {
		t.Errorf("the page: %s", got.Status)
	}
	got := b.do(t, "GET", "/api/v1/items", nil)
	if e := decode[ipc.Error](t, got); got.StatusCode != 503 || e.Code != "busy" || got.Header.Get("Retry-After") == "" {
		t.Errorf("a list: %s, %+v", got.Status, e)
	}
}

func TestLists(t *testing.T) {
	b := launch(t, Options{})
	got := b.do(t, "GET", "/api/v1/items?kind=music&q=a+b&offset=0&limit=500", map[string]string{"Accept-Encoding": "br, gzip;q=0.5"})
	if got.StatusCode != 200 || got.Header.Get("Content-Encoding") != "gzip" || len(got.body) > 2000 {
		t.Errorf("compressed list: %s %v, %d bytes", got.Status, got.Header, len(got.body))
	}
	got = b.do(t, "GET", "/api/v1/items", nil)
	if p := decode[catalogapi.Page](t, got); p.Total != 300 || len(p.Items) != 300 {
		t.Errorf("list: %d items of %d", len(p.Items), p.Total)
	}
	again := b.do(t, "GET", "/api/v1/items", map[string]string{"If-None-Match": got.Header.Get("ETag")})
	if again.StatusCode != http.StatusNotModified || again.body != "" {
		t.Errorf("asked again: %s, %d bytes", again.Status, len(again.body))
	}
	if it := decode[media.Item](t, b.do(t, "GET", "/api/v1/items/i1", nil)); it.Title != "Ahoy" {
		t.Errorf("item: %+v", it)
	}
	if a := decode[catalogapi.Albums](t, b.do(t, "GET", "/api/v1/albums?q=s", nil)); a.Total != 1 {
		t.Errorf("albums: %+v", a)
	}
	if a := decode[catalogapi.AlbumPage](t, b.do(t, "GET", "/api/v1/albums/a1", nil)); len(a.Items) != 1 {
		t.Errorf("album: %+v", a)
	}
	if got := b.do(t, "GET", "/api/v1/items/nobody", nil); got.StatusCode != 404 || decode[ipc.Error](t, got).Code != "not_found" {
		t.Errorf("unknown item: %s %s", got.Status, got.body)
	}
}

func TestParametersThatAreWrong(t *testing.T) {
	b := launch(t, Options{})
	for _, target := range []string{
		"/api/v1/items?kind=socks", "/api/v1/items?limit=501", "/api/v1/items?limit=-1", "/api/v1/items?limit=0", "/api/v1/items?offset=x", "/api/v1/items?album=%2e%2e%2f",
		"/api/v1/items?q=%zz", "/api/v1/services/catalog/log?tail=0", "/media/i1/cover?size=99999",
	} {
		if got := b.do(t, "GET", target, nil); got.StatusCode != 400 || decode[ipc.Error](t, got).Code != "invalid" {
			t.Errorf("%s: %s %s", target, got.Status, got.body)
		}
	}
}

func TestVerbs(t *testing.T) {
	b := launch(t, Options{})
	if got := b.do(t, "POST", "/api/v1/scan", nil); got.StatusCode != http.StatusAccepted {
		t.Errorf("scan: %s %s", got.Status, got.body)
	}
	<-b.scans
	if got := b.do(t, "POST", "/api/v1/disks/d1/eject", nil); got.StatusCode != http.StatusNoContent {
		t.Errorf("eject: %s %s", got.Status, got.body)
	}
	if id := <-b.ejected; id != "d1" {
		t.Errorf("ejected %q", id)
	}
	if m := decode[initapi.Memory](t, b.do(t, "GET", "/api/v1/memory", nil)); m.Init != 1 || m.Services["portal"] != 2 {
		t.Errorf("memory: %+v", m)
	}
	type log struct{ Lines []logLine }
	got := decode[log](t, b.do(t, "GET", "/api/v1/services/catalog/log?tail=10", nil))
	if len(got.Lines) != 2 || got.Lines[0].Level != "warn" || got.Lines[1].Level != "" {
		t.Errorf("log: %+v", got)
	}
}

func TestPage(t *testing.T) {
	b := launch(t, Options{})
	for target, want := range map[string]struct {
		status       int
		kind, policy string
	}{
		"/":                           {200, "text/html; charset=utf-8", "no-cache"},
		"/album/a1":                   {200, "text/html; charset=utf-8", "no-cache"},
		"/assets/app-1a2b3c4d.js":     {200, "text/javascript; charset=utf-8", "public, max-age=31536000, immutable"},
		"/favicon.svg":                {200, "image/svg+xml", "no-cache"},
		"/assets/gone.js":             {404, "application/json", "no-store"},
		"/api/v1/nothing":             {404, "application/json", "no-store"},
		"/api/":                       {404, "application/json", "no-store"},
		"/media/i1":                   {404, "application/json", "no-store"},
		"/media/i1/subtitles/x.vtt":   {404, "application/json", "no-store"},
		"/media/i1/hls/..%2f..%2fx":   {404, "application/json", "no-store"},
		"/media/%2e%2e/file":          {404, "application/json", "no-store"},
		"/api/v1/items/a%2fb":         {404, "application/json", "no-store"},
		"/media/i1/hls/a%00b":         {404, "application/json", "no-store"},
		"/healthz":                    {200, "text/plain; charset=utf-8", "no-store"},
		"/media/i1/subtitles/0.vtt":   {404, "application/json", "no-store"},
		"/media/i1/hls/segment/1.m4s": {404, "application/json", "no-store"},
	} {
		got := b.do(t, "GET", target, nil)
		if got.StatusCode != want.status || got.Header.Get("Content-Type") != want.kind || got.Header.Get("Cache-Control") != want.policy {
			t.Errorf("%s: %s, %q, %q", target, got.Status, got.Header.Get("Content-Type"), got.Header.Get("Cache-Control"))
		}
	}
	z := b.do(t, "GET", "/assets/app-1a2b3c4d.js", map[string]string{"Accept-Encoding": "gzip"})
	if z.Header.Get("Content-Encoding") != "gzip" || len(z.body) > 500 {
		t.Errorf("compressed script: %v, %d bytes", z.Header, len(z.body))
	}
	again := b.do(t, "GET", "/assets/app-1a2b3c4d.js", map[string]string{"If-None-Match": z.Header.Get("ETag")})
	if again.StatusCode != http.StatusNotModified {
		t.Errorf("asked again: %s", again.Status)
	}
}

func TestPageThatWasNotBuilt(t *testing.T) {
	b := launch(t, Options{UI: fstest.MapFS{".gitkeep": {}}})
	got := b.do(t, "GET", "/", nil)
	if got.StatusCode != 200 || !strings.Contains(got.body, "make ui") {
		t.Errorf("%s: %s", got.Status, got.body)
	}
}

func TestAcceptsGzip(t *testing.T) {
	for field, want := range map[string]bool{
		"": false, "gzip": true, "GZIP": true, "br, gzip": true, "gzip;q=0": false, "gzip; q=0.000": false, "gzip;q=0.001": true,
		"identity": false, "*": true, "*;q=0": false, "gzip;q=0, *": false, "*;q=0, gzip": true, "x-gzip": false,
	} {
		r := &http.Request{Header: http.Header{"Accept-Encoding": {field}}}
		if got := acceptsGzip(r); got != want {
			t.Errorf("%q: %v; want %v", field, got, want)
		}
	}
}
