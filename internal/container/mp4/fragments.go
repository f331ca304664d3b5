package mp4

import (
	"encoding/binary"
	"io"
	"math"

	"manofwar/internal/container"
)

// maxRuns bounds the memory that a fragmented file's index takes.
const maxRuns = 1 << 18

// fragmentDefaults are what a fragment leaves unsaid (ISO/IEC 14496-12, 8.8.3 and 8.8.7).
type fragmentDefaults struct{ duration, size, flags uint32 }

// run is one track run (trun), left in the file.
type run struct {
	dts     int64 // of its first sample
	data    int64 // where that is in the file
	entries int64 // where its entries are
	n       uint32
	has     uint32 // the trun's flags: which fields an entry has
	first   uint32 // the first sample's flags
	fragmentDefaults
}

const runSize = 48

// nonSync is the bit of the sample flags that says that decoding cannot start there.
const nonSync = 0x10000

// Flags of tfhd and trun.
const (
	tfhdBase, tfhdDescription, tfhdDuration, tfhdSize, tfhdFlags, tfhdBaseIsMoof = 0x1, 0x2, 0x8, 0x10, 0x20, 0x20000
	trunOffset, trunFirst, trunDuration, trunSize, trunFlags, trunShift          = 0x1, 0x4, 0x100, 0x200, 0x400, 0x800
)

// readMvex reads the defaults of each track.
func (m *Movie) readMvex(r io.ReaderAt, mvex box) error {
	for b, err := range boxes(r, mvex.start, mvex.end) {
		if err != nil {
			return err
		}
		if b.typ != "trex" {
			continue
		}
		_, _, data, err := fullBox(r, b, 1<<10)
		if err != nil {
			return err
		}
		f := fields{data: data}
		id, _, d := f.u32(), f.u32(), fragmentDefaults{f.u32(), f.u32(), f.u32()}
		if m.defaults == nil {
			m.defaults = map[uint32]fragmentDefaults{}
		}
		if len(m.defaults) < maxTracks {
			m.defaults[id] = d
		}
	}
	return nil
}

// readFragments takes note of every run of every fragment.
func (m *Movie) readFragments(r io.ReaderAt, moofs []box) error {
	byID, total := map[uint32]*track{}, 0
	for _, t := range m.tracks {
		t.defaults = m.defaults[t.id]
		byID[t.id] = t
		if t.sizes.n == 0 {
			t.duration = 0
		}
	}
	for _, moof := range moofs {
		base := moof.start - 8
		for b, err := range boxes(r, moof.start, moof.end) {
			if err != nil {
				return err
			}
			if b.typ != "traf" {
				continue
			}
			end, n, err := readTraf(r, b, moof.start-8, base, byID)
			if err != nil {
				return err
			}
			base = end
			if total += n; total > maxRuns {
				return container.Corrupt("more than %d runs of samples", maxRuns)
			}
		}
	}
	return nil
}

// readTraf reads one track's part of a fragment. It returns where its data ends and how many runs it has.
func readTraf(r io.ReaderAt, traf box, moof, base int64, byID map[uint32]*track) (end int64, runs int, err error) {
	var t *track
	var def fragmentDefaults
	end = base
	for b, err := range boxes(r, traf.start, traf.end) {
		if err != nil {
			return 0, 0, err
		}
		switch {
		case b.typ == "tfhd":
			_, flags, data, err := fullBox(r, b, 1<<10)
			if err != nil {
				return 0, 0, err
			}
			f := fields{data: data}
			if t = byID[f.u32()]; t == nil {
				return end, 0, nil
			}
			def = t.defaults
			base, end = tfhd(&f, flags, moof, base, &def)
			if f.over {
				return 0, 0, container.Corrupt("box \"tfhd\" at byte %d is too short", b.start)
			}
		case b.typ == "tfdt" && t != nil:
			version, _, data, err := fullBox(r, b, 1<<10)
			if err != nil {
				return 0, 0, err
			}
			f := fields{data: data}
			if d := f.either(version); d < math.MaxInt64/2 && !f.over {
				t.duration = int64(d)
			}
		case b.typ == "trun" && t != nil:
			if end, err = t.readRun(r, b, base, end, def); err != nil {
				return 0, 0, err
			}
			runs++
		}
	}
	return end, runs, nil
}

// tfhd reads the optional fields of a track fragment header. It returns the base that data offsets count from, twice.
func tfhd(f *fields, flags uint32, moof, base int64, def *fragmentDefaults) (int64, int64) {
	if flags&tfhdBaseIsMoof != 0 {
		base = moof
	}
	if flags&tfhdBase != 0 {
		base = int64(f.u64() & math.MaxInt64)
	}
	if flags&tfhdDescription != 0 {
		f.u32()
	}
	if flags&tfhdDuration != 0 {
		def.duration = f.u32()
	}
	if flags&tfhdSize != 0 {
		def.size = f.u32()
	}
	if flags&tfhdFlags != 0 {
		def.flags = f.u32()
	}
	return base, base
}

// readRun takes note of a run, whose data follows the last one's unless it says otherwise, and returns where it ends.
func (t *track) readRun(r io.ReaderAt, b box, base, follows int64, def fragmentDefaults) (end int64, err error) {
	var head [16]byte
	n := min(b.size(), 16)
	if b.cut || n < 8 {
		return 0, container.Corrupt("box \"trun\" at byte %d is cut off", b.start)
	}
	if err := readAt(r, head[:n], b.start); err != nil {
		return 0, err
	}
	f := fields{data: head[:n]}
	u := run{has: f.u32() & 0xFFFFFF, n: f.u32(), dts: t.duration, data: follows, first: def.flags, fragmentDefaults: def}
	if u.has&trunOffset != 0 {
		u.data = base + int64(int32(f.u32()))
	}
	if u.has&trunFirst != 0 {
		u.first = f.u32()
	}
	u.entries = b.start + n - int64(len(f.data))
	if f.over || int64(u.n)*int64(u.stride()) > b.end-u.entries || u.n > maxSamples || u.data < 0 {
		return 0, container.Corrupt("box \"trun\" at byte %d makes no sense", b.start)
	}
	t.runs = append(t.runs, u)
	w := runWalker{runs: t.runs[len(t.runs)-1:], r: r, buffer: segmentBuffer}
	if u.stride() == 0 { // every sample is alike
		t.duration += int64(u.n) * int64(u.duration)
		return u.data + int64(u.n)*int64(u.size), nil
	}
	var s container.Sample
	end = u.data
	for {
		ok, err := w.next(&s)
		if !ok || err != nil {
			t.duration = w.dts
			return end, err
		}
		end = s.End()
		w.dts = s.DTS + int64(s.Duration)
		t.duration = w.dts
	}
}

// stride returns how many bytes an entry of the run has.
func (u *run) stride() (n int) {
	for _, field := range []uint32{trunDuration, trunSize, trunFlags, trunShift} {
		if u.has&field != 0 {
			n += 4
		}
	}
	return n
}

// runWalker walks a track's samples by its runs.
type runWalker struct {
	place
	runs    []run
	r       io.ReaderAt
	buffer  int
	entries view
	entered bool
	total   int
}

func (w *runWalker) at() place { return w.place }

// next reads the sample at the walk's place, in media time, and goes past it. It returns false at the end.
func (w *runWalker) next(s *container.Sample) (bool, error) {
	for int(w.run) < len(w.runs) && w.inRun >= int32(w.runs[w.run].n) {
		w.run, w.inRun, w.entered = w.run+1, 0, false
	}
	if int(w.run) >= len(w.runs) || w.total >= maxSamples {
		return false, nil
	}
	u := &w.runs[w.run]
	if !w.entered {
		w.entered = true
		w.entries = newView(w.r, table{u.entries, int(u.n), u.stride()}, w.buffer)
		if w.inRun == 0 {
			w.dts, w.offset = u.dts, u.data
		}
	}
	duration, size, flags, shift := u.duration, u.size, u.flags, int32(0)
	if w.inRun == 0 {
		flags = u.first
	}
	if w.entries.stride > 0 {
		e, err := w.entries.entry(int(w.inRun))
		if err != nil {
			return false, err
		}
		for _, field := range []struct {
			flag uint32
			to   *uint32
		}{{trunDuration, &duration}, {trunSize, &size}, {trunFlags, &flags}} {
			if u.has&field.flag != 0 {
				*field.to, e = binary.BigEndian.Uint32(e), e[4:]
			}
		}
		if u.has&trunShift != 0 {
			shift = int32(binary.BigEndian.Uint32(e))
		}
	}
	*s = container.Sample{
		Offset: w.offset, Size: size, DTS: w.dts, PTS: w.dts + int64(shift), Duration: duration, Sync: flags&nonSync == 0,
	}
	w.dts, w.offset = w.dts+int64(duration), w.offset+int64(size)
	w.inRun++
	w.total++
	return true, nil
}
