package mp4

import (
	"io"
	"sort"
	"time"

	"manofwar/internal/container"
)

// markSpacing is how far apart the places are from which [Movie.Samples] can walk.
const markSpacing = 4 * time.Second

// Read sizes for a table: while all of it is walked, and for the samples of a segment.
const (
	wholeBuffer   = 32 << 10
	segmentBuffer = 2 << 10
)

// walker goes over a track's samples in decode order.
type walker interface {
	next(*container.Sample) (bool, error)
	at() place // before the next sample
}

func (m *Movie) walk(r io.ReaderAt, t *track, from place, buffer int) walker {
	if m.fragmented && len(t.runs) > 0 {
		return &runWalker{place: from, runs: t.runs, r: r, buffer: buffer}
	}
	return t.tables.walk(r, from, buffer)
}

// Index implements [container.Movie].
func (m *Movie) Index(r io.ReaderAt, i int) (e container.Extent, err error) {
	t := m.tracks[i]
	t.keys, t.marks = nil, nil
	w := m.walk(r, t, place{}, wholeBuffer)
	keyGap := int64(container.KeyframeSpacing.Seconds() * float64(t.info.Timescale))
	markGap := int64(markSpacing.Seconds() * float64(t.info.Timescale))
	var s container.Sample
	for first := true; ; first = false {
		at := w.at()
		ok, err := w.next(&s)
		if err != nil {
			if isFormat(err) && len(t.marks) > 0 {
				return e, nil // what came before is sound
			}
			return e, err
		}
		if !ok || s.End() > m.size || s.Offset < 0 {
			break
		}
		if first {
			t.delta, s.Sync = s.PTS-s.DTS, true
		}
		m.info.Tracks[i].Reorder = min(max(m.info.Tracks[i].Reorder, s.DTS+t.delta-s.PTS), 2*int64(t.info.Timescale))
		pts := s.PTS - t.shift
		e.End = max(e.End, pts+int64(s.Duration))
		if !s.Sync {
			continue
		}
		e.Last = pts
		if n := len(t.keys); n == 0 || pts >= t.keys[n-1]+keyGap {
			t.keys = append(t.keys, pts)
			if n := len(t.marks); n == 0 || pts >= t.marks[n-1].pts+markGap {
				t.marks = append(t.marks, mark{pts, at})
			}
		}
	}
	if len(t.marks) == 0 {
		return e, container.Corrupt("nothing of its %s is there", t.info.Kind)
	}
	return e, nil
}

// Keyframes implements [container.Movie].
func (m *Movie) Keyframes(i int) []int64 { return m.tracks[i].keys }

// Samples implements [container.Movie].
func (m *Movie) Samples(r io.ReaderAt, i int, from, to int64, dst []container.Sample) ([]container.Sample, error) {
	t := m.tracks[i]
	if len(t.marks) == 0 {
		return dst, container.Corrupt("nothing of its %s is there", t.info.Kind)
	}
	k := max(sort.Search(len(t.marks), func(k int) bool { return t.marks[k].pts > from })-1, 0)
	w := m.walk(r, t, t.marks[k].at, segmentBuffer)
	wanted := false
	for first := true; ; first = false {
		var s container.Sample
		ok, err := w.next(&s)
		if err != nil && !isFormat(err) {
			return dst, err
		}
		if err != nil || !ok || s.End() > m.size || s.Offset < 0 {
			return dst, nil // where Index stopped too
		}
		s.Sync = s.Sync || first
		s.PTS -= t.shift
		s.DTS += t.delta - t.shift
		if s.Sync {
			if s.PTS >= to {
				return dst, nil
			}
			wanted = s.PTS >= from
		}
		if wanted && len(dst) == container.MaxSamples {
			return dst, container.Corrupt("more than %d samples in a row", container.MaxSamples)
		}
		if wanted {
			dst = append(dst, s)
		}
	}
}
