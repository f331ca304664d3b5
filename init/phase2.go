//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"manofwar/board"
	"manofwar/init/api"
	"manofwar/init/boot"
	"manofwar/init/control"
	"manofwar/init/supervise"
	"manofwar/internal/service"
)

// Directories of the root.
const (
	dataDir   = "/data"
	runDir    = "/run/manofwar"
	mediaDir  = "/media"
	cgroupDir = "/sys/fs/cgroup"
)

// stopLimit is how long the services may take to stop, and then /data to be unmounted: what hangs is left behind.
const stopLimit = 40 * time.Second

// phase2 is PID 1 in the root, for as long as the machine runs. It does not return.
func phase2() {
	out := newPatient(os.Stdout)
	s := newSystem(console{out})
	s.console.markNow("boot.phase2_s")
	_ = unix.Reboot(unix.LINUX_REBOOT_CMD_CAD_OFF) // Ctrl-Alt-Del is SIGINT from now on, rather than a reset
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	writing, quiet := context.WithCancel(context.Background())
	written := make(chan struct{})
	go func() {
		defer close(written)
		out.run(writing)
	}()
	end := s.run(ctx)
	quiet()
	select {
	case <-written:
		drain(os.Stdout)
	case <-time.After(time.Second): // somebody holds the scroll lock
	}
	for {
		fmt.Fprintf(os.Stdout, "manofwar: %v\n", s.leave(end))
		time.Sleep(time.Minute) // the kernel refused; PID 1 must not exit
	}
}

// system is the running dongle, as PID 1 sees it.
type system struct {
	console  console
	log      *slog.Logger
	boot     handoff
	cmdline  boot.Cmdline
	board    board.Board
	reaper   *supervise.Reaper
	watchdog *boot.Watchdog // nil: none
	feeder   *supervise.Feeder
	data     boot.Data
	clock    boot.Clock
	cgroups  *supervise.Cgroup // nil: none
	limits   bool              // cgroups bound memory
	units    []service.Unit
	process  *supervise.Process
	control  control.Server
	requests boot.Requests
	end      chan ending // how it is to end; of capacity one

	slots     sync.Mutex  // held over whatever writes to the boot partition or mounts a slot
	committed atomic.Bool // the slot was on trial, and is no more
	rescuer   sync.Mutex  // held over whatever checks or mounts the /data of a machine in rescue

	mu        sync.Mutex // guards all below
	super     *supervise.Supervisor
	lame      error // why there are no services
	rescue    api.Data
	eraseCode string          // of a machine in rescue
	guesses   int             // wrong ones that are left
	unready   map[string]bool // services that have not been ready yet
	faults    []string        // what went wrong without stopping the rest
}

// ending is how the machine ends.
type ending struct {
	off    bool       // power off, rather than restart
	forget bool       // make the next boot a first boot: without /data
	next   board.Next // what to restart into
}

func newSystem(c console) *system {
	s := &system{
		console: c, log: slog.New(handler{c: c}), reaper: new(supervise.Reaper), end: make(chan ending, 1),
		clock: boot.Clock{Path: dataDir + "/init/time", Every: 10 * time.Minute},
	}
	s.data = boot.Data{Dir: dataDir, Log: s.log, Command: s.command}
	s.feeder = &supervise.Feeder{Healthy: s.healthy, Record: s.resetRecord, Log: s.log}
	return s
}

// fault notes what went wrong without stopping the rest: status says it.
func (s *system) fault(err error) {
	if err == nil {
		return
	}
	s.log.Error("fault", "err", err)
	s.mu.Lock()
	defer s.mu.Unlock()
	if !slices.Contains(s.faults, err.Error()) { // what goes wrong again and again must not fill the memory
		s.faults = append(s.faults, err.Error())
	}
}

// run brings the system up, waits until somebody asks for its end, stops it, and returns how it is to end.
func (s *system) run(ctx context.Context) ending {
	life, kill := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	defer wg.Wait()
	defer kill()
	wg.Go(func() { s.reaper.Run(life) })
	s.fault(s.inherit())
	if s.watchdog != nil {
		wg.Go(func() { s.feeder.Run(life) })
	}
	s.prepare(ctx)

	running, stop := context.WithCancel(life)
	var work sync.WaitGroup
	s.handOnSetup()
	s.cripple(s.makeSupervisor())
	s.serve(running, &work)
	if s.rescue.Rescue == "" {
		work.Go(func() { s.clock.Run(running, s.clockSaved) })
	}
	var end ending
	select {
	case <-ctx.Done():
	case end = <-s.end:
	}
	s.console.say("stopping")
	stop()
	if !waitFor(&work, stopLimit) {
		s.log.Error("something does not stop: going on without it")
	}
	var last sync.WaitGroup // a new one: what does not stop is in the other for ever
	last.Go(func() { s.fault(s.unmount(end)) })
	if !waitFor(&last, stopLimit) {
		s.log.Error("a disk does not answer: going on without it")
	}
	return end
}

// cripple is fault for what keeps all services from running: such a machine is not healthy.
func (s *system) cripple(err error) {
	if err == nil {
		return
	}
	s.fault(err)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lame = err
}

// waitFor waits for the group, up to the limit: a disk that hangs must not keep the machine from its end.
func waitFor(wg *sync.WaitGroup, limit time.Duration) bool {
	done := make(chan struct{})
	go func() {
		defer close(done)
		wg.Wait()
	}()
	late := time.NewTimer(limit)
	defer late.Stop()
	select {
	case <-done:
		return true
	case <-late.C:
		return false
	}
}

// clockSaved keeps a time that cannot be saved from being an event each time.
func (s *system) clockSaved(err error) {
	if err != nil {
		s.log.Warn("time not saved", "err", err)
	}
}

// leave ends the machine. It returns only with an error.
func (s *system) leave(end ending) error {
	if end.off {
		return boot.PowerOff()
	}
	return boot.Restart(s.board, end.next)
}

// unmount lets go of /data, by force if need be.
func (s *system) unmount(end ending) error {
	err := boot.UnmountData(dataDir)
	if end.forget {
		err = errors.Join(err, s.data.Forget())
	}
	return err
}
