package serve

import (
	"fmt"
	"net/http"
	"time"

	"manofwar/internal/ipc"
	"manofwar/internal/media"
	"manofwar/netmgr"
)

// scanLimit is how long a look at all channels is waited for. With our own access point up it takes 14 s.
const scanLimit = 20 * time.Second

func (s *Server) networks(w http.ResponseWriter, _ *http.Request) error {
	known := s.options.Store.List()
	s.mu.Lock()
	found := s.air.networks(time.Now(), known)
	s.mu.Unlock()
	ipc.WriteJSON(w, found)
	return nil
}

// scan looks around and answers with what was found when a look at all channels is over that was not before, or when the time
// is.
func (s *Server) scan(w http.ResponseWriter, r *http.Request) error {
	s.mu.Lock()
	radios, before := s.air.radios, s.air.full
	s.mu.Unlock()
	if radios == 0 {
		return &media.Error{
			Op: "look for networks", Err: fmt.Errorf("there is no WiFi radio: %w", media.ErrUnsupported),
			Hint: "Use a network cable, or plug in a WiFi stick.",
		}
	}
	over := time.NewTimer(scanLimit)
	defer over.Stop()
	s.options.Tell(r.Context(), netmgr.Look{})
	for waiting := true; waiting; {
		looked, more := s.looked(before)
		if looked {
			break
		}
		select {
		case <-r.Context().Done():
			return r.Context().Err()
		case <-over.C:
			waiting = false
		case <-more:
		}
	}
	return s.networks(w, r)
}

// looked reports whether a look at all channels has ended since the one that ended then, and what is closed when there may be
// news of that.
func (s *Server) looked(then time.Time) (bool, <-chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.air.full.After(then), s.seen
}
