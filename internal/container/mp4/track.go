package mp4

import (
	"errors"
	"io"
	"math"
	"strings"

	"manofwar/internal/container"
	"manofwar/internal/media"
)

var errCorrupt = media.ErrCorrupt

// track is one track of a movie: its description, where its sample tables are, and, once indexed, places in them.
type track struct {
	info     container.Track
	id       uint32
	enabled  bool
	handler  string
	duration int64 // in ticks of the media, as the header or the fragments say
	delay    int64 // of its start, in ticks of the movie
	trim     int64 // where in the media it starts, in ticks of the media
	shift    int64 // media time less film time, in ticks of the media; set by describe

	tables
	defaults fragmentDefaults
	runs     []run

	delta int64   // first sample's PTS less DTS, in ticks
	keys  []int64 // PTS of keyframes
	marks []mark  // places to walk from
}

// readTrak reads a track box.
func (m *Movie) readTrak(r io.ReaderAt, trak box) (*track, error) {
	t := &track{}
	for b, err := range boxes(r, trak.start, trak.end) {
		if err != nil {
			return nil, err
		}
		switch b.typ {
		case "tkhd":
			version, flags, data, err := fullBox(r, b, 1<<10)
			if err != nil {
				return nil, err
			}
			f := fields{data: data}
			f.either(version) // creation and modification time
			f.either(version)
			t.id, t.enabled = f.u32(), flags&1 != 0
			f.u32()           // reserved
			f.either(version) // duration
			f.bytes(16)       // reserved, layer, alternate_group, volume
			if m := f.bytes(36); !f.over {
				t.info.Matrix = m
			}
		case "edts":
			if err := t.readEdits(r, b); err != nil {
				return nil, err
			}
		case "mdia":
			if err := t.readMedia(r, b); err != nil {
				return nil, err
			}
		case "udta":
			for u, err := range boxes(r, b.start, b.end) {
				if err != nil {
					break // a malformed title is no reason to refuse the film
				}
				if u.typ == "name" || u.typ == "titl" {
					if data, err := payload(r, u, 1<<10); err == nil {
						t.info.Title = strings.Trim(strings.ToValidUTF8(string(data), ""), "\x00 \r\n\t")
					}
				}
			}
		}
	}
	if t.info.Timescale == 0 {
		return nil, container.Corrupt("a track has no clock (mdhd)")
	}
	t.info.Default = t.enabled
	return t, nil
}

// readEdits reads an edit list: a delay, and where in the media the film starts (ISO/IEC 14496-12, 8.6.6).
func (t *track) readEdits(r io.ReaderAt, edts box) error {
	for b, err := range boxes(r, edts.start, edts.end) {
		if err != nil {
			return err
		}
		if b.typ != "elst" {
			continue
		}
		version, _, data, err := fullBox(r, b, 1<<20)
		if err != nil {
			return err
		}
		f := fields{data: data}
		for range f.u32() {
			span := f.either(version)
			start := int64(int32(f.u32()))
			if version == 1 {
				start = start<<32 | int64(f.u32())
			}
			f.u32() // rate
			if f.over {
				return container.Corrupt("box \"elst\" is too short")
			}
			if start >= 0 {
				t.trim = min(start, math.MaxInt32*1000)
				return nil
			}
			t.delay += int64(min(span, math.MaxInt32))
		}
	}
	return nil
}

// readMedia reads a media box.
func (t *track) readMedia(r io.ReaderAt, mdia box) error {
	for b, err := range boxes(r, mdia.start, mdia.end) {
		if err != nil {
			return err
		}
		switch b.typ {
		case "mdhd":
			version, _, data, err := fullBox(r, b, 1<<10)
			if err != nil {
				return err
			}
			f := fields{data: data}
			f.either(version) // creation and modification time
			f.either(version)
			t.info.Timescale = f.u32()
			if d := f.either(version); d < math.MaxInt32*1000 {
				t.duration = int64(d)
			}
			if lang := f.u16(); t.info.Language == "" {
				t.info.Language = language(lang)
			}
		case "elng":
			if _, _, data, err := fullBox(r, b, 1<<10); err == nil {
				t.info.Language = strings.TrimRight(string(data), "\x00")
			}
		case "hdlr":
			_, _, data, err := fullBox(r, b, 1<<12)
			if err != nil {
				return err
			}
			if len(data) >= 8 {
				t.handler = string(data[4:8])
			}
		case "minf":
			if err := t.readInformation(r, b); err != nil {
				return err
			}
		}
	}
	return nil
}

// readInformation reads a media information box, for the sample table in it.
func (t *track) readInformation(r io.ReaderAt, minf box) error {
	for b, err := range boxes(r, minf.start, minf.end) {
		if err != nil {
			return err
		}
		if b.typ != "stbl" {
			continue
		}
		for s, err := range boxes(r, b.start, b.end) {
			if err != nil {
				return err
			}
			if s.typ == "stsd" {
				err = t.readDescriptions(r, s)
			} else {
				err = t.tables.read(r, s)
			}
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// language unpacks three letters of ISO 639-2/T; "und" is none.
func language(packed uint16) string {
	if packed < 0x400 || packed == 0x7FFF { // a Macintosh language code, or unspecified
		return ""
	}
	code := string([]byte{byte(packed>>10&31) + 0x60, byte(packed>>5&31) + 0x60, byte(packed&31) + 0x60})
	if code == "und" || strings.ContainsFunc(code, func(r rune) bool { return r < 'a' || r > 'z' }) {
		return ""
	}
	return code
}

// describe completes the track's description once everything is read.
func (t *track) describe(movieScale uint32) {
	t.shift = t.trim - int64(float64(t.delay)*float64(t.info.Timescale)/float64(movieScale))
	switch t.handler {
	case "vide":
		t.info.Kind = media.Video
	case "soun":
		t.info.Kind = media.Audio
	case "subt", "sbtl", "text", "clcp":
		t.info.Kind = media.Subtitle
	}
	c := t.info.Config
	t.info.Codec, t.info.RFC6381 = c.Name, c.RFC6381
	t.info.Width, t.info.Height, t.info.SampleRate, t.info.Channels = c.Width, c.Height, c.SampleRate, c.Channels
	seconds := float64(t.duration) / float64(t.info.Timescale)
	if t.info.Kind == media.Video && seconds > 0 {
		t.info.FrameRate = math.Round(float64(t.samples())/seconds*1000) / 1000
	}
}

// samples returns how many samples the tables or the fragments have.
func (t *track) samples() (n int) {
	n = t.sizes.n
	for _, r := range t.runs {
		n += int(r.n)
	}
	return n
}

// isFormat reports whether err is about the file's content, not about reading it.
func isFormat(err error) bool { return errors.Is(err, errCorrupt) }
