package serve

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"manofwar/internal/ipc"
	"manofwar/internal/media"
	"manofwar/internal/service"
	"manofwar/netmgr"
	"manofwar/netmgr/api"
	"manofwar/netmgr/profiles"
)

// host is a network manager without a network: a real store and socket, and a policy that the test plays.
type host struct {
	*api.Client
	server *Server
	store  *profiles.Store
	events ipc.Events
	told   chan netmgr.Event
}

func start(t *testing.T) *host {
	t.Helper()
	store, err := profiles.Open(profiles.Options{Dir: filepath.Join(t.TempDir(), "netmgr"), Serial: "10000000abcdef01", Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	h := &host{store: store, told: make(chan netmgr.Event, 16)}
	h.server = New(Options{
		Store: store, Publish: h.events.Publish, Log: slog.New(slog.DiscardHandler),
		Tell: func(_ context.Context, ev netmgr.Event) { h.told <- ev },
	})
	mux := http.NewServeMux()
	mux.Handle("GET /events", &h.events)
	h.server.Mount(mux)
	runDir, ready := t.TempDir(), make(chan struct{})
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { h.server.Run(ctx) })
	running.Go(func() {
		env := service.Env{Name: api.Name, RunDir: runDir, Log: slog.New(slog.DiscardHandler), Ready: func() { close(ready) }}
		if err := ipc.Serve(ctx, env, mux); err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(func() { cancel(); running.Wait() })
	<-ready
	h.Client = api.NewClient(runDir)
	return h
}

func (h *host) observe(a *api.Attempt) { h.server.Observe(netmgr.Plan{}, api.Status{Attempt: a}) }

func text(s string) *string { return &s }

// TestProfiles knows, changes, orders and forgets networks over the socket.
func TestProfiles(t *testing.T) {
	h, ctx := start(t), t.Context()
	phone, err := h.CreateProfile(ctx, api.NewProfile{Name: "Phone", SSID: "Name’s iPhone", Passphrase: text("swordfish"), Metered: true})
	if err != nil {
		t.Fatal(err)
	}
	home, err := h.CreateProfile(ctx, api.NewProfile{SSID: "Home", Passphrase: text("correct horse")})
	if err != nil || home.Name != "Home" || home.Open {
		t.Fatalf("%+v, %v", home, err)
	}
	if list, err := h.Profiles(ctx); err != nil || len(list) != 2 || list[0].ID != home.ID {
		t.Errorf("what costs does not come last: %+v, %v", list, err)
	}
	if list, err := h.OrderProfiles(ctx, []string{phone.ID}); err != nil || list[0].ID != phone.ID || list[1].ID != home.ID {
		t.Errorf("order: %+v, %v", list, err)
	}
	if p, err := h.ChangeProfile(ctx, home.ID, api.NewProfile{Name: "Our home", Hidden: true}); err != nil || p.Name != "Our home" || p.SSID != "Home" || !p.Hidden || p.Open {
		t.Errorf("change: %+v, %v", p, err)
	}
	if p, err := h.store.Password(home.ID); p != "correct horse" {
		t.Errorf("password %q after a change that left it out (%v)", p, err)
	}
	if err := h.DeleteProfile(ctx, phone.ID); err != nil {
		t.Error(err)
	}
	if err := h.DeleteProfile(ctx, phone.ID); !errors.Is(err, media.ErrNotFound) {
		t.Errorf("forgotten twice: %v", err)
	}
	if list, err := h.Profiles(ctx); err != nil || len(list) != 1 {
		t.Errorf("%+v, %v", list, err)
	}
}

// TestMistakes names the field and says what to do.
func TestMistakes(t *testing.T) {
	h, ctx := start(t), t.Context()
	if _, err := h.CreateProfile(ctx, api.NewProfile{SSID: "Home"}); err != nil {
		t.Fatal(err)
	}
	other, err := h.CreateProfile(ctx, api.NewProfile{SSID: "Other"})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, field string
		call        func() error
	}{
		{"no SSID", "ssid", func() error { _, err := h.CreateProfile(ctx, api.NewProfile{}); return err }},
		{"long SSID", "ssid", func() error { _, err := h.TryNetwork(ctx, api.NewProfile{Raw: make([]byte, 33)}); return err }},
		{"short password", "passphrase", func() error {
			_, err := h.TryNetwork(ctx, api.NewProfile{SSID: "X", Passphrase: text("short")})
			return err
		}},
		{"strange password", "passphrase", func() error {
			_, err := h.CreateProfile(ctx, api.NewProfile{SSID: "X", Passphrase: text("pässword")})
			return err
		}},
		{"SSID of another", "ssid", func() error { _, err := h.ChangeProfile(ctx, other.ID, api.NewProfile{SSID: "Home"}); return err }},
		{"name", "name", func() error {
			_, err := h.CreateProfile(ctx, api.NewProfile{SSID: "X", Name: "a\x00b"})
			return err
		}},
		{"country", "country", func() error {
			_, err := h.ChangeSettings(ctx, api.Settings{Country: text("Germany")})
			return err
		}},
		{"access point's passphrase", "access_point.passphrase", func() error {
			_, err := h.ChangeSettings(ctx, api.Settings{AccessPoint: &api.AccessPointSettings{Passphrase: "1234567"}})
			return err
		}},
		{"operators", "judge.operators", func() error {
			_, err := h.ChangeSettings(ctx, api.Settings{Judge: &api.JudgeSettings{Operators: []string{"https://example.com/", "http://example.org/"}}})
			return err
		}},
		{"export", "passphrase", func() error { _, err := h.Export(ctx, "short"); return err }},
		{"import", "data", func() error { _, err := h.Import(ctx, "long enough", []byte("no such file")); return err }},
	} {
		t.Run(c.name, func(t *testing.T) {
			var e *ipc.Error
			if err := c.call(); !errors.As(err, &e) || e.Status != http.StatusBadRequest || e.Field != c.field || e.Hint == "" || !errors.Is(err, media.ErrInvalid) {
				t.Errorf("%#v", err)
			}
		})
	}
	if list, err := h.Profiles(ctx); err != nil || len(list) != 2 {
		t.Errorf("a mistake changed something: %+v, %v", list, err)
	}
	if _, err := h.Attempt(ctx, "nobody"); !errors.Is(err, media.ErrNotFound) {
		t.Errorf("attempt: %v", err)
	}
	var e *ipc.Error
	if _, err := h.Networks(ctx, true); !errors.As(err, &e) || e.Hint == "" || !errors.Is(err, media.ErrUnsupported) {
		t.Errorf("scan without a radio: %v", err)
	}
}

// TestRefusal says why, where the network is not ours.
func TestRefusal(t *testing.T) {
	mux := http.NewServeMux()
	MountRefusal(mux, "This computer manages its network itself.", "Use its own settings.")
	w := httptest.NewRecorder()
	mux.ServeHTTP(w, httptest.NewRequest(http.MethodPost, "/attempts", nil))
	if body := w.Body.String(); w.Code != http.StatusUnprocessableEntity || !strings.Contains(body, "manages its network itself") || !strings.Contains(body, "unsupported") {
		t.Errorf("%d %s", w.Code, body)
	}
}

// TestAttempts keeps a network that let itself be joined, and leaves no trace of one that did not.
func TestAttempts(t *testing.T) {
	h, ctx := start(t), t.Context()
	next := follow(t, h)
	try := func(password string) api.Attempt {
		t.Helper()
		a, err := h.TryNetwork(ctx, api.NewProfile{SSID: "Home", Passphrase: &password})
		if err != nil || a.State != api.Joining {
			t.Fatalf("%+v, %v", a, err)
		}
		ev := (<-h.told).(netmgr.Try)
		if got, err := h.store.Password(ev.Profile.ID); got != password || err != nil || ev.Profile.ID != a.ID || ev.Profile.SSID != "Home" {
			t.Fatalf("told %+v, password %q, %v", ev, got, err)
		}
		return a
	}

	first := try("the wrong one")
	h.observe(&api.Attempt{ID: first.ID, SSID: "Home", State: api.WrongPassword, Reason: "Wrong password for Home."})
	if a := next(); a.State != api.WrongPassword || a.Reason == "" {
		t.Errorf("%+v", a)
	}
	if _, err := h.store.Password(first.ID); !errors.Is(err, media.ErrNotFound) || len(h.store.List()) != 0 {
		t.Errorf("a trace of it: %v, %+v", err, h.store.List())
	}

	second := try("the right one")
	h.observe(&api.Attempt{ID: second.ID, SSID: "Home", State: api.Addressing})
	if a := next(); a.State != api.Addressing || a.Profile != second.ID {
		t.Errorf("%+v", a)
	}
	h.observe(&api.Attempt{ID: second.ID, SSID: "Home", State: api.Connected, Link: "wlan0"})
	if a := next(); a.State != api.Connected || a.Profile != second.ID {
		t.Errorf("%+v", a)
	}
	if s := h.store.Settings(); len(s.Profiles) != 1 || s.Profiles[0].ID != second.ID {
		t.Errorf("known: %+v", s.Profiles)
	}

	third := try("a wrong one again")
	h.observe(&api.Attempt{ID: third.ID, SSID: "Home", State: api.WrongPassword})
	next()
	if p, err := h.store.Password(second.ID); p != "the right one" {
		t.Errorf("the known password is %q now, %v", p, err)
	}
	if a, err := h.Attempt(ctx, first.ID); err != nil || a.State != api.WrongPassword {
		t.Errorf("the first is forgotten: %+v, %v", a, err)
	}

	fourth, fifth := try("impatient 1"), try("impatient 2")
	if a, err := h.Attempt(ctx, fourth.ID); err != nil || a.State != api.Failed || a.Reason == "" {
		t.Errorf("gave way: %+v, %v", a, err)
	}
	h.observe(&api.Attempt{ID: fifth.ID, SSID: "Home", State: api.Connected})
	if a := next(); a.Profile != fifth.ID {
		t.Errorf("%+v", a)
	}
	if list := h.store.List(); len(list) != 1 || list[0].ID != fifth.ID {
		t.Errorf("the same network twice: %+v", list)
	}
}

// follow returns what reads the next "attempt" event.
func follow(t *testing.T, h *host) func() api.Attempt {
	t.Helper()
	events, stop := h.events.Subscribe()
	t.Cleanup(stop)
	return func() api.Attempt {
		t.Helper()
		select {
		case ev := <-events:
			return decode[api.Attempt](t, ev)
		case <-time.After(5 * time.Second):
			t.Fatal("no event")
		}
		return api.Attempt{}
	}
}

// TestScan waits for the look that was asked for, and puts together what is of one network.
func TestScan(t *testing.T) {
	h, ctx := start(t), t.Context()
	known, err := h.CreateProfile(ctx, api.NewProfile{SSID: "Home", Passphrase: text("correct horse")})
	if err != nil {
		t.Fatal(err)
	}
	radios := netmgr.Plan{Radios: []netmgr.RadioPlan{{Phy: 0}}}
	h.server.Observe(radios, api.Status{})
	go func() {
		<-h.told
		radios.Radios[0].Scan = netmgr.Scan{Number: 7}
		h.server.Observe(radios, api.Status{})
		h.server.Heard(netmgr.Scanned{Phy: 0, Number: 7, Networks: []netmgr.Sighting{
			{SSID: "Home", BSSID: netmgr.MAC{1}, MHz: 2412, Signal: -60, Join: true, Security: "WPA2"},
			{SSID: "Home", BSSID: netmgr.MAC{2}, MHz: 5180, Signal: -50, Join: true, Security: "WPA2"},
			{SSID: "Home", BSSID: netmgr.MAC{3}, MHz: 2412, Signal: -70, Join: true, Open: true, Security: "open"},
			{SSID: "Office", BSSID: netmgr.MAC{4}, MHz: 6115, Signal: -40, Security: "WPA2 Enterprise", Reason: "It asks for a user name."},
			{SSID: "", BSSID: netmgr.MAC{5}, MHz: 2412, Signal: -30},
		}})
		h.server.Observe(radios, api.Status{})
	}()
	n, err := h.Networks(ctx, true)
	if err != nil || len(n.Networks) != 3 || n.Scanning || n.At.IsZero() {
		t.Fatalf("%+v, %v", n, err)
	}
	office, home, twin := n.Networks[0], n.Networks[1], n.Networks[2]
	if office.SSID != "Office" || office.Join || office.Reason == "" || office.Bands[0] != "6 GHz" {
		t.Errorf("%+v", office)
	}
	if home.Profile != known.ID || home.Signal != -50 || len(home.Bands) != 2 || !home.Join {
		t.Errorf("%+v", home)
	}
	if twin.Profile != "" || twin.Security != "open" {
		t.Errorf("an open network passes for the known one: %+v", twin)
	}
}

// TestSettings changes what is named and keeps the rest; what leaves by export comes back by import.
func TestSettings(t *testing.T) {
	h, ctx := start(t), t.Context()
	s, err := h.ChangeSettings(ctx, api.Settings{Country: text("DE"), AccessPoint: &api.AccessPointSettings{SSID: "Mine", Passphrase: "a fixed one", Permanent: true}})
	if err != nil || *s.Country != "DE" || s.AccessPoint.Passphrase != "a fixed one" || *s.Done {
		t.Fatalf("%+v, %v", s, err)
	}
	done := true
	if s, err = h.ChangeSettings(ctx, api.Settings{Done: &done}); err != nil || !*s.Done || *s.Country != "DE" || s.AccessPoint.SSID != "Mine" {
		t.Fatalf("%+v, %v", s, err)
	}
	if _, err := h.CreateProfile(ctx, api.NewProfile{SSID: "Home", Passphrase: text("correct horse")}); err != nil {
		t.Fatal(err)
	}
	data, err := h.Export(ctx, "a passphrase")
	if err != nil {
		t.Fatal(err)
	}
	other := start(t)
	if _, err := other.Import(ctx, "another one", data); err == nil {
		t.Error("opened with a wrong passphrase")
	}
	if i, err := other.Import(ctx, "a passphrase", data); err != nil || i.Profiles != 1 || !i.Settings {
		t.Fatalf("%+v, %v", i, err)
	}
	list := other.store.List()
	if p, err := other.store.Password(list[0].ID); p != "correct horse" || other.store.Passphrase() != "a fixed one" || other.store.Country() != "DE" {
		t.Errorf("%q, %v, %q", p, err, other.store.Passphrase())
	}
}

// TestStreaming tells the policy of the shortest buffer, and forgets who says nothing any more.
func TestStreaming(t *testing.T) {
	h, ctx := start(t), t.Context()
	if err := h.Stream(ctx, api.Streaming{Active: true, Buffer: 30}); err != nil {
		t.Fatal(err)
	}
	if ev := <-h.told; ev != (netmgr.Streaming{Active: true, Buffer: 30 * time.Second}) {
		t.Errorf("%+v", ev)
	}
	if err := h.Stream(ctx, api.Streaming{}); err != nil {
		t.Fatal(err)
	}
	if ev := <-h.told; ev != (netmgr.Streaming{}) {
		t.Errorf("%+v", ev)
	}
	var st streams
	now := time.Now()
	st.by = map[string]stream{"portal": {now.Add(time.Second), time.Minute}, "cast": {now.Add(time.Minute), time.Second}}
	if got := st.sum(); got.Buffer != time.Second {
		t.Errorf("%+v", got)
	}
	if st.expire(now.Add(time.Hour)); st.sum().Active {
		t.Error("believed for an hour")
	}
}
