package matroska

import (
	"io"
	"math"
	"slices"

	"manofwar/internal/container"
)

// readCues reads the cues of a track. Cues that are missing or malformed are none: the clusters can do without.
func (m *Movie) readCues(r io.ReaderAt, t *track) error {
	pos := m.at[idCues]
	if pos == 0 || pos >= m.segment.end {
		return nil
	}
	e, err := readElement(r, pos, m.segment.end)
	if err != nil || e.id != idCues {
		return unlessFormat(err)
	}
	data, err := payload(r, e, maxCues)
	if err != nil {
		return unlessFormat(err)
	}
	for id, point := range children(data) {
		if id != idCuePoint {
			continue
		}
		var at int64
		for id, v := range children(point) {
			switch id {
			case idCueTime:
				at = m.ticks(int64(min(number(v), math.MaxInt64/4)))
			case idCueTrackPositions:
				var track, cluster, within uint64
				for id, v := range children(v) {
					switch id {
					case idCueTrack:
						track = number(v)
					case idCueClusterPosition:
						cluster = number(v)
					case idCueRelativePosition:
						within = min(number(v), math.MaxInt64/4)
					}
				}
				if track == t.number && cluster < uint64(m.segment.size()) && len(t.cues) < maxCueCount {
					t.cues = append(t.cues, cue{at - t.delay, m.segment.start + int64(cluster), int64(within)})
				}
			}
		}
	}
	slices.SortStableFunc(t.cues, func(a, b cue) int { return int(min(max(a.pts-b.pts, -1), 1)) })
	return nil
}

// addFirst makes sure that the first keyframe is in the index: cues may begin later.
func (m *Movie) addFirst(r io.ReaderAt, t *track) error {
	w := m.walk(r, m.first)
	var b block
	for range 2000 {
		ok, err := w.next(&b)
		if err != nil {
			return err
		}
		if !ok {
			break
		}
		if b.track != t.number || !t.sync(&b) {
			continue
		}
		if pts := m.ticks(b.time) - t.delay; len(t.cues) == 0 || t.cues[0].pts > pts {
			t.cues = slices.Insert(t.cues, 0, cue{pts, b.cluster, 0})
		}
		return nil
	}
	if len(t.cues) == 0 {
		return container.Corrupt("nothing of its %s is there", t.info.Kind)
	}
	return nil
}

// scan finds keyframes without cues.
func (m *Movie) scan(r io.ReaderAt, t *track) error {
	last, err := m.scanHeads(r, t)
	if err != nil {
		return err
	}
	n := int64(max(len(t.cues), 1))
	if last/n <= m.fromNanos(float64(sparse)) {
		return nil
	}
	t.cues = nil
	w := m.walk(r, m.first)
	var b block
	for len(t.cues) < maxCueCount {
		ok, err := w.next(&b)
		if !ok || err != nil {
			return err
		}
		m.addCue(t, &b)
	}
	return nil
}

// scanHeads looks at the first block of the track in each cluster, and at all of them in a cluster of unknown size. It
// returns the time of the last cluster.
func (m *Movie) scanHeads(r io.ReaderAt, t *track) (last int64, err error) {
	var b block
	for pos := m.first; pos > 0 && pos < m.segment.end && len(t.cues) < maxCueCount; {
		e, err := readElement(r, pos, m.segment.end)
		if err != nil {
			return last, unlessFormat(err)
		}
		if e.id == idCluster {
			w := m.walk(r, pos)
			for n := 0; n < 256 || e.unknown; n++ {
				ok, err := w.next(&b)
				if err != nil {
					return last, err
				}
				if !ok {
					return last, nil
				}
				if b.cluster != pos && !e.unknown {
					break
				}
				last = m.ticks(b.time)
				if b.track == t.number && (m.addCue(t, &b) || !e.unknown) && !e.unknown {
					break
				}
			}
		} else if e.unknown {
			return last, nil
		}
		if e.cut {
			return last, nil
		}
		pos = e.end
	}
	return last, nil
}

// addCue takes a block into the index if it is a keyframe of the track and far enough from the last.
func (m *Movie) addCue(t *track, b *block) bool {
	if b.track != t.number || !t.sync(b) {
		return false
	}
	pts := m.ticks(b.time) - t.delay
	if n := len(t.cues); n == 0 || pts >= t.cues[n-1].pts+m.fromNanos(float64(container.KeyframeSpacing)) {
		t.cues = append(t.cues, cue{pts, b.cluster, 0})
	}
	return true
}
