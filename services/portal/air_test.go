package portal

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"unicode/utf8"

	"manofwar/internal/ipc"
	"manofwar/internal/media"
	netapi "manofwar/netmgr/api"
)

// air is a network manager in whose reach are the networks of a test. It says what the real one says, over the real
// socket.
type air struct {
	news *ipc.Events

	mu        sync.Mutex // guards the rest
	status    netapi.Status
	around    []netapi.Network
	passwords map[string]string // by SSID; of those it is in reach of
	profiles  []netapi.Profile
	settings  netapi.Settings
	attempts  map[string]*netapi.Attempt
	scans     int
	asked     []netapi.NewProfile // what was to be known or tried
	streams   []netapi.Streaming
}

// set changes what is said, and tells who listens.
func (a *air) set(t testing.TB, change func(s *netapi.Status)) {
	t.Helper()
	a.mu.Lock()
	change(&a.status)
	status := a.status
	a.mu.Unlock()
	if err := a.news.Publish("status", status); err != nil {
		t.Fatal(err)
	}
}

// routes are the verbs of netmgr/api.
func (a *air) routes() map[string]any {
	return map[string]any{
		"GET /events":        http.Handler(a.news),
		"GET /status":        a.say(func() (any, error) { return a.status, nil }),
		"GET /networks":      a.say(func() (any, error) { return netapi.Networks{Networks: a.around, At: testDay}, nil }),
		"POST /scan":         a.say(func() (any, error) { a.scans++; return netapi.Networks{Networks: a.around, At: testDay}, nil }),
		"GET /profiles":      a.say(func() (any, error) { return a.profiles, nil }),
		"GET /settings":      a.say(func() (any, error) { return a.settings, nil }),
		"GET /history":       a.say(func() (any, error) { return []netapi.Period(nil), nil }),
		"POST /profiles":     hear(a, func(_ string, n netapi.NewProfile) (any, error) { return a.know(n), nil }),
		"PUT /profiles/{id}": hear(a, func(id string, n netapi.NewProfile) (any, error) { return a.change(id, n) }),
		"DELETE /profiles/{id}": func(w http.ResponseWriter, r *http.Request) error {
			a.mu.Lock()
			defer a.mu.Unlock()
			i, err := a.find(r.PathValue("id"))
			if err == nil {
				a.profiles = slices.Delete(a.profiles, i, i+1)
			}
			return err
		},
		"POST /profiles/order": hear(a, func(_ string, ids []string) (any, error) {
			slices.SortStableFunc(a.profiles, func(x, y netapi.Profile) int { return slices.Index(ids, x.ID) - slices.Index(ids, y.ID) })
			return a.profiles, nil
		}),
		"POST /attempts": hear(a, func(_ string, n netapi.NewProfile) (any, error) { return a.try(n) }),
		"GET /attempts/{id}": func(w http.ResponseWriter, r *http.Request) error {
			a.mu.Lock()
			defer a.mu.Unlock()
			got, ok := a.attempts[r.PathValue("id")]
			if !ok {
				return &media.Error{Op: "find", Path: "attempt", Err: media.ErrNotFound}
			}
			ipc.WriteJSON(w, got)
			return nil
		},
		"PUT /settings": hear(a, func(_ string, s netapi.Settings) (any, error) {
			if s.Name != nil && (*s.Name == "" || utf8.RuneCountInString(*s.Name) > 63) {
				return nil, &ipc.Error{Status: http.StatusBadRequest, Code: "invalid", Field: "name", Message: "The name is not one."}
			}
			if s.Name != nil { // which is won a moment later
				a.settings.Name, a.status.Name, a.status.Hostname = s.Name, *s.Name, ""
			}
			if s.Country != nil {
				a.settings.Country = s.Country
			}
			if s.AccessPoint != nil {
				a.settings.AccessPoint = s.AccessPoint
			}
			if s.Done != nil {
				a.settings.Done, a.status.Setup = s.Done, !*s.Done
			}
			return a.settings, nil
		}),
		"POST /streaming": hear(a, func(_ string, s netapi.Streaming) (any, error) {
			a.streams = append(a.streams, s)
			return nil, nil
		}),
		"POST /export": hear(a, func(_ string, in netapi.ExportRequest) (any, error) {
			return netapi.Exported{Data: []byte("sealed with " + in.Passphrase)}, nil
		}),
		"POST /import": hear(a, func(_ string, in netapi.ImportRequest) (any, error) {
			if string(in.Data) != "sealed with "+in.Passphrase {
				return nil, &media.Error{Op: "open", Path: "export", Err: media.ErrInvalid}
			}
			return netapi.Imported{Profiles: 2}, nil
		}),
	}
}

// say answers with what is so.
func (a *air) say(f func() (any, error)) func(http.ResponseWriter, *http.Request) error {
	return func(w http.ResponseWriter, _ *http.Request) error {
		a.mu.Lock()
		defer a.mu.Unlock()
		v, err := f()
		if err == nil {
			ipc.WriteJSON(w, v)
		}
		return err
	}
}

// hear reads a body first.
func hear[T any](a *air, f func(id string, in T) (any, error)) func(http.ResponseWriter, *http.Request) error {
	return func(w http.ResponseWriter, r *http.Request) error {
		var in T
		if err := ipc.ReadJSON(w, r, &in); err != nil {
			return err
		}
		return a.say(func() (any, error) { return f(r.PathValue("id"), in) })(w, r)
	}
}

func (a *air) know(n netapi.NewProfile) netapi.Profile {
	a.asked = append(a.asked, n)
	p := netapi.Profile{
		ID: fmt.Sprintf("p%d", len(a.profiles)+1), Name: n.Name, SSID: string(n.Raw) + n.SSID, Raw: []byte(string(n.Raw) + n.SSID),
		Metered: n.Metered, Factory: n.Factory, Hidden: n.Hidden,
	}
	a.profiles = append(a.profiles, p)
	return p
}

func (a *air) find(id string) (int, error) {
	i := slices.IndexFunc(a.profiles, func(p netapi.Profile) bool { return p.ID == id })
	if i < 0 {
		return 0, &media.Error{Op: "find", Path: id, Err: media.ErrNotFound}
	}
	return i, nil
}

func (a *air) change(id string, n netapi.NewProfile) (any, error) {
	i, err := a.find(id)
	if err != nil {
		return nil, err
	}
	a.profiles[i].Name, a.profiles[i].Metered = n.Name, n.Metered
	return a.profiles[i], nil
}

// try begins an attempt; [air.proceed] goes on with it.
func (a *air) try(n netapi.NewProfile) (any, error) {
	a.asked = append(a.asked, n)
	if a.attempts == nil {
		a.attempts = make(map[string]*netapi.Attempt)
	}
	t := &netapi.Attempt{ID: fmt.Sprintf("t%d", len(a.attempts)+1), SSID: strings.ToValidUTF8(string(n.Raw)+n.SSID, "\uFFFD"), State: netapi.Joining}
	a.attempts[t.ID] = t
	return t, nil
}

// proceed moves the last attempt on, as its password deserves.
func (a *air) proceed(t testing.TB) netapi.AttemptState {
	t.Helper()
	a.mu.Lock()
	defer a.mu.Unlock()
	last := a.attempts[fmt.Sprintf("t%d", len(a.attempts))]
	n := a.asked[len(a.asked)-1]
	password, near := a.passwords[last.SSID]
	switch {
	case last.State == netapi.Addressing:
		last.State = netapi.Connected
		a.know(n)
		a.status.State = netapi.Good
		a.status.Links = append(a.status.Links, netapi.Link{
			Name: "wlan0", Kind: "wifi", State: netapi.Good, WiFi: &netapi.WiFi{SSID: last.SSID}, Addresses: prefixes("192.168.1.23/24"),
		})
	case !near:
		last.State = netapi.NotFound
	case n.Passphrase == nil || *n.Passphrase != password:
		last.State = netapi.WrongPassword
	default:
		last.State = netapi.Addressing
	}
	return last.State
}
