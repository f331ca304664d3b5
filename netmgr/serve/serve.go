// Package serve answers the verbs of the network manager's socket that [manofwar/netmgr/api] lists, and keeps what follows from
// them: attempts at networks, who is streaming, and the history of a day.
//
// It translates only: what is known is [manofwar/netmgr/profiles]'s, what happens is the policy's, which is told by events and
// read by its status. Who may call is the socket's business (internal/ipc).
package serve

import (
	"context"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"manofwar/internal/ipc"
	"manofwar/netmgr"
	"manofwar/netmgr/api"
)

// store is what keeps networks and settings.
type store interface {
	List() []api.Profile
	Create(api.NewProfile) (api.Profile, error)
	Change(id string, n api.NewProfile) (api.Profile, error)
	Delete(id string) error
	Order(ids []string) ([]api.Profile, error)
	Chosen() api.Settings
	Choose(api.Settings) (api.Settings, error)
	Export(passphrase string) ([]byte, error)
	Import(passphrase string, data []byte) (api.Imported, error)

	Candidate(api.NewProfile) (netmgr.Profile, error)
	Keep(id string) (api.Profile, error)
	Discard(id string)
}

// Options are what a Server is made of.
type Options struct {
	Store   store
	Tell    func(context.Context, netmgr.Event) // tells the policy; may block for a moment
	Publish func(kind string, v any) error      // spreads news to listeners; nil: there are none
	Log     *slog.Logger
}

// Server answers. It is safe for concurrent use.
type Server struct {
	options Options
	news    chan struct{} // a status came

	mu       sync.Mutex    // guards what follows
	status   api.Status    // the last
	seen     chan struct{} // closed when the next status comes
	air      air
	attempts []attempt // the latest last
	history  history
	streams  streams
}

// New returns a server. [Server.Run] must run for attempts to have an outcome.
func New(o Options) *Server {
	return &Server{options: o, news: make(chan struct{}, 1), seen: make(chan struct{})}
}

// Heard takes note of what a scan has found. It is to be called with every such event that the policy is told, and does not
// block.
func (s *Server) Heard(ev netmgr.Scanned) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.air.note(time.Now(), ev)
}

// Observe takes note of how the network should be and is now: for attempts, history and scans. It is to be called after everything
// the policy was told, and does not block.
func (s *Server) Observe(plan netmgr.Plan, status api.Status) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.status = status
	s.air.plan(plan.Radios)
	s.history.note(time.Now(), status)
	close(s.seen)
	s.seen = make(chan struct{})
	select {
	case s.news <- struct{}{}:
	default:
	}
}

// Run follows attempts and forgets who has stopped streaming without a word, until ctx ends.
func (s *Server) Run(ctx context.Context) {
	timer := time.NewTimer(streamBelief)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-s.news:
			s.followAttempts()
		case <-timer.C:
			s.tellStreaming(ctx, func(st *streams) { st.expire(time.Now()) })
			timer.Reset(streamBelief)
		}
	}
}

// Mount adds the verbs to the socket's routes. Those of the state itself are [manofwar/netmgr/native]'s.
func (s *Server) Mount(mux *http.ServeMux) {
	for pattern, f := range verbs {
		mux.Handle(pattern, ipc.Handler(func(w http.ResponseWriter, r *http.Request) error { return f(s, w, r) }))
	}
}

// MountRefusal adds the verbs where the network is somebody else's to manage: all are refused with this reason and hint.
func MountRefusal(mux *http.ServeMux, reason, hint string) {
	refuse := ipc.Handler(func(w http.ResponseWriter, r *http.Request) error {
		return &ipc.Error{Status: http.StatusUnprocessableEntity, Code: "unsupported", Message: reason, Hint: hint}
	})
	for pattern := range verbs {
		mux.Handle(pattern, refuse)
	}
}

// verbs are the patterns of [http.ServeMux] and who answers.
var verbs = map[string]func(*Server, http.ResponseWriter, *http.Request) error{
	"GET /networks":         (*Server).networks,
	"POST /scan":            (*Server).scan,
	"GET /profiles":         (*Server).profiles,
	"POST /profiles":        (*Server).createProfile,
	"PUT /profiles/{id}":    (*Server).changeProfile,
	"DELETE /profiles/{id}": (*Server).deleteProfile,
	"POST /profiles/order":  (*Server).orderProfiles,
	"POST /attempts":        (*Server).tryNetwork,
	"GET /attempts/{id}":    (*Server).attempt,
	"GET /settings":         (*Server).settings,
	"PUT /settings":         (*Server).changeSettings,
	"GET /history":          (*Server).periods,
	"POST /export":          (*Server).export,
	"POST /import":          (*Server).imports,
	"POST /streaming":       (*Server).streaming,
}
