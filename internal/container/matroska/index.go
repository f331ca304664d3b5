package matroska

import (
	"io"
	"math"
	"slices"
	"sort"
	"time"

	"manofwar/internal/container"
	"manofwar/internal/media"
)

const (
	// interleave is how far apart in time the tracks may be at one place in the file.
	interleave = 2 * time.Second
	// sparse is a distance of keyframes at which the heads of the clusters are not believed to show them all.
	sparse = 15 * time.Second
	// maxCueCount bounds the memory of an index: a day of keyframes.
	maxCueCount = 1 << 18
)

// Index implements [container.Movie]. Without cues it looks at the head of every cluster, where muxers put keyframes;
// where that shows too few, at every block.
func (m *Movie) Index(r io.ReaderAt, i int) (e container.Extent, err error) {
	t := m.tracks[i]
	t.cues, t.keys = nil, nil
	if err := m.readCues(r, t); err != nil || t.info.Kind == media.Subtitle {
		return e, err
	}
	if len(t.cues) == 0 && (t.info.Kind == media.Video || !m.hasVideo()) {
		if err := m.scan(r, t); err != nil {
			return e, err
		}
	}
	if err := m.addFirst(r, t); err != nil {
		return e, err
	}
	gap := m.fromNanos(float64(container.KeyframeSpacing))
	for _, c := range t.cues {
		if n := len(t.keys); n == 0 || c.pts >= t.keys[n-1]+gap {
			t.keys = append(t.keys, c.pts)
		}
	}
	if t.info.Kind == media.Video {
		if err := m.measureReorder(r, i); err != nil {
			return e, err
		}
	}
	return m.extent(r, t)
}

// measureReorder takes the depth of reordering from the first groups of pictures; encoders keep to one.
func (m *Movie) measureReorder(r io.ReaderAt, i int) error {
	t := m.tracks[i]
	to := t.keys[min(2, len(t.keys)-1)]
	samples, err := m.Samples(r, i, math.MinInt64, max(to, t.keys[0]+1), nil)
	for _, s := range samples {
		m.info.Tracks[i].Reorder = min(max(m.info.Tracks[i].Reorder, s.DTS-s.PTS), 2*int64(m.timescale()))
	}
	return err
}

func (m *Movie) hasVideo() bool {
	return slices.ContainsFunc(m.tracks, func(t *track) bool { return t.info.Kind == media.Video && t.info.Config.Playable() })
}

// Keyframes implements [container.Movie].
func (m *Movie) Keyframes(i int) []int64 { return m.tracks[i].keys }

// sync reports whether decoding can start at the block. Sound can start anywhere, whatever muxers flag.
func (t *track) sync(b *block) bool { return b.key || t.info.Kind == media.Audio }

// frameTicks returns how long a frame is, 0 where nothing says.
func (m *Movie) frameTicks(t *track) float64 {
	perTick := float64(m.timescale()) / 1e9
	if t.defaultDuration > 0 {
		return float64(t.defaultDuration) * perTick
	}
	c := t.info.Config
	frame := map[string]float64{"aac": 1024, "ac3": 1536, "eac3": 1536, "mp3": 1152}[c.Name]
	if c.SampleRate == 0 {
		return 0
	}
	return frame / float64(c.SampleRate) * 1e9 * perTick
}

// start returns the cluster to walk from for what is shown from a time on.
func (m *Movie) start(t *track, from int64) int64 {
	cues := t.cues
	if len(cues) < 2 {
		for _, other := range m.tracks {
			if len(other.cues) > len(cues) {
				cues = other.cues
			}
		}
		from = max(from, math.MinInt64/2) - m.fromNanos(float64(interleave))
	}
	k := sort.Search(len(cues), func(k int) bool { return cues[k].pts > from }) - 1
	if k < 0 {
		return m.first
	}
	return cues[k].cluster
}

// extent finds how far a track goes from its last samples.
func (m *Movie) extent(r io.ReaderAt, t *track) (e container.Extent, err error) {
	marks := t.keys
	for _, other := range m.tracks { // where the track has no cues of its own, those of another
		if len(marks) < 2 && len(other.keys) > len(marks) {
			marks = other.keys
		}
	}
	e.Last, e.End = t.keys[0], t.keys[0]+1
	i := slices.Index(m.tracks, t)
	lastly := func(at int) (found bool, err error) {
		to := int64(math.MaxInt64)
		if at+1 < len(marks) {
			to = marks[at+1]
		}
		samples, err := m.Samples(r, i, marks[at], to, nil)
		for _, s := range samples {
			e.End = max(e.End, s.PTS+int64(s.Duration), s.DTS+int64(s.Duration))
			if s.Sync {
				e.Last = max(e.Last, s.PTS)
			}
		}
		return len(samples) > 0, err
	}
	// Nearly always there is something behind the last mark. A track that ends early is searched for by halving.
	for lo, hi := 0, len(marks)-1; lo <= hi; {
		at := hi
		if hi < len(marks)-1 {
			at = (lo + hi) / 2
		}
		found, err := lastly(at)
		if err != nil {
			return e, err
		}
		if found {
			lo = at + 1
		} else {
			hi = at - 1
		}
	}
	return e, nil
}

// Samples implements [container.Movie].
func (m *Movie) Samples(r io.ReaderAt, i int, from, to int64, dst []container.Sample) ([]container.Sample, error) {
	t := m.tracks[i]
	if t.info.Kind == media.Subtitle {
		return m.subtitles(r, t, from, to, dst)
	}
	begin, frame := len(dst), m.frameTicks(t)
	w := m.walk(r, m.start(t, from))
	beyond := to
	if to < math.MaxInt64/2 {
		beyond = to + m.fromNanos(float64(5*interleave))
	}
	var b block
	wanted, next := false, int64(math.MaxInt64)
	for {
		ok, err := w.next(&b)
		if err != nil {
			return dst, err
		}
		time := m.ticks(b.time)
		if !ok || time > beyond {
			break
		}
		if b.track != t.number {
			continue
		}
		pts := time - t.delay
		if next != math.MaxInt64 { // past the end: only pictures that are shown before the keyframe that ended it count
			if pts >= next {
				break
			}
			next = pts
			continue
		}
		if t.sync(&b) {
			if pts >= to {
				next = pts
				if t.info.Kind == media.Audio {
					break
				}
				continue
			}
			wanted = pts >= from
		}
		if wanted && len(dst) >= container.MaxSamples {
			return dst, container.Corrupt("more than %d samples in a row", container.MaxSamples)
		}
		if wanted {
			dst = m.appendFrames(dst, t, &b, pts, frame)
		}
	}
	setTimes(dst[begin:], next)
	return dst, nil
}

// appendFrames appends a block's frames. Their durations hold what the block says, for setTimes.
func (m *Movie) appendFrames(dst []container.Sample, t *track, b *block, pts int64, frame float64) []container.Sample {
	n := float64(len(b.frames))
	duration := float64(m.ticks(b.duration))
	step := frame
	if duration > 0 {
		step = duration / n
	}
	for k, f := range b.frames {
		if f.offset+int64(f.size) > m.size {
			break
		}
		dst = append(dst, container.Sample{
			Offset: f.offset, Size: f.size, PTS: pts + int64(math.Round(float64(k)*step)), Sync: t.sync(b), Duration: uint32(min(math.Round(step), math.MaxInt32)),
		})
	}
	return dst
}

// setTimes derives decode times: the presentation times in rising order. next is when what follows begins.
func setTimes(samples []container.Sample, next int64) {
	if len(samples) == 0 {
		return
	}
	order := make([]int64, 0, len(samples)+1)
	for _, s := range samples {
		order = append(order, s.PTS)
	}
	slices.Sort(order)
	last := samples[len(samples)-1].Duration
	if last == 0 && len(order) > 1 {
		last = uint32(min(order[len(order)-1]-order[len(order)-2], math.MaxInt32))
	}
	if next == math.MaxInt64 || next < order[len(order)-1] {
		next = order[len(order)-1] + int64(last)
	}
	order = append(order, next)
	for i := range samples {
		samples[i].DTS, samples[i].Duration = order[i], uint32(min(order[i+1]-order[i], math.MaxInt32))
	}
}
