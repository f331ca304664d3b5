package supervise

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"sync"
	"syscall"
)

// Reaper waits for all children of this process: those it started, whose ends it reports, and the orphans that the
// kernel gives to PID 1. Because wait4(2) with -1 takes any child's end, every child must be started through it.
type Reaper struct {
	mu       sync.Mutex // guards children; held over a fork, so that no end comes before its child is known
	children map[int]chan syscall.WaitStatus
}

// Start forks and executes argv[0]. The channel yields the child's end, once.
func (r *Reaper) Start(argv []string, attr *syscall.ProcAttr) (pid int, ended <-chan syscall.WaitStatus, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	pid, err = syscall.ForkExec(argv[0], argv, attr)
	if err != nil {
		return 0, nil, fmt.Errorf("start %s: %w", argv[0], err)
	}
	if r.children == nil {
		r.children = make(map[int]chan syscall.WaitStatus)
	}
	end := make(chan syscall.WaitStatus, 1)
	r.children[pid] = end
	return pid, end, nil
}

// Signal signals a child that Start returned. One that has ended is left alone: its number may be somebody else's by now.
func (r *Reaper) Signal(pid int, sig syscall.Signal) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.children[pid] != nil {
		_ = syscall.Kill(pid, sig) // it is there, if only as a zombie
	}
}

// Run reaps until ctx ends.
func (r *Reaper) Run(ctx context.Context) {
	sigchld := make(chan os.Signal, 1)
	signal.Notify(sigchld, syscall.SIGCHLD)
	defer signal.Stop(sigchld)
	for {
		r.reap()
		select {
		case <-sigchld:
		case <-ctx.Done():
			return
		}
	}
}

// reap takes every end there is. One SIGCHLD may stand for many.
func (r *Reaper) reap() {
	for {
		var status syscall.WaitStatus
		r.mu.Lock()
		pid, err := syscall.Wait4(-1, &status, syscall.WNOHANG, nil)
		if errors.Is(err, syscall.EINTR) {
			r.mu.Unlock()
			continue
		}
		if err != nil || pid <= 0 {
			r.mu.Unlock()
			return
		}
		end := r.children[pid]
		delete(r.children, pid)
		r.mu.Unlock()
		if end != nil {
			end <- status
		}
	}
}

// Command runs argv to its end with output going to out, and returns its exit code. It is for the short-lived programs
// of PID 1 itself. An error means that it did not run or was killed, by the end of ctx for one.
func (r *Reaper) Command(ctx context.Context, out *os.File, argv ...string) (int, error) {
	pid, ended, err := r.Start(argv, &syscall.ProcAttr{
		Env:   []string{"PATH=/sbin:/bin"},
		Files: []uintptr{out.Fd(), out.Fd(), out.Fd()},
	})
	if err != nil {
		return 0, err
	}
	select {
	case status := <-ended:
		return exitCode(argv[0], status)
	case <-ctx.Done():
		r.Signal(pid, syscall.SIGKILL)
		<-ended
		return 0, fmt.Errorf("%s: %w", argv[0], ctx.Err())
	}
}

func exitCode(name string, status syscall.WaitStatus) (int, error) {
	if status.Signaled() {
		return 0, fmt.Errorf("%s: %w", name, &SignalError{status.Signal()})
	}
	return status.ExitStatus(), nil
}

// SignalError is the end of a process by a signal.
type SignalError struct{ Signal syscall.Signal }

func (e *SignalError) Error() string { return "killed by signal: " + e.Signal.String() }
