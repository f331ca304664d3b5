//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/user"
	"strconv"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"manofwar/init/api"
	"manofwar/init/boot"
	"manofwar/init/disks"
	"manofwar/init/supervise"
	"manofwar/internal/atomicfile"
	"manofwar/internal/ipc"
	"manofwar/internal/service"
)

// readUnits reads services.json. A unit that cannot be run is left out and noted: the others are no worse for it.
func (s *system) readUnits() error {
	var all []service.Unit
	if err := atomicfile.ReadJSON(service.UnitsPath, &all); err != nil {
		return err
	}
	for _, u := range all {
		if err := supervise.CheckUnit(u, account); err != nil {
			s.fault(err)
			continue
		}
		s.units = append(s.units, u)
	}
	return nil
}

// makeSupervisor makes the supervisor of the units, and the sockets that they answer on.
func (s *system) makeSupervisor() error {
	process, err := supervise.NewProcess(supervise.ProcessConfig{
		Units: s.units, Accounts: account, Reaper: s.reaper, Shim: []string{"/init", "exec"}, Cgroups: s.cgroups,
		StateDir: dataDir, RunDir: runDir, Media: mediaDir, MediaGID: mediaGroup(),
	})
	if err != nil {
		return err
	}
	if err := process.Listen(); err != nil {
		return err
	}
	specs := make([]service.Spec, len(s.units))
	unready := make(map[string]bool)
	for i, u := range s.units {
		specs[i], unready[u.Name] = u.Spec, true
	}
	super, err := supervise.New(supervise.Config{
		Specs: specs, Runner: process, Log: s.log, Change: s.changed, Patience: s.patience(),
	})
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.process, s.super, s.unready = process, super, unready
	return nil
}

// prefetch has the kernel read the services' programs while /data is being checked: they are the first thing needed
// afterwards, and all services share one.
func prefetch(units []service.Unit) {
	seen := make(map[string]bool)
	for _, u := range units {
		if seen[u.Path] {
			continue
		}
		seen[u.Path] = true
		f, err := os.Open(u.Path)
		if err != nil {
			continue // its start says so
		}
		_ = unix.Fadvise(int(f.Fd()), 0, 0, unix.FADV_WILLNEED)
		_ = f.Close()
	}
}

// patience is how long a core service may be unwell before the watchdog is let go: the supervisor's default, or what
// the command line says, such as manofwar.patience=5s.
func (s *system) patience() time.Duration {
	d, err := time.ParseDuration(s.cmdline["manofwar.patience"])
	if err != nil {
		return 0
	}
	return d
}

// serve starts everything that runs until ctx ends: services, disks, devices, and the verbs.
func (s *system) serve(ctx context.Context, work *sync.WaitGroup) {
	var gid int
	if s.process != nil {
		gid = mediaGroup()
		work.Go(func() {
			s.super.Run(ctx)
			s.process.Close()
		})
	}
	manager := disks.NewManager(disks.Config{
		Dir: mediaDir, GID: gid, Ignore: []string{s.boot.Disk}, Serials: []string{s.board.NVRAM}, Log: s.log,
		Changed: func(all []api.Disk) { s.publish(api.EventDisks, all) },
	})
	work.Go(func() { s.followDisks(ctx, manager) })
	work.Go(func() { s.followDevices(ctx, s.nodeRules()) })
	s.control.Machine, s.control.Services = machine{s, manager}, services{s.super}
	work.Go(func() {
		env := service.Env{
			Name: api.Name, RunDir: runDir, Log: s.log, Callers: s.callers(),
			Ready: func() { s.console.markNow("ready.init_s") }, Healthy: func(error) {},
		}
		if err := s.listenControl(ctx, env); err != nil {
			s.fault(err)
		}
	})
}

// listenControl makes init.sock, to which everyone may connect: each verb checks who did.
func (s *system) listenControl(ctx context.Context, env service.Env) error {
	ln, err := net.Listen("unix", ipc.SocketPath(runDir, api.Name))
	if err != nil {
		return err
	}
	if err := os.Chmod(ipc.SocketPath(runDir, api.Name), 0o666); err != nil {
		return errors.Join(err, ln.Close())
	}
	env.Listener = newLimited(ln)
	return s.control.Run(ctx, env)
}

// services is a supervisor that may be missing, where services.json is unreadable.
type services struct{ super *supervise.Supervisor }

func (s services) Status() []api.Service {
	if s.super == nil {
		return []api.Service{}
	}
	return s.super.Status()
}

func (s services) Log(name string) *supervise.Ring {
	if s.super == nil {
		return nil
	}
	return s.super.Log(name)
}

// callers are all services, by their users: the table of verbs says who may do what.
func (s *system) callers() map[int]string {
	all := make(map[int]string)
	for _, u := range s.units {
		if a, err := account(u.Account()); err == nil {
			all[a.UID] = u.Name
		}
	}
	return all
}

// nodeRules are the device nodes that services named.
func (s *system) nodeRules() (rules []boot.NodeRule) {
	for _, u := range s.units {
		a, err := account(u.Account())
		if err != nil {
			continue // readUnits said so
		}
		for _, pattern := range u.Devices {
			rules = append(rules, boot.NodeRule{Pattern: pattern, UID: a.UID, Handed: supervise.Handed(u)})
		}
	}
	return rules
}

func (s *system) publish(kind string, v any) {
	if err := s.control.Events.Publish(kind, v); err != nil {
		s.log.Warn("news not published", "kind", kind, "err", err)
	}
}

// account looks a user up in the root's /etc/passwd and /etc/group.
func account(name string) (supervise.Account, error) {
	u, err := user.Lookup(name)
	if err != nil {
		return supervise.Account{}, err
	}
	groups, err := u.GroupIds()
	if err != nil {
		return supervise.Account{}, err
	}
	var a supervise.Account
	var errs [2]error
	a.UID, errs[0] = strconv.Atoi(u.Uid)
	a.GID, errs[1] = strconv.Atoi(u.Gid)
	for _, g := range groups {
		if id, err := strconv.Atoi(g); err == nil && id != a.GID {
			a.Groups = append(a.Groups, id)
		}
	}
	return a, errors.Join(errs[:]...)
}

// mediaGroup is the group that may read media disks; 0 where the root has none.
func mediaGroup() int {
	g, err := user.LookupGroup("media")
	if err != nil {
		return 0
	}
	id, err := strconv.Atoi(g.Gid)
	if err != nil {
		return 0
	}
	return id
}

// changed marks the milestones of readiness, and passes the news on.
func (s *system) changed(now api.Service) {
	s.publish(api.EventService, now)
	if !now.Ready {
		return
	}
	s.mu.Lock()
	first := s.unready[now.Name]
	delete(s.unready, now.Name)
	all := len(s.unready) == 0
	s.mu.Unlock()
	if !first {
		return
	}
	s.console.markNow(fmt.Sprintf("ready.%s_s", now.Name))
	if all {
		s.console.markNow("ready.all_s")
	}
}

// healthy is what the watchdog depends on.
func (s *system) healthy() error {
	s.mu.Lock()
	super, lame := s.super, s.lame
	s.mu.Unlock()
	if lame != nil || super == nil { // neither while it is still starting: what hangs there has limits of its own
		return lame
	}
	return super.Healthy()
}

// resetRecord names the file that keeps the watchdog's resets.
func (s *system) resetRecord() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.rescue.Rescue != "" {
		return ""
	}
	return dataDir + "/init/resets.json"
}
