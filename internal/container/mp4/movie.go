// Package mp4 reads the index of MP4 and QuickTime files: ISO/IEC 14496-12 (the base format), -14 (MP4) and Apple's
// QuickTime File Format for what cameras and phones add to it.
//
// [Read] takes the movie box wherever it stands in the file, or the fragments where it is fragmented, and says what the
// file holds. The sample tables stay in the file: [Movie.Index] walks a track's once, checks them and remembers a place
// every few seconds, from which [Movie.Samples] walks on. That is some 150 KB for a film of two hours instead of the
// 5 MB of its tables.
//
// It leaves out: edit lists of more than one piece (the first one and a delay before it count), external data
// references, encrypted tracks (they are named as such), and items of images (HEIF).
package mp4

import (
	"errors"
	"io"
	"math"
	"time"

	"manofwar/internal/container"
)

// Movie is the index of a file. It implements [container.Movie].
type Movie struct {
	info       container.Info
	tracks     []*track
	timescale  uint32 // of the movie: edit lists' and its duration's
	fragmented bool
	size       int64                       // of the file
	defaults   map[uint32]fragmentDefaults // by track ID
}

// Read reads what the file of size bytes says of itself. The error wraps [container.ErrFormat] where it is not an MP4
// file, and [media.ErrCorrupt] where it is a damaged one.
func Read(file io.ReaderAt, size int64) (*Movie, error) {
	r := container.NewWindow(file)
	m := &Movie{size: size, info: container.Info{Format: "mp4"}}
	var fragments []box
	found := false
	for b, err := range boxes(r, 0, size) {
		if err != nil {
			if found && errors.Is(err, errCorrupt) {
				break // rubbish after the index harms nobody
			}
			return nil, err
		}
		if b.start <= 16 && !known[b.typ] {
			return nil, container.ErrFormat
		}
		switch {
		case b.typ == "moov" && !found:
			if b.cut {
				return nil, container.Corrupt("its index (moov) is cut off: the file is not complete")
			}
			if err := m.readMoov(r, b); err != nil {
				return nil, err
			}
			found = true
		case b.typ == "moof" && !b.cut:
			fragments = append(fragments, b)
		}
	}
	if !found {
		return nil, container.Corrupt("it has no index (moov): the file is not complete")
	}
	if m.fragmented {
		if err := m.readFragments(r, fragments); err != nil {
			return nil, err
		}
	}
	m.describe()
	return m, nil
}

// known are the boxes that a file may begin with.
var known = map[string]bool{
	"ftyp": true, "moov": true, "moof": true, "mdat": true, "free": true, "skip": true, "wide": true, "styp": true, "sidx": true, "pnot": true, "uuid": true,
}

// Info implements [container.Movie].
func (m *Movie) Info() *container.Info { return &m.info }

// Memory implements [container.Movie].
func (m *Movie) Memory() int {
	n := 4096
	for _, t := range m.tracks {
		n += 1024 + len(t.info.Config.Box) + len(t.info.Config.Extra) + 8*len(t.keys) + markSize*len(t.marks) + runSize*len(t.runs)
	}
	return n
}

// readMoov reads the movie box.
func (m *Movie) readMoov(r io.ReaderAt, moov box) error {
	var duration uint64
	for b, err := range boxes(r, moov.start, moov.end) {
		if err != nil {
			return err
		}
		switch b.typ {
		case "mvhd":
			version, _, data, err := fullBox(r, b, 1<<10)
			if err != nil {
				return err
			}
			f := fields{data: data}
			f.either(version) // creation and modification time
			f.either(version)
			m.timescale, duration = f.u32(), f.either(version)
			if f.over || m.timescale == 0 {
				return container.Corrupt("box \"mvhd\" makes no sense")
			}
		case "trak":
			if len(m.tracks) == maxTracks {
				return container.Corrupt("more than %d tracks", maxTracks)
			}
			t, err := m.readTrak(r, b)
			if err != nil {
				return err
			}
			m.tracks = append(m.tracks, t)
		case "mvex":
			m.fragmented = true
			if err := m.readMvex(r, b); err != nil {
				return err
			}
		case "udta":
			m.readUserData(r, b)
		case "meta":
			m.readMeta(r, b)
		}
	}
	if m.timescale == 0 {
		return container.Corrupt("box \"mvhd\" is missing")
	}
	m.info.Duration = ticks(duration, m.timescale)
	return nil
}

// maxTracks is far beyond any film's.
const maxTracks = 128

// describe finishes Info from what was read of the tracks.
func (m *Movie) describe() {
	var longest time.Duration
	for _, t := range m.tracks {
		t.describe(m.timescale)
		longest = max(longest, ticks(uint64(max(t.duration, 0)), t.info.Timescale))
	}
	if m.info.Duration == 0 || m.fragmented {
		m.info.Duration = longest
	}
	for _, t := range m.tracks {
		m.info.Tracks = append(m.info.Tracks, t.info)
	}
}

// ticks converts a time; one beyond what a Duration holds (292 years: unknown, 0xFFFF…) is 0.
func ticks(n uint64, scale uint32) time.Duration {
	if s := float64(n) / float64(scale); s < math.MaxInt64/1e9 {
		return time.Duration(s * 1e9)
	}
	return 0
}
