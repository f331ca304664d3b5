package fat

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"strings"
	"unicode/utf16"
)

// ErrFormat is wrapped by every error that says a volume is not FAT16 or FAT32, or is damaged.
var ErrFormat = errors.New("not a sound FAT volume")

// Volume is a FAT16 or FAT32 volume to read from. It is an [fs.FS], whose names match whatever their case, as FAT has
// it. It may be used by several goroutines at once.
//
// Memory is bounded whatever the bytes say: a directory is at most 2 MiB, and a chain is no longer than the volume.
type Volume struct {
	r io.ReaderAt
	g geometry
}

// Extent is a piece of a volume, in bytes from its start.
type Extent struct{ Offset, Size int64 }

// Open reads the boot sector of the volume at r's offset 0, of which size bytes are there. The error wraps [ErrFormat]
// or is r's.
func Open(r io.ReaderAt, size int64) (*Volume, error) {
	b := make([]byte, sectorSize)
	if _, err := r.ReadAt(b, 0); err != nil {
		if errors.Is(err, io.EOF) {
			return nil, fmt.Errorf("%w: shorter than a sector", ErrFormat)
		}
		return nil, err
	}
	g, err := parseBoot(b)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrFormat, err)
	}
	if g.total*g.sector > size {
		return nil, fmt.Errorf("%w: %d bytes by its boot sector, %d are there", ErrFormat, g.total*g.sector, size)
	}
	return &Volume{r: r, g: g}, nil
}

// parseBoot reads the BIOS parameter block. The number of clusters decides between FAT16 and FAT32, as the spec insists.
func parseBoot(b []byte) (geometry, error) {
	le := binary.LittleEndian
	g := geometry{
		sector:     int64(le.Uint16(b[11:])),
		perCluster: int64(b[13]),
		reserved:   int64(le.Uint16(b[14:])),
		copies:     int64(b[16]),
		total:      int64(le.Uint16(b[19:])),
		table:      int64(le.Uint16(b[22:])),
	}
	if b[510] != 0x55 || b[511] != 0xaa {
		return g, errors.New("the boot sector does not end in 55 aa")
	}
	if g.total == 0 {
		g.total = int64(le.Uint32(b[32:]))
	}
	if g.table == 0 {
		g.table = int64(le.Uint32(b[36:]))
	}
	switch {
	case g.sector != 512 && g.sector != 1024 && g.sector != 2048 && g.sector != 4096:
		return g, fmt.Errorf("sectors of %d bytes", g.sector)
	case g.perCluster == 0 || g.perCluster&(g.perCluster-1) != 0:
		return g, fmt.Errorf("%d sectors per cluster", g.perCluster)
	case g.reserved == 0 || g.copies == 0 || g.table == 0:
		return g, errors.New("no room for a table")
	}
	g.root = (int64(le.Uint16(b[17:]))*entrySize + g.sector - 1) / g.sector
	if g.dataStart() >= g.total {
		return g, errors.New("no room for data")
	}
	clusters := (g.total - g.dataStart()) / g.perCluster
	switch {
	case clusters < minFAT16:
		return g, errors.New("a FAT12 volume, or too small")
	case clusters < minFAT32:
		g.bits = 16
	case clusters <= maxFAT32:
		g.bits, g.rootCluster, g.infoSector = 32, le.Uint32(b[44:]), int64(le.Uint16(b[48:]))
	default:
		return g, errors.New("more clusters than FAT32 has")
	}
	g.clusters = uint32(clusters)
	if (clusters+2)*g.entry() > g.table*g.sector {
		return g, errors.New("the table is too short for the clusters")
	}
	if g.bits == 32 && !g.valid(g.rootCluster) {
		return g, fmt.Errorf("root directory in cluster %d", g.rootCluster)
	}
	return g, nil
}

func (g *geometry) valid(cluster uint32) bool { return cluster >= 2 && cluster-2 < g.clusters }

// Extents returns where the named file lies, in order, cut to its size.
func (v *Volume) Extents(name string) ([]Extent, error) {
	e, err := v.find("extents", name)
	if err != nil {
		return nil, err
	}
	if e.dir {
		return nil, &fs.PathError{Op: "extents", Path: name, Err: errors.New("is a directory")}
	}
	x, err := v.extents(e)
	if err != nil {
		return nil, &fs.PathError{Op: "extents", Path: name, Err: err}
	}
	return x, nil
}

// Used returns every part of the volume that means something: the reserved sectors, the tables, the root directory and
// the clusters in use. The rest may hold anything.
func (v *Volume) Used() ([]Extent, error) {
	used := []Extent{{0, v.g.dataStart() * v.g.sector}}
	t := v.newTable()
	for c := uint32(2); c-2 < v.g.clusters; c++ {
		next, err := t.next(c)
		if err != nil {
			return nil, err
		}
		if next != 0 {
			used = appendExtent(used, Extent{v.g.offset(c), v.g.clusterSize()})
		}
	}
	return used, nil
}

// appendExtent adds x, joined to the last one if that ends where x starts.
func appendExtent(list []Extent, x Extent) []Extent {
	if n := len(list); n > 0 && list[n-1].Offset+list[n-1].Size == x.Offset {
		list[n-1].Size += x.Size
		return list
	}
	return append(list, x)
}

// table reads the first copy of the allocation table, a block at a time.
type table struct {
	v     *Volume
	at    int64 // of buf, in the table; -1: nothing is read
	buf   []byte
	bytes int64
}

func (v *Volume) newTable() *table {
	return &table{v: v, at: -1, buf: make([]byte, block), bytes: v.g.table * v.g.sector}
}

// next returns a valid cluster's entry: 0 is free, and everything from end on ends a chain.
func (t *table) next(cluster uint32) (uint32, error) {
	at := int64(cluster) * t.v.g.entry()
	start := at / block * block
	if start != t.at {
		n := min(block, t.bytes-start)
		if _, err := t.v.r.ReadAt(t.buf[:n], t.v.g.reserved*t.v.g.sector+start); err != nil {
			return 0, err
		}
		t.at = start
	}
	if t.v.g.bits == 16 {
		return uint32(binary.LittleEndian.Uint16(t.buf[at-start:])), nil
	}
	return binary.LittleEndian.Uint32(t.buf[at-start:]) & 0x0fffffff, nil
}

// chain returns the extents of up to limit bytes from the cluster on. exact: the chain must be that long.
func (v *Volume) chain(first uint32, limit int64, exact bool) ([]Extent, error) {
	var list []Extent
	t := v.newTable()
	for c := first; limit > 0; {
		if !v.g.valid(c) {
			if !exact && list != nil {
				break // an end mark
			}
			return nil, fmt.Errorf("%w: chain leads to cluster %d", ErrFormat, c)
		}
		n := min(limit, v.g.clusterSize())
		list = appendExtent(list, Extent{v.g.offset(c), n})
		limit -= n
		if limit == 0 {
			break
		}
		var err error
		if c, err = t.next(c); err != nil {
			return nil, err
		}
	}
	return list, nil
}

// extents returns where a file or directory lies.
func (v *Volume) extents(e *entry) ([]Extent, error) {
	switch {
	case e.dir && e.first == 0 && v.g.bits == 16:
		return []Extent{{(v.g.dataStart() - v.g.root) * v.g.sector, v.g.root * v.g.sector}}, nil
	case e.dir && e.first == 0:
		return v.chain(v.g.rootCluster, maxDirSize, false)
	case e.dir:
		return v.chain(e.first, maxDirSize, false)
	case e.size > int64(v.g.clusters)*v.g.clusterSize():
		return nil, fmt.Errorf("%w: file of %d bytes is larger than the volume", ErrFormat, e.size)
	}
	return v.chain(e.first, e.size, true)
}

// entry is a file or directory of the volume.
type entry struct {
	name  string // the long one where there is one
	short string
	dir   bool
	first uint32
	size  int64
	stamp stamp
}

// rootEntry is the root directory's.
func rootEntry() *entry { return &entry{name: ".", dir: true} }

// find walks name from the root. op is for the error, a [*fs.PathError].
func (v *Volume) find(op, name string) (*entry, error) {
	if !fs.ValidPath(name) {
		return nil, &fs.PathError{Op: op, Path: name, Err: fs.ErrInvalid}
	}
	e := rootEntry()
	if name == "." {
		return e, nil
	}
	for part := range strings.SplitSeq(name, "/") {
		if !e.dir {
			return nil, &fs.PathError{Op: op, Path: name, Err: fs.ErrNotExist}
		}
		list, err := v.list(e)
		if err != nil {
			return nil, &fs.PathError{Op: op, Path: name, Err: err}
		}
		if e = match(list, part); e == nil {
			return nil, &fs.PathError{Op: op, Path: name, Err: fs.ErrNotExist}
		}
	}
	e.name = path.Base(name)
	return e, nil
}

func match(list []*entry, name string) *entry {
	want := fold(name)
	for _, e := range list {
		if fold(e.name) == want || e.short == want {
			return e
		}
	}
	return nil
}

// list reads a directory. Entries that are damaged are left out, as are labels and the dots.
func (v *Volume) list(dir *entry) ([]*entry, error) {
	extents, err := v.extents(dir)
	if err != nil {
		return nil, err
	}
	var list []*entry
	var long longName
	var buf []byte
	for _, x := range extents {
		if int64(cap(buf)) < x.Size {
			buf = make([]byte, x.Size)
		}
		buf = buf[:x.Size]
		if _, err := v.r.ReadAt(buf, x.Offset); err != nil {
			return nil, err
		}
		for ; len(buf) >= entrySize; buf = buf[entrySize:] {
			b := buf[:entrySize]
			switch {
			case b[0] == 0:
				return list, nil
			case b[0] == 0xe5:
				long = longName{}
			case b[11]&0x3f == attrLong:
				long.add(b)
			case b[11]&attrLabel != 0 || b[0] == '.':
				long = longName{}
			default:
				list = append(list, parseEntry(b, &long))
				long = longName{}
			}
		}
	}
	return list, nil
}

// parseEntry reads a short entry and the long name in front of it.
func parseEntry(b []byte, long *longName) *entry {
	le := binary.LittleEndian
	var s shortName
	copy(s[:], b)
	if s[0] == 0x05 {
		s[0] = 0xe5 // stands for a Japanese character that would mean "deleted"
	}
	e := &entry{
		short: s.String(),
		dir:   b[11]&attrDir != 0,
		first: uint32(le.Uint16(b[20:]))<<16 | uint32(le.Uint16(b[26:])),
		size:  int64(le.Uint32(b[28:])),
		stamp: stamp{date: le.Uint16(b[24:]), time: le.Uint16(b[22:])},
	}
	if name, ok := long.name(shortName(b[:11])); ok {
		e.name = name
		return e
	}
	base, ext := strings.TrimRight(string(s[:8]), " "), strings.TrimRight(string(s[8:]), " ")
	if b[12]&0x08 != 0 { // Windows NT's flags for names that are all in lower case
		base = strings.ToLower(base)
	}
	if b[12]&0x10 != 0 {
		ext = strings.ToLower(ext)
	}
	e.name = base
	if ext != "" {
		e.name += "." + ext
	}
	return e
}

// longName collects the entries of a long name, which come last part first.
type longName struct {
	units []uint16
	next  byte // the number that the next entry must have; 0: complete
	sum   byte
	ok    bool
}

func (l *longName) add(b []byte) {
	n := b[0] &^ lastLong
	if b[0]&lastLong != 0 {
		*l = longName{next: n, sum: b[13], ok: n >= 1 && n <= (maxUnits+longUnits)/longUnits}
	}
	if !l.ok || n != l.next || b[13] != l.sum {
		*l = longName{}
		return
	}
	part := make([]uint16, 0, longUnits)
	for _, at := range longUnitAt {
		u := binary.LittleEndian.Uint16(b[at:])
		if u == 0 {
			break
		}
		part = append(part, u)
	}
	l.units, l.next = append(part, l.units...), l.next-1
}

// name returns the long name, if it is whole and belongs to the short one.
func (l *longName) name(s shortName) (string, bool) {
	if !l.ok || l.next != 0 || l.sum != s.checksum() || len(l.units) == 0 {
		return "", false
	}
	return string(utf16.Decode(l.units)), true
}
