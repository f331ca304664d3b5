// Package supervise keeps services running: it starts each when those it comes after are ready, starts it again when
// it ends with an error, keeps its last log lines, adds up the health of the core services, and stops everything in
// the reverse order.
//
// What "run a service" means is a [Runner]'s business. [Goroutine] runs a [service.Service] in this process: the laptop.
// Process, on Linux, runs a [service.Unit] as a sandboxed process of its own: the dongle. Both pass one test suite.
//
// One service never takes another along: a panic of a Goroutine service's own goroutine is an error of that service,
// and a crash loop only makes its own pauses longer.
package supervise

import (
	"context"

	"manofwar/internal/service"
)

// Runner runs one service once.
type Runner interface {
	// Run starts the service and blocks until it has ended and nothing of it is left. When ctx ends it asks the service
	// to stop, and after a grace period does without its consent. A nil error means that the service finished its work;
	// one that wraps [service.ErrFinal] that a restart would not help.
	Run(ctx context.Context, spec service.Spec, run Report) error

	// Memory returns what the service occupies now, in bytes; 0 if that cannot be told.
	Memory(name string) int64
}

// Report is how a Runner tells of a run while it lasts. Its functions may be called from any goroutine.
type Report struct {
	Started func(pid int)   // once: the service runs. 0 stands for this process
	Ready   func()          // the service answers; calls after the first are ignored
	Healthy func(err error) // nil is good
	Log     *Ring           // where the service's output goes
}
