package renderer

import (
	"context"
	"encoding/json"
	"errors"
	"iter"
	"log/slog"
	"net/http"
	"strings"
	"testing"

	"manofwar/internal/ipc"
	"manofwar/internal/media"
	castapi "manofwar/services/cast/api"
	"manofwar/services/portal/upnp"
	"manofwar/services/portal/upnp/ssdp"
)

// home is cast with one session at most, which does what it is told at once.
type home struct {
	session *castapi.Session
	queue   []castapi.Entry
	keys    int
	asked   []string
	refuse  error
	told    uint64 // how often it has answered
}

// epoch is that of what home answers.
const epoch = "a"

func (h *home) answer(what string) (castapi.Session, error) {
	h.asked = append(h.asked, what)
	if h.refuse != nil {
		return castapi.Session{}, h.refuse
	}
	h.session.Next = nil
	for i, e := range h.queue {
		if e.Key == h.session.Entry.Key && i+1 < len(h.queue) {
			h.session.Next = &h.queue[i+1]
		}
	}
	h.told++
	h.session.Stamp = castapi.Stamp{Epoch: epoch, Sequence: h.told}
	return *h.session, nil
}

func (h *home) entries(w castapi.What) (all []castapi.Entry) {
	for _, l := range w.Links {
		h.keys++
		all = append(all, castapi.Entry{Key: string(rune('a' + h.keys)), Item: media.Item{ID: "link-x", Tags: media.Tags{Title: l.Title}}, Link: &l})
	}
	for _, id := range w.Items {
		h.keys++
		all = append(all, castapi.Entry{Key: string(rune('a' + h.keys)), Item: media.Item{ID: id}})
	}
	return all
}

func (h *home) Play(_ context.Context, p castapi.Play) (castapi.Session, error) {
	h.queue = h.entries(p.What)
	h.session = &castapi.Session{ID: "s1", Renderer: p.Renderer, State: castapi.Playing, Entry: &h.queue[0], Volume: 50, Speed: 1}
	return h.answer("play " + p.Renderer)
}

func (h *home) Open(_ context.Context, o castapi.Open) (castapi.Session, error) {
	h.session = &castapi.Session{ID: "s9", Renderer: o.Renderer, State: castapi.Stopped, Volume: 50, Speed: 1, Entry: &castapi.Entry{}}
	return h.answer("open")
}

func (h *home) Control(_ context.Context, _ string, c castapi.Control) (castapi.Session, error) {
	switch c.Do {
	case "play":
		h.session.State = castapi.Playing
	case "pause":
		h.session.State = castapi.Paused
	case "stop":
		h.session.State = castapi.Stopped
	case "next":
		h.session.Entry = h.session.Next
	case "seek":
		h.session.Position = *c.To
	}
	return h.answer(c.Do)
}

func (h *home) Edit(_ context.Context, _ string, e castapi.Edit) (castapi.Session, error) {
	if e.Do == "clear" {
		h.queue = []castapi.Entry{*h.session.Entry}
	} else {
		h.queue = append(h.queue, h.entries(e.What)...)
	}
	return h.answer(e.Do)
}

func (h *home) Change(_ context.Context, _ string, c castapi.Change) (castapi.Session, error) {
	if c.Volume != nil {
		h.session.Volume = *c.Volume
	}
	if c.Muted != nil {
		h.session.Muted = *c.Muted
	}
	return h.answer("change")
}

func (h *home) Keys(context.Context, string) (k castapi.Keys, err error) {
	for _, e := range h.queue {
		k.Keys, k.Items = append(k.Keys, e.Key), append(k.Items, e.Item.ID)
	}
	return k, nil
}

func (h *home) Events(context.Context) iter.Seq2[ipc.Event, error] {
	return func(func(ipc.Event, error) bool) {}
}

func newRenderer(h *home) *Renderer {
	return New(Options{
		Cast: h, Log: slog.New(slog.DiscardHandler),
		Level: func(context.Context) (int, bool, error) { return 70, false, nil },
		Local: func(_ context.Context, address string) (castapi.What, bool, error) {
			id, ok := strings.CutPrefix(address, "http://192.168.1.5:8200/media/")
			if id == "secret" {
				return castapi.What{}, ok, &media.Error{Op: "find item", Err: media.ErrNotFound}
			}
			return castapi.What{Items: []media.ID{media.ID(id)}}, ok, nil
		},
		Device: upnp.Device{
			Server:   func(_ context.Context, handler http.Handler) *http.Server { return &http.Server{Handler: handler} },
			Announce: func(context.Context, ssdp.Device) error { return nil },
		},
	})
}

// press does an action with arguments "name", "value".
func press(t *testing.T, r *Renderer, action string, args ...string) (map[string]string, error) {
	t.Helper()
	in := map[string]string{"InstanceID": "0"}
	for i := 0; i+1 < len(args); i += 2 {
		in[args[i]] = args[i+1]
	}
	for _, s := range r.device.Services {
		for _, a := range s.Actions {
			if a.Name == action {
				return a.Do(t.Context(), in)
			}
		}
	}
	t.Fatalf("no action %s", action)
	return nil, nil
}

func must(t *testing.T, r *Renderer, action string, args ...string) map[string]string {
	t.Helper()
	out, err := press(t, r, action, args...)
	if err != nil {
		t.Fatalf("%s %v: %v", action, args, err)
	}
	return out
}

func (r *Renderer) expect(t *testing.T, state, uri, next string) {
	t.Helper()
	s := r.transportState()
	if s["TransportState"] != state || s["AVTransportURI"] != uri || s["NextAVTransportURI"] != next {
		t.Errorf("%s with %q and %q; want %s with %q and %q", s["TransportState"], s["AVTransportURI"], s["NextAVTransportURI"], state, uri, next)
	}
}

const a, b, c = "http://192.168.1.9/a.mp3", "http://192.168.1.9/b.mp3", "http://192.168.1.9/c.mkv"

func TestButtons(t *testing.T) {
	h := &home{}
	r := newRenderer(h)
	r.expect(t, "NO_MEDIA_PRESENT", "", "")
	for _, action := range []string{"Pause", "Next", "Previous", "Play"} {
		if _, err := press(t, r, action, "Speed", "1"); !errors.Is(err, errTransition) {
			t.Errorf("%s with nothing there: %v", action, err)
		}
	}
	must(t, r, "Stop")
	must(t, r, "SetAVTransportURI", "CurrentURI", a)
	r.expect(t, "STOPPED", a, "")
	if h.session != nil {
		t.Error("it plays before anybody said so")
	}
	must(t, r, "SetNextAVTransportURI", "NextURI", b)
	must(t, r, "Play", "Speed", "1")
	r.expect(t, "PLAYING", a, b)
	must(t, r, "Pause")
	must(t, r, "Pause")
	r.expect(t, "PAUSED_PLAYBACK", a, b)
	must(t, r, "Seek", "Unit", "REL_TIME", "Target", "0:00:10")
	if out := must(t, r, "GetPositionInfo"); out["RelTime"] != "0:00:10.000" || out["TrackURI"] != a {
		t.Errorf("%v", out)
	}
	for unit, target := range map[string]string{"REL_TIME": "soon", "TRACK_NR": "7"} {
		if _, err := press(t, r, "Seek", "Unit", unit, "Target", target); !errors.Is(err, errSeekTarget) {
			t.Errorf("seek %s %s: %v", unit, target, err)
		}
	}
	must(t, r, "SetNextAVTransportURI", "NextURI", c)
	r.expect(t, "PAUSED_PLAYBACK", a, c)
	must(t, r, "Play", "Speed", "1")
	must(t, r, "Next")
	r.expect(t, "PLAYING", c, "")
	if len(h.queue) != 2 {
		t.Errorf("the queue holds %d", len(h.queue))
	}
	must(t, r, "SetAVTransportURI", "CurrentURI", b) // in the middle of something
	r.expect(t, "PLAYING", b, "")
	must(t, r, "Stop")
	must(t, r, "Stop")
	r.expect(t, "STOPPED", b, "")
	must(t, r, "Play", "Speed", "1")
	r.expect(t, "PLAYING", b, "")
	must(t, r, "SetAVTransportURI", "CurrentURI", "")
	r.expect(t, "NO_MEDIA_PRESENT", "", "")
	if _, err := press(t, r, "Play", "InstanceID", "7", "Speed", "1"); !errors.Is(err, errInstance) {
		t.Errorf("another instance: %v", err)
	}
}

func TestWhatIsNotTaken(t *testing.T) {
	r := newRenderer(&home{})
	for uri, want := range map[string]error{
		"file:///etc/passwd": errResource, "https://192.168.1.9/a": errResource, "http:///a": errResource, "http://8.8.8.8/a": errResource, "::": errResource,
		"http://x@192.168.1.9/a": errResource, "http://192.168.1.5:8200/media/secret": errResource, "http://192.168.1.9/" + strings.Repeat("a", castapi.MaxURL): errResource,
	} {
		if _, err := press(t, r, "SetAVTransportURI", "CurrentURI", uri); !errors.Is(err, want) {
			t.Errorf("%.60s: %v", uri, err)
		}
	}
	picture := `<DIDL-Lite><item><class>object.item.imageItem.photo</class></item></DIDL-Lite>`
	if _, err := press(t, r, "SetAVTransportURI", "CurrentURI", "http://192.168.1.9/a.jpg", "CurrentURIMetaData", picture); !errors.Is(err, errMIME) {
		t.Errorf("a picture: %v", err)
	}
	must(t, r, "SetAVTransportURI", "CurrentURI", a, "CurrentURIMetaData", "<<<") // without its name
	r.expect(t, "STOPPED", a, "")
}

func TestKinds(t *testing.T) {
	h := &home{}
	r := newRenderer(h)
	for _, tt := range []struct {
		uri, meta string
		want      media.Kind
	}{
		{a, "", media.Music},
		{c, "", media.Film},
		{"http://192.168.1.9/stream", `<DIDL-Lite><item><class>object.item.videoItem</class></item></DIDL-Lite>`, media.Film},
		{"http://192.168.1.9/stream", `<DIDL-Lite><item><class>object.item</class><res protocolInfo="http-get:*:video/mp4:*">x</res></item></DIDL-Lite>`, media.Film},
		{c, `<DIDL-Lite><item><class>object.item.audioItem.musicTrack</class></item></DIDL-Lite>`, media.Music},
	} {
		got, err := r.track(t.Context(), tt.uri, tt.meta)
		if err != nil || got.what.Links[0].Kind != tt.want {
			t.Errorf("%s %s: %+v, %v", tt.uri, tt.meta, got, err)
		}
	}
	own, err := r.track(t.Context(), "http://192.168.1.5:8200/media/i7", "")
	if err != nil || len(own.what.Items) != 1 || own.what.Items[0] != "i7" {
		t.Errorf("what this device hands out itself: %+v, %v", own, err)
	}
}

// tell has the renderer hear of a session.
func tell(t *testing.T, r *Renderer, kind string, v any) {
	t.Helper()
	data, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	r.hear(t.Context(), ipc.Event{Kind: kind, Data: data})
}

// TestFamily is told of by what it does, not by what it is: the owner's films are not the guests' to know.
func TestFamily(t *testing.T) {
	h := &home{session: &castapi.Session{
		ID: "s5", Renderer: castapi.TV, State: castapi.Playing, Volume: 42, Speed: 1,
		Entry: &castapi.Entry{Key: "q", Item: media.Item{ID: "secret", Tags: media.Tags{Title: "Our wedding"}}},
	}}
	r := newRenderer(h)
	tell(t, r, "sessions", castapi.Sessions{Sessions: []castapi.Session{{ID: "s4", Renderer: "page-x", State: castapi.Playing}, *h.session}})
	r.expect(t, "PLAYING", "", "")
	for _, action := range []string{"GetPositionInfo", "GetMediaInfo", "GetTransportInfo"} {
		for name, value := range must(t, r, action) {
			if strings.Contains(value, "wedding") || strings.Contains(value, "secret") {
				t.Errorf("%s says %s %s", action, name, value)
			}
		}
	}
	if out := must(t, r, "GetVolume"); out["CurrentVolume"] != "42" {
		t.Errorf("%v", out)
	}
	must(t, r, "Pause")
	r.expect(t, "PAUSED_PLAYBACK", "", "")
	must(t, r, "SetAVTransportURI", "CurrentURI", a)
	r.expect(t, "STOPPED", a, "")
	must(t, r, "Play", "Speed", "1")
	r.expect(t, "PLAYING", a, "")
	family := castapi.Session{ID: "s1", Renderer: castapi.TV, State: castapi.Playing, Speed: 1, Entry: &castapi.Entry{Key: "other"}}
	tell(t, r, "session", family) // somebody in the room plays something else
	r.expect(t, "PLAYING", "", "")
	family.Renderer = "page-x"
	tell(t, r, "session", family) // and takes it along
	r.expect(t, "NO_MEDIA_PRESENT", "", "")
	if out := must(t, r, "GetVolume"); out["CurrentVolume"] != "70" {
		t.Errorf("with nothing there: %v", out)
	}
	must(t, r, "SetVolume", "Channel", "Master", "DesiredVolume", "12")
	if out := must(t, r, "GetVolume"); out["CurrentVolume"] != "12" || h.asked[len(h.asked)-2] != "open" {
		t.Errorf("%v, %v", out, h.asked)
	}
}

// TestOvertaken does not lose what a guest has sent to news of before it.
func TestOvertaken(t *testing.T) {
	h := &home{}
	r := newRenderer(h)
	old := castapi.Session{Stamp: castapi.Stamp{Epoch: epoch}, ID: "s1", Renderer: castapi.TV, State: castapi.Playing, Speed: 1, Entry: &castapi.Entry{Key: "other"}}
	tell(t, r, "session", old)
	must(t, r, "SetAVTransportURI", "CurrentURI", a)
	must(t, r, "Play", "Speed", "1")
	tell(t, r, "session", old)
	r.expect(t, "PLAYING", a, "")
	playing := *h.session
	must(t, r, "Pause")
	tell(t, r, "session", playing) // the same queue, of before the pause
	r.expect(t, "PAUSED_PLAYBACK", a, "")
	playing.Sequence = h.told + 1 // somebody in the room plays on
	tell(t, r, "session", playing)
	r.expect(t, "PLAYING", a, "")
	old.Renderer = "page-x"
	tell(t, r, "session", old)
	r.expect(t, "PLAYING", a, "")
	tell(t, r, "sessions", castapi.Sessions{Sessions: []castapi.Session{{Stamp: castapi.Stamp{Epoch: "restarted"}, ID: "s1", Renderer: castapi.TV, State: castapi.Playing, Entry: &castapi.Entry{Key: "other"}}}})
	r.expect(t, "PLAYING", "", "") // how things are when cast was connected to again
}

func TestFaults(t *testing.T) {
	h := &home{}
	r := newRenderer(h)
	must(t, r, "SetAVTransportURI", "CurrentURI", a)
	for err, want := range map[error]error{
		&media.Error{Op: "x", Err: media.ErrNotFound}: errTransition, &media.Error{Op: "x", Err: media.ErrInvalid}: errResource,
	} {
		h.refuse = err
		if _, got := press(t, r, "Play", "Speed", "1"); !errors.Is(got, want) {
			t.Errorf("%v: %v", err, got)
		}
	}
}

// TestDescribed has every argument be of a variable that there is.
func TestDescribed(t *testing.T) {
	for _, s := range newRenderer(&home{}).device.Services {
		for _, a := range s.Actions {
			for _, arg := range append(a.In, a.Out...) {
				found := false
				for _, v := range s.Variables {
					found = found || v.Name == arg.Variable
				}
				if !found {
					t.Errorf("%s: %s of %s is of %s, which there is not", s.Name, arg.Name, a.Name, arg.Variable)
				}
			}
		}
	}
}
