// Package catalog is the library: it finds the media in folders and on disks, reads what the files say of themselves,
// and answers what there is and where.
//
// Libraries ([media.Root]) are the folders of [Options] and the disks that come and go ([Disks]). Each is scanned when
// it appears and when a client asks; folders also every so often, disks not, so that they can sleep. A scan reads only
// what has changed. What is on a library that is away stays listed as such.
//
// The items are in package index, the reading of files in package tags. The service's words and its client are in
// package api. Not here: streams and pictures (services/stream), what plays where (services/cast).
package catalog

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"runtime/debug"
	"slices"
	"sync"
	"time"

	"manofwar/internal/ipc"
	"manofwar/internal/service"
	"manofwar/services/catalog/api"
	"manofwar/services/catalog/index"
)

// Options say where the media is.
type Options struct {
	Dirs   []string      // folders, each a library
	Disks  Disks         // media disks; nil: there are none
	Rescan time.Duration // how often folders are scanned again; 0: every 15 minutes
	Look   time.Duration // how often it is looked whether folders are there; 0: every 10 seconds
}

// What holds when Options do not say.
const (
	defaultRescan = 15 * time.Minute
	defaultLook   = 10 * time.Second
)

// The service's beats.
const (
	newsEvery  = time.Second     // listeners are told of progress and changes this often at the most
	flushEvery = 5 * time.Second // changes are written to the memory card this often at the most
)

// refreshShare is how many times as long as it took the sorting of what a scan has found is left alone.
const refreshShare = 15

// Service is the catalog.
type Service struct {
	options Options
	log     *slog.Logger
	index   *index.Index
	events  ipc.Events
	scans   *scans
}

// New returns the service. [Service.Run] starts it.
func New(o Options) *Service {
	o.Dirs = slices.Clone(o.Dirs)
	if o.Rescan <= 0 {
		o.Rescan = defaultRescan
	}
	if o.Look <= 0 {
		o.Look = defaultLook
	}
	return &Service{options: o}
}

// Run implements [service.Service]. It answers as soon as the index is loaded; scans run beside that.
func (s *Service) Run(ctx context.Context, env service.Env) error {
	for i, dir := range s.options.Dirs {
		abs, err := filepath.Abs(dir)
		if err != nil {
			return fmt.Errorf("%w: folder %q: %w", service.ErrFinal, dir, err)
		}
		s.options.Dirs[i] = abs
	}
	s.log = env.Log
	s.index = index.Open(env.StateDir, env.Log)
	s.scans = newScans()

	ctx, cancel := context.WithCancel(ctx)
	var running sync.WaitGroup
	running.Go(func() { s.scanLoop(ctx) })
	running.Go(func() { s.watchDisks(ctx) })
	running.Go(func() { s.rescanLoop(ctx) })
	running.Go(func() { s.newsLoop(ctx, env.Healthy) })
	running.Go(func() { s.flushLoop(ctx) })
	err := ipc.Serve(ctx, env, s.handler())
	cancel()
	running.Wait()
	s.index.Close()
	return err
}

// newsLoop tells listeners what has changed, at most once a beat, and the supervisor how the index is.
func (s *Service) newsLoop(ctx context.Context, healthy func(error)) {
	tick := time.NewTicker(newsEvery)
	defer tick.Stop()
	var last api.Status
	var next time.Time // of a refresh while a scan runs
	healthy(nil)
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		case <-s.scans.ended: // tell the outcome at once
		}
		if now := time.Now(); now.After(next) || !s.scans.running() {
			s.index.Refresh()
			next = time.Now().Add(refreshShare * time.Since(now))
		}
		revision := s.index.View().Revision
		now := s.status()
		if now.Trouble != last.Trouble {
			healthy(asError(now.Trouble))
		}
		if !sameStatus(now, last) {
			s.publish("status", now)
		}
		if revision != last.Revision {
			s.publish("changed", api.Changed{Revision: revision})
		}
		last = now
	}
}

func asError(trouble string) error {
	if trouble == "" {
		return nil
	}
	return errors.New(trouble)
}

func (s *Service) publish(kind string, v any) {
	if err := s.events.Publish(kind, v); err != nil {
		s.log.Error("event not sent", "kind", kind, "err", err)
	}
}

// flushLoop writes changes to the file, and tries again where that could not be done. When there is no more to do it gives
// back the memory that scanning and writing took: the next scan may be days away.
func (s *Service) flushLoop(ctx context.Context) {
	tick := time.NewTicker(flushEvery)
	defer tick.Stop()
	worked := true
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		switch {
		case s.index.Pending() || s.index.Trouble() != "":
			s.index.Flush()
			worked = true
		case !s.scans.idle():
			worked = true
		case worked:
			debug.FreeOSMemory()
			worked = false
		}
	}
}

// rescanLoop scans the folders at first, when they come back, every so often, and with the disks when it is asked to. It
// is a goroutine of its own because looking at a folder on a share that does not answer takes long.
func (s *Service) rescanLoop(ctx context.Context) {
	tick := time.NewTicker(s.options.Rescan)
	defer tick.Stop()
	look := time.NewTicker(s.options.Look)
	defer look.Stop()
	s.adoptDirs()
	for {
		select {
		case <-ctx.Done():
			return
		case <-look.C:
			s.noticeDirs()
			continue
		case <-tick.C:
		case <-s.scans.asked:
			s.addDisks()
		}
		s.adoptDirs()
	}
}
