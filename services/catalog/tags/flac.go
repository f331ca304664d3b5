package tags

import (
	"manofwar/internal/media"
)

// The metadata blocks of RFC 9639, section 8, that are read.
const (
	flacStreamInfo = 0
	flacComment    = 4
	flacPicture    = 6
)

// readFLAC reads a FLAC file, which some programs put behind an ID3v2 tag.
func readFLAC(w *window, f *Facts) error {
	at, err := readID3(w, 0, &Facts{}) // its own comments are the ones that count
	if err != nil {
		return err
	}
	if b, err := w.at(at, 4); err != nil || string(b) != "fLaC" {
		return orCorrupt(err, "there is no FLAC stream in it")
	}
	at += 4
	front := false
	for range maxFrames {
		b, err := w.at(at, 4)
		if err != nil {
			return err
		}
		last, kind, size := b[0]&0x80 != 0, b[0]&0x7F, int64(be24(b[1:]))
		block := cursor{w, at + 4, min(at+4+size, w.size)}
		switch kind {
		case flacStreamInfo:
			err = readStreamInfo(&block, f)
		case flacComment:
			err = ioError(readVorbisComments(&block, f))
		case flacPicture:
			if !front {
				front, err = readFLACPicture(&block, f)
			}
		}
		if err != nil {
			return err
		}
		if at += 4 + size; last {
			break
		}
	}
	if len(f.Streams) == 0 {
		return corrupt("its FLAC header is missing")
	}
	return nil
}

// orCorrupt returns err if the disk is to blame, else that the file is.
func orCorrupt(err error, what string) error {
	if err != nil && !isShort(err) {
		return err
	}
	return corrupt("%s", what)
}

// readStreamInfo reads section 8.2: after 10 bytes of block and frame sizes, 20 bits of sample rate, 3 of channels, 5 of
// bits per sample and 36 of total samples.
func readStreamInfo(c *cursor, f *Facts) error {
	b, err := c.next(18)
	if err != nil {
		return err
	}
	rate := be24(b[10:]) >> 4
	if rate == 0 {
		return corrupt("its FLAC header has no sample rate")
	}
	total := int64(b[13]&0x0F)<<32 | be32(b[14:])
	f.Duration = samples(total, int64(rate))
	f.Streams = []media.Stream{{Kind: media.Audio, Codec: "flac", Default: true, SampleRate: rate, Channels: int(b[12]>>1&7) + 1}}
	return nil
}

// readFLACPicture notes where a picture is (section 8.8), and reports whether it is the front cover.
func readFLACPicture(c *cursor, f *Facts) (front bool, err error) {
	b, err := c.next(8)
	if err != nil {
		return false, ioError(err)
	}
	front = be32(b) == 3
	mime, err := c.next(int(min(be32(b[4:]), maxText)))
	if err != nil {
		return false, ioError(err)
	}
	said := string(mime)
	if b, err = c.next(4); err != nil {
		return false, ioError(err)
	}
	if c.skip(be32(b)+16) != nil { // the description; width, height, depth and colours
		return false, nil
	}
	if b, err = c.next(4); err != nil {
		return false, ioError(err)
	}
	size := be32(b)
	if size > c.left() || size < 4 || f.Cover != nil && !front {
		return false, nil
	}
	at := c.pos
	if b, err = c.next(int(min(size, 16))); err != nil {
		return false, ioError(err)
	}
	typ := pictureType(b, said)
	if typ == "" {
		return false, nil
	}
	f.Cover = &media.Range{Offset: at, Length: size, Type: typ}
	return front, nil
}
