package tags

import (
	"encoding/binary"
	"io"
)

// readAhead is how much is read at a time: most headers are smaller, and a disk is asked for no less than a page.
const readAhead = 4 << 10

// maxRead bounds one piece that is looked at as a whole: the largest text, the largest set of headers.
const maxRead = 256 << 10

// window reads a file through one small buffer, so that walking its headers costs few system calls and few bytes.
type window struct {
	r    io.ReaderAt
	size int64
	off  int64  // where buf is in the file
	buf  []byte // what has been read
	mem  [readAhead]byte

	reads int // how many there have been
}

// maxReads bounds how often one file is read from, so that none takes long.
const maxReads = 2000

// at returns the n bytes at off, which stay valid until the next call. It is [io.ErrUnexpectedEOF] where the file does
// not have them.
func (w *window) at(off int64, n int) ([]byte, error) {
	if n < 0 || n > maxRead || off < 0 || off > w.size-int64(n) {
		return nil, io.ErrUnexpectedEOF
	}
	if off < w.off || off+int64(n) > w.off+int64(len(w.buf)) {
		if err := w.fill(off, n); err != nil {
			return nil, err
		}
	}
	i := int(off - w.off)
	return w.buf[i : i+n : i+n], nil
}

// fill reads what holds the n bytes at off: one page of the file if that does, because a disk delivers whole pages.
func (w *window) fill(off int64, n int) error {
	if w.reads++; w.reads > maxReads {
		return corrupt("its headers never end")
	}
	start := off &^ (readAhead - 1)
	if off+int64(n) > start+readAhead {
		start = off
	}
	skip := int(off - start)
	want := min(int64(max(skip+n, readAhead)), w.size-start)
	buf := w.mem[:]
	if want > readAhead {
		buf = make([]byte, want)
	}
	got, err := w.r.ReadAt(buf[:want], start)
	w.off, w.buf = start, buf[:got]
	if got >= skip+n {
		return nil
	}
	if err == nil || err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}

// source is a run of bytes that is read from front to back.
type source interface {
	next(n int) ([]byte, error) // the next n bytes, valid until the next call
	skip(n int64) error
}

// cursor is a [source] that lies in the file in one piece.
type cursor struct {
	w        *window
	pos, end int64
}

func (c *cursor) left() int64 { return c.end - c.pos }

func (c *cursor) next(n int) ([]byte, error) {
	if n < 0 || int64(n) > c.left() {
		return nil, io.ErrUnexpectedEOF
	}
	b, err := c.w.at(c.pos, n)
	if err == nil {
		c.pos += int64(n)
	}
	return b, err
}

func (c *cursor) skip(n int64) error {
	if n < 0 || n > c.left() {
		return io.ErrUnexpectedEOF
	}
	c.pos += n
	return nil
}

func be16(b []byte) int   { return int(binary.BigEndian.Uint16(b)) }
func be24(b []byte) int   { return int(b[0])<<16 | int(b[1])<<8 | int(b[2]) }
func be32(b []byte) int64 { return int64(binary.BigEndian.Uint32(b)) }
func le16(b []byte) int   { return int(binary.LittleEndian.Uint16(b)) }
func le32(b []byte) int64 { return int64(binary.LittleEndian.Uint32(b)) }
