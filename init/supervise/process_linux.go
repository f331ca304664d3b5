package supervise

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"manofwar/init/api"
	"manofwar/init/sandbox"
	"manofwar/internal/ipc"
	"manofwar/internal/service"
)

// Exit codes by which a program says that a restart would not help.
const (
	FinalExit   = 78  // EX_CONFIG of sysexits(3), from manofwar's services
	GokrazyExit = 125 // from programs written for gokrazy's supervisor
)

// killLimit is how long SIGKILL may take to empty a cgroup.
const killLimit = 5 * time.Second

// files is RLIMIT_NOFILE: a portal with many listeners, and a swarm.
const files = 16384

// Process is the [Runner] of the dongle: each service is a process with its own user, sandbox and cgroup. Make one with
// [NewProcess].
type Process struct {
	cfg     ProcessConfig
	units   map[string]service.Unit
	account map[string]Account

	mu      sync.Mutex // guards all below
	sockets map[string]*os.File
	groups  map[string]*Cgroup
}

// ProcessConfig is what a [Process] is made of.
type ProcessConfig struct {
	Units    []service.Unit
	Accounts func(user string) (Account, error)
	Reaper   *Reaper
	Shim     []string // the command that calls [sandbox.Exec]
	Cgroups  *Cgroup  // the services' parent; nil: none, memory is not bounded
	StateDir string
	RunDir   string
	Media    string // the directory of media disks: whoever may read it is in the group MediaGroup
	MediaGID int
	Grace    time.Duration // between the request to end and SIGKILL; 0: 5 s
}

// Account is a Unix user.
type Account struct {
	UID, GID int
	Groups   []int // supplementary
}

// NewProcess makes the Runner of the units, which must pass [CheckUnit].
func NewProcess(cfg ProcessConfig) (*Process, error) {
	p := &Process{
		cfg: cfg, units: make(map[string]service.Unit), account: make(map[string]Account),
		sockets: make(map[string]*os.File), groups: make(map[string]*Cgroup),
	}
	for _, u := range cfg.Units {
		if err := CheckUnit(u, cfg.Accounts); err != nil {
			return nil, err
		}
		account, err := cfg.Accounts(u.Account())
		if err != nil {
			return nil, err
		}
		p.units[u.Name], p.account[u.Name] = u, account
	}
	return p, os.MkdirAll(filepath.Join(cfg.RunDir, notifyDir), 0o755)
}

// CheckUnit returns what would keep a unit from ever running, or let it out of its sandbox: a name that is none, an
// unknown user or root, a capability that does not exist, a path that is relative, a device that is not for it to have.
func CheckUnit(u service.Unit, accounts func(user string) (Account, error)) error {
	if !ValidName(u.Name) {
		return fmt.Errorf("service %q: %w", u.Name, errName)
	}
	if u.Name == api.Name {
		return fmt.Errorf("service %q: the name is PID 1's own", u.Name)
	}
	account, err := accounts(u.Account())
	if err != nil {
		return fmt.Errorf("service %q: user: %w", u.Name, err)
	}
	if account.UID == 0 || account.GID == 0 {
		return fmt.Errorf("service %q: user %q is root: only PID 1 is", u.Name, u.Account())
	}
	if err := sandbox.ValidCaps(u.Caps); err != nil {
		return fmt.Errorf("service %q: %w", u.Name, err)
	}
	for _, pattern := range u.Devices {
		if err := checkDevice(pattern, overrides(u.Caps)); err != nil {
			return fmt.Errorf("service %q: device %q %w", u.Name, pattern, err)
		}
	}
	for _, name := range slices.Concat([]string{u.Path}, u.Read, u.Write) {
		if !filepath.IsAbs(name) {
			return fmt.Errorf("service %q: path %q is not absolute", u.Name, name)
		}
	}
	return nil
}

// notifyDir is where the notify sockets are, below the directory of sockets. It is root's: in its own directory a
// service could swap the socket for a link while PID 1 changes its owner.
const notifyDir = ".notify"

// Close removes the sockets. Nothing may run any more.
func (p *Process) Close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for name, f := range p.sockets {
		_ = f.Close()
		_ = os.Remove(ipc.SocketPath(p.cfg.RunDir, name))
	}
	clear(p.sockets)
}

// Memory implements [Runner].
func (p *Process) Memory(name string) int64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.groups[name].Memory()
}

// Listen makes the sockets of all units, so that clients can connect before the services run.
func (p *Process) Listen() error {
	for name, u := range p.units {
		if !u.Socket {
			continue
		}
		if _, err := p.socket(name); err != nil {
			return err
		}
	}
	return nil
}

// socket returns the service's listening socket. It outlives the service's runs: whoever connects while it is being
// restarted waits in the backlog. Anyone may connect; the service checks who did.
func (p *Process) socket(name string) (*os.File, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if f := p.sockets[name]; f != nil {
		return f, nil
	}
	at := ipc.SocketPath(p.cfg.RunDir, name)
	if err := os.Remove(at); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("socket: %w", err)
	}
	ln, err := net.ListenUnix("unix", &net.UnixAddr{Name: at, Net: "unix"})
	if err != nil {
		return nil, fmt.Errorf("socket: %w", err)
	}
	ln.SetUnlinkOnClose(false)
	f, err := ln.File()
	if err := errors.Join(err, ln.Close(), os.Chmod(at, 0o666)); err != nil {
		return nil, fmt.Errorf("socket: %w", err)
	}
	p.sockets[name] = f
	return f, nil
}

// Run implements [Runner].
func (p *Process) Run(ctx context.Context, spec service.Spec, run Report) (err error) {
	u, ok := p.units[spec.Name]
	if !ok {
		return fmt.Errorf("no such unit: %w", service.ErrFinal)
	}
	proc, err := p.prepare(u)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, proc.release()) }()
	if err := proc.start(); err != nil {
		return err
	}
	run.Started(proc.pid)
	var wg sync.WaitGroup
	defer wg.Wait()
	wg.Go(func() { _, _ = io.Copy(run.Log, proc.output) }) // ends when the last writer is gone
	if proc.notify != nil {
		wg.Go(func() { proc.notify.receive(run) })
	} else {
		run.Ready()
	}
	status := proc.wait(ctx, orDefault(p.cfg.Grace, stopGrace))
	err = proc.killRest()
	if proc.notify != nil {
		proc.notify.finish()
	}
	if err != nil {
		_ = proc.output.Close() // whoever outlives SIGKILL may hold the pipe: do not wait for it
	}
	return errors.Join(ended(status), err)
}

// ended turns an exit status into what the supervisor wants to know.
func ended(status syscall.WaitStatus) error {
	switch {
	case status.Signaled():
		return &SignalError{status.Signal()}
	case status.ExitStatus() == 0:
		return nil
	case status.ExitStatus() == FinalExit || status.ExitStatus() == GokrazyExit:
		return fmt.Errorf("exit code %d: %w", status.ExitStatus(), service.ErrFinal)
	}
	return fmt.Errorf("exit code %d", status.ExitStatus())
}

// prepare makes everything that the process needs around it.
func (p *Process) prepare(u service.Unit) (proc *process, err error) {
	account := p.account[u.Name]
	proc = &process{reaper: p.cfg.Reaper, argv: p.cfg.Shim}
	state, own := filepath.Join(p.cfg.StateDir, u.Name), filepath.Join(p.cfg.RunDir, u.Name)
	if err := ownDir(state, 0o700, account); err != nil {
		return nil, fmt.Errorf("state directory: %w", err)
	}
	if err := ownDir(own, 0o755, account); err != nil {
		return nil, fmt.Errorf("run directory: %w", err)
	}
	if u.Socket {
		if proc.socket, err = p.socket(u.Name); err != nil {
			return nil, err
		}
	}
	if proc.group, err = p.group(u); err != nil {
		return nil, err
	}
	box := sandbox.Spec{
		Path: u.Path, Args: append([]string{u.Path}, u.Args...), Dir: state,
		UID: account.UID, GID: account.GID, Groups: account.Groups, Caps: u.Caps,
		Read: append(slices.Clip(u.Read), p.cfg.RunDir), Write: append([]string{state, own}, u.Write...), Device: deviceRoots("/dev", u.Devices, Handed(u)),
		NoFile: files, Listen: u.Socket,
	}
	if p.cfg.MediaGID != 0 && p.readsMedia(u) && !slices.Contains(box.Groups, p.cfg.MediaGID) {
		box.Groups = append(slices.Clip(box.Groups), p.cfg.MediaGID)
	}
	env := p.environ(u, state)
	if u.Notify {
		at := filepath.Join(p.cfg.RunDir, notifyDir, u.Name)
		if proc.notify, err = listenNotify(at, account.UID); err != nil {
			return nil, err
		}
		env = append(env, "NOTIFY_SOCKET="+at)
	}
	proc.env, err = box.Environ(env)
	return proc, err
}

// group returns the service's cgroup, nil where there are none.
func (p *Process) group(u service.Unit) (*Cgroup, error) {
	if p.cfg.Cgroups == nil {
		return nil, nil
	}
	group, err := p.cfg.Cgroups.Child(u.Name, u.Memory)
	if err != nil {
		return nil, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.groups[u.Name] = group
	return group, nil
}

func (p *Process) readsMedia(u service.Unit) bool {
	for _, name := range slices.Concat(u.Read, u.Write) {
		if p.cfg.Media != "" && (name == p.cfg.Media || strings.HasPrefix(name, p.cfg.Media+"/")) {
			return true
		}
	}
	return false
}

// environ is the program's environment: the names are the contract with manofwar's own services.
func (p *Process) environ(u service.Unit, state string) []string {
	env := []string{
		"PATH=/bin:/sbin:/usr/bin:/usr/sbin",
		"HOME=" + state,
		"TMPDIR=" + filepath.Join(p.cfg.RunDir, u.Name),
		"MANOFWAR_NAME=" + u.Name,
		"STATE_DIRECTORY=" + state,
		"RUNTIME_DIRECTORY=" + p.cfg.RunDir,
	}
	names, uids := p.callers(u.Callers)
	env = append(env, "MANOFWAR_CALLERS="+strings.Join(names, ","), "MANOFWAR_CALLER_UIDS="+strings.Join(uids, ","))
	if u.Memory > 0 {
		env = append(env, "GOMEMLIMIT="+strconv.FormatInt(u.Memory/5*4, 10))
	}
	return merge(env, u.Env)
}

// merge adds variables to env, in place of those of the same name: which of two a program sees differs by language.
func merge(env, more []string) []string {
	for _, v := range more {
		name, _, _ := strings.Cut(v, "=")
		env = slices.DeleteFunc(env, func(old string) bool { return strings.HasPrefix(old, name+"=") })
		env = append(env, v)
	}
	return env
}

// callers returns the names of those callers that there are, and their users.
func (p *Process) callers(list []string) (names, uids []string) {
	for _, name := range list {
		if account, ok := p.account[name]; ok {
			names = append(names, name)
			uids = append(uids, strconv.Itoa(account.UID))
		}
	}
	return names, uids
}
