package catalog

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"manofwar/internal/media"
	"manofwar/services/catalog/index"
	"manofwar/services/catalog/tags"
)

// badName is the problem of files that no JSON text can name.
const badName = "its name is not in UTF-8: rename it to play it"

// job is one file that has to be read.
type job struct {
	path  string // slash-separated, below the root
	stamp index.Stamp
}

// scan is one pass over a library.
type scan struct {
	s    *Service
	root media.Root
	pass uint32
	jobs chan job
	kept []string // folders that could not be read: what is known of them stays
}

// scanLoop scans the libraries that ask for it, one after the other.
func (s *Service) scanLoop(ctx context.Context) {
	for {
		id, rootCtx, done := s.scans.next(ctx)
		if ctx.Err() != nil {
			return
		}
		if r, ok := s.index.Root(id); ok && !r.Away {
			s.scanRoot(rootCtx, r)
			s.index.Refresh() // the outcome is told together with what was found
		}
		done()
	}
}

// scanRoot looks through one library.
func (s *Service) scanRoot(ctx context.Context, r media.Root) {
	began := time.Now()
	c := &scan{s: s, root: r, pass: s.scans.begin(r.Name), jobs: make(chan job, 64)}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var readers sync.WaitGroup
	for range max(2, min(4, runtime.GOMAXPROCS(0))) {
		readers.Go(func() { c.readAll(ctx) })
	}
	err := c.walkRoot(ctx)
	close(c.jobs)
	readers.Wait()
	if ctx.Err() != nil {
		s.log.Info("scan cancelled", "root", r.Path)
		return
	}
	c.finish(err, time.Since(began))
}

// finish forgets what is gone, if the whole library could be seen, and notes the outcome.
func (c *scan) finish(err error, took time.Duration) {
	removed, problem := 0, ""
	switch {
	case err != nil:
		problem = problemOf(err)
		why := missing(c.root.Path, c.items() > 0)
		if why != "" && c.root.Disk == "" { // of a disk PID 1 tells
			c.s.setAway(c.root.ID, why)
		}
	case len(c.kept) > 0:
		problem = fmt.Sprintf("%d folders could not be read, such as %s", len(c.kept), strings.ToValidUTF8(c.kept[0], "\uFFFD"))
		fallthrough
	default:
		removed = c.s.index.Sweep(c.root.ID, c.pass, c.isKept)
	}
	c.s.index.UpdateRoot(c.root.ID, func(r *media.Root) {
		if !r.Away {
			r.Error = problem
		}
	})
	files, read := c.s.scans.counts()
	c.s.log.Info("scan done", "root", c.root.Path, "files", files, "read", read, "removed", removed, "took", took, "err", err)
}

// isKept reports whether a path is in a folder that could not be read.
func (c *scan) isKept(p string) bool {
	return slices.ContainsFunc(c.kept, func(dir string) bool { return strings.HasPrefix(p, dir) })
}

// readAll reads files until there are no more.
func (c *scan) readAll(ctx context.Context) {
	for j := range c.jobs {
		if ctx.Err() != nil {
			continue // drain
		}
		if it, ok := c.read(j); ok {
			c.s.index.Put(it, c.pass)
		}
		c.s.scans.read()
	}
}

// read makes an item of a file. It is not ok where the file or the disk has gone, or is no media after all.
func (c *scan) read(j job) (media.Item, bool) {
	it := media.Item{Root: c.root.ID, Path: j.path, Size: j.stamp.Size, Modified: j.stamp.Modified, Added: time.Now(), Cover: j.stamp.Cover}
	it.Kind, _ = tags.KindOf(j.path)
	if !utf8.ValidString(j.path) {
		it.Problem = badName
		return it, true
	}
	facts, err := c.facts(j)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, tags.ErrNotMedia) || isGone(err) {
		return it, false
	}
	it.Kind, it.Container, it.Duration = facts.Kind, facts.Container, media.Duration(facts.Duration)
	it.Streams, it.Tags = facts.Streams, facts.Tags
	if facts.Cover != nil {
		it.Cover = facts.Cover
	}
	if err != nil {
		it.Problem = problemOf(err)
	}
	return it, true
}

// facts reads one file. A fault in the reading of one must not end the reading of all: it is this file's problem.
func (c *scan) facts(j job) (facts tags.Facts, err error) {
	facts.Kind, _ = tags.KindOf(j.path)
	defer func() {
		if p := recover(); p != nil {
			c.s.log.Error("reading a file failed in an unforeseen way", "path", j.path, "panic", p, "stack", string(debug.Stack()))
			err = fmt.Errorf("%w: it cannot be understood", media.ErrCorrupt)
		}
	}()
	f, err := os.Open(filepath.Join(c.root.Path, filepath.FromSlash(j.path)))
	if err != nil {
		return facts, err
	}
	defer f.Close()
	adviseRandom(f)
	return tags.Read(f, j.stamp.Size, path.Base(j.path))
}

// problemOf says what an error means in words for a person, without the path, which stands beside it.
func problemOf(err error) string {
	var on *fs.PathError
	switch {
	case errors.Is(err, fs.ErrPermission):
		return "it may not be read: check its permissions"
	case errors.Is(err, fs.ErrNotExist):
		return "it is not there"
	case errors.As(err, &on):
		return "the disk gave an error: " + on.Err.Error()
	}
	return err.Error()
}
