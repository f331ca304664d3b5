package supervise

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"runtime/debug"
	"time"

	"manofwar/internal/service"
)

// stopGrace is the default of how long a service may take to end after it was asked to.
const stopGrace = 5 * time.Second

// errAbandoned is the end of a Goroutine service that did not heed its context: it still runs, and nobody waits.
var errAbandoned = errors.New("did not stop when asked to")

// Goroutine is the [Runner] of a single process: services share it, its user and its fate.
type Goroutine struct {
	Services map[string]service.Service
	StateDir string       // each service's state is in a directory of its name below
	RunDir   string       // where the sockets are
	Handler  slog.Handler // gets every service's log besides its [Ring]; nil: none

	Grace time.Duration // how long a service may take to end after it was asked to; 0: 5 s
}

// Memory returns 0: the services' memory cannot be told apart.
func (*Goroutine) Memory(string) int64 { return 0 }

// Run implements [Runner]. Its error wraps what the service returned.
func (g *Goroutine) Run(ctx context.Context, spec service.Spec, run Report) error {
	svc := g.Services[spec.Name]
	if svc == nil {
		return fmt.Errorf("no such service in this program: %w", service.ErrFinal)
	}
	env := service.Env{
		Name: spec.Name, StateDir: filepath.Join(g.StateDir, spec.Name), RunDir: g.RunDir,
		Log: g.logger(spec.Name, run.Log), Ready: run.Ready, Healthy: run.Healthy,
	}
	if err := makeDir(env.StateDir); err != nil {
		return err
	}
	ended := make(chan error, 1)
	go func() { ended <- guard(ctx, svc, env) }()
	run.Started(0)
	select {
	case err := <-ended:
		return err
	case <-ctx.Done():
	}
	late := time.NewTimer(orDefault(g.Grace, stopGrace))
	defer late.Stop()
	select {
	case err := <-ended:
		return err
	case <-late.C:
		return errAbandoned
	}
}

func makeDir(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("state directory: %w", err)
	}
	return nil
}

// logger returns the service's own: its lines go to its ring, and where the program's log goes.
func (g *Goroutine) logger(name string, ring *Ring) *slog.Logger {
	own := slog.NewTextHandler(ring, nil)
	if g.Handler == nil {
		return slog.New(own)
	}
	return slog.New(slog.NewMultiHandler(own, g.Handler.WithAttrs([]slog.Attr{slog.String("service", name)})))
}

// guard turns a panic of the service's own goroutine into an error, with the stack in the log.
func guard(ctx context.Context, svc service.Service, env service.Env) (err error) {
	defer func() {
		if p := recover(); p != nil {
			env.Log.Error("panic", "value", p, "stack", string(debug.Stack()))
			err = fmt.Errorf("panic: %v", p)
		}
	}()
	return svc.Run(ctx, env)
}
