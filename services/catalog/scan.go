package catalog

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"manofwar/internal/media"
	"manofwar/services/catalog/tags"
)

// badName is the problem of files that no JSON text can name.
const badName = "its name is not in UTF-8: rename it to play it"

// maxDepth bounds how deep folders are in each other, below what the system calls can take.
const maxDepth = 64

// dirBatch is how many names of a folder are read at a time, so that a huge one does not fill the memory.
const dirBatch = 512

// job is one file that has to be read.
type job struct {
	path  string // slash-separated, below the root
	info  fs.FileInfo
	cover *media.Range // the picture in its folder
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
	r, ok := c.s.index.Root(c.root.ID)
	if !ok || r.Away {
		return
	}
	removed := 0
	if err == nil {
		removed = c.s.index.Sweep(r.ID, c.pass, c.isKept)
	}
	r.Error = ""
	switch {
	case err != nil:
		r.Error = problemOf(err)
	case len(c.kept) > 0:
		r.Error = fmt.Sprintf("%d folders could not be read, such as %s", len(c.kept), strings.ToValidUTF8(c.kept[0], "\uFFFD"))
	}
	if old, ok := c.s.index.Root(r.ID); ok && old.Error != r.Error {
		c.s.index.SetRoot(r)
	}
	p := c.s.scans.progress()
	c.s.log.Info("scan done", "root", r.Path, "files", p.Found, "read", p.Done-c.s.scans.unchangedCount(), "removed", removed, "took", took, "err", err)
}

// isKept reports whether a path is in a folder that could not be read.
func (c *scan) isKept(p string) bool {
	return slices.ContainsFunc(c.kept, func(dir string) bool { return strings.HasPrefix(p, dir) })
}

// walkRoot walks the library. An error means that it is not, or no longer, there as a whole.
func (c *scan) walkRoot(ctx context.Context) error {
	before, err := os.Stat(c.root.Path)
	if err != nil {
		return err
	}
	if err := c.walk(ctx, "", nil); err != nil {
		return err
	}
	after, err := os.Stat(c.root.Path)
	if err != nil {
		return err
	}
	if !os.SameFile(before, after) { // it has been unmounted: this is the folder underneath
		return errGone
	}
	if why := missing(c.root.Path, c.items() > 0); why != "" {
		return errGone
	}
	return nil
}

// errGone means that a library disappeared while it was scanned.
var errGone = errors.New("it was disconnected during the scan")

func (c *scan) items() int {
	r, _ := c.s.index.Root(c.root.ID)
	return r.Items
}

// walk goes through the folder dir, which ends with a slash unless it is the root, and what is in it. Links to folders
// are followed unless they lead to one of the folders above.
func (c *scan) walk(ctx context.Context, dir string, above []fs.FileInfo) error {
	abs := filepath.Join(c.root.Path, filepath.FromSlash(dir))
	f, err := os.Open(abs)
	if err != nil {
		return c.keep(dir, err)
	}
	defer f.Close()
	here, err := f.Stat()
	if err != nil {
		return c.keep(dir, err)
	}
	if len(above) > maxDepth || slices.ContainsFunc(above, func(up fs.FileInfo) bool { return os.SameFile(up, here) }) {
		return nil
	}
	folder, err := c.list(ctx, f, dir)
	if err != nil {
		return c.keep(dir, err)
	}
	for _, j := range folder.files {
		j.cover = folder.cover
		select {
		case c.jobs <- j:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	f.Close() // not held while the folders below are walked: they may be many
	for _, sub := range folder.dirs {
		if err := c.walk(ctx, dir+sub+"/", append(slices.Clip(above), here)); err != nil {
			return err
		}
	}
	return ctx.Err()
}

// keep notes that a folder cannot be read. Only without the library's own folder there is no scan at all.
func (c *scan) keep(dir string, err error) error {
	if dir == "" || errors.Is(err, context.Canceled) {
		return err
	}
	if !errors.Is(err, fs.ErrNotExist) {
		c.kept = append(c.kept, dir)
	}
	return nil
}

// folder is what a scan needs of one folder.
type folder struct {
	files []job // those that have changed
	dirs  []string
	cover *media.Range
}

// list reads a folder. One that holds a file .nomedia is passed over, as Android's do.
func (c *scan) list(ctx context.Context, f *os.File, dir string) (out folder, err error) {
	covers := map[string]fs.FileInfo{}
	for {
		entries, err := f.ReadDir(dirBatch)
		for _, e := range entries {
			switch name := e.Name(); {
			case name == ".nomedia":
				return folder{}, nil
			case strings.HasPrefix(name, ".") || skipped[name]:
			default:
				c.entry(f.Name(), dir, e, &out, covers)
			}
		}
		if err == io.EOF {
			break
		}
		if err != nil {
			return out, err
		}
		if ctx.Err() != nil {
			return out, ctx.Err()
		}
	}
	out.cover = pickCover(dir, covers)
	return out, nil
}

// skipped are folders that systems keep on every disk.
var skipped = map[string]bool{"$RECYCLE.BIN": true, "System Volume Information": true, "lost+found": true, "@eaDir": true, "#recycle": true}

// entry sorts one name of a folder.
func (c *scan) entry(abs, dir string, e fs.DirEntry, out *folder, covers map[string]fs.FileInfo) {
	name := e.Name()
	_, listed := tags.KindOf(name)
	picture := coverRank(name) >= 0
	if e.IsDir() {
		out.dirs = append(out.dirs, name)
		return
	}
	link := e.Type()&fs.ModeSymlink != 0
	if !listed && !picture && !link {
		return
	}
	info, err := e.Info()
	if link {
		info, err = os.Stat(filepath.Join(abs, name))
	}
	switch {
	case err != nil: // gone, or a link to nothing
	case info.IsDir():
		out.dirs = append(out.dirs, name)
	case !info.Mode().IsRegular():
	case picture:
		covers[name] = info
	case listed:
		changed := !c.s.index.Seen(c.root.ID, dir+name, info.Size(), info.ModTime(), c.pass)
		c.s.scans.found(changed)
		if changed {
			out.files = append(out.files, job{path: dir + name, info: info})
		}
	}
}

// coverNames are the names of a picture that stands for its folder, best first.
var coverNames = []string{"cover", "folder", "front", "album", "albumart"}

func coverRank(name string) int {
	name = strings.ToLower(name)
	ext := path.Ext(name)
	if ext != ".jpg" && ext != ".jpeg" && ext != ".png" && ext != ".webp" {
		return -1
	}
	return slices.Index(coverNames, strings.TrimSuffix(name, ext))
}

func pickCover(dir string, covers map[string]fs.FileInfo) *media.Range {
	best, rank := "", len(coverNames)
	for name := range covers {
		if r := coverRank(name); r < rank || r == rank && name < best {
			best, rank = name, r
		}
	}
	if best == "" || covers[best].Size() == 0 {
		return nil
	}
	types := map[string]string{".jpg": "image/jpeg", ".jpeg": "image/jpeg", ".png": "image/png", ".webp": "image/webp"}
	return &media.Range{Path: dir + best, Length: covers[best].Size(), Type: types[strings.ToLower(path.Ext(best))]}
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

// read makes an item of a file. It is not ok where the file, or the disk, has gone.
func (c *scan) read(j job) (media.Item, bool) {
	it := media.Item{Root: c.root.ID, Path: j.path, Size: j.info.Size(), Modified: j.info.ModTime(), Added: time.Now()}
	it.Kind, _ = tags.KindOf(j.path)
	it.Cover = j.cover
	if !utf8.ValidString(j.path) {
		it.Problem = badName
		return it, true
	}
	facts, err := c.facts(j)
	if errors.Is(err, fs.ErrNotExist) || isGone(err) {
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

func (c *scan) facts(j job) (facts tags.Facts, err error) {
	facts.Kind, _ = tags.KindOf(j.path)
	f, err := os.Open(filepath.Join(c.root.Path, filepath.FromSlash(j.path)))
	if err != nil {
		return facts, err
	}
	defer f.Close()
	adviseRandom(f)
	return tags.Read(f, j.info.Size(), path.Base(j.path))
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
