package main

import (
	"context"
	"errors"
	"fmt"
	"os/user"
	"strconv"

	"manofwar/init/api"
	"manofwar/init/supervise"
	"manofwar/internal/atomicfile"
	"manofwar/internal/service"
)

// supervise runs the services until ctx ends and all have stopped.
func (s *system) supervise(ctx context.Context) {
	if err := s.startServices(); err != nil {
		s.fault(err)
		<-ctx.Done()
		return
	}
	s.super.Run(ctx)
	s.process.Close()
}

// startServices reads services.json and makes the supervisor of it.
func (s *system) startServices() error {
	if err := atomicfile.ReadJSON(service.UnitsPath, &s.units); err != nil {
		return err
	}
	process, err := supervise.NewProcess(supervise.ProcessConfig{
		Units: s.units, Accounts: account, Reaper: s.reaper, Shim: []string{"/init", "exec"}, Cgroups: s.cgroups,
		StateDir: dataDir, RunDir: runDir, Media: mediaDir, MediaGID: mediaGroup(), Log: s.log,
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
	super, err := supervise.New(supervise.Config{Specs: specs, Runner: process, Log: s.log, Change: s.changed})
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.process, s.super, s.unready = process, super, unready
	return nil
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
	super := s.super
	s.mu.Unlock()
	if super == nil {
		return nil // still starting; what hangs there has limits of its own
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
