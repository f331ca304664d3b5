package portal

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"manofwar/internal/ipc"
	"manofwar/internal/media"
	playerapi "manofwar/player/api"
	castapi "manofwar/services/cast/api"
)

// theatre is what cast and the player say, and what they were told.
type theatre struct {
	news   *ipc.Events // of cast
	orders *ipc.Events // to pages
	told   chan string

	follows  chan struct{} // closed once the portal follows the news
	followed func()
}

var testSession = castapi.Session{ID: "s1", Renderer: castapi.TV, State: castapi.Playing, Index: 1, Total: 3, Volume: 40}

// note returns a handler that notes what it was told and answers.
func (th *theatre) note(answer any) func(w http.ResponseWriter, r *http.Request) error {
	return func(w http.ResponseWriter, r *http.Request) error {
		var in json.RawMessage
		if r.ContentLength != 0 {
			if err := ipc.ReadJSON(w, r, &in); err != nil {
				return err
			}
		}
		if id := r.PathValue("id"); id != "" && id != "s1" && !strings.HasPrefix(id, castapi.BrowserPrefix) {
			return &media.Error{Op: "find session", Path: id, Err: media.ErrNotFound}
		}
		select {
		case th.told <- strings.TrimSpace(r.Method + " " + r.URL.RequestURI() + " " + string(in)):
		default: // nobody listens
		}
		if answer == nil {
			w.WriteHeader(http.StatusNoContent)
			return nil
		}
		ipc.WriteJSON(w, answer)
		return nil
	}
}

// cast starts cast and the player.
func (b *boat) cast(t testing.TB) {
	th := &theatre{news: new(ipc.Events), orders: new(ipc.Events), told: make(chan string, 10), follows: make(chan struct{})}
	th.followed = sync.OnceFunc(func() { close(th.follows) })
	b.theatre = th
	fake(t, b.runDir, castapi.Name, map[string]any{
		"GET /renderers":              castapi.Renderers{Renderers: []castapi.Renderer{{ID: castapi.TV, Kind: castapi.OwnTV, Name: "TV"}}},
		"GET /sessions":               castapi.Sessions{Sessions: []castapi.Session{testSession}},
		"GET /sessions/{id}":          th.note(testSession),
		"GET /sessions/{id}/queue":    th.note(castapi.Queue{Total: 3, Entries: []castapi.Entry{}}),
		"POST /sessions/{id}/queue":   th.note(testSession),
		"POST /sessions/{id}/control": th.note(testSession),
		"POST /sessions/{id}/change":  th.note(testSession),
		"POST /sessions/{id}/move":    th.note(testSession),
		"POST /sessions/{id}/with":    th.note(testSession),
		"GET /devices":                castapi.Devices{Devices: []castapi.Device{{ID: "other", Name: "Kitchen", Asks: true}}},
		"POST /devices/{id}/trust":    th.note(nil),
		"DELETE /devices/{id}":        th.note(nil),
		"DELETE /sessions/{id}":       th.note(nil),
		"POST /play":                  th.note(testSession),
		"POST /browsers/{id}/status":  th.note(nil),
		"GET /settings":               castapi.Settings{},
		"PUT /settings":               th.note(castapi.Settings{DLNA: true}),
		"GET /events": http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			th.news.ServeFrom(w, r, func() []ipc.Event {
				th.followed()
				return nil
			})
		}),
		"GET /browsers/{id}/events": func(w http.ResponseWriter, r *http.Request) error {
			if r.URL.Query().Get("name") == "" {
				return &media.Error{Op: "offer a page", Err: media.ErrInvalid}
			}
			th.told <- "offer " + r.PathValue("id") + " " + r.URL.Query().Get("name")
			th.orders.ServeFrom(w, r, func() []ipc.Event { return []ipc.Event{{Kind: "order", Data: []byte(`{"play":true}`)}} })
			th.told <- "left"
			return nil
		},
	})
	fake(t, b.runDir, playerapi.Name, map[string]any{
		"GET /status":   playerapi.Status{State: playerapi.Idle, Sound: &playerapi.Sound{Card: "vc4hdmi0"}, Settings: playerapi.Settings{ReplayGain: "album"}},
		"PUT /settings": th.note(nil),
	})
}

// heard returns what cast or the player was told next.
func (th *theatre) heard(t *testing.T) string {
	t.Helper()
	select {
	case s := <-th.told:
		return s
	case <-time.After(10 * time.Second):
		t.Fatal("nobody was told anything")
		return ""
	}
}

func TestCastIsToldWhatIsAskedFor(t *testing.T) {
	b := launch(t, Options{})
	for _, c := range []struct{ method, path, body, told string }{
		{"POST", "/api/v1/cast/play", `{"renderer":"tv","album":"a1","shuffle":true}`, `POST /play {"album":"a1","renderer":"tv","shuffle":true}`},
		{"POST", "/api/v1/cast/sessions/s1/control", `{"do":"seek","to":1.5}`, `POST /sessions/s1/control {"do":"seek","to":1.5}`},
		{"POST", "/api/v1/cast/sessions/s1/queue", `{"do":"move","keys":["b"],"before":"a"}`, `POST /sessions/s1/queue {"do":"move","keys":["b"],"before":"a"}`},
		{"POST", "/api/v1/cast/sessions/s1/change", `{"volume":0}`, `POST /sessions/s1/change {"volume":0}`},
		{"POST", "/api/v1/cast/sessions/s1/move", `{"renderer":"page-12345678"}`, `POST /sessions/s1/move {"renderer":"page-12345678"}`},
		{"POST", "/api/v1/cast/sessions/s1/with", `{"renderers":["dongle-a"]}`, `POST /sessions/s1/with {"renderers":["dongle-a"]}`},
		{"POST", "/api/v1/cast/devices/s1/trust", "", "POST /devices/s1/trust"},
		{"DELETE", "/api/v1/cast/devices/s1", "", "DELETE /devices/s1"},
		{"POST", "/api/v1/cast/browsers/page-12345678/status", `{"state":"paused","position":2}`, `POST /browsers/page-12345678/status {"state":"paused","position":2}`},
		{"DELETE", "/api/v1/cast/sessions/s1", "", "DELETE /sessions/s1"},
		{"GET", "/api/v1/cast/sessions/s1/queue?offset=5&limit=500", "", "GET /sessions/s1/queue?limit=500&offset=5"},
		{"PUT", "/api/v1/cast/settings", `{"dlna":true}`, `PUT /settings {"dlna":true}`},
		{"PUT", "/api/v1/player/settings", `{"replayGain":"off","matchRate":true,"cec":false}`, `PUT /settings {"replayGain":"off","matchRate":true,"cec":false}`},
	} {
		if got := b.send(t, c.method, c.path, c.body); got.StatusCode/100 != 2 {
			t.Errorf("%s %s: %s %s", c.method, c.path, got.Status, got.body)
			continue
		}
		if told := b.theatre.heard(t); told != c.told {
			t.Errorf("%s %s told %s; want %s", c.method, c.path, told, c.told)
		}
	}
	for path, body := range map[string]string{
		"/api/v1/cast/play":                  `{"renderer":"tv","loud":true}`,
		"/api/v1/cast/sessions/s1/control":   `nothing`,
		"/api/v1/cast/sessions/s2/control":   `{"do":"play"}`,
		"/api/v1/cast/sessions/a%2fb/change": `{}`,
	} {
		if got := b.send(t, "POST", path, body); got.StatusCode/100 != 4 {
			t.Errorf("%s %s: %s", path, body, got.Status)
		}
	}
	for _, path := range []string{"/api/v1/cast/sessions/s1/queue?limit=501", "/api/v1/cast/sessions/s1/queue?offset=-1", "/api/v1/events?renderer=a%20b"} {
		if got := b.do(t, "GET", path, nil); got.StatusCode != 400 {
			t.Errorf("%s: %s", path, got.Status)
		}
	}
	if d := decode[castapi.Devices](t, b.do(t, "GET", "/api/v1/cast/devices", nil)); len(d.Devices) != 1 || !d.Devices[0].Asks {
		t.Errorf("devices %+v", d)
	}
	s := decode[tvSettings](t, b.do(t, "GET", "/api/v1/player/settings", nil))
	if s.Settings.ReplayGain != "album" || s.Sound == nil || s.Display != nil {
		t.Errorf("settings of the TV: %+v", s)
	}
}

// TestPagesHearWhatPlays reads the one stream that a page has: what plays where, and what the page itself is to play.
func TestPagesHearWhatPlays(t *testing.T) {
	b := launch(t, Options{})
	news := b.listen(t, "?renderer=page-12345678&name=Anna%27s+phone")
	seen := map[string]string{}
	for len(seen) < 7 {
		ev := <-news
		seen[ev.Kind] = string(ev.Data)
	}
	if !strings.Contains(seen["renderers"], `"tv"`) || !strings.Contains(seen["sessions"], `"s1"`) || seen["order"] != `{"play":true}` {
		t.Errorf("at first: %v", seen)
	}
	if got := b.theatre.heard(t); got != "offer page-12345678 Anna's phone" {
		t.Errorf("cast heard %q", got)
	}
	until := func(kind, data string) {
		t.Helper()
		for ev := range news { // of the device, the network and the library there may be more at any time
			if ev.Kind == kind && string(ev.Data) == data {
				return
			}
			if slices.Contains([]string{"order", "gone", "taken", "undeclared"}, ev.Kind) {
				t.Fatalf("got %s %s; want %s %s", ev.Kind, ev.Data, kind, data)
			}
		}
		t.Fatalf("the stream ended before %s", kind)
	}
	b.theatre.orders.Send(ipc.Event{Kind: "order", Data: []byte(`{"play":false}`)})
	until("order", `{"play":false}`)
	<-b.theatre.follows
	b.theatre.news.Send(ipc.Event{Kind: "undeclared", Data: []byte(`{}`)})
	b.theatre.news.Send(ipc.Event{Kind: "gone", Data: []byte(`{"id":"s1"}`)})
	until("gone", `{"id":"s1"}`)
	b.theatre.orders.Send(ipc.Event{Kind: "taken", Data: []byte(`{}`)})
	until("taken", `{}`)
	if got := b.theatre.heard(t); got != "left" {
		t.Errorf("cast heard %q; want that the page has left", got)
	}
}

func TestOfferIsRefused(t *testing.T) {
	b := launch(t, Options{})
	for ev := range b.listen(t, "?renderer=page-12345678") {
		if ev.Kind == "refused" {
			if !strings.Contains(string(ev.Data), `"code":"invalid"`) {
				t.Errorf("%s", ev.Data)
			}
			return
		}
	}
	t.Error("never refused")
}

func TestTelevisionsAskInTheirOwnFields(t *testing.T) {
	b := launch(t, Options{})
	b.file(t, "i1", []byte("0123456789"))
	got := b.do(t, "GET", "/media/i1/file?playing=s1.a.1", map[string]string{"getcontentFeatures.dlna.org": "1", "transferMode.dlna.org": "Streaming", "Range": "bytes=2-4"})
	if got.body != "234" || !strings.Contains(got.Header.Get("contentFeatures.dlna.org"), "DLNA.ORG_OP=01") || got.Header.Get("transferMode.dlna.org") != "Streaming" {
		t.Errorf("%q %v", got.body, got.Header)
	}
	if got := b.do(t, "GET", "/media/i1/file", map[string]string{"transferMode.dlna.org": "Beaming"}); got.Header.Get("transferMode.dlna.org") != "" || got.Header.Get("contentFeatures.dlna.org") != "" {
		t.Errorf("%v", got.Header)
	}
}
