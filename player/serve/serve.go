// Package serve answers the verbs of the player's socket that [manofwar/player/api] lists. It checks what is asked and hands
// it on; what happens is the engine's business, and who may call is the socket's (internal/ipc).
package serve

import (
	"net/http"

	"manofwar/internal/ipc"
	"manofwar/player/api"
)

// Engine is what plays. Its commands return once they are begun; what becomes of them is told by the status.
type Engine interface {
	Status() api.Status
	Load(api.Load)
	SetNext(*api.Item)
	Play()
	Pause()
	Stop()
	Seek(api.Seek)
	Align(api.Align)
	Change(api.Change)
	Set(api.Settings)
}

// Options are what a server is made of.
type Options struct {
	Engine Engine
	Events *ipc.Events
	Keep   func(api.Settings) error // writes the owner's choices where they outlast the process
	Notice func(api.Notice)         // shows a line on the screen
}

// Handler answers on the socket.
func Handler(o Options) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /events", o.Events)
	mux.HandleFunc("GET /status", func(w http.ResponseWriter, _ *http.Request) { ipc.WriteJSON(w, o.Engine.Status()) })
	for pattern, f := range map[string]func(){"POST /play": o.Engine.Play, "POST /pause": o.Engine.Pause, "POST /stop": o.Engine.Stop} {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, _ *http.Request) {
			f()
			w.WriteHeader(http.StatusNoContent)
		})
	}
	handle(mux, "POST /load", checkLoad, func(l api.Load) error { o.Engine.Load(l); return nil })
	handle(mux, "POST /next", checkNext, func(n api.Next) error { o.Engine.SetNext(n.Item); return nil })
	handle(mux, "POST /seek", checkSeek, func(s api.Seek) error { o.Engine.Seek(s); return nil })
	handle(mux, "POST /align", checkAlign, func(a api.Align) error { o.Engine.Align(a); return nil })
	handle(mux, "POST /change", checkChange, func(c api.Change) error { o.Engine.Change(c); return nil })
	handle(mux, "POST /notice", checkNotice, func(n api.Notice) error { o.Notice(n); return nil })
	handle(mux, "PUT /settings", checkSettings, func(s api.Settings) error {
		if err := o.Keep(s); err != nil {
			return err
		}
		o.Engine.Set(s)
		return nil
	})
	return mux
}

// handle adds a verb whose body is a T. What check finds wrong is refused, and nothing is done.
func handle[T any](mux *http.ServeMux, pattern string, check func(T) error, do func(T) error) {
	mux.Handle(pattern, ipc.Handler(func(w http.ResponseWriter, r *http.Request) error {
		var v T
		if err := ipc.ReadJSON(w, r, &v); err != nil {
			return err
		}
		if err := check(v); err != nil {
			return err
		}
		if err := do(v); err != nil {
			return err
		}
		w.WriteHeader(http.StatusNoContent)
		return nil
	}))
}
