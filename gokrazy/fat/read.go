package fat

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
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
