package matroska

import (
	"encoding/binary"
	"io"
	"math"

	"manofwar/internal/container"
)

// frame is where one frame of a block is.
type frame struct {
	offset int64
	size   uint32
}

// block is one SimpleBlock or BlockGroup.
type block struct {
	track    uint64
	cluster  int64 // the position of its cluster
	time     int64 // in the file's unit
	duration int64 // in the file's unit, 0: not said
	key      bool
	frames   []frame // reused by the next call of next
}

// maxElements bounds a walk: a film of several hundred hours.
const maxElements = 1 << 25

// walker walks blocks in the order of the file.
type walker struct {
	m       *Movie
	r       io.ReaderAt
	pos     int64
	cluster int64 // position of the cluster that pos is in, 0: none
	end     int64 // of that cluster
	unknown bool  // its size is not given
	time    uint64
	seen    int
	buf     [1024]byte
}

// walk starts at a cluster.
func (m *Movie) walk(r io.ReaderAt, cluster int64) *walker {
	if cluster == 0 {
		cluster = m.segment.end
	}
	return &walker{m: m, r: container.NewWindow(r), pos: cluster}
}

// enterAt goes on from within a cluster, after its timestamp.
func (m *Movie) enterAt(r io.ReaderAt, c cue) (*walker, error) {
	w := m.walk(r, c.cluster)
	e, err := readElement(w.r, c.cluster, m.segment.end)
	if err != nil || !w.enter(e) || w.cluster == 0 {
		return w, unlessFormat(err)
	}
	t, err := readElement(w.r, e.start, w.end)
	if err != nil || t.id != idTimestamp || c.within == 0 || c.within > e.size() {
		return w, unlessFormat(err) // then from the cluster's beginning
	}
	w.pos = t.start
	if err := w.read(w.buf[:min(t.size(), 8)], t.start); err != nil {
		return w, unlessFormat(err)
	}
	w.time = min(number(w.buf[:min(t.size(), 8)]), math.MaxInt64/4)
	w.pos = e.start + c.within
	return w, nil
}

// next reads the next block. It returns false at the end of the file, or where the file is cut off or stops being
// Matroska: what comes before that plays.
func (w *walker) next(b *block) (bool, error) {
	for ; w.pos < w.m.segment.end && w.seen < maxElements; w.seen++ {
		if w.cluster != 0 && w.pos >= w.end {
			w.cluster = 0
		}
		e, err := readElement(w.r, w.pos, w.m.segment.end)
		if err != nil {
			return false, unlessFormat(err)
		}
		if w.cluster != 0 && w.unknown && topLevel(e.id) {
			w.cluster = 0
		}
		if w.cluster == 0 {
			if !w.enter(e) {
				return false, nil
			}
			continue
		}
		if e.cut || e.unknown {
			return false, nil
		}
		w.pos = e.end
		switch e.id {
		case idTimestamp:
			if err := w.read(w.buf[:min(e.size(), 8)], e.start); err != nil {
				return false, unlessFormat(err)
			}
			w.time = min(number(w.buf[:min(e.size(), 8)]), math.MaxInt64/4)
		case idSimpleBlock, idBlockGroup:
			ok, err := w.readBlock(e, b)
			if ok || err != nil {
				return ok, unlessFormat(err)
			}
		}
	}
	return false, nil
}

// enter goes on from the top level: into a cluster, or past what is none.
func (w *walker) enter(e element) bool {
	switch {
	case e.id == idCluster:
		w.cluster, w.end, w.unknown, w.time = w.pos, e.end, e.unknown, 0
		w.pos = e.start
	case e.cut || e.unknown:
		return false
	default:
		w.pos = e.end
	}
	return true
}

func topLevel(id uint32) bool {
	switch id {
	case idCluster, idCues, idTags, idChapters, idAttachments, idSeekHead, idInfo, idTracks:
		return true
	}
	return false
}

func unlessFormat(err error) error {
	if isFormat(err) {
		return nil
	}
	return err
}

// read fills p; where the file ends first, the error is one of format.
func (w *walker) read(p []byte, off int64) error {
	n, err := w.r.ReadAt(p, off)
	if n == len(p) {
		return nil
	}
	if err == nil || err == io.EOF {
		return container.Corrupt("it ends at byte %d, in the middle of something", off+int64(n))
	}
	return err
}

// readBlock reads a SimpleBlock or a BlockGroup. It returns false for one that is malformed.
func (w *walker) readBlock(e element, b *block) (bool, error) {
	if e.id == idSimpleBlock {
		b.duration = 0
		return w.readHeader(e, b)
	}
	var inner element
	key, duration := true, uint64(0)
	for pos, n := e.start, 0; pos < e.end && n < 100; n++ {
		c, err := readElement(w.r, pos, e.end)
		if err != nil {
			return false, err
		}
		pos = c.end
		switch c.id {
		case idBlock:
			inner = c
		case idRefBlock:
			key = false
		case idBlockDuration:
			if err := w.read(w.buf[:min(c.size(), 8)], c.start); err != nil {
				return false, err
			}
			duration = number(w.buf[:min(c.size(), 8)])
		}
	}
	if inner.id == 0 || inner.cut {
		return false, nil
	}
	ok, err := w.readHeader(inner, b)
	b.key, b.duration = key, int64(min(duration, math.MaxInt32))
	return ok, err
}

// readHeader reads a block's header (RFC 9559, 10.1 and 10.3).
func (w *walker) readHeader(e element, b *block) (bool, error) {
	n := min(e.size(), 12)
	if err := w.read(w.buf[:n], e.start); err != nil {
		return false, err
	}
	track, k := vint(w.buf[:n], false)
	if k == 0 || int64(k)+3 > n {
		return false, nil
	}
	flags := w.buf[k+2]
	b.track, b.cluster, b.key = track, w.cluster, flags&0x80 != 0
	b.time = int64(w.time) + int64(int16(binary.BigEndian.Uint16(w.buf[k:])))
	b.frames = b.frames[:0]
	start := e.start + int64(k) + 3
	if flags&0x06 == 0 {
		if e.end-start > math.MaxUint32 {
			return false, nil
		}
		b.frames = append(b.frames, frame{start, uint32(e.end - start)})
		return true, nil
	}
	return w.readLacing(flags>>1&3, start, e.end, b)
}

// readLacing finds the frames of a block that holds several.
func (w *walker) readLacing(kind byte, start, end int64, b *block) (bool, error) {
	head := w.buf[:min(end-start, int64(len(w.buf)))]
	if err := w.read(head, start); err != nil {
		return false, err
	}
	if len(head) == 0 {
		return false, nil
	}
	frames, p := int64(head[0])+1, 1
	var sizes [256]int64
	last := end - start - 1
	switch kind {
	case 2: // fixed size
		for i := range frames {
			sizes[i] = last / frames
		}
	case 1: // Xiph's: sums of bytes
		for i := range frames - 1 {
			for {
				if p >= len(head) {
					return false, nil
				}
				p++
				sizes[i] += int64(head[p-1])
				if head[p-1] != 0xFF {
					break
				}
			}
		}
	case 3: // EBML: the first size, then differences
		for i := range frames - 1 {
			v, k := vint(head[min(p, len(head)):], false)
			if k == 0 {
				return false, nil
			}
			p += k
			if sizes[i] = int64(v); i > 0 {
				sizes[i] = sizes[i-1] + int64(v) - (1<<(7*k-1) - 1)
			}
		}
	}
	pos := start + int64(p)
	if kind != 2 {
		sizes[frames-1] = end - pos
		for _, s := range sizes[:frames-1] {
			sizes[frames-1] -= s
		}
	}
	for _, s := range sizes[:frames] {
		if s < 0 || s > end-pos || s > math.MaxUint32 {
			return false, nil
		}
		b.frames = append(b.frames, frame{pos, uint32(s)})
		pos += s
	}
	return true, nil
}
