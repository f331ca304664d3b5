package tags

import (
	"strings"

	"manofwar/internal/media"
)

// mp4Box is the header of a box (ISO/IEC 14496-12, section 4.2) and what is inside it.
type mp4Box struct {
	kind string
	cursor
}

// nextBox reads the box that c is at and moves c behind it.
func nextBox(c *cursor) (mp4Box, error) {
	if c.w.boxes++; c.w.boxes > maxBoxes {
		return mp4Box{}, corrupt("its boxes never end")
	}
	start := c.pos
	b, err := c.next(8)
	if err != nil {
		return mp4Box{}, err
	}
	size, kind := be32(b), string(b[4:8])
	switch size {
	case 0: // to the end of what it is in
		size = c.end - start
	case 1:
		if b, err = c.next(8); err != nil {
			return mp4Box{}, err
		}
		size = be32(b)<<32 | be32(b[4:])
	}
	if size < c.pos-start {
		return mp4Box{}, corrupt("a box in it has no size")
	}
	end := start + size
	if end > c.end || end < start {
		end = c.end // it may have been cut off; what is there is still read
	}
	box := mp4Box{kind, cursor{c.w, c.pos, end}}
	c.pos = end
	return box, nil
}

// boxes calls f with each box in c until one fails. A box that ends too early ends the walk, not the file.
func boxes(c cursor, f func(b mp4Box) error) error {
	for c.left() >= 8 {
		b, err := nextBox(&c)
		if err == nil {
			err = f(b)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// maxBoxes bounds how many boxes of one file are looked at, and so how deep they are in each other.
const maxBoxes = 10000

// readMP4 reads an MP4 or QuickTime file.
func readMP4(w *window, f *Facts) error {
	found := false
	c := cursor{w, 0, w.size}
	for c.left() >= 8 && !found {
		b, err := nextBox(&c)
		if err != nil {
			return err
		}
		if b.kind == "moov" {
			found = true
			err = boxes(b.cursor, func(b mp4Box) error { return readMovie(b, f) })
		}
		if err != nil {
			return err
		}
	}
	if !found {
		return corrupt("its index is missing, as if it had not been copied or recorded to its end")
	}
	if len(f.Streams) == 0 {
		return corrupt("there is no sound and no picture in it")
	}
	return nil
}

// readMovie reads one box of a moov.
func readMovie(b mp4Box, f *Facts) error {
	switch b.kind {
	case "mvhd":
		scale, n, err := readTimes(b.cursor)
		f.Duration = samples(n, scale)
		return err
	case "trak":
		return readTrack(b.cursor, f)
	case "udta", "meta", "ilst":
		c := b.cursor
		if b.kind == "meta" { // a full box in MP4, a plain one in QuickTime
			if head, err := c.w.at(c.pos, 8); err == nil && string(head[4:8]) != "hdlr" {
				c.pos += 4
			}
		}
		if b.kind == "ilst" {
			return boxes(c, func(b mp4Box) error { return readMetadata(b, f) })
		}
		return boxes(c, func(b mp4Box) error { return readMovie(b, f) })
	}
	return nil
}

// readTimes reads the time scale and the duration out of an mvhd or mdhd box.
func readTimes(c cursor) (scale, n int64, err error) {
	version, err := c.next(4)
	if err != nil {
		return 0, 0, err
	}
	if version[0] == 1 {
		b, err := c.next(28)
		if err != nil {
			return 0, 0, err
		}
		return be32(b[16:]), be32(b[20:])<<32 | be32(b[24:]), nil
	}
	b, err := c.next(16)
	if err != nil {
		return 0, 0, err
	}
	if n = be32(b[12:]); n == 1<<32-1 {
		n = 0
	}
	return be32(b[8:]), n, nil
}

// readTrack reads a trak box.
func readTrack(c cursor, f *Facts) error {
	s := media.Stream{}
	var walk func(b mp4Box) error
	walk = func(b mp4Box) error {
		switch b.kind {
		case "tkhd":
			flags, err := b.next(4)
			if err != nil {
				return err
			}
			s.Default = flags[3]&1 != 0
		case "mdia", "minf", "stbl":
			return boxes(b.cursor, walk)
		case "mdhd":
			return readLanguage(b.cursor, &s)
		case "hdlr":
			head, err := b.next(12)
			if err != nil {
				return err
			}
			if s.Kind == "" { // QuickTime has another in minf
				s.Kind = map[string]media.StreamKind{
					"soun": media.Audio, "vide": media.Video, "subt": media.Subtitle, "sbtl": media.Subtitle, "text": media.Subtitle,
				}[string(head[8:12])]
			}
		case "stsd":
			return readSampleEntry(b.cursor, &s)
		}
		return nil
	}
	if err := boxes(c, walk); err != nil {
		return err
	}
	if s.Kind != "" && s.Codec != "" && len(f.Streams) < 64 {
		f.Streams = append(f.Streams, s)
	}
	return nil
}

// readLanguage reads the three letters that an mdhd box packs into 15 bits.
func readLanguage(c cursor, s *media.Stream) error {
	version, err := c.next(4)
	if err != nil {
		return err
	}
	at := int64(16)
	if version[0] == 1 {
		at = 28
	}
	if err := c.skip(at); err != nil {
		return err
	}
	b, err := c.next(2)
	if err != nil {
		return err
	}
	packed := be16(b)
	letters := [3]byte{byte(packed>>10) + 0x60, byte(packed>>5&31) + 0x60, byte(packed&31) + 0x60}
	for _, l := range letters {
		if l < 'a' || l > 'z' { // QuickTime's numbers of languages
			return nil
		}
	}
	if language := string(letters[:]); language != "und" {
		s.Language = language
	}
	return nil
}

// mp4Codecs names the sample entries.
var mp4Codecs = map[string]string{
	"mp4a": "aac", "alac": "alac", "Opus": "opus", "fLaC": "flac", "ac-3": "ac3", "ec-3": "eac3", ".mp3": "mp3", "sowt": "pcm_s16le", "twos": "pcm_s16be",
	"lpcm": "pcm_s16le", "avc1": "h264", "avc3": "h264", "hvc1": "hevc", "hev1": "hevc", "av01": "av1", "vp08": "vp8", "vp09": "vp9", "mp4v": "mpeg4",
	"apco": "prores", "apcn": "prores", "apch": "prores", "apcs": "prores", "ap4h": "prores", "jpeg": "mjpeg", "tx3g": "mov_text", "text": "mov_text", "wvtt": "webvtt",
}

// readSampleEntry reads the first entry of an stsd box.
func readSampleEntry(c cursor, s *media.Stream) error {
	if err := c.skip(8); err != nil {
		return err
	}
	entry, err := nextBox(&c)
	if err != nil {
		return err
	}
	s.Codec = mp4Codecs[entry.kind]
	if s.Codec == "" {
		s.Codec = strings.ToLower(clean(entry.kind))
	}
	switch s.Kind {
	case media.Audio:
		b, err := entry.next(28)
		if err != nil {
			return err
		}
		version := be16(b[8:])
		s.Channels, s.SampleRate = be16(b[16:]), int(be32(b[24:])>>16)
		entry.pos = min(entry.end, entry.pos+map[int]int64{1: 16, 2: 36}[version]) // QuickTime's additions
		return boxes(entry.cursor, func(b mp4Box) error { return readAudioConfig(b, s) })
	case media.Video:
		b, err := entry.next(28)
		if err != nil {
			return err
		}
		s.Width, s.Height = be16(b[24:]), be16(b[26:])
	}
	return nil
}

// readAudioConfig reads what the boxes in an audio sample entry add to it.
func readAudioConfig(b mp4Box, s *media.Stream) error {
	switch b.kind {
	case "esds":
		return readElementaryStream(b.cursor, s)
	case "alac":
		if config, err := b.next(28); err == nil { // a full box's four bytes, then ALACSpecificConfig
			s.Channels, s.SampleRate = int(config[13]), int(be32(config[24:]))
		}
	case "wave":
		return boxes(b.cursor, func(b mp4Box) error { return readAudioConfig(b, s) })
	}
	return nil
}

// readElementaryStream reads the codec and the mean bit rate out of the descriptors of ISO/IEC 14496-1, section 7.2.6.
func readElementaryStream(c cursor, s *media.Stream) error {
	if err := c.skip(4); err != nil {
		return err
	}
	for range 4 {
		b, err := c.next(1)
		if err != nil {
			return ioError(err)
		}
		tag := b[0]
		for range 4 { // its length, which is of no use here
			if b, err = c.next(1); err != nil || b[0]&0x80 == 0 {
				break
			}
		}
		if err != nil {
			return ioError(err)
		}
		switch tag {
		case 3: // ES_Descriptor
			if b, err = c.next(3); err != nil {
				return ioError(err)
			}
			flags := b[2]
			for bit, size := range [...]int64{5: 2, 7: 2} { // OCR and dependence
				if flags>>bit&1 != 0 && c.skip(size) != nil {
					return nil
				}
			}
		case 4: // DecoderConfigDescriptor
			if b, err = c.next(13); err != nil {
				return ioError(err)
			}
			switch b[0] {
			case 0x69, 0x6B:
				s.Codec = "mp3"
			case 0xA5:
				s.Codec = "ac3"
			case 0xA6:
				s.Codec = "eac3"
			}
			s.Bitrate = int(be32(b[9:]))
			return nil
		default:
			return nil
		}
	}
	return nil
}

// mp4Keys maps Apple's metadata atoms to fields.
var mp4Keys = map[string]field{
	"\xa9nam": title, "\xa9ART": artist, "\xa9alb": album, "aART": albumArtist, "\xa9day": date, "\xa9gen": genre,
}

// readMetadata reads one item of an ilst box.
func readMetadata(item mp4Box, f *Facts) error {
	return boxes(item.cursor, func(b mp4Box) error {
		if b.kind != "data" {
			return nil
		}
		head, err := b.next(8) // type and locale
		if err != nil {
			return ioError(err)
		}
		if item.kind == "covr" {
			kind := map[int64]string{13: "image/jpeg", 14: "image/png"}[be32(head)]
			return readCover(b, kind, f)
		}
		if b.left() > maxComment {
			return nil
		}
		value, err := b.next(int(b.left()))
		if err != nil {
			return ioError(err)
		}
		switch {
		case item.kind == "trkn" && len(value) >= 4:
			f.Tags.Track = be16(value[2:])
		case item.kind == "disk" && len(value) >= 4:
			f.Tags.Disc = be16(value[2:])
		case item.kind == "gnre" && len(value) >= 2:
			if g := be16(value); g > 0 && g <= len(id3v1Genres) {
				set(&f.Tags, genre, id3v1Genres[g-1])
			}
		default:
			set(&f.Tags, mp4Keys[item.kind], string(value))
		}
		return nil
	})
}

func readCover(b mp4Box, said string, f *Facts) error {
	at, size := b.pos, b.left()
	head, err := b.next(int(min(size, 16)))
	if err != nil {
		return ioError(err)
	}
	if typ := pictureType(head, said); typ != "" && f.Cover == nil {
		f.Cover = &media.Range{Offset: at, Length: size, Type: typ}
	}
	return nil
}
