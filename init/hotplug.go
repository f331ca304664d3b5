//go:build linux

package main

import (
	"context"
	"errors"
	"io/fs"
	"path/filepath"
	"sync"

	"manofwar/init/boot"
	"manofwar/init/disks"
	"manofwar/internal/uevent"
)

// followDisks passes the kernel's word about block devices to the disk manager, until ctx ends and all are unmounted.
func (s *system) followDisks(ctx context.Context, manager *disks.Manager) {
	uevents, err := uevent.Open()
	if err != nil {
		s.fault(err)
		return
	}
	defer uevents.Close()
	events := make(chan disks.Event)
	var wg sync.WaitGroup
	defer wg.Wait()
	wg.Go(func() { manager.Run(events) })
	defer close(events)
	for {
		ev, err := uevents.Next(ctx)
		switch {
		case errors.Is(err, uevent.ErrMissed):
			ev = uevent.Event{Subsystem: "block"}
		case ctx.Err() != nil:
			return
		case err != nil:
			s.fault(err)
			return
		}
		if ev.Subsystem != "block" {
			continue
		}
		select {
		case events <- diskEvent(ev):
		case <-ctx.Done():
			return
		}
	}
}

// diskEvent is the manager's view of a message. One without a path stands for those that were missed.
func diskEvent(ev uevent.Event) disks.Event {
	if ev.Path == "" {
		return disks.Event{}
	}
	return disks.Event{Name: filepath.Base(ev.Path), Remove: ev.Action == "remove"}
}

// followDevices loads the modules of devices as they come, and lets the services have the nodes that their rows name.
func (s *system) followDevices(ctx context.Context, rules []boot.NodeRule) {
	uevents, err := uevent.Open() // before looking at what is there
	if err != nil {
		s.fault(err)
		return
	}
	defer uevents.Close()
	modules, err := boot.OpenModules("/")
	if err != nil {
		s.fault(err)
		return
	}
	for _, name := range s.board.Modules.Boot {
		s.fault(modules.Load(name))
	}
	look := func() {
		s.fault(boot.GrantAll("/dev", rules))
		if modules.Any() { // a walk through thousands of files, on a slow machine just when the services start
			s.fault(boot.Coldplug("/sys/devices", s.loader(modules)))
		}
	}
	look()
	for {
		ev, err := uevents.Next(ctx)
		switch {
		case errors.Is(err, uevent.ErrMissed):
			look()
			continue
		case ctx.Err() != nil:
			return
		case err != nil:
			s.fault(err)
			return
		}
		if ev.Action == "remove" {
			if err := boot.Withdraw(ev.Name, rules); err != nil {
				s.log.Warn("device not taken back", "device", ev.Name, "err", err)
			}
			continue
		}
		if ev.Modalias != "" {
			s.loader(modules)(ev.Modalias)
		}
		if ev.Name != "" {
			if err := boot.Grant("/dev", ev.Name, rules); err != nil && !errors.Is(err, fs.ErrNotExist) {
				s.log.Warn("device not handed on", "device", ev.Name, "err", err)
			}
		}
	}
}

// loader loads the modules that claim an alias. Most devices need none: their drivers are built in.
func (s *system) loader(modules *boot.Modules) func(alias string) {
	return func(alias string) {
		if err := modules.Load(alias); err != nil && !errors.Is(err, fs.ErrNotExist) {
			s.log.Warn("driver not loaded", "alias", alias, "err", err)
		}
	}
}
