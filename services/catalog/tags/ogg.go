package tags

import (
	"encoding/binary"
	"io"
	"strings"
	"time"

	"manofwar/internal/media"
)

// oggPage is the header of a page (RFC 3533, section 6) and where its body is.
type oggPage struct {
	granule  int64
	serial   uint32
	first    bool // of its stream
	segments []byte
	body     int64
	size     int64 // of the body
}

// oggHeader is the fixed part of a page's header; up to 255 segment lengths follow.
const oggHeader = 27

func readOggPage(w *window, at int64) (p oggPage, err error) {
	b, err := w.at(at, oggHeader)
	if err != nil {
		return p, err
	}
	if string(b[:4]) != "OggS" || b[4] != 0 {
		return p, corrupt("an Ogg page is missing where one should be")
	}
	p.first = b[5]&2 != 0
	p.granule = int64(binary.LittleEndian.Uint64(b[6:]))
	p.serial = binary.LittleEndian.Uint32(b[14:])
	n := int(b[26])
	b, err = w.at(at+oggHeader, n)
	if err != nil {
		return p, err
	}
	p.segments = append([]byte(nil), b...)
	p.body = at + oggHeader + int64(n)
	for _, s := range p.segments {
		p.size += int64(s)
	}
	return p, nil
}

// oggCodec is what is known of one kind of stream in Ogg.
type oggCodec struct {
	magic    string
	kind     media.StreamKind
	name     string
	identify func(id []byte, s *media.Stream) (rate, preSkip int64) // the granule's unit
	tagMagic string                                                 // in front of the comments
}

var oggCodecs = []oggCodec{
	{"\x01vorbis", media.Audio, "vorbis", identifyVorbis, "\x03vorbis"},
	{"OpusHead", media.Audio, "opus", identifyOpus, "OpusTags"},
	{"\x7fFLAC", media.Audio, "flac", identifyOggFLAC, "...."}, // a FLAC block header
	{"Speex   ", media.Audio, "speex", identifySpeex, ""},
	{"\x80theora", media.Video, "theora", identifyTheora, "\x81theora"},
}

func identifyVorbis(b []byte, s *media.Stream) (rate, preSkip int64) {
	if len(b) < 28 {
		return 0, 0
	}
	s.Channels, s.SampleRate = int(b[11]), int(le32(b[12:]))
	if nominal := int32(le32(b[20:])); nominal > 0 {
		s.Bitrate = int(nominal)
	}
	return int64(s.SampleRate), 0
}

func identifyOpus(b []byte, s *media.Stream) (rate, preSkip int64) {
	if len(b) < 12 {
		return 0, 0
	}
	s.Channels, s.SampleRate = int(b[9]), 48000
	return 48000, int64(le16(b[10:]))
}

func identifyOggFLAC(b []byte, s *media.Stream) (rate, preSkip int64) {
	const streamInfo = 17 // behind the mapping's header, "fLaC" and a block header
	if len(b) < streamInfo+18 {
		return 0, 0
	}
	b = b[streamInfo:]
	s.SampleRate, s.Channels = be24(b[10:])>>4, int(b[12]>>1&7)+1
	return int64(s.SampleRate), 0
}

func identifySpeex(b []byte, s *media.Stream) (rate, preSkip int64) {
	if len(b) < 52 {
		return 0, 0
	}
	s.SampleRate, s.Channels = int(le32(b[36:])), int(min(le32(b[48:]), 2))
	return int64(s.SampleRate), 0
}

func identifyTheora(b []byte, s *media.Stream) (rate, preSkip int64) {
	if len(b) < 30 {
		return 0, 0
	}
	s.Width, s.Height = be24(b[14:]), be24(b[17:])
	if den := be32(b[26:]); den > 0 {
		s.FrameRate = float64(be32(b[22:])) / float64(den)
	}
	return 0, 0 // a Theora granule is no count of frames; the audio beside it tells the time
}

// oggStream is one logical stream of the file.
type oggStream struct {
	serial        uint32
	codec         oggCodec
	rate, preSkip int64
}

// readOgg reads an Ogg file: the streams' first packets, the comments of the first that has some, and the last page.
func readOgg(w *window, f *Facts) error {
	streams, at, err := readOggStreams(w, f)
	if err != nil {
		return err
	}
	for _, s := range streams {
		if s.codec.tagMagic == "" {
			continue
		}
		packet := &oggPackets{w: w, at: at, serial: s.serial}
		magic, err := packet.next(len(s.codec.tagMagic))
		if err != nil {
			return err
		}
		if strings.HasPrefix(s.codec.tagMagic, ".") || string(magic) == s.codec.tagMagic {
			if err := readVorbisComments(packet, f); ioError(err) != nil {
				return err
			}
			break
		}
	}
	return readOggDuration(w, streams, f)
}

// readOggStreams reads the pages that begin streams, which all come first, and returns where they end.
func readOggStreams(w *window, f *Facts) (streams []oggStream, at int64, err error) {
	for len(streams) < 16 {
		p, err := readOggPage(w, at)
		if err != nil {
			return nil, 0, err
		}
		if !p.first {
			break
		}
		id, err := w.at(p.body, int(min(p.size, 64)))
		if err != nil {
			return nil, 0, err
		}
		for _, c := range oggCodecs {
			if strings.HasPrefix(string(id), c.magic) {
				s := media.Stream{Kind: c.kind, Codec: c.name, Default: true}
				rate, preSkip := c.identify(id, &s)
				streams = append(streams, oggStream{p.serial, c, rate, preSkip})
				f.Streams = append(f.Streams, s)
			}
		}
		at = p.body + p.size
	}
	if len(streams) == 0 {
		return nil, 0, corrupt("there is no stream of a known codec in it")
	}
	return streams, at, nil
}

// readOggDuration finds the last page of an audio stream, from the end backwards.
func readOggDuration(w *window, streams []oggStream, f *Facts) error {
	const step, most = readAhead, 128 << 10
	for back := int64(step); back <= most; back += step - oggHeader {
		at := max(w.size-back, 0)
		b, err := w.at(at, int(min(step, w.size-at)))
		if err != nil {
			return ioError(err)
		}
		text := string(b)
		for i := strings.LastIndex(text, "OggS"); i >= 0; i = strings.LastIndex(text[:i], "OggS") {
			if d, ok := oggTime(text[i:], streams); ok {
				f.Duration = d
				return nil
			}
		}
		if at == 0 {
			break
		}
	}
	return nil
}

// oggTime returns the time at the end of the page that starts with header, if that is of an audio stream.
func oggTime(header string, streams []oggStream) (time.Duration, bool) {
	if len(header) < oggHeader {
		return 0, false
	}
	granule := int64(binary.LittleEndian.Uint64([]byte(header[6:14])))
	serial := binary.LittleEndian.Uint32([]byte(header[14:18]))
	for _, s := range streams {
		if s.serial == serial && s.rate > 0 && granule > 0 {
			return samples(granule-s.preSkip, s.rate), true
		}
	}
	return 0, false
}

// oggPackets is a [source] of one stream's packets, without the pages around them and without their borders.
type oggPackets struct {
	w      *window
	at     int64 // the next page
	serial uint32
	body   cursor // what is left of this one
	pages  int
}

// maxOggPages bounds how many pages are passed in search of comments: a picture of 16 MB takes 256.
const maxOggPages = 512

func (o *oggPackets) page() error {
	for {
		if o.pages++; o.pages > maxOggPages {
			return io.ErrUnexpectedEOF
		}
		p, err := readOggPage(o.w, o.at)
		if err != nil {
			return err
		}
		if o.at = p.body + p.size; p.serial == o.serial && p.size > 0 {
			o.body = cursor{o.w, p.body, min(o.at, o.w.size)}
			return nil
		}
	}
}

func (o *oggPackets) next(n int) ([]byte, error) {
	if n > maxRead {
		return nil, io.ErrUnexpectedEOF
	}
	if int64(n) <= o.body.left() {
		return o.body.next(n)
	}
	out := make([]byte, 0, n)
	for len(out) < n {
		if o.body.left() == 0 {
			if err := o.page(); err != nil {
				return nil, err
			}
		}
		b, err := o.body.next(int(min(int64(n-len(out)), o.body.left())))
		if err != nil {
			return nil, err
		}
		out = append(out, b...)
	}
	return out, nil
}

func (o *oggPackets) skip(n int64) error {
	for n > 0 {
		if o.body.left() == 0 {
			if err := o.page(); err != nil {
				return err
			}
		}
		step := min(n, o.body.left())
		if err := o.body.skip(step); err != nil {
			return err
		}
		n -= step
	}
	return nil
}
