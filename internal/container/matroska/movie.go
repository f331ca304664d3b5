// Package matroska reads the index of Matroska and WebM files (RFC 9559).
//
// [Read] says what the file holds; it follows the seek head to what stands behind the media. [Movie.Index] takes the
// keyframes from the cues, or from the clusters where there are none, and [Movie.Samples] walks the blocks of just the
// clusters that are wanted. Matroska stores no decode times: they are the presentation times of a group of pictures in
// rising order.
//
// It leaves out: linked segments, ordered chapters, blocks compressed with anything but header stripping, and
// encryption.
package matroska

import (
	"io"
	"math"
	"time"

	"manofwar/internal/container"
)

// Limits on what is read into memory.
const (
	maxHead   = 4 << 20  // the tracks, tags or chapters; fonts and pictures are not among them
	maxCues   = 32 << 20 // the index
	maxTracks = 128
)

// Movie is the index of a file. It implements [container.Movie].
type Movie struct {
	info    container.Info
	tracks  []*track
	scale   uint64  // nanoseconds of a tick
	length  float64 // in ticks
	segment element
	first   int64            // the first cluster's position, 0: there is none
	at      map[uint32]int64 // where the seek head says the top-level elements are
	size    int64            // of the file
}

// Read reads what the file of size bytes says of itself. The error wraps [container.ErrFormat] where it is not a
// Matroska file, and [media.ErrCorrupt] where it is a damaged one.
func Read(file io.ReaderAt, size int64) (*Movie, error) {
	r := container.NewWindow(file)
	m := &Movie{size: size, scale: 1e6, info: container.Info{Format: "matroska"}, at: map[uint32]int64{}}
	head, err := readElement(r, 0, size)
	if err != nil || head.id != idEBML {
		if err != nil && !isFormat(err) {
			return nil, err
		}
		return nil, container.ErrFormat
	}
	m.segment, err = readElement(r, head.end, size)
	if err != nil {
		return nil, err
	}
	if m.segment.id != idSegment {
		return nil, container.Corrupt("it has no segment")
	}
	if err := m.readHead(r); err != nil {
		return nil, err
	}
	m.readTail(r)
	if len(m.tracks) == 0 {
		return nil, container.Corrupt("it has no tracks")
	}
	m.probeFrames(r)
	m.describe()
	return m, nil
}

// Info implements [container.Movie].
func (m *Movie) Info() *container.Info { return &m.info }

// Memory implements [container.Movie].
func (m *Movie) Memory() int {
	n := 4096
	for _, t := range m.tracks {
		n += 1024 + len(t.info.Config.Box) + 8*len(t.keys) + 16*len(t.cues)
	}
	return n
}

// readHead reads what stands before the first cluster.
func (m *Movie) readHead(r io.ReaderAt) error {
	for pos, n := m.segment.start, 0; pos < m.segment.end && n < 1000; n++ {
		e, err := readElement(r, pos, m.segment.end)
		if err != nil {
			if isFormat(err) && len(m.tracks) > 0 {
				return nil
			}
			return err
		}
		if e.id == idCluster {
			m.first = pos
			return nil
		}
		if e.unknown {
			return container.Corrupt("element %X at byte %d has no size", e.id, pos)
		}
		m.at[e.id] = pos
		if err := m.readTop(r, e); err != nil {
			return err
		}
		pos = e.end
	}
	return nil
}

// readTail reads what the seek head says stands behind the clusters. It is an extra: what is not there or malformed is
// left out.
func (m *Movie) readTail(r io.ReaderAt) {
	for _, id := range []uint32{idInfo, idTracks, idTags, idChapters, idAttachments} {
		pos := m.at[id]
		if pos <= m.first || m.first == 0 || pos >= m.segment.end {
			continue
		}
		if e, err := readElement(r, pos, m.segment.end); err == nil && e.id == id && !e.unknown {
			_ = m.readTop(r, e) // see above
		}
	}
}

// readTop reads one top-level element.
func (m *Movie) readTop(r io.ReaderAt, e element) error {
	switch e.id {
	case idAttachments:
		m.readAttachments(r, e)
		return nil
	case idSeekHead, idInfo, idTracks, idTags, idChapters:
	default:
		return nil
	}
	data, err := payload(r, e, maxHead)
	if err != nil {
		if e.id == idTracks || e.id == idInfo || !isFormat(err) {
			return err
		}
		return nil
	}
	switch e.id {
	case idSeekHead:
		m.readSeekHead(data)
	case idInfo:
		m.readInfo(data)
	case idTracks:
		return m.readTracks(data)
	case idTags:
		m.readTags(data)
	case idChapters:
		m.readChapters(data)
	}
	return nil
}

func (m *Movie) readSeekHead(data []byte) {
	for id, seek := range children(data) {
		if id != idSeek {
			continue
		}
		var target uint32
		var pos uint64
		for id, v := range children(seek) {
			switch id {
			case idSeekID:
				target = uint32(number(v))
			case idSeekPosition:
				pos = number(v)
			}
		}
		if _, seen := m.at[target]; !seen && pos < uint64(m.segment.size()) && len(m.at) < 64 {
			m.at[target] = m.segment.start + int64(pos)
		}
	}
}

func (m *Movie) readInfo(data []byte) {
	for id, v := range children(data) {
		switch id {
		case idTimestampScale:
			if n := number(v); n > 0 && n <= 1e9 {
				m.scale = n
			}
		case idDuration:
			m.length = float(v)
		case idTitle:
			m.info.Tags.Title = text(v)
		}
	}
}

// timescale returns how many ticks a second has: the file's own where they divide a second, else microseconds.
func (m *Movie) timescale() uint32 {
	if 1e9%m.scale == 0 {
		return uint32(1e9 / m.scale)
	}
	return 1e6
}

// ticks converts a time in the file's unit. Times beyond any film's become that limit.
func (m *Movie) ticks(n int64) int64 {
	if 1e9%m.scale == 0 {
		return n
	}
	return int64(float64(n) * float64(m.scale) / 1000)
}

// fromNanos converts nanoseconds to ticks.
func (m *Movie) fromNanos(ns float64) int64 {
	return int64(math.Round(min(ns, 1e18) * float64(m.timescale()) / 1e9))
}

// describe finishes Info from what was read.
func (m *Movie) describe() {
	if ns := m.length * float64(m.scale); ns > 0 && ns < math.MaxInt64 {
		m.info.Duration = time.Duration(ns)
	}
	for _, t := range m.tracks {
		c := t.info.Config
		t.info.Timescale = m.timescale()
		t.info.Codec, t.info.RFC6381 = c.Name, c.RFC6381
		t.delay = m.fromNanos(float64(t.codecDelay))
		if c.SampleRate > 0 {
			t.info.SampleRate, t.info.Channels = c.SampleRate, c.Channels
		}
		m.info.Tracks = append(m.info.Tracks, t.info)
	}
}

var _ container.Movie = (*Movie)(nil)
