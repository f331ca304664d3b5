package matroska

import (
	"io"
	"math"

	"manofwar/internal/container"
)

// subtitles is Samples for subtitles: they are far apart, so each is looked up by its cue. Without cues every block's
// head is read.
func (m *Movie) subtitles(r io.ReaderAt, t *track, from, to int64, dst []container.Sample) ([]container.Sample, error) {
	var b block
	if len(t.cues) == 0 {
		w := m.walk(r, m.first)
		for {
			ok, err := w.next(&b)
			if !ok || err != nil || len(dst) >= container.MaxSamples {
				return dst, err
			}
			dst = m.appendSubtitle(dst, t, &b, from, to)
		}
	}
	for k, c := range t.cues {
		if k > 0 && c == t.cues[k-1] || c.pts < from || c.pts >= to {
			continue
		}
		w, err := m.enterAt(r, c)
		for err == nil {
			var ok bool
			if ok, err = w.next(&b); !ok || b.cluster != c.cluster {
				break
			}
			if b.track == t.number && m.ticks(b.time)-t.delay == c.pts {
				dst = m.appendSubtitle(dst, t, &b, math.MinInt64, math.MaxInt64)
				break
			}
		}
		if err != nil {
			return dst, err
		}
	}
	return dst, nil
}

// appendSubtitle appends a block if it is the track's and shown in [from, to).
func (m *Movie) appendSubtitle(dst []container.Sample, t *track, b *block, from, to int64) []container.Sample {
	pts := m.ticks(b.time) - t.delay
	if b.track != t.number || pts < from || pts >= to || len(b.frames) != 1 || b.frames[0].offset+int64(b.frames[0].size) > m.size {
		return dst
	}
	return append(dst, container.Sample{
		Offset: b.frames[0].offset, Size: b.frames[0].size, PTS: pts, DTS: pts, Duration: uint32(min(m.ticks(b.duration), math.MaxInt32)), Sync: true,
	})
}
