package serve_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"manofwar/internal/ipc"
	"manofwar/player/api"
	"manofwar/player/serve"
)

// recorder is an engine that notes what it is told.
type recorder struct{ told []string }

func (r *recorder) note(verb string, v any) {
	r.told = append(r.told, strings.TrimSpace(fmt.Sprint(verb, " ", v)))
}

func (r *recorder) Status() api.Status   { return api.Status{State: api.Paused, Volume: 40} }
func (r *recorder) Load(l api.Load)      { r.note("load", l.Item.Key) }
func (r *recorder) SetNext(it *api.Item) { r.note("next", it != nil) }
func (r *recorder) Play()                { r.note("play", "") }
func (r *recorder) Pause()               { r.note("pause", "") }
func (r *recorder) Stop()                { r.note("stop", "") }
func (r *recorder) Seek(s api.Seek)      { r.note("seek", s.By) }
func (r *recorder) Align(a api.Align)    { r.note("align", a.Key) }
func (r *recorder) Change(c api.Change)  { r.note("change", *c.Volume) }
func (r *recorder) Set(s api.Settings)   { r.note("set", s.ReplayGain) }

func TestVerbs(t *testing.T) {
	const item = `{"key":"a","kind":"music","path":"/media/a.flac","title":"A"}`
	full := errors.New("no room")
	for _, c := range []struct {
		name, verb, body string
		keep             error
		status           int
		told, field      string
	}{
		{"load", "POST /load", `{"item":` + item + `}`, nil, 204, "load a", ""},
		{"load with a bad next", "POST /load", `{"item":` + item + `,"next":{"key":"b","kind":"music","path":"b"}}`, nil, 400, "", "next.path"},
		{"neither path nor address", "POST /load", `{"item":{"key":"a","kind":"music","title":"A"}}`, nil, 400, "", "item.path"},
		{"both", "POST /load", `{"item":{"key":"a","kind":"music","path":"/a","url":"http://a/"}}`, nil, 400, "", "item.path"},
		{"no key", "POST /load", `{"item":{"kind":"music","path":"/a"}}`, nil, 400, "", "item.key"},
		{"another kind", "POST /load", `{"item":{"key":"a","kind":"book","path":"/a"}}`, nil, 400, "", "item.kind"},
		{"a file as an address", "POST /load", `{"item":{"key":"a","kind":"film","url":"file:///etc/passwd"}}`, nil, 400, "", "item.url"},
		{"before the start", "POST /load", `{"item":{"key":"a","kind":"film","path":"/a","start":-1}}`, nil, 400, "", "item.start"},
		{"a huge cover", "POST /load", `{"item":{"key":"a","kind":"film","path":"/a","cover":{"path":"/c","length":99999999999}}}`, nil, 400, "", "item.cover"},
		{"unknown field", "POST /load", `{"item":` + item + `,"loud":true}`, nil, 400, "", ""},
		{"next", "POST /next", `{"item":` + item + `}`, nil, 204, "next true", ""},
		{"no next", "POST /next", `{"item":null}`, nil, 204, "next false", ""},
		{"play", "POST /play", ``, nil, 204, "play", ""},
		{"pause", "POST /pause", ``, nil, 204, "pause", ""},
		{"stop", "POST /stop", ``, nil, 204, "stop", ""},
		{"seek", "POST /seek", `{"by":0}`, nil, 204, "seek 0", ""},
		{"seek before the start", "POST /seek", `{"to":-3}`, nil, 400, "", "to"},
		{"align", "POST /align", `{"key":"a","position":3.5,"at":"2026-01-02T03:04:05.678Z"}`, nil, 204, "align a", ""},
		{"align, but when", "POST /align", `{"key":"a","position":3.5}`, nil, 400, "", "at"},
		{"align what", "POST /align", `{"position":3.5,"at":"2026-01-02T03:04:05Z"}`, nil, 400, "", "key"},
		{"align before the start", "POST /align", `{"key":"a","position":-1,"at":"2026-01-02T03:04:05Z"}`, nil, 400, "", "position"},
		{"volume", "POST /change", `{"volume":30}`, nil, 204, "change 30", ""},
		{"too loud", "POST /change", `{"volume":101}`, nil, 400, "", "volume"},
		{"too fast", "POST /change", `{"speed":3}`, nil, 400, "", "speed"},
		{"no such stream", "POST /change", `{"subtitle":-2}`, nil, 400, "", "subtitle"},
		{"settings", "PUT /settings", `{"replayGain":"album"}`, nil, 204, "set album", ""},
		{"settings that are not kept", "PUT /settings", `{"replayGain":"album"}`, full, 500, "", ""},
		{"another gain", "PUT /settings", `{"replayGain":"loud"}`, nil, 400, "", "replayGain"},
		{"an offset of minutes", "PUT /settings", `{"replayGain":"off","offset":60}`, nil, 400, "", "offset"},
		{"an offset of a card", "PUT /settings", `{"replayGain":"off","offsets":{"vc4hdmi":0.12,"Headphones":-0.1}}`, nil, 204, "set off", ""},
		{"an offset of minutes, of a card", "PUT /settings", `{"replayGain":"off","offsets":{"vc4hdmi":60}}`, nil, 400, "", "offsets"},
		{"an offset of no card", "PUT /settings", `{"replayGain":"off","offsets":{"":0.1}}`, nil, 400, "", "offsets"},
		{"a zone", "PUT /settings", `{"replayGain":"off","zone":"Europe/Berlin","language":"de"}`, nil, 204, "set off", ""},
		{"no zone", "PUT /settings", `{"replayGain":"off","zone":"../../etc/passwd"}`, nil, 400, "", "zone"},
		{"notice", "POST /notice", `{"text":"Home WiFi is gone"}`, nil, 204, "notice", ""},
		{"an empty notice", "POST /notice", `{"text":""}`, nil, 400, "", "text"},
	} {
		t.Run(c.name, func(t *testing.T) {
			rec := &recorder{}
			h := serve.Handler(serve.Options{
				Engine: rec, Events: &ipc.Events{},
				Keep:   func(api.Settings) error { return c.keep },
				Notice: func(api.Notice) { rec.note("notice", "") },
			})
			method, path, _ := strings.Cut(c.verb, " ")
			w := httptest.NewRecorder()
			h.ServeHTTP(w, httptest.NewRequest(method, path, strings.NewReader(c.body)))
			var want []string
			if c.told != "" {
				want = []string{c.told}
			}
			if w.Code != c.status || !slices.Equal(rec.told, want) {
				t.Errorf("got %d, told %q; want %d, %q (%s)", w.Code, rec.told, c.status, want, w.Body)
			}
			if c.field != "" && !strings.Contains(w.Body.String(), `"field":"`+c.field+`"`) {
				t.Errorf("%s does not name %s", w.Body, c.field)
			}
		})
	}
}

func TestStatus(t *testing.T) {
	w := httptest.NewRecorder()
	serve.Handler(serve.Options{Engine: &recorder{}, Events: &ipc.Events{}}).ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/status", nil))
	if w.Code != 200 || !strings.Contains(w.Body.String(), `"state":"paused"`) {
		t.Errorf("got %d %s", w.Code, w.Body)
	}
}
