package mpd

import (
	"context"
	"encoding/json"
	"time"

	"manofwar/internal/ipc"
	catalogapi "manofwar/services/catalog/api"
)

// shelf is what goes on in the library.
type shelf struct {
	server *Server
	kick   chan struct{} // something has changed; holds one
}

// scans are the library's, numbered as MPD numbers its jobs.
type scans struct {
	running bool
	job     int
	last    time.Time // when one ended
}

// hear takes news in.
func (sh *shelf) hear(ev ipc.Event) {
	switch ev.Kind {
	case "status":
		var st catalogapi.Status
		if json.Unmarshal(ev.Data, &st) == nil && sh.server.learn(st.Scan) {
			sh.server.tell(updateNews)
		}
	case "changed":
		select {
		case sh.kick <- struct{}{}:
		default: // it is known
		}
	}
}

// run tells the clients of changes once they can see them, and has the database forgotten, until ctx ends.
func (sh *shelf) run(ctx context.Context) {
	if st, err := sh.server.opts.Catalog.Status(ctx); err == nil {
		sh.server.learn(st.Scan)
	}
	tick := time.NewTicker(keepTree / 10)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			sh.server.database.forget()
		case <-sh.kick:
			if !pause(ctx, sh.server.database.wait()) {
				return
			}
			sh.server.tell(databaseNews)
		}
	}
}

// learn takes in how the scan goes, and reports whether it began or ended.
func (s *Server) learn(now catalogapi.Scan) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !now.Finished.IsZero() {
		s.scans.last = now.Finished
	}
	if now.Running == s.scans.running {
		return false
	}
	if s.scans.running = now.Running; now.Running {
		s.scans.job++
	}
	return true
}

// updating returns the number of the scan that runs; 0: none does.
func (s *Server) updating() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.scans.running {
		return 0
	}
	return s.scans.job
}

// scanned returns when a scan last ended; zero: that is not known.
func (s *Server) scanned() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.scans.last
}

// scan begins one, and returns its number.
func (s *Server) scan(ctx context.Context) (job int, err error) {
	if err := s.opts.Catalog.Scan(ctx); err != nil {
		return 0, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.scans.running {
		return s.scans.job, nil
	}
	return s.scans.job + 1, nil
}
