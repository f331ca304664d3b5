package serve

import (
	"encoding/json"
	"testing"
	"time"

	"manofwar/internal/ipc"
	"manofwar/netmgr/api"
)

func decode[T any](t *testing.T, ev ipc.Event) (v T) {
	t.Helper()
	if err := json.Unmarshal(ev.Data, &v); err != nil {
		t.Fatal(err)
	}
	return v
}

// TestHistory keeps a day, in which a flapping link is bounded and the clock may jump.
func TestHistory(t *testing.T) {
	var h history
	now := time.Now()
	home := api.Status{State: api.Good, Links: []api.Link{{Name: "eth0", State: api.Down}, {Name: "wlan0", State: api.Good, WiFi: &api.WiFi{SSID: "Home"}}}}
	h.note(now, home)
	h.note(now.Add(time.Minute), home)
	h.note(now.Add(time.Hour), api.Status{State: api.Down, AccessPoint: &api.AccessPoint{Up: true}})
	got := h.told(now.Add(2 * time.Hour))
	if len(got) != 2 || got[0].Network != "Home" || got[0].Link != "wlan0" || got[1].State != api.Down || !got[1].Own || got[1].Link != "" {
		t.Fatalf("%+v", got)
	}
	if got := h.told(now.Add(25 * time.Hour)); len(got) != 1 && !got[0].From.Equal(now.Add(time.Hour).Round(0)) {
		t.Errorf("a day later: %+v", got)
	}
	if got := h.told(now.Add(48 * time.Hour)); len(got) != 1 || got[0].From.Before(now.Add(24*time.Hour).Round(0)) {
		t.Errorf("two days later: %+v", got)
	}
	for i := range 10_000 {
		s := home
		if i%2 == 0 {
			s.State = api.LANOnly
		}
		h.note(now.Add(time.Duration(i)*time.Second), s)
	}
	if len(h.periods) > maxPeriods {
		t.Errorf("%d periods", len(h.periods))
	}
}
