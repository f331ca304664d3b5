package tags

import (
	"bytes"
	"time"

	"manofwar/internal/media"
)

// MPEG program and transport streams (ISO/IEC 13818-1) have no header that tells of the whole: the streams are found in
// what comes first, and the duration is the last time stamp less the first. Where a recording was joined from several,
// the time stamps jump and it is only an estimate.

// systemsRead is how much of both ends is looked at.
const systemsRead = 192 << 10

// stamps are the first and the last presentation time of a stream, in units of 1/90000 s.
type stamps struct {
	first, last int64
	any         bool
}

func (s *stamps) add(pts int64) {
	if !s.any {
		s.first, s.any = pts, true
	}
	s.last = pts
}

// span is the time between them. The clock starts over after 26 hours.
func (s *stamps) span() time.Duration {
	d := s.last - s.first
	if d < 0 {
		d += 1 << 33
	}
	return samples(d, 90000)
}

// parsePES takes a PES packet apart (ISO/IEC 13818-1, section 2.4.3.6, and 11172-1, 2.4.3.3), from its start code on: what
// it carries, and when that is presented, if it says so.
func parsePES(b []byte) (payload []byte, pts int64, timed bool) {
	if len(b) < 14 {
		return nil, 0, false
	}
	if b[6]&0xC0 == 0x80 {
		payload = b[min(len(b), 9+int(b[8])):]
		if b[7]&0x80 == 0 {
			return payload, 0, false
		}
		return payload, clockTime(b[9:]), true
	}
	rest := bytes.TrimLeft(b[6:], "\xFF") // MPEG-1: stuffing, a buffer's size, and times told by their first bits
	if len(rest) > 2 && rest[0]&0xC0 == 0x40 {
		rest = rest[2:]
	}
	if len(rest) < 10 || rest[0]&0xE0 != 0x20 {
		return rest, 0, false
	}
	pts = clockTime(rest)
	if rest[0]&0x10 != 0 { // and a decoding time
		return rest[10:], pts, true
	}
	return rest[5:], pts, true
}

// clockTime reads 33 bits with marker bits in between.
func clockTime(b []byte) int64 {
	return int64(b[0]>>1&7)<<30 | int64(b[1])<<22 | int64(b[2]>>1)<<15 | int64(b[3])<<7 | int64(b[4]>>1)
}

// ends returns copies of the first and of the last bytes of the file.
func ends(w *window) (first, last []byte, err error) {
	n := min(w.size, systemsRead)
	b, err := w.at(0, int(n))
	if err != nil {
		return nil, nil, err
	}
	first = bytes.Clone(b)
	if b, err = w.at(w.size-n, int(n)); err != nil {
		return nil, nil, err
	}
	return first, b, nil
}

// readProgramStream reads an MPEG program stream: MPG and VOB files.
func readProgramStream(w *window, f *Facts) error {
	first, last, err := ends(w)
	if err != nil {
		return err
	}
	if !bytes.HasPrefix(first, []byte{0, 0, 1, 0xBA}) {
		return corrupt("it is not an MPEG file, though its name says so")
	}
	var times stamps
	seen := map[byte]bool{}
	for id, packet := range pesPackets(first) {
		payload, pts, timed := parsePES(packet)
		if timed {
			times.add(pts)
		}
		key := id
		if id == 0xBD && len(payload) > 0 {
			key = payload[0] // the number of a private stream of a DVD
		}
		if !seen[key] && len(f.Streams) < 32 {
			seen[key] = addElementary(id, payload, f)
		}
	}
	if len(f.Streams) == 0 {
		return corrupt("there is no sound and no picture in it")
	}
	for _, packet := range pesPackets(last) {
		if _, pts, timed := parsePES(packet); timed && times.any {
			times.last = max(pts, times.last)
		}
	}
	f.Duration = times.span()
	return nil
}

// pesPackets yields the PES packets in b by stream ID, from their start codes on.
func pesPackets(b []byte) func(yield func(id byte, packet []byte) bool) {
	return func(yield func(byte, []byte) bool) {
		for {
			i := bytes.Index(b, []byte{0, 0, 1})
			if i < 0 || i+16 > len(b) {
				return
			}
			b = b[i:]
			id := b[3]
			if id != 0xBD && id < 0xC0 || id >= 0xF0 {
				b = b[4:]
				continue
			}
			end := min(6+be16(b[4:]), len(b))
			if end < 16 {
				end = 16
			}
			if !yield(id, b[:end]) {
				return
			}
			b = b[end:]
		}
	}
}

// addElementary adds the stream that a first packet is of, if it is known what it carries.
func addElementary(id byte, payload []byte, f *Facts) bool {
	s := media.Stream{Default: true}
	switch {
	case id >= 0xE0:
		if !parseSequence(payload, &s) {
			return false
		}
	case id >= 0xC0:
		i := bytes.IndexByte(payload, 0xFF)
		if i < 0 {
			return false
		}
		h, ok := parseFrameHeader(payload[i:])
		if !ok {
			return false
		}
		s.Kind, s.Codec = media.Audio, [...]string{"mp1", "mp2", "mp3"}[h.layer-1]
		s.SampleRate, s.Channels, s.Bitrate = h.rate, h.channels, h.bitrate
	case len(payload) > 4 && payload[0]&0xF8 == 0x80:
		if i := bytes.Index(payload, []byte{0x0B, 0x77}); i < 0 || !parseAC3(payload[i:], &s) {
			return false
		}
	case len(payload) > 4 && payload[0]&0xF8 == 0x88:
		s.Kind, s.Codec = media.Audio, "dts"
	case len(payload) > 4 && payload[0]&0xE0 == 0x20:
		s.Kind, s.Codec = media.Subtitle, "dvd_subtitle"
	default:
		return false
	}
	f.Streams = append(f.Streams, s)
	return true
}

var mpegFrameRates = [...]float64{0, 24000. / 1001, 24, 25, 30000. / 1001, 30, 50, 60000. / 1001, 60}

// parseSequence finds an MPEG-1 or MPEG-2 video sequence header (ISO/IEC 13818-2, section 6.2.2.1).
func parseSequence(b []byte, s *media.Stream) bool {
	i := bytes.Index(b, []byte{0, 0, 1, 0xB3})
	if i < 0 || i+8 > len(b) {
		return false
	}
	h := b[i+4:]
	s.Kind, s.Codec = media.Video, "mpeg1video"
	s.Width, s.Height = be24(h)>>12, be24(h)&0xFFF
	if rate := int(h[3] & 15); rate < len(mpegFrameRates) {
		s.FrameRate = mpegFrameRates[rate]
	}
	if bytes.Contains(b[i:], []byte{0, 0, 1, 0xB5}) { // an extension makes it MPEG-2
		s.Codec = "mpeg2video"
	}
	return true
}

// transportTypes are the kinds of streams in a program map (ISO/IEC 13818-1, table 2-34; Blu-ray above 0x80).
var transportTypes = map[byte]transportType{
	0x01: {media.Video, "mpeg1video"}, 0x02: {media.Video, "mpeg2video"}, 0x10: {media.Video, "mpeg4"}, 0x1B: {media.Video, "h264"},
	0x24: {media.Video, "hevc"}, 0xEA: {media.Video, "vc1"},
	0x03: {media.Audio, "mp2"}, 0x04: {media.Audio, "mp2"}, 0x0F: {media.Audio, "aac"}, 0x11: {media.Audio, "aac_latm"}, 0x80: {media.Audio, "pcm_bluray"},
	0x81: {media.Audio, "ac3"}, 0x82: {media.Audio, "dts"}, 0x83: {media.Audio, "truehd"}, 0x84: {media.Audio, "eac3"}, 0x85: {media.Audio, "dts"}, 0x86: {media.Audio, "dts"},
	0x87: {media.Audio, "eac3"}, 0x90: {media.Subtitle, "hdmv_pgs_subtitle"},
}

type transportType struct {
	kind  media.StreamKind
	codec string
}

// privateData is the kind of streams that only descriptors tell of.
const privateData = 0x06

// descriptors tell what a private stream carries (ETSI EN 300 468, table 12): broadcasts have their sound there.
var descriptors = map[byte]transportType{
	0x56: {media.Subtitle, "dvb_teletext"}, 0x59: {media.Subtitle, "dvb_subtitle"}, 0x6A: {media.Audio, "ac3"}, 0x7A: {media.Audio, "eac3"},
	0x7B: {media.Audio, "dts"}, 0x7C: {media.Audio, "aac"},
}

// registrations are the format identifiers of registration descriptors (ISO/IEC 13818-1, section 2.6.8).
var registrations = map[string]transportType{
	"AC-3": {media.Audio, "ac3"}, "EAC3": {media.Audio, "eac3"}, "Opus": {media.Audio, "opus"}, "HEVC": {media.Video, "hevc"}, "DTS1": {media.Audio, "dts"},
	"DTS2": {media.Audio, "dts"}, "DTS3": {media.Audio, "dts"}, "VC-1": {media.Video, "vc1"},
}

func describedType(b []byte) (t transportType, ok bool) {
	for len(b) >= 2 && !ok {
		end := min(len(b), 2+int(b[1]))
		if b[0] == 0x05 && end >= 6 {
			t, ok = registrations[string(b[2:6])]
		} else {
			t, ok = descriptors[b[0]]
		}
		b = b[end:]
	}
	return t, ok
}

// readTransportStream reads an MPEG transport stream: TS, and M2TS with its four bytes in front of each packet.
func readTransportStream(w *window, f *Facts) error {
	first, last, err := ends(w)
	if err != nil {
		return err
	}
	if _, size := syncTransport(first); size == 0 {
		return ErrNotMedia // TypeScript has the same ending
	}
	maps := map[int]bool{}
	var times stamps
	clock := -1 // the packet ID whose time stamps count: the first stream's
	for id, packet := range transportPackets(first) {
		switch {
		case id == 0:
			readAssociation(packet, maps)
		case maps[id] && len(f.Streams) == 0:
			clock = readProgramMap(packet, f)
		}
		if _, pts, timed := parsePES(packet); timed && id == clock {
			times.add(pts)
		}
	}
	if len(f.Streams) == 0 {
		return corrupt("there is no program in it")
	}
	for id, packet := range transportPackets(last) {
		if _, pts, timed := parsePES(packet); timed && id == clock && times.any {
			times.add(pts)
		}
	}
	f.Duration = times.span()
	return nil
}

// transportPackets yields the packets in b that begin a section or a PES packet: their ID, and what is in them.
func transportPackets(b []byte) func(yield func(id int, payload []byte) bool) {
	return func(yield func(int, []byte) bool) {
		at, size := syncTransport(b)
		for ; size > 0 && at+188 <= len(b); at += size {
			p := b[at : at+188]
			if p[0] != 0x47 || p[1]&0x40 == 0 || p[3]&0x10 == 0 {
				continue
			}
			start := 4
			if p[3]&0x20 != 0 { // an adaptation field
				start += 1 + int(p[4])
			}
			if start < len(p) && !yield(be16(p[1:])&0x1FFF, p[start:]) {
				return
			}
		}
	}
}

// syncTransport finds where packets begin, and how far apart.
func syncTransport(b []byte) (at, size int) {
	for _, size := range [...]int{188, 192} {
		for at := 0; at < size && at+3*size < len(b); at++ {
			if b[at] == 0x47 && b[at+size] == 0x47 && b[at+2*size] == 0x47 && b[at+3*size] == 0x47 {
				return at, size
			}
		}
	}
	return 0, 0
}

// section takes the header off a table (section 2.4.4): what is left lies in front of its checksum.
func section(p []byte, id byte) []byte {
	if len(p) < 1 || len(p) < int(p[0])+9 {
		return nil
	}
	p = p[1+p[0]:]
	end := 3 + be16(p[1:])&0xFFF - 4
	if p[0] != id || end > len(p) || end < 8 {
		return nil
	}
	return p[8:end]
}

func readAssociation(p []byte, maps map[int]bool) {
	for b := section(p, 0); len(b) >= 4; b = b[4:] {
		if be16(b) != 0 && len(maps) < 16 {
			maps[be16(b[2:])&0x1FFF] = true
		}
	}
}

// readProgramMap adds the streams of a program, and returns the packet ID of the first one.
func readProgramMap(p []byte, f *Facts) (clock int) {
	clock = -1
	b := section(p, 2)
	if len(b) < 4 {
		return clock
	}
	b = b[min(len(b), 4+be16(b[2:])&0xFFF):]
	for len(b) >= 5 {
		info := min(len(b), 5+be16(b[3:])&0xFFF)
		t, ok := transportTypes[b[0]]
		if b[0] == privateData {
			t, ok = describedType(b[5:info])
		}
		if ok {
			f.Streams = append(f.Streams, media.Stream{Kind: t.kind, Codec: t.codec, Default: true})
			if clock < 0 {
				clock = be16(b[1:]) & 0x1FFF
			}
		}
		b = b[info:]
	}
	return clock
}
