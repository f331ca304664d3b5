package serve

import (
	"fmt"
	"net/http"
	"slices"
	"strings"

	"manofwar/internal/ipc"
	"manofwar/internal/media"
	"manofwar/netmgr"
	"manofwar/netmgr/api"
)

// maxAttempts is how many attempts are remembered for whoever asks late.
const maxAttempts = 8

// attempt is one try at a network. Its ID is that of the candidate, and of the known network that the candidate becomes.
type attempt struct {
	api.Attempt
	kept bool // the network is known now
}

// tryNetwork has the policy try a network with a password that is kept nowhere yet.
func (s *Server) tryNetwork(w http.ResponseWriter, r *http.Request) error {
	return exchange(w, r, func(n api.NewProfile) (api.Attempt, error) {
		p, err := s.options.Store.Candidate(n)
		if err != nil {
			return api.Attempt{}, err
		}
		a := api.Attempt{ID: p.ID, SSID: strings.ToValidUTF8(p.SSID, "\uFFFD"), State: api.Joining}
		s.begin(a)
		s.options.Tell(r.Context(), netmgr.Try{Profile: p})
		return a, nil
	})
}

// begin remembers an attempt. One that is still under way gives way to it.
func (s *Server) begin(a api.Attempt) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range s.attempts {
		if old := &s.attempts[i]; !old.State.Over() && !old.kept {
			old.State, old.Reason = api.Failed, "Another network was chosen meanwhile."
			s.options.Store.Discard(old.ID)
		}
	}
	s.attempts = append(s.attempts, attempt{Attempt: a})
	s.attempts = s.attempts[max(0, len(s.attempts)-maxAttempts):]
}

func (s *Server) attempt(w http.ResponseWriter, r *http.Request) error {
	id := r.PathValue("id")
	a, ok := s.find(id)
	if !ok {
		return fmt.Errorf("attempt %q: %w", id, media.ErrNotFound)
	}
	ipc.WriteJSON(w, a.Attempt)
	return nil
}

// followAttempts takes over from the policy's status how far the attempt is: a network that let itself be joined becomes known,
// one that did not leaves no trace.
func (s *Server) followAttempts() {
	s.mu.Lock()
	now := s.status.Attempt
	s.mu.Unlock()
	if now == nil {
		return
	}
	old, ok := s.find(now.ID)
	if !ok || old.State.Over() {
		return
	}
	a := attempt{*now, old.kept}
	switch joined := now.State == api.Addressing || now.State == api.Connected; {
	case joined && !old.kept:
		_, err := s.options.Store.Keep(a.ID)
		if a.kept = err == nil; err != nil {
			s.options.Log.Warn("network not kept", "ssid", a.SSID, "err", err)
			a.Reason = err.Error()
		}
	case a.State.Over() && !joined && !old.kept:
		s.options.Store.Discard(a.ID)
	}
	if a.Profile = ""; a.kept {
		a.Profile = a.ID
	}
	if a == old {
		return
	}
	s.replace(a)
	if s.options.Publish == nil {
		return
	}
	if err := s.options.Publish("attempt", a.Attempt); err != nil {
		s.options.Log.Error("attempt not published", "err", err)
	}
}

func (s *Server) find(id string) (attempt, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	i := slices.IndexFunc(s.attempts, func(a attempt) bool { return a.ID == id })
	if i < 0 {
		return attempt{}, false
	}
	return s.attempts[i], true
}

// replace remembers how far an attempt is, unless another one has taken its place meanwhile.
func (s *Server) replace(a attempt) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if i := slices.IndexFunc(s.attempts, func(old attempt) bool { return old.ID == a.ID }); i >= 0 && !s.attempts[i].State.Over() {
		s.attempts[i] = a
	}
}
