package fat

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
)

// node is a directory or a file of the volume to be.
type node struct {
	path     string
	name     string
	short    shortName
	file     *File   // nil: a directory
	children []*node // sorted by name
	first    uint32  // cluster; 0: an empty file, or FAT16's root
	clusters uint32
}

// run is a file's or directory's clusters, always consecutive.
type run struct{ first, count uint32 }

// newTree sorts the files into directories and names every entry.
func newTree(files []File) (*node, error) {
	root := &node{path: "."}
	dirs := map[string]*node{".": root}
	sorted := slices.Clone(files)
	slices.SortFunc(sorted, func(a, b File) int { return strings.Compare(a.Path, b.Path) })
	for i := range sorted {
		f := &sorted[i]
		switch {
		case !fs.ValidPath(f.Path) || f.Path == ".":
			return nil, &PathError{Path: f.Path, Err: errors.New("not a path below the root")}
		case f.Size < 0 || f.Size > maxFileSize:
			return nil, &PathError{Path: f.Path, Err: fmt.Errorf("%d bytes, a FAT file has at most %d", f.Size, int64(maxFileSize))}
		}
		parent, err := mkdir(dirs, path.Dir(f.Path))
		if err != nil {
			return nil, err
		}
		parent.children = append(parent.children, &node{path: f.Path, name: path.Base(f.Path), file: f})
	}
	return root, root.assignNames()
}

// mkdir returns the directory at p, made with its parents if it is new.
func mkdir(dirs map[string]*node, p string) (*node, error) {
	if d, ok := dirs[p]; ok {
		return d, nil
	}
	parent, err := mkdir(dirs, path.Dir(p))
	if err != nil {
		return nil, err
	}
	d := &node{path: p, name: path.Base(p)}
	parent.children = append(parent.children, d)
	dirs[p] = d
	return d, nil
}

// assignNames checks the names of d's children, sorts them, and gives them their short names; then so for theirs.
func (d *node) assignNames() error {
	slices.SortFunc(d.children, func(a, b *node) int { return strings.Compare(a.name, b.name) })
	names := make([]string, len(d.children))
	seen := make(map[string]string, len(d.children))
	for i, c := range d.children {
		if err := checkName(c.name); err != nil {
			return &PathError{Path: c.path, Err: err}
		}
		if other, ok := seen[fold(c.name)]; ok {
			return &PathError{Path: c.path, Err: fmt.Errorf("is the same name to FAT as %s", other)}
		}
		names[i], seen[fold(c.name)] = c.name, c.path
	}
	short, err := assignShortNames(names)
	if err != nil {
		return err
	}
	for i, c := range d.children {
		c.short = short[i]
		if c.file == nil {
			if err := c.assignNames(); err != nil {
				return err
			}
		}
	}
	return nil
}

// entries returns how many directory entries d takes: its label or dots, and its children with their long names.
func (d *node) entries() int64 {
	n := int64(2)
	if d.path == "." {
		n = 1
	}
	for _, c := range d.children {
		n += int64(len(longEntries(c.name, c.short))/entrySize) + 1
	}
	return n
}

// allocate gives every directory, then every file, consecutive clusters, and returns them in order. The error wraps
// [ErrFull] or is a [*PathError].
func (d *node) allocate(g *geometry) ([]run, error) {
	var runs []run
	next, free := uint32(2), int64(g.clusters)
	take := func(n *node, bytes int64) error {
		count := (bytes + g.clusterSize() - 1) / g.clusterSize()
		if count > free {
			return fmt.Errorf("%w: %s needs %d bytes, %d are free", ErrFull, n.path, bytes, free*g.clusterSize())
		}
		if count > 0 {
			n.first, n.clusters = next, uint32(count)
			runs = append(runs, run{next, uint32(count)})
			next, free = next+uint32(count), free-count
		}
		return nil
	}
	err := d.walk(func(n *node) error {
		if n.file != nil {
			return nil
		}
		size := n.entries() * entrySize
		switch {
		case size > maxDirSize:
			return &PathError{Path: n.path, Err: errors.New("more entries than a directory can have")}
		case n == d && g.bits == 16 && size > g.root*g.sector:
			return &PathError{Path: n.path, Err: fmt.Errorf("more than the %d entries that FAT16's root has", rootEntries)}
		case n == d && g.bits == 16:
			return nil
		}
		return take(n, size)
	})
	if err != nil {
		return nil, err
	}
	err = d.walk(func(n *node) error {
		if n.file == nil {
			return nil
		}
		return take(n, n.file.Size)
	})
	return runs, err
}

// walk visits d and everything below it, parents first, in the order of names.
func (d *node) walk(visit func(*node) error) error {
	if err := visit(d); err != nil {
		return err
	}
	for _, c := range d.children {
		if err := c.walk(visit); err != nil {
			return err
		}
	}
	return nil
}
