package catalog

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"manofwar/internal/media"
	"manofwar/services/catalog/index"
	"manofwar/services/catalog/tags"
)

// maxDepth bounds how deep folders are in each other.
const maxDepth = 64

// dirBatch is how many names of a folder are read at a time.
const dirBatch = 512

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
	subdirs, here, err := c.folder(ctx, dir, above)
	if err != nil {
		return c.keep(dir, err)
	}
	for _, sub := range subdirs {
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

// folder hands the files of one folder that have changed to the readers, and returns the folders in it.
func (c *scan) folder(ctx context.Context, dir string, above []fs.FileInfo) (subdirs []string, here fs.FileInfo, err error) {
	f, err := os.Open(filepath.Join(c.root.Path, filepath.FromSlash(dir)))
	if err != nil {
		return nil, nil, err
	}
	defer f.Close()
	if here, err = f.Stat(); err != nil {
		return nil, nil, err
	}
	if len(above) > maxDepth || slices.ContainsFunc(above, func(up fs.FileInfo) bool { return os.SameFile(up, here) }) {
		return nil, here, nil
	}
	l := listing{dir: f.Name(), links: c.root.Disk == ""}
	if err := l.read(ctx, f); err != nil || l.hidden {
		return nil, here, err
	}
	for _, file := range l.files {
		stamp := index.Stamp{Size: file.Size(), Modified: file.ModTime(), Cover: l.cover(dir, file)}
		changed := !c.s.index.Seen(c.root.ID, dir+file.name, stamp, c.pass)
		c.s.scans.found(changed)
		if !changed {
			continue
		}
		select {
		case c.jobs <- job{dir + file.name, stamp}:
		case <-ctx.Done():
			return nil, here, ctx.Err()
		}
	}
	return l.subdirs, here, nil
}

// listing is what a scan needs to know of one folder.
type listing struct {
	dir      string
	links    bool // are followed. Those on disks are not: they could lead out of it
	hidden   bool // it holds a file .nomedia, as on Android
	files    []listed
	subdirs  []string
	pictures map[string]listed // by name in lower case, without the ending
}

// maxPictures bounds how many pictures of a folder are kept in mind: it may be one of photographs.
const maxPictures = 1000

// listed is one file that the library lists.
type listed struct {
	fs.FileInfo
	name string // of a link: not what it leads to
	kind media.Kind
}

func (l *listing) read(ctx context.Context, f *os.File) error {
	for {
		entries, err := f.ReadDir(dirBatch)
		for _, e := range entries {
			l.add(e)
		}
		switch {
		case err == io.EOF:
			return nil
		case err != nil:
			return err
		case ctx.Err() != nil:
			return ctx.Err()
		}
	}
}

// skipped are folders that systems keep on every disk.
var skipped = map[string]bool{"$RECYCLE.BIN": true, "System Volume Information": true, "lost+found": true, "@eaDir": true, "#recycle": true}

// add sorts one name of the folder.
func (l *listing) add(e fs.DirEntry) {
	name := e.Name()
	l.hidden = l.hidden || name == ".nomedia"
	if strings.HasPrefix(name, ".") || skipped[name] {
		return
	}
	kind, playable := tags.KindOf(name)
	picture := pictureTypes[ending(name)] != "" && len(l.pictures) < maxPictures
	link := e.Type()&fs.ModeSymlink != 0
	if !e.IsDir() && !playable && !picture && !link || link && !l.links {
		return
	}
	info, err := e.Info()
	if link {
		info, err = follow(filepath.Join(l.dir, name))
	}
	switch {
	case err != nil: // gone, or a link to nothing or to what is no media
	case info.IsDir():
		l.subdirs = append(l.subdirs, name)
	case !info.Mode().IsRegular():
	case playable:
		l.files = append(l.files, listed{info, name, kind})
	case picture && info.Size() > 0:
		if l.pictures == nil {
			l.pictures = map[string]listed{}
		}
		base := stem(name)
		if other, ok := l.pictures[base]; !ok || name < other.name {
			l.pictures[base] = listed{info, name, kind}
		}
	}
}

// follow returns what a link leads to. A file has to be named as media there too: whoever may put a link into a library
// must not have any file of this computer shown.
func follow(link string) (fs.FileInfo, error) {
	path, err := filepath.EvalSymlinks(link)
	if err != nil {
		return nil, err
	}
	info, err := os.Stat(path)
	if _, playable := tags.KindOf(path); err == nil && !info.IsDir() && !playable && pictureTypes[ending(path)] == "" {
		err = &fs.PathError{Op: "follow", Path: link, Err: fs.ErrNotExist}
	}
	return info, err
}

// pictureTypes are the media types of pictures by the ending of their name.
var pictureTypes = map[string]string{".jpg": "image/jpeg", ".jpeg": "image/jpeg", ".png": "image/png", ".webp": "image/webp"}

// coverNames are the names of a picture that stands for its folder, best first.
var coverNames = []string{"cover", "folder", "front", "poster", "album", "albumart", "movie"}

func ending(name string) string { return strings.ToLower(path.Ext(name)) }

// stem is a name in lower case without its ending.
func stem(name string) string { return strings.ToLower(strings.TrimSuffix(name, path.Ext(name))) }

// cover is the picture for one file of the folder dir: one that has its name, else the one that stands for the folder.
// Several films do not share that.
func (l *listing) cover(dir string, file listed) *media.Range {
	if len(l.pictures) == 0 {
		return nil
	}
	own := stem(file.name)
	names := []string{own, own + "-poster"}
	if file.kind == media.Music || len(l.files) == 1 {
		names = append(names, coverNames...)
	}
	for _, name := range names {
		if p, ok := l.pictures[name]; ok {
			return &media.Range{Path: dir + p.name, Length: p.Size(), Type: pictureTypes[ending(p.name)]}
		}
	}
	return nil
}
