package fat

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// Attributes of directory entries.
const (
	attrLabel = 0x08
	attrDir   = 0x10
	attrFile  = 0x20 // "archive": not yet backed up
	attrLong  = 0x0f
)

// volumeWriter puts the parts of a volume where the geometry says.
type volumeWriter struct {
	w      io.WriterAt
	g      geometry
	format Format
	stamp  stamp
	buf    []byte
}

// block is the unit in which zeros are looked for.
const block = 4096

// write writes p at off, leaving out whole zero blocks if the target is fresh.
func (v *volumeWriter) write(p []byte, off int64) error {
	for len(p) > 0 {
		n := len(p)
		if v.format.Fresh {
			n = min(n, block-int(off%block))
			if allZero(p[:n]) {
				p, off = p[n:], off+int64(n)
				continue
			}
			for n < len(p) && !allZero(p[n:min(n+block, len(p))]) {
				n = min(n+block, len(p))
			}
		}
		if _, err := v.w.WriteAt(p[:n], off); err != nil {
			return err
		}
		p, off = p[n:], off+int64(n)
	}
	return nil
}

func allZero(p []byte) bool {
	for len(p) >= 8 {
		if binary.LittleEndian.Uint64(p) != 0 {
			return false
		}
		p = p[8:]
	}
	for _, b := range p {
		if b != 0 {
			return false
		}
	}
	return true
}

// zero clears n bytes at off, unless they are clear.
func (v *volumeWriter) zero(off, n int64) error {
	if v.format.Fresh {
		return nil
	}
	zeros := make([]byte, 64<<10)
	for n > 0 {
		m := min(n, int64(len(zeros)))
		if _, err := v.w.WriteAt(zeros[:m], off); err != nil {
			return err
		}
		off, n = off+m, n-m
	}
	return nil
}

// files copies every file's content into its clusters.
func (v *volumeWriter) files(root *node) error {
	v.buf = make([]byte, 1<<20)
	return root.walk(func(n *node) error {
		if n.file == nil || n.file.Size == 0 {
			return nil
		}
		if err := v.copy(n); err != nil {
			return &PathError{Path: n.path, Err: err}
		}
		return nil
	})
}

func (v *volumeWriter) copy(n *node) error {
	r, err := n.file.Open()
	if err != nil {
		return err
	}
	defer r.Close()
	off, left := v.g.offset(n.first), n.file.Size
	for left > 0 {
		m := int(min(left, int64(len(v.buf))))
		if _, err := io.ReadFull(r, v.buf[:m]); err != nil {
			if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
				return fmt.Errorf("shorter than the %d bytes announced", n.file.Size)
			}
			return err
		}
		if err := v.write(v.buf[:m], off); err != nil {
			return err
		}
		off, left = off+int64(m), left-int64(m)
	}
	if extra, _ := r.Read(v.buf[:1]); extra > 0 {
		return fmt.Errorf("longer than the %d bytes announced", n.file.Size)
	}
	end := v.g.offset(n.first) + int64(n.clusters)*v.g.clusterSize()
	return v.zero(off, end-off)
}

// directories writes d and the directories below it.
func (v *volumeWriter) directories(d, parent *node) error {
	var b bytes.Buffer
	if parent == nil {
		l, err := label(v.format.Label)
		if err != nil {
			return err
		}
		if v.format.Label != "" {
			b.Write(v.entry(shortName(l), attrLabel, 0, 0))
		}
	} else {
		b.Write(v.entry(pad(".", ""), attrDir, d.first, 0))
		up := parent.first
		if parent.path == "." {
			up = 0 // the spec wants 0 for the root, wherever FAT32 has it
		}
		b.Write(v.entry(pad("..", ""), attrDir, up, 0))
	}
	for _, c := range d.children {
		b.Write(longEntries(c.name, c.short))
		if c.file == nil {
			b.Write(v.entry(c.short, attrDir, c.first, 0))
		} else {
			b.Write(v.entry(c.short, attrFile, c.first, uint32(c.file.Size)))
		}
	}
	off, size := (v.g.dataStart()-v.g.root)*v.g.sector, v.g.root*v.g.sector
	if d.clusters > 0 {
		off, size = v.g.offset(d.first), int64(d.clusters)*v.g.clusterSize()
	}
	b.Write(make([]byte, size-int64(b.Len())))
	if err := v.write(b.Bytes(), off); err != nil {
		return err
	}
	for _, c := range d.children {
		if c.file == nil {
			if err := v.directories(c, d); err != nil {
				return err
			}
		}
	}
	return nil
}

// entry returns a short directory entry.
func (v *volumeWriter) entry(name shortName, attr byte, first, size uint32) []byte {
	e := make([]byte, entrySize)
	copy(e, name[:])
	e[11] = attr
	le := binary.LittleEndian
	le.PutUint16(e[14:], v.stamp.time) // created
	le.PutUint16(e[16:], v.stamp.date)
	le.PutUint16(e[18:], v.stamp.date) // read
	le.PutUint16(e[20:], uint16(first>>16))
	le.PutUint16(e[22:], v.stamp.time) // written
	le.PutUint16(e[24:], v.stamp.date)
	le.PutUint16(e[26:], uint16(first))
	le.PutUint32(e[28:], size)
	return e
}

// tables writes every copy of the allocation table, whole.
func (v *volumeWriter) tables(runs []run) error {
	for c := range v.g.copies {
		if err := v.table(runs, (v.g.reserved+c*v.g.table)*v.g.sector); err != nil {
			return err
		}
	}
	return nil
}

func (v *volumeWriter) table(runs []run, off int64) error {
	const end, media = 0x0fffffff, 0x0ffffff8
	size := v.g.table * v.g.sector
	var b []byte
	flush := func(all bool) error {
		if len(b) < 64<<10 && !all {
			return nil
		}
		err := v.write(b, off)
		off, size, b = off+int64(len(b)), size-int64(len(b)), b[:0]
		return err
	}
	put := func(x uint32) {
		if v.g.bits == 16 {
			b = binary.LittleEndian.AppendUint16(b, uint16(x))
		} else {
			b = binary.LittleEndian.AppendUint32(b, x)
		}
	}
	put(media)
	put(end)
	for _, r := range runs { // they follow each other without gaps from cluster 2
		for i := range r.count - 1 {
			put(r.first + i + 1)
			if err := flush(false); err != nil {
				return err
			}
		}
		put(end)
	}
	if err := flush(true); err != nil {
		return err
	}
	return v.zero(off, size)
}

// bootSectors writes FAT32's FSInfo and its backup, then the boot sector, its backup first.
func (v *volumeWriter) bootSectors(runs []run) error {
	const backup = 6
	boot, err := v.bootSector(backup)
	if err != nil {
		return err
	}
	if v.g.bits == 32 {
		info := v.infoSector(runs)
		for _, at := range []int64{backup + v.g.infoSector, v.g.infoSector} {
			if err := v.write(info, at*v.g.sector); err != nil {
				return err
			}
		}
		if err := v.write(boot, backup*v.g.sector); err != nil {
			return err
		}
	}
	return v.write(boot, 0)
}

// bootSector returns the BIOS parameter block with all that is around it: the spec's tables of fields by offset.
func (v *volumeWriter) bootSector(backup uint16) ([]byte, error) {
	b, le, g := make([]byte, sectorSize), binary.LittleEndian, v.g
	copy(b[3:], "MANOFWAR") // OEM name
	le.PutUint16(b[11:], uint16(g.sector))
	b[13] = byte(g.perCluster)
	le.PutUint16(b[14:], uint16(g.reserved))
	b[16] = byte(g.copies)
	b[21] = 0xf8              // a fixed disk
	le.PutUint16(b[24:], 63)  // sectors per track and heads: what everyone writes who has none
	le.PutUint16(b[26:], 255) //
	le.PutUint32(b[28:], uint32(v.format.Start/sectorSize))
	if g.bits == 16 && g.total < 1<<16 {
		le.PutUint16(b[19:], uint16(g.total))
	} else {
		le.PutUint32(b[32:], uint32(g.total))
	}
	extended := 36
	if g.bits == 16 {
		le.PutUint16(b[17:], rootEntries)
		le.PutUint16(b[22:], uint16(g.table))
	} else {
		le.PutUint32(b[36:], uint32(g.table))
		le.PutUint32(b[44:], g.rootCluster)
		le.PutUint16(b[48:], uint16(g.infoSector))
		le.PutUint16(b[50:], backup)
		extended = 64
	}
	name := v.format.Label
	if name == "" {
		name = "NO NAME"
	}
	l, err := label(name)
	if err != nil {
		return nil, err
	}
	b[extended] = 0x80   // the drive's number
	b[extended+2] = 0x29 // the next three fields are there
	le.PutUint32(b[extended+3:], v.format.Serial)
	copy(b[extended+7:], l[:])
	copy(b[extended+18:], fmt.Sprintf("FAT%-5d", g.bits))
	// Whoever starts from this volume by its boot code halts: jmp over the fields, then cli; hlt; jmp back.
	code := extended + 26
	copy(b, []byte{0xeb, byte(code - 2), 0x90})
	copy(b[code:], []byte{0xfa, 0xf4, 0xeb, 0xfd})
	b[510], b[511] = 0x55, 0xaa
	return b, nil
}

// infoSector returns FSInfo: the number of free clusters and where to look for one.
func (v *volumeWriter) infoSector(runs []run) []byte {
	used := uint32(0)
	for _, r := range runs {
		used += r.count
	}
	b, le := make([]byte, sectorSize), binary.LittleEndian
	le.PutUint32(b[0:], 0x41615252)
	le.PutUint32(b[484:], 0x61417272)
	le.PutUint32(b[488:], v.g.clusters-used)
	next := used + 2
	if used == v.g.clusters {
		next = 0xffffffff // none: unknown
	}
	le.PutUint32(b[492:], next)
	le.PutUint32(b[508:], 0xaa550000)
	return b
}
