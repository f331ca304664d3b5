package serve

import (
	"net/http"
	"slices"
	"time"

	"manofwar/internal/ipc"
	"manofwar/netmgr/api"
)

// The bounds of the history: a link that flaps must not fill the memory.
const (
	historyLength = 24 * time.Hour
	maxPeriods    = 500
)

// history is how the network was over the last day. It is kept in memory: after a restart there is none.
type history struct{ periods []api.Period }

// note begins a new period if the network is another way than it was.
func (h *history) note(now time.Time, s api.Status) {
	p := period(s)
	p.From = now
	if n := len(h.periods); n > 0 {
		last := h.periods[n-1]
		last.From = now
		if last == p {
			return
		}
	}
	h.periods = append(h.periods, p)
	h.trim(now)
}

// trim forgets what ended more than a day ago.
func (h *history) trim(now time.Time) {
	first := max(0, len(h.periods)-maxPeriods)
	for first+1 < len(h.periods) && now.Sub(h.periods[first+1].From) > historyLength {
		first++
	}
	h.periods = slices.Delete(h.periods, 0, first)
}

// period says how the network is: what the best link has, which is the first of those that reach furthest.
func period(s api.Status) api.Period {
	p := api.Period{State: s.State, Own: s.AccessPoint != nil && s.AccessPoint.Up}
	if p.State == "" {
		p.State = api.Down
	}
	i := slices.IndexFunc(s.Links, func(l api.Link) bool { return l.State == p.State })
	if i < 0 || p.State == api.Down {
		return p
	}
	p.Link = s.Links[i].Name
	if w := s.Links[i].WiFi; w != nil {
		p.Network = w.SSID
	}
	return p
}

// told returns the periods by the wall clock of now: it is often set long after the first began.
func (h *history) told(now time.Time) []api.Period {
	h.trim(now)
	out := make([]api.Period, 0, len(h.periods))
	for i, p := range h.periods {
		if i == 0 && now.Sub(p.From) > historyLength {
			p.From = now.Add(-historyLength)
		}
		p.From = now.Add(p.From.Sub(now)).Round(0)
		out = append(out, p)
	}
	return out
}

func (s *Server) periods(w http.ResponseWriter, _ *http.Request) error {
	s.mu.Lock()
	told := s.history.told(time.Now())
	s.mu.Unlock()
	ipc.WriteJSON(w, told)
	return nil
}
