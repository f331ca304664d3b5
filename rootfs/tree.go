package rootfs

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"
)

// Tree is a file system in memory: what [Build] fills and [WriteSquashFS] and [WriteInitramfs] write. It holds names
// and where contents come from, not the contents. The zero value is empty and usable.
type Tree struct {
	entries map[string]Entry
}

// Entry is one file of a tree.
type Entry struct {
	Path    string      // as in [io/fs]: slash-separated, relative to the root; "." is the root itself
	Mode    fs.FileMode // type and permissions
	UID     uint32
	GID     uint32
	Content Content // of a regular file
	Link    string  // target of a symbolic link
	Major   uint32  // of a device node
	Minor   uint32
	Origin  string // where it comes from, for messages and licences; empty: this package's table
}

// Content is what a regular file holds, read when the tree is written.
type Content struct {
	Size int64 // in bytes; Open's reader must give exactly as many
	Open func() (io.ReadCloser, error)
}

// Bytes is a content in memory.
func Bytes(b []byte) Content {
	return Content{Size: int64(len(b)), Open: func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(b)), nil }}
}

// File is the content of a file of this machine. Its error is an [*fs.PathError] or says that it is no regular file.
func File(name string) (Content, error) {
	info, err := os.Stat(name)
	if err != nil {
		return Content{}, err
	}
	if !info.Mode().IsRegular() {
		return Content{}, fmt.Errorf("%s: not a regular file", name)
	}
	return Content{Size: info.Size(), Open: func() (io.ReadCloser, error) { return os.Open(name) }}, nil
}

// FSFile is the content of a file in fsys. Its errors are those of [File].
func FSFile(fsys fs.FS, name string) (Content, error) {
	info, err := fs.Stat(fsys, name)
	if err != nil {
		return Content{}, err
	}
	if !info.Mode().IsRegular() {
		return Content{}, fmt.Errorf("%s: not a regular file", name)
	}
	return Content{Size: info.Size(), Open: func() (io.ReadCloser, error) { return fsys.Open(name) }}, nil
}

// ErrConflict marks an entry that the tree cannot hold because of another entry.
var ErrConflict = errors.New("the image already has this path")

// Add puts entries into the tree, and the directories above them where they are missing. A directory may be given
// again, and the last one's mode and owner count. Any other path given twice is an [ErrConflict] naming both origins.
func (t *Tree) Add(entries ...Entry) error {
	for _, e := range entries {
		if err := t.add(e); err != nil {
			return fmt.Errorf("add /%s: %w", e.Path, err)
		}
	}
	return nil
}

func (t *Tree) add(e Entry) error {
	if err := e.check(); err != nil {
		return err
	}
	if t.entries == nil {
		t.entries = map[string]Entry{".": {Path: ".", Mode: fs.ModeDir | 0o755}}
	}
	if old, ok := t.entries[e.Path]; ok && !(old.Mode.IsDir() && e.Mode.IsDir()) {
		return fmt.Errorf("%w (from %s; now again from %s)", ErrConflict, origin(old), origin(e))
	}
	for dir := path.Dir(e.Path); dir != "."; dir = path.Dir(dir) {
		above, ok := t.entries[dir]
		if !ok {
			t.entries[dir] = Entry{Path: dir, Mode: fs.ModeDir | 0o755, Origin: e.Origin}
		} else if !above.Mode.IsDir() {
			return fmt.Errorf("%w: /%s is no directory (from %s)", ErrConflict, dir, origin(above))
		}
	}
	t.entries[e.Path] = e
	return nil
}

func (e Entry) check() error {
	if !fs.ValidPath(e.Path) {
		return fmt.Errorf("%q is not a path inside the root; write it as in %q", e.Path, "etc/hosts")
	}
	switch e.Mode.Type() {
	case 0:
		if e.Content.Open == nil || e.Content.Size < 0 {
			return errors.New("a regular file needs a content")
		}
	case fs.ModeSymlink:
		if e.Link == "" || len(e.Link) > 4095 {
			return fmt.Errorf("a symbolic link needs a target of 1 to 4095 bytes, not %d", len(e.Link))
		}
	case fs.ModeDir, fs.ModeDevice, fs.ModeDevice | fs.ModeCharDevice:
	default:
		return fmt.Errorf("%s: neither file, directory, link nor device", e.Mode)
	}
	if e.Path == "." && !e.Mode.IsDir() {
		return errors.New("the root is a directory")
	}
	return nil
}

func origin(e Entry) string {
	if e.Origin == "" {
		return "the base system"
	}
	return e.Origin
}

// AddFS adds everything in fsys below the directory at. Owners become root; modes 0755 for directories and what its
// owner may execute, 0644 for the rest: a build machine's umask does not reach the image. Symbolic links stay links.
func (t *Tree) AddFS(at string, fsys fs.FS, origin string) error {
	err := fs.WalkDir(fsys, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		e := Entry{Path: path.Join(at, name), Mode: d.Type(), Origin: origin}
		switch d.Type() {
		case fs.ModeDir:
			e.Mode |= 0o755
		case fs.ModeSymlink:
			e.Mode |= 0o777
			if e.Link, err = fs.ReadLink(fsys, name); err != nil {
				return err
			}
		case 0:
			info, err := d.Info()
			if err != nil {
				return err
			}
			e.Mode = 0o644 | info.Mode()&0o100 | info.Mode()&0o100>>3 | info.Mode()&0o100>>6
			if e.Content, err = FSFile(fsys, name); err != nil {
				return err
			}
		}
		return t.add(e)
	})
	if err != nil {
		return fmt.Errorf("add /%s from %s: %w", at, origin, err)
	}
	return nil
}

// Get returns the entry at a path.
func (t *Tree) Get(name string) (Entry, bool) {
	e, ok := t.entries[name]
	return e, ok
}

// Entries returns all entries, the root first, each directory before what is in it, names in byte order.
func (t *Tree) Entries() []Entry {
	list := make([]Entry, 0, len(t.entries))
	for _, e := range t.entries {
		list = append(list, e)
	}
	// A slash sorts before every other byte, so that a directory's contents follow it at once.
	key := func(e Entry) string {
		if e.Path == "." {
			return ""
		}
		return strings.ReplaceAll(e.Path, "/", "\x00")
	}
	slices.SortFunc(list, func(a, b Entry) int { return cmp.Compare(key(a), key(b)) })
	return list
}

// Size is the sum of the contents' sizes, in bytes.
func (t *Tree) Size() (sum int64) {
	for _, e := range t.entries {
		if e.Mode.IsRegular() {
			sum += e.Content.Size
		}
	}
	return sum
}

// List writes one line per entry: mode, owner, group, size, path, and a link's target or a device's numbers.
func (t *Tree) List(w io.Writer) error {
	for _, e := range t.Entries() {
		name, more := e.Path, ""
		if name == "." {
			name = ""
		}
		switch e.Mode.Type() {
		case fs.ModeSymlink:
			more = " -> " + e.Link
		case fs.ModeDevice, fs.ModeDevice | fs.ModeCharDevice:
			more = fmt.Sprintf(" %d:%d", e.Major, e.Minor)
		}
		if _, err := fmt.Fprintf(w, "%s %d %d %d /%s%s\n", e.Mode, e.UID, e.GID, e.Content.Size, name, more); err != nil {
			return err
		}
	}
	return nil
}

// copyContent writes a content to w and holds it to its size: a file that changed while the image was written would
// otherwise leave an image that contradicts itself.
func copyContent(w io.Writer, e Entry) (err error) {
	r, err := e.Content.Open()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	n, err := io.Copy(w, io.LimitReader(r, e.Content.Size+1))
	if err != nil {
		return err
	}
	if n != e.Content.Size {
		return fmt.Errorf("its size is no longer %d bytes: it changed while the image was written", e.Content.Size)
	}
	return nil
}
