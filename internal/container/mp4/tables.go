package mp4

import (
	"encoding/binary"
	"io"
	"math"

	"manofwar/internal/container"
)

// maxSamples bounds a track: a hundred hours of AAC.
const maxSamples = 1 << 24

// table is one array of a sample table box, left in the file.
type table struct {
	off    int64 // of the first entry
	n      int   // entries
	stride int   // bytes of one
}

// tables are a track's sample tables (ISO/IEC 14496-12, 8.6 and 8.7).
type tables struct {
	times, offsets, chunkRuns, sizes, chunks, syncs table // stts, ctts, stsc, stsz, stco or co64, stss
	fixedSize                                       uint32
	listsSyncs                                      bool // else every sample is one
}

// read takes note of a box of the sample table.
func (t *tables) read(r io.ReaderAt, b box) (err error) {
	switch b.typ {
	case "stts":
		t.times, err = readTable(r, b, 4, 8)
	case "ctts":
		t.offsets, err = readTable(r, b, 4, 8)
	case "stsc":
		t.chunkRuns, err = readTable(r, b, 4, 12)
	case "stco":
		t.chunks, err = readTable(r, b, 4, 4)
	case "co64":
		t.chunks, err = readTable(r, b, 4, 8)
	case "stss":
		t.listsSyncs = true
		t.syncs, err = readTable(r, b, 4, 4)
	case "stz2":
		return container.Corrupt("it has a compact table of sample sizes (stz2), which no known program writes")
	case "stsz":
		var size [4]byte
		if err := readAt(r, size[:], b.start+4); err != nil {
			return err
		}
		stride := 4
		if t.fixedSize = binary.BigEndian.Uint32(size[:]); t.fixedSize != 0 {
			stride = 0
		}
		t.sizes, err = readTable(r, b, 8, stride)
	}
	return err
}

// readTable reads the count of entries that stands skip bytes into the box, and checks that they fit.
func readTable(r io.ReaderAt, b box, skip int64, stride int) (table, error) {
	var count [4]byte
	if b.size() < skip+4 {
		return table{}, container.Corrupt("box %q at byte %d is too short", b.typ, b.start)
	}
	if err := readAt(r, count[:], b.start+skip); err != nil {
		return table{}, err
	}
	t := table{off: b.start + skip + 4, n: int(binary.BigEndian.Uint32(count[:])), stride: stride}
	if int64(t.n)*int64(stride) > b.size()-skip-4 {
		return table{}, container.Corrupt("box %q at byte %d claims %d entries and has no room for them", b.typ, b.start, t.n)
	}
	return t, nil
}

// view reads a table's entries through a buffer.
type view struct {
	table
	r     io.ReaderAt
	buf   []byte
	first int // entry at the start of buf
	have  int // entries in buf
}

// newView returns a view that reads up to size bytes at a time.
func newView(r io.ReaderAt, t table, size int) view {
	return view{table: t, r: r, buf: make([]byte, 0, min(size, max(t.n*t.stride, 1)))}
}

// entry returns the bytes of entry i, which are valid until the next call.
func (v *view) entry(i int) ([]byte, error) {
	if i < v.first || i >= v.first+v.have {
		if i >= v.n || v.stride == 0 {
			return nil, container.Corrupt("its tables contradict each other")
		}
		n := min(max(cap(v.buf)/v.stride, 1), v.n-i)
		if cap(v.buf) < v.stride {
			v.buf = make([]byte, 0, v.stride)
		}
		v.first, v.have = i, 0
		if err := readAt(v.r, v.buf[:n*v.stride], v.off+int64(i)*int64(v.stride)); err != nil {
			return nil, err
		}
		v.have = n
	}
	at := (i - v.first) * v.stride
	return v.buf[at : at+v.stride : at+v.stride], nil
}

// place is where a walk over a track's samples stands: before which sample, and where that is in every table. In a
// fragmented file run and inRun stand for all of them.
type place struct {
	dts, offset      int64
	sample           int32
	time, timeUsed   int32 // run of stts, and how many samples of it are behind
	shift, shiftUsed int32 // the same of ctts
	chunkRun         int32 // of stsc
	chunk, inChunk   int32
	sync             int32 // next entry of stss
	run, inRun       int32
}

const markSize = 80

// mark is a place at a sync sample.
type mark struct {
	pts int64 // of that sample, film time
	at  place
}

// tableWalker walks a track's samples by its tables.
type tableWalker struct {
	place
	t                                        *tables
	times, offsets, chunkRuns, sizes, chunks view
	syncs                                    view
	timeLeft, shiftLeft, chunkLeft, nextSync uint32
	delta                                    uint32
	cts                                      int32
	loaded                                   bool
}

func (t *tables) walk(r io.ReaderAt, from place, buffer int) *tableWalker {
	return &tableWalker{
		place: from, t: t,
		times: newView(r, t.times, buffer), offsets: newView(r, t.offsets, buffer), chunkRuns: newView(r, t.chunkRuns, buffer),
		sizes: newView(r, t.sizes, buffer), chunks: newView(r, t.chunks, buffer), syncs: newView(r, t.syncs, buffer),
	}
}

func (w *tableWalker) at() place { return w.place }

// next reads the sample at the walk's place, in media time, and goes past it. It returns false at the end.
func (w *tableWalker) next(s *container.Sample) (bool, error) {
	if int(w.sample) >= min(w.t.sizes.n, maxSamples) {
		return false, nil
	}
	if !w.loaded {
		if err := w.load(); err != nil {
			return false, err
		}
	}
	if err := w.enterRuns(); err != nil {
		return false, err
	}
	s.Size = w.t.fixedSize
	if s.Size == 0 {
		e, err := w.sizes.entry(int(w.sample))
		if err != nil {
			return false, err
		}
		s.Size = binary.BigEndian.Uint32(e)
	}
	s.Offset, s.DTS, s.PTS, s.Duration = w.offset, w.dts, w.dts+int64(w.cts), w.delta
	w.sample++
	if s.Sync = !w.t.listsSyncs || uint32(w.sample) == w.nextSync; s.Sync && w.t.listsSyncs {
		w.sync++
		if err := w.loadSync(); err != nil {
			return false, err
		}
	}
	w.offset += int64(s.Size)
	w.dts += int64(w.delta)
	w.timeUsed++
	w.shiftUsed++
	w.inChunk++
	w.timeLeft--
	w.shiftLeft--
	w.chunkLeft--
	return true, nil
}

// load reads what the walk's place stands in.
func (w *tableWalker) load() error {
	w.loaded = true
	if err := w.loadTime(); err != nil {
		return err
	}
	if err := w.loadShift(); err != nil {
		return err
	}
	if w.inChunk > 0 {
		if err := w.loadChunkRun(); err != nil {
			return err
		}
	}
	return w.loadSync()
}

// enterRuns goes on to the next run of every table whose run is used up.
func (w *tableWalker) enterRuns() error {
	for w.timeLeft == 0 {
		w.time, w.timeUsed = w.time+1, 0
		if err := w.loadTime(); err != nil {
			return err
		}
	}
	for w.shiftLeft == 0 {
		w.shift, w.shiftUsed = w.shift+1, 0
		if err := w.loadShift(); err != nil {
			return err
		}
	}
	if w.chunkLeft > 0 {
		return nil
	}
	if w.inChunk > 0 {
		w.chunk, w.inChunk = w.chunk+1, 0
	}
	if err := w.loadChunkRun(); err != nil {
		return err
	}
	e, err := w.chunks.entry(int(w.chunk))
	if err != nil {
		return err
	}
	if len(e) == 8 {
		w.offset = int64(binary.BigEndian.Uint64(e) & math.MaxInt64)
	} else {
		w.offset = int64(binary.BigEndian.Uint32(e))
	}
	return nil
}

func (w *tableWalker) loadTime() error {
	e, err := w.times.entry(int(w.time))
	if err != nil {
		return err
	}
	n := binary.BigEndian.Uint32(e)
	w.timeLeft, w.delta = n-min(n, uint32(w.timeUsed)), binary.BigEndian.Uint32(e[4:])
	return nil
}

// loadShift reads a run of composition offsets. They are signed in version 1 and, whatever the standard says, in many
// files of version 0.
func (w *tableWalker) loadShift() error {
	if int(w.shift) >= w.offsets.n {
		w.shiftLeft, w.cts = math.MaxUint32, 0
		return nil
	}
	e, err := w.offsets.entry(int(w.shift))
	if err != nil {
		return err
	}
	n := binary.BigEndian.Uint32(e)
	w.shiftLeft, w.cts = n-min(n, uint32(w.shiftUsed)), int32(binary.BigEndian.Uint32(e[4:]))
	return nil
}

// loadChunkRun finds the run of stsc that the chunk is in.
func (w *tableWalker) loadChunkRun() error {
	for int(w.chunkRun)+1 < w.chunkRuns.n {
		e, err := w.chunkRuns.entry(int(w.chunkRun) + 1)
		if err != nil {
			return err
		}
		if binary.BigEndian.Uint32(e) > uint32(w.chunk)+1 {
			break
		}
		w.chunkRun++
	}
	e, err := w.chunkRuns.entry(int(w.chunkRun))
	if err != nil {
		return err
	}
	n := binary.BigEndian.Uint32(e[4:])
	if n == 0 || n > maxSamples {
		return container.Corrupt("its tables contradict each other")
	}
	w.chunkLeft = n - min(n, uint32(w.inChunk))
	return nil
}

func (w *tableWalker) loadSync() error {
	w.nextSync = math.MaxUint32
	if !w.t.listsSyncs || int(w.sync) >= w.syncs.n {
		return nil
	}
	e, err := w.syncs.entry(int(w.sync))
	if err != nil {
		return err
	}
	w.nextSync = binary.BigEndian.Uint32(e)
	return nil
}
