package fat

import (
	"encoding/binary"
	"io/fs"
	"path"
	"strings"
	"unicode/utf16"
)

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
