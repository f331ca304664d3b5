package supervise

import (
	"context"
	"errors"
	"os"
	"syscall"
	"time"
)

// process is one run of a unit.
type process struct {
	reaper *Reaper
	argv   []string
	env    []string
	socket *os.File
	group  *Cgroup
	notify *notifySocket

	pid    int
	end    <-chan syscall.WaitStatus
	output *os.File // the read end of its standard output and error
}

// start forks. The write end of the output is the process's alone afterwards, so that its end is an end of file.
func (r *process) start() error {
	null, err := os.Open(os.DevNull)
	if err != nil {
		return err
	}
	defer null.Close()
	output, write, err := os.Pipe()
	if err != nil {
		return err
	}
	defer write.Close()
	attr := &syscall.ProcAttr{
		Env:   r.env,
		Files: []uintptr{null.Fd(), write.Fd(), write.Fd()},
		Sys:   &syscall.SysProcAttr{Setsid: true},
	}
	if r.socket != nil {
		attr.Files = append(attr.Files, r.socket.Fd())
	}
	if r.group != nil {
		dir, err := r.group.Open()
		if err != nil {
			return errors.Join(err, output.Close())
		}
		defer dir.Close()
		attr.Sys.UseCgroupFD, attr.Sys.CgroupFD = true, int(dir.Fd())
	}
	r.pid, r.end, err = r.reaper.Start(r.argv, attr)
	if err != nil {
		return errors.Join(err, output.Close())
	}
	r.output = output
	return nil
}

// wait returns the process's end. Once ctx ends it asks for it, then forces it.
func (r *process) wait(ctx context.Context, grace time.Duration) syscall.WaitStatus {
	select {
	case status := <-r.end:
		return status
	case <-ctx.Done():
	}
	r.reaper.Signal(r.pid, syscall.SIGTERM)
	late := time.NewTimer(grace)
	defer late.Stop()
	select {
	case status := <-r.end:
		return status
	case <-late.C:
	}
	r.reaper.Signal(r.pid, syscall.SIGKILL)
	return <-r.end
}

// killRest ends what the process left behind: its cgroup, or at least its session's process group.
func (r *process) killRest() error {
	if r.group == nil {
		_ = syscall.Kill(-r.pid, syscall.SIGKILL) // ESRCH: nothing is left
		return nil
	}
	return r.group.Kill(killLimit)
}

// release gives back what start and prepare took, but for what the next run takes again.
func (r *process) release() error {
	if r.notify != nil {
		r.notify.close()
	}
	if r.output != nil {
		_ = r.output.Close()
	}
	return nil
}
