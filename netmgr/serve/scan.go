package serve

import (
	"fmt"
	"net/http"
	"time"

	"manofwar/internal/ipc"
	"manofwar/internal/media"
	"manofwar/netmgr"
	"manofwar/netmgr/api"
)

// scanLimit is how long a look at all channels is waited for. With our own access point up it takes 14 s.
const scanLimit = 20 * time.Second

func (s *Server) networks(w http.ResponseWriter, _ *http.Request) error {
	n, _ := s.around()
	ipc.WriteJSON(w, n)
	return nil
}

// around returns what scans have found, and what is closed when there may be more.
func (s *Server) around() (api.Networks, <-chan struct{}) {
	known := s.options.Store.List()
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.air.networks(time.Now(), known), s.seen
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
	found, more := s.around()
	s.options.Tell(r.Context(), netmgr.Look{})
	for waiting := true; waiting && !s.looked(before); found, more = s.around() {
		select {
		case <-r.Context().Done():
			return r.Context().Err()
		case <-over.C:
			waiting = false
		case <-more:
		}
	}
	ipc.WriteJSON(w, found)
	return nil
}

// looked reports whether a look at all channels has ended since the one that ended then.
func (s *Server) looked(then time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.air.full.After(then)
}
