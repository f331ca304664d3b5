package fat

import (
	"errors"
	"io"
	"io/fs"
	"slices"
	"sort"
	"strings"
	"time"
)

// Open implements [fs.FS]. The files are [io.ReaderAt] and [io.Seeker] too.
func (v *Volume) Open(name string) (fs.File, error) {
	e, err := v.find("open", name)
	if err != nil {
		return nil, err
	}
	if e.dir {
		return &dir{v: v, e: e}, nil
	}
	x, err := v.extents(e)
	if err != nil {
		return nil, &fs.PathError{Op: "open", Path: name, Err: err}
	}
	f := &file{e: e}
	f.SectionReader = io.NewSectionReader(&extentReader{r: v.r, list: x, starts: starts(x)}, 0, e.size)
	return f, nil
}

// info is an entry as the fs package wants it.
type info struct{ e *entry }

func (i info) Name() string               { return i.e.name }
func (i info) Size() int64                { return i.e.size }
func (i info) ModTime() time.Time         { return i.e.stamp.Time() }
func (i info) IsDir() bool                { return i.e.dir }
func (i info) Sys() any                   { return nil }
func (i info) Type() fs.FileMode          { return i.Mode().Type() }
func (i info) Info() (fs.FileInfo, error) { return i, nil }
func (i info) Mode() fs.FileMode {
	if i.e.dir {
		return fs.ModeDir | 0o555
	}
	return 0o444
}

// file is an open file.
type file struct {
	*io.SectionReader
	e *entry
}

func (f *file) Stat() (fs.FileInfo, error) { return info{f.e}, nil }
func (f *file) Close() error               { return nil }

// dir is an open directory.
type dir struct {
	v    *Volume
	e    *entry
	rest []fs.DirEntry
	read bool
}

func (d *dir) Stat() (fs.FileInfo, error) { return info{d.e}, nil }
func (d *dir) Close() error               { return nil }
func (d *dir) Read([]byte) (int, error) {
	return 0, &fs.PathError{Op: "read", Path: d.e.name, Err: errors.New("is a directory")}
}

// ReadDir implements [fs.ReadDirFile]; the entries are sorted by name.
func (d *dir) ReadDir(n int) ([]fs.DirEntry, error) {
	if !d.read {
		list, err := d.v.list(d.e)
		if err != nil {
			return nil, &fs.PathError{Op: "readdir", Path: d.e.name, Err: err}
		}
		for _, e := range list {
			d.rest = append(d.rest, info{e})
		}
		slices.SortFunc(d.rest, func(a, b fs.DirEntry) int { return strings.Compare(a.Name(), b.Name()) })
		d.read = true
	}
	if n <= 0 {
		all := d.rest
		d.rest = nil
		return all, nil
	}
	if len(d.rest) == 0 {
		return nil, io.EOF
	}
	n = min(n, len(d.rest))
	part := d.rest[:n]
	d.rest = d.rest[n:]
	return part, nil
}

// extentReader reads extents as if they were one piece.
type extentReader struct {
	r      io.ReaderAt
	list   []Extent
	starts []int64 // of each extent in the whole
}

func starts(list []Extent) []int64 {
	s, at := make([]int64, len(list)), int64(0)
	for i, x := range list {
		s[i], at = at, at+x.Size
	}
	return s
}

// ReadAt implements [io.ReaderAt].
func (e *extentReader) ReadAt(p []byte, off int64) (n int, err error) {
	i := sort.Search(len(e.starts), func(i int) bool { return e.starts[i] > off }) - 1
	for ; i >= 0 && i < len(e.list) && n < len(p); i++ {
		in := off + int64(n) - e.starts[i]
		part := p[n:min(len(p), n+int(min(e.list[i].Size-in, int64(len(p)))))]
		if len(part) == 0 {
			break
		}
		m, err := e.r.ReadAt(part, e.list[i].Offset+in)
		n += m
		if m < len(part) {
			return n, err
		}
	}
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}
