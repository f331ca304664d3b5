// Package service is the contract between a service and whatever runs it.
//
// A service is a value with one blocking method. On the dongle PID 1 runs each one as a process with its own user and
// sandbox; hosted, one process runs them all as goroutines. Both runners hand it the same [Env] and read the same
// [Spec], so that a service never knows which of the two it lives in. The runners are in init/supervise.
package service

import (
	"context"
	"errors"
	"log/slog"
	"net"
)

// Service is one long-running part of manofwar.
type Service interface {
	// Run blocks until ctx ends or the service can do no more. A nil error means it finished its work; an error that
	// wraps [ErrFinal] means that a restart would not help; after any other error the supervisor starts it again.
	Run(ctx context.Context, env Env) error
}

// Func makes a plain function a [Service].
type Func func(ctx context.Context, env Env) error

// Run calls f.
func (f Func) Run(ctx context.Context, env Env) error { return f(ctx, env) }

// ErrFinal marks an error after which a restart would not help, such as a malformed setting.
var ErrFinal = errors.New("not to be restarted")

// Env is what a service gets from its runner.
type Env struct {
	Name     string         // the service's name, as in its Spec
	StateDir string         // its own directory, kept across reboots: /data/<name> on the dongle
	RunDir   string         // where the sockets of all services are: /run/manofwar on the dongle
	Log      *slog.Logger   // already carries the service's name
	Callers  map[int]string // who may use this one's socket besides its own user and root: names by Unix user ID
	Listener net.Listener   // the service's socket where the runner made it; nil: internal/ipc makes it under RunDir

	Ready   func()      // reports, once, that the service answers
	Healthy func(error) // reports health whenever it changes: nil is good, else what is wrong in words for a person
}

// Spec says what a service is and what it needs. Everything that it does not name is denied on the dongle.
type Spec struct {
	Name    string   `json:"name"`
	User    string   `json:"user,omitempty"`    // the Unix user; empty: the name
	After   []string `json:"after,omitempty"`   // services whose readiness is awaited, up to a limit, before the start
	Callers []string `json:"callers,omitempty"` // services that may use its socket
	Read    []string `json:"read,omitempty"`    // paths it may read, beyond the root file system
	Write   []string `json:"write,omitempty"`   // paths it may write, beyond its StateDir and its directory in RunDir
	Devices []string `json:"devices,omitempty"` // device nodes it may open, as path.Match patterns below /dev
	Caps    []string `json:"caps,omitempty"`    // capabilities it keeps, in capabilities(7)'s lower-case names without cap_
	Memory  int64    `json:"memory,omitempty"`  // cgroup memory.max in bytes; GOMEMLIMIT is 80% of it; 0: none
	Core    bool     `json:"core,omitempty"`    // the hardware watchdog is fed only while it is healthy
}

// Account returns the name of the Unix user that the service runs as.
func (s Spec) Account() string {
	if s.User != "" {
		return s.User
	}
	return s.Name
}

// Unit is a Spec and how to start it as a process: one entry of /etc/manofwar/services.json, which the image builder
// writes and PID 1 reads.
type Unit struct {
	Spec
	Path   string   `json:"path"`             // the program
	Args   []string `json:"args,omitempty"`   // its arguments, without the program's own name
	Env    []string `json:"env,omitempty"`    // "KEY=value", added to the supervisor's own
	Notify bool     `json:"notify,omitempty"` // it reports readiness and health by sd_notify(3); else started is ready
	Socket bool     `json:"socket,omitempty"` // PID 1 makes <name>.sock and passes it as sd_listen_fds(3) has it
}

// HandedDir is where PID 1 puts the device nodes of a service's row that lie in /dev itself, such as "cec0", as they come
// and go. It is for a service that must not have all of /dev: see [Spec] and its Devices.
func HandedDir(name string) string { return "/dev/handed/" + name }

// UnitsPath is where the image keeps the [Unit]s that PID 1 starts, as a JSON array.
const UnitsPath = "/etc/manofwar/services.json"
