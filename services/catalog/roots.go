package catalog

import (
	"context"
	"fmt"
	"iter"
	"os"
	"path/filepath"
	"time"

	"manofwar/internal/media"
	"manofwar/services/catalog/index"
)

// Disks tells which media disks there are.
type Disks interface {
	// Watch yields all mounted disks now, and all of them anew whenever that changes, until ctx ends. An error ends
	// the sequence; it is begun again after a moment.
	Watch(ctx context.Context) iter.Seq2[[]Disk, error]
}

// Disk is a mounted media disk.
type Disk struct {
	ID    string // stable: the file system's UUID where it has one
	Label string // for a person
	Path  string // where it is mounted
}

// diskRetry is how long to wait before the disks are asked for again.
const diskRetry = 2 * time.Second

// watchDisks keeps the libraries that are disks in step with what is plugged in.
func (s *Service) watchDisks(ctx context.Context) {
	for s.options.Disks != nil && ctx.Err() == nil {
		for disks, err := range s.options.Disks.Watch(ctx) {
			if err != nil {
				s.log.Warn("disks unknown", "err", err)
				break
			}
			s.setDisks(disks)
		}
		select {
		case <-ctx.Done():
		case <-time.After(diskRetry):
		}
	}
}

// setDisks makes the given disks the ones that are there.
func (s *Service) setDisks(disks []Disk) {
	here := map[media.ID]bool{}
	for _, d := range disks {
		r := media.Root{ID: index.MakeID("disk", d.ID), Name: d.Label, Path: d.Path, Disk: d.ID}
		here[r.ID] = true
		if old, ok := s.index.Root(r.ID); ok && !old.Away && old.Name == r.Name && old.Path == r.Path {
			continue
		}
		s.index.SetRoot(r)
		s.scans.add(r.ID)
	}
	for _, r := range s.index.Roots() {
		if r.Disk != "" && !r.Away && !here[r.ID] {
			s.setAway(r.ID, "")
		}
	}
}

// addDisks has all disks that are there scanned.
func (s *Service) addDisks() {
	for _, r := range s.index.Roots() {
		if r.Disk != "" && !r.Away {
			s.scans.add(r.ID)
		}
	}
}

// setAway marks a library as not there, and ends a scan of it.
func (s *Service) setAway(id media.ID, why string) {
	s.index.UpdateRoot(id, func(r *media.Root) { r.Away, r.Error = true, why })
	s.scans.remove(id)
}

// adoptDirs looks whether the folders are there and has those that are scanned. Folders that the index remembers but
// that are no longer among the options are not listed.
func (s *Service) adoptDirs() {
	wanted := map[media.ID]bool{}
	for _, dir := range s.options.Dirs {
		r, why := s.look(dir)
		s.adopt(r, why)
		wanted[r.ID] = true
	}
	for _, r := range s.index.Roots() {
		if r.Disk == "" && !wanted[r.ID] {
			s.index.Drop(r.ID)
		}
	}
}

// noticeDirs is [Service.adoptDirs] for the folders that have gone or come back, without looking into the others.
func (s *Service) noticeDirs() {
	for _, dir := range s.options.Dirs {
		if r, why := s.look(dir); r.Away != (why != "") {
			s.adopt(r, why)
		}
	}
}

// look returns what is known of a folder, and why it cannot be scanned now; empty: it can.
func (s *Service) look(dir string) (r media.Root, why string) {
	id := index.MakeID("folder", dir)
	r, known := s.index.Root(id)
	if !known {
		r = media.Root{ID: id, Name: filepath.Base(dir), Path: dir}
		s.index.SetRoot(r)
	}
	return r, missing(dir, r.Items > 0)
}

// adopt makes a folder one that is there, and has it scanned, or one that is away.
func (s *Service) adopt(r media.Root, why string) {
	if why != "" {
		s.setAway(r.ID, why)
		return
	}
	if r.Away {
		s.index.UpdateRoot(r.ID, func(r *media.Root) { r.Away, r.Error = false, "" })
	}
	s.scans.add(r.ID)
}

// missing says why a folder cannot be scanned, in words for a person; empty: it can. A folder that had items and is empty now is
// taken for a disk or share that is not mounted, lest all of its items be forgotten.
func missing(dir string, hadItems bool) string {
	f, err := os.Open(dir)
	if err != nil {
		return problemOf(err)
	}
	defer f.Close()
	info, err := f.Stat()
	switch {
	case err != nil:
		return problemOf(err)
	case !info.IsDir():
		return fmt.Sprintf("%s is not a folder", dir)
	}
	if _, err := f.Readdirnames(1); err != nil && hadItems {
		return "the folder is empty: if its disk or share is not mounted, mount it"
	}
	return ""
}
