// Package control answers init.sock: it is the server of the verbs whose words are in [manofwar/init/api].
//
// The table of verbs says who may use which; [Server] holds everyone to it. What a verb does is the machine's business:
// PID 1 on the dongle, and on a laptop a [Laptop], which has services but nothing of its own to mount or restart.
package control

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"

	"manofwar/init/api"
	"manofwar/init/supervise"
	"manofwar/internal/ipc"
	"manofwar/internal/media"
	"manofwar/internal/service"
)

// Services is what the verbs ask of the supervisor.
type Services interface {
	Status() []api.Service
	Log(name string) *supervise.Ring // nil: there is no such service
}

// Machine is what the verbs ask of whatever the services run on. Errors are for a person, and wrap a sentinel of
// [manofwar/internal/media] where one fits.
type Machine interface {
	Status() api.Status // without the services
	Disks() []api.Disk
	Mount(id string) error
	Eject(id string) error
	RetryData(ctx context.Context) error
	ExportData(ctx context.Context, w io.Writer) error // a tar archive
	EraseData(code string) error
	OpenSlot() (*os.File, error) // for the server to close
	Trial(ctx context.Context) error
	Commit(ctx context.Context) error
	Restart() error
	PowerOff() error
	FactoryReset() error
}

// Server is the service behind init.sock. Its zero value lacks Services and Machine.
type Server struct {
	Services Services
	Machine  Machine
	Events   ipc.Events // what it publishes; the kinds are in [api]
}

// Run implements [service.Service].
func (s *Server) Run(ctx context.Context, env service.Env) error {
	return ipc.Serve(ctx, env, s.Handler())
}

// Handler returns the verbs, each behind its row of [api.Verbs].
func (s *Server) Handler() http.Handler {
	mux := http.NewServeMux()
	handlers := s.handlers()
	for _, v := range api.Verbs {
		mux.Handle(v.Pattern, guard(v, handlers[v.Pattern]))
	}
	return mux
}

// guard lets only the verb's callers in.
func guard(v api.Verb, h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if caller := ipc.Caller(r); !v.Allows(caller) {
			ipc.WriteError(w, r, &media.Error{Op: v.Pattern, Path: "by " + caller, Err: media.ErrDenied})
			return
		}
		h.ServeHTTP(w, r)
	})
}

// handlers is what each verb of the table does.
func (s *Server) handlers() map[string]http.Handler {
	m := s.Machine
	return map[string]http.Handler{
		"GET /status":         ipc.Handler(s.status),
		"GET /memory":         ipc.Handler(s.memory),
		"GET /logs/{service}": ipc.Handler(s.logs),
		"GET /disks":          ipc.Handler(s.disks),
		"GET /events":         &s.Events,
		"POST /mount":         aboutDisk(m.Mount),
		"POST /eject":         aboutDisk(m.Eject),
		"POST /data/retry":    ipc.Handler(func(_ http.ResponseWriter, r *http.Request) error { return m.RetryData(r.Context()) }),
		"GET /data/export":    ipc.Handler(s.export),
		"POST /data/erase":    ipc.Handler(s.erase),
		"POST /slot":          ipc.Handler(s.slot),
		"POST /trial":         ipc.Handler(func(_ http.ResponseWriter, r *http.Request) error { return m.Trial(r.Context()) }),
		"POST /commit":        ipc.Handler(func(_ http.ResponseWriter, r *http.Request) error { return m.Commit(r.Context()) }),
		"POST /reboot":        plain(m.Restart),
		"POST /poweroff":      plain(m.PowerOff),
		"POST /factory-reset": plain(m.FactoryReset),
	}
}

func plain(f func() error) http.Handler {
	return ipc.Handler(func(http.ResponseWriter, *http.Request) error { return f() })
}

func aboutDisk(f func(id string) error) http.Handler {
	return ipc.Handler(func(w http.ResponseWriter, r *http.Request) error {
		var in api.DiskRequest
		if err := ipc.ReadJSON(w, r, &in); err != nil {
			return err
		}
		return f(in.ID)
	})
}

func (s *Server) status(w http.ResponseWriter, _ *http.Request) error {
	status := s.Machine.Status()
	status.Services = s.Services.Status()
	ipc.WriteJSON(w, status)
	return nil
}

// slot hands the inactive slot's partition over.
func (s *Server) slot(w http.ResponseWriter, _ *http.Request) error {
	f, err := s.Machine.OpenSlot()
	if err != nil {
		return err
	}
	defer f.Close()
	return ipc.SendFile(w, f)
}

// memory measures the processes one after the other. One that ends meanwhile is left out.
func (s *Server) memory(w http.ResponseWriter, _ *http.Request) error {
	own, err := supervise.PSS(os.Getpid())
	if err != nil {
		return fmt.Errorf("measure memory: %w: %w", media.ErrUnsupported, err)
	}
	m := api.Memory{Init: own, Services: make(map[string]int64)}
	for _, svc := range s.Services.Status() {
		if svc.PID == 0 {
			continue
		}
		if size, err := supervise.PSS(svc.PID); err == nil {
			m.Services[svc.Name] = size
		}
	}
	ipc.WriteJSON(w, m)
	return nil
}

func (s *Server) disks(w http.ResponseWriter, _ *http.Request) error {
	ipc.WriteJSON(w, s.Machine.Disks())
	return nil
}

func (s *Server) erase(w http.ResponseWriter, r *http.Request) error {
	var in api.EraseRequest
	if err := ipc.ReadJSON(w, r, &in); err != nil {
		return err
	}
	return s.Machine.EraseData(in.Code)
}

// export streams the archive. An error after its beginning ends the connection, so that no cut archive looks whole.
func (s *Server) export(w http.ResponseWriter, r *http.Request) error {
	w.Header().Set("Content-Type", "application/x-tar")
	out := &counting{w: w}
	if err := s.Machine.ExportData(r.Context(), out); err != nil {
		if out.n > 0 {
			panic(http.ErrAbortHandler)
		}
		return err
	}
	return nil
}

type counting struct {
	w io.Writer
	n int64
}

func (c *counting) Write(p []byte) (int, error) {
	n, err := c.w.Write(p)
	c.n += int64(n)
	return n, err
}

// maxTail bounds the lines of one answer; a ring holds about as many.
const maxTail = 10000

// logs answers with the last lines as JSON, or, for follow=true, with a stream of events of one line each.
func (s *Server) logs(w http.ResponseWriter, r *http.Request) error {
	name := r.PathValue("service")
	ring := s.Services.Log(name)
	if ring == nil {
		return &media.Error{Op: "find service", Path: name, Err: media.ErrNotFound}
	}
	tail := 200
	if t := r.FormValue("tail"); t != "" {
		n, err := strconv.Atoi(t)
		if err != nil || n < 0 || n > maxTail {
			return fmt.Errorf("%w: tail=%q: want 0 to %d", media.ErrInvalid, t, maxTail)
		}
		tail = n
	}
	lines := ring.Tail(tail)
	if r.FormValue("follow") != "true" {
		if lines == nil {
			lines = []api.Line{}
		}
		ipc.WriteJSON(w, lines)
		return nil
	}
	follow(w, r, ring, lines)
	return nil
}
