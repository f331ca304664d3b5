package mp4

import (
	"encoding/binary"
	"errors"
	"io"
	"iter"

	"manofwar/internal/container"
)

// maxBoxes bounds how many boxes of one level are looked at: two hours in fragments of a tenth of a second, and a
// factor of two.
const maxBoxes = 1 << 18

// box is one box (ISO/IEC 14496-12, 4.2): its type and where its payload is.
type box struct {
	typ        string
	start, end int64 // of the payload
	cut        bool  // it goes on beyond what holds it; end is where that ends
}

func (b box) size() int64 { return b.end - b.start }

// boxes yields the boxes between two offsets. An error ends it. Trailing bytes too few for a box are ignored, as
// players do.
func boxes(r io.ReaderAt, from, to int64) iter.Seq2[box, error] {
	return func(yield func(box, error) bool) {
		for n := 0; to-from >= 8; n++ {
			b, err := readBox(r, from, to)
			if err == nil && n == maxBoxes {
				err = container.Corrupt("more than %d boxes in a row", maxBoxes)
			}
			if !yield(b, err) || err != nil {
				return
			}
			from = b.end
		}
	}
}

// readBox reads the header of the box at from, which a box or file that ends at to holds.
func readBox(r io.ReaderAt, from, to int64) (box, error) {
	var head [16]byte
	n := min(16, to-from)
	if err := readAt(r, head[:n], from); err != nil {
		return box{}, err
	}
	b := box{typ: string(head[4:8]), start: from + 8}
	switch size := int64(binary.BigEndian.Uint32(head[:])); {
	case size == 0: // to the end
		b.end = to
	case size == 1:
		b.start = from + 16
		large := binary.BigEndian.Uint64(head[8:])
		if n < 16 || large < 16 {
			return box{}, container.Corrupt("box %q at byte %d has an impossible size", b.typ, from)
		}
		b.cut = large > uint64(to-from)
		b.end = from + int64(min(large, uint64(to-from)))
	case size < 8:
		return box{}, container.Corrupt("box %q at byte %d has an impossible size", b.typ, from)
	default:
		b.cut = size > to-from
		b.end = from + min(size, to-from)
	}
	return b, nil
}

// readAt fills p. Too few bytes wrap media.ErrCorrupt.
func readAt(r io.ReaderAt, p []byte, off int64) error {
	n, err := r.ReadAt(p, off)
	if n == len(p) {
		return nil
	}
	if err == nil || errors.Is(err, io.EOF) {
		return container.Corrupt("it ends at byte %d, in the middle of something", off+int64(n))
	}
	return err
}

// payload reads a box's payload, which must not be longer than limit bytes.
func payload(r io.ReaderAt, b box, limit int64) ([]byte, error) {
	if b.size() > limit {
		return nil, container.Corrupt("box %q at byte %d is too large: %d bytes", b.typ, b.start, b.size())
	}
	if b.cut {
		return nil, container.Corrupt("box %q at byte %d is cut off", b.typ, b.start)
	}
	p := make([]byte, b.size())
	return p, readAt(r, p, b.start)
}

// fullBox reads a box's payload and takes its version and flags off.
func fullBox(r io.ReaderAt, b box, limit int64) (version byte, flags uint32, data []byte, err error) {
	data, err = payload(r, b, limit)
	if err == nil && len(data) < 4 {
		err = container.Corrupt("box %q at byte %d is too short", b.typ, b.start)
	}
	if err != nil {
		return 0, 0, nil, err
	}
	return data[0], binary.BigEndian.Uint32(data) & 0xFFFFFF, data[4:], nil
}

// fields reads big-endian numbers one after the other. Reading past the end yields zeros and is remembered.
type fields struct {
	data []byte
	over bool
}

func (f *fields) bytes(n int) []byte {
	if n < 0 || n > len(f.data) {
		f.over, f.data = true, nil
		return make([]byte, min(max(n, 0), 8))
	}
	b := f.data[:n]
	f.data = f.data[n:]
	return b
}

func (f *fields) u16() uint16 { return binary.BigEndian.Uint16(f.bytes(2)) }
func (f *fields) u32() uint32 { return binary.BigEndian.Uint32(f.bytes(4)) }
func (f *fields) u64() uint64 { return binary.BigEndian.Uint64(f.bytes(8)) }

// either reads 64 bits in version 1 of a box and 32 in version 0.
func (f *fields) either(version byte) uint64 {
	if version == 1 {
		return f.u64()
	}
	return uint64(f.u32())
}
