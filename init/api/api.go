// Package api is PID 1's vocabulary and the client of its socket, init.sock.
//
// The socket is the only way for a service to have something done as root, and its verbs are the closed table [Verbs]:
// each names the services that may use it. On a laptop, where one process runs every service, the same socket answers
// status and logs; verbs that need the machine come back as media.ErrUnsupported.
package api

import (
	"slices"
	"time"
)

// Name is the socket's name: init.sock.
const Name = "init"

// Everyone in a verb's row means any caller that may connect at all.
const Everyone = "*"

// Verb is one row of the table of what PID 1 does for others.
type Verb struct {
	Pattern string   // as for [net/http.ServeMux]
	Callers []string // services that may use it, or Everyone; root always may
}

// Verbs is the whole of init.sock.
var Verbs = []Verb{
	{"GET /status", []string{Everyone}},
	{"GET /memory", []string{"portal"}},
	{"GET /logs/{service}", []string{"portal"}},
	{"GET /disks", []string{"catalog", "portal"}},
	{"GET /events", []string{"catalog", "portal", "update"}},
	{"POST /mount", []string{"catalog", "portal"}},
	{"POST /eject", []string{"catalog", "portal"}},
	{"POST /data/retry", []string{"portal"}},
	{"GET /data/export", []string{"portal"}},
	{"POST /data/erase", []string{"portal"}},
	{"POST /slot", []string{"update"}},
	{"POST /trial", []string{"update"}},
	{"POST /commit", []string{"update"}},
	{"POST /reboot", []string{"portal", "update"}},
	{"POST /poweroff", []string{"portal"}},
	{"POST /factory-reset", []string{"portal"}},
}

// Allows reports whether the named service may use the verb. The empty name is root.
func (v Verb) Allows(caller string) bool {
	return caller == "" || slices.Contains(v.Callers, Everyone) || slices.Contains(v.Callers, caller)
}

// State is where a service is in its life.
type State string

// The states. A service that is not ready may be Running: Ready says so.
const (
	Waiting  State = "waiting"  // for the services of its After
	Running  State = "running"  // its program runs
	Backoff  State = "backoff"  // it ended with an error, and is about to be started again
	Finished State = "finished" // it ended without an error: its work is done
	Failed   State = "failed"   // it said that a restart would not help
	Stopped  State = "stopped"  // the supervisor stopped it
)

// Service is the state of one service.
type Service struct {
	Name     string    `json:"name"`
	State    State     `json:"state"`
	Core     bool      `json:"core,omitempty"`
	Ready    bool      `json:"ready"`
	Health   string    `json:"health,omitempty"` // what is wrong, in its own words; empty: nothing
	PID      int       `json:"pid,omitempty"`
	Restarts int       `json:"restarts"`
	Since    time.Time `json:"since"`            // of State
	Error    string    `json:"error,omitempty"`  // why its last run ended
	Memory   int64     `json:"memory,omitempty"` // of its cgroup, in bytes; 0: unknown
}

// Watchdog states.
const (
	WatchdogNone     = "none"     // the board has none, or the command line turned it off
	WatchdogFed      = "fed"      // and the core services are healthy
	WatchdogLetGo    = "let go"   // a core service stays unhealthy: the board is about to reset
	WatchdogDegraded = "degraded" // one stays unhealthy, but the hour's resets are used up
)

// Data is the state of the file system under /data.
type Data struct {
	// Rescue says why /data is in memory, and that nothing written now survives; empty: all is well.
	Rescue   string `json:"rescue,omitempty"`
	Device   string `json:"device,omitempty"`
	Repaired bool   `json:"repaired,omitempty"`  // this boot's check repaired something
	Full     bool   `json:"full,omitempty"`      // less than 1% or 8 MiB is free
	ReadOnly bool   `json:"read_only,omitempty"` // the kernel has stopped writing after an error
}

// Boot says what runs, and from where.
type Boot struct {
	Board     string        `json:"board"`
	Version   string        `json:"version"`
	Slot      int           `json:"slot,omitempty"`      // partition number; 0: not booted from a slot
	Trial     bool          `json:"trial,omitempty"`     // booted once, by tryboot: not yet committed
	Developer bool          `json:"developer,omitempty"` // signed with a developer's key, not a release key
	Verify    time.Duration `json:"verify_ns,omitempty"` // that verifying the slot took
	Uptime    time.Duration `json:"uptime_ns"`
	Landlock  int           `json:"landlock"` // the kernel's Landlock ABI; 0: none
	Cgroups   bool          `json:"cgroups"`  // memory limits are in force
}

// Status is the answer to "status".
type Status struct {
	Boot     Boot      `json:"boot"`
	Data     Data      `json:"data"`
	Watchdog string    `json:"watchdog"`
	Degraded string    `json:"degraded,omitempty"` // why the whole is not as it should be, for a person
	Services []Service `json:"services"`
}

// Memory is what every process occupies, in bytes: its proportional set size, in which shared pages are shared out among
// those that map them, so that the sum is what the whole occupies.
type Memory struct {
	Init     int64            `json:"init"`     // PID 1; on a laptop the one process
	Services map[string]int64 `json:"services"` // those that are processes of their own and run now
}

// Line is one line that a service logged.
type Line struct {
	Seq  uint64    `json:"seq"` // rises by one a line; a gap means that the ring has dropped some
	Time time.Time `json:"time"`
	Text string    `json:"text"`
}

// Disk is one file system on a disk that is not the system's own.
type Disk struct {
	ID       string `json:"id"`   // stable across reboots: UUID, else kernel name
	Name     string `json:"name"` // for a person: label, else model and size
	Device   string `json:"device"`
	FSType   string `json:"fstype"`
	Label    string `json:"label,omitempty"`
	UUID     string `json:"uuid,omitempty"`
	Model    string `json:"model,omitempty"` // of the whole disk
	Size     int64  `json:"size"`            // in bytes
	Free     int64  `json:"free"`            // in bytes; only while mounted
	Path     string `json:"path,omitempty"`  // where it is mounted; empty: it is not
	ReadOnly bool   `json:"read_only,omitempty"`
	Error    string `json:"error,omitempty"` // why it is not mounted
}

// The kinds of events of init.sock.
const (
	EventDisks   = "disks"   // data: []Disk, the whole list
	EventService = "service" // data: Service
)
