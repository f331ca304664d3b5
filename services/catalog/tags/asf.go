package tags

import (
	"encoding/binary"
	"strconv"
	"strings"

	"manofwar/internal/media"
)

// The GUIDs of the ASF specification, section 10, that are read, as they stand in the file.
const (
	asfHeader        = "\x30\x26\xB2\x75\x8E\x66\xCF\x11\xA6\xD9\x00\xAA\x00\x62\xCE\x6C"
	asfFile          = "\xA1\xDC\xAB\x8C\x47\xA9\xCF\x11\x8E\xE4\x00\xC0\x0C\x20\x53\x65"
	asfStream        = "\x91\x07\xDC\xB7\xB7\xA9\xCF\x11\x8E\xE6\x00\xC0\x0C\x20\x53\x65"
	asfContent       = "\x33\x26\xB2\x75\x8E\x66\xCF\x11\xA6\xD9\x00\xAA\x00\x62\xCE\x6C"
	asfExtended      = "\x40\xA4\xD0\xD2\x07\xE3\xD2\x11\x97\xF0\x00\xA0\xC9\x5E\xA8\x50"
	asfAudio         = "\x40\x9E\x69\xF8\x4D\x5B\xCF\x11\xA8\xFD\x00\x80\x5F\x5C\x44\x2B"
	asfVideo         = "\xC0\xEF\x19\xBC\x4D\x5B\xCF\x11\xA8\xFD\x00\x80\x5F\x5C\x44\x2B"
	asfHundredNanos  = 1e7
	asfObjectHeader  = 24
	asfUnicode       = 0
	asfBinary        = 1
	asfPicturePrefix = 5 // bytes in front of a picture's texts: its type and length
)

// asfKeys maps the names of extended content to fields.
var asfKeys = map[string]field{
	"WM/AlbumTitle": album, "WM/AlbumArtist": albumArtist, "WM/TrackNumber": track, "WM/PartOfSet": disc, "WM/Year": date, "WM/Genre": genre, "Author": artist,
	"date": date,
}

// readASF reads the header of an ASF file: WMA and WMV.
func readASF(w *window, f *Facts) error {
	b, err := w.at(0, 30)
	if err != nil || string(b[:16]) != asfHeader {
		return orCorrupt(err, "it is not a Windows Media file, though its name says so")
	}
	c := cursor{w, 30, min(int64(binary.LittleEndian.Uint64(b[16:])&(1<<62-1)), w.size)}
	for range maxFrames {
		b, err := c.next(asfObjectHeader)
		if err != nil {
			break
		}
		id, size := string(b[:16]), int64(binary.LittleEndian.Uint64(b[16:]))
		if size < asfObjectHeader || size > c.left()+asfObjectHeader {
			break
		}
		object := cursor{w, c.pos, c.pos + size - asfObjectHeader}
		switch id {
		case asfFile:
			err = readASFFile(&object, f)
		case asfStream:
			err = readASFStream(&object, f)
		case asfContent:
			err = readASFContent(&object, f)
		case asfExtended:
			err = readASFExtended(&object, f)
		}
		if ioError(err) != nil {
			return err
		}
		c.pos += size - asfObjectHeader
	}
	if len(f.Streams) == 0 {
		return corrupt("its Windows Media header is missing")
	}
	return nil
}

func readASFFile(c *cursor, f *Facts) error {
	b, err := c.next(64)
	if err != nil {
		return err
	}
	play, preroll := int64(binary.LittleEndian.Uint64(b[40:])), int64(binary.LittleEndian.Uint64(b[56:]))
	f.Duration = max(samples(play, asfHundredNanos)-samples(preroll, 1000), 0)
	return nil
}

func readASFStream(c *cursor, f *Facts) error {
	b, err := c.next(54)
	if err != nil {
		return err
	}
	s := media.Stream{Default: true}
	switch string(b[:16]) {
	case asfAudio:
		s.Kind = media.Audio
		err = readWaveHeader(c, &s)
	case asfVideo:
		s.Kind = media.Video
		if err = c.skip(11); err == nil {
			err = readBitmapHeader(c, &s)
		}
	default:
		return nil
	}
	if err == nil && len(f.Streams) < 32 {
		f.Streams = append(f.Streams, s)
	}
	return err
}

// readASFContent reads title and author, behind the lengths of five texts.
func readASFContent(c *cursor, f *Facts) error {
	b, err := c.next(10)
	if err != nil {
		return err
	}
	lengths := [2]int{le16(b), le16(b[2:])}
	for i, id := range [2]field{title, artist} {
		if b, err = c.next(lengths[i]); err != nil {
			return err
		}
		set(&f.Tags, id, asfText(b))
	}
	return nil
}

func asfText(b []byte) string { return strings.TrimRight(utf16Text(b, false), "\x00") }

func readASFExtended(c *cursor, f *Facts) error {
	b, err := c.next(2)
	if err != nil {
		return err
	}
	for range min(le16(b), maxFrames) {
		if b, err = c.next(2); err != nil {
			return err
		}
		if b, err = c.next(le16(b)); err != nil {
			return err
		}
		name := asfText(b)
		if b, err = c.next(4); err != nil {
			return err
		}
		kind, size := le16(b), le16(b[2:])
		at := *c
		if err := c.skip(int64(size)); err != nil {
			return err
		}
		if name == "WM/Picture" && kind == asfBinary {
			if err := readASFPicture(at, int64(size), f); ioError(err) != nil {
				return err
			}
		}
		id := asfKeys[name]
		if id == noField || size > maxComment {
			continue
		}
		if b, err = at.next(size); err != nil {
			return err
		}
		if kind == asfUnicode {
			set(&f.Tags, id, asfText(b))
		} else if size == 4 { // a number
			set(&f.Tags, id, strconv.FormatInt(le32(b), 10))
		}
	}
	return nil
}

// readASFPicture notes where a WM/Picture's bytes are: behind its type, its length, and two texts.
func readASFPicture(c cursor, size int64, f *Facts) error {
	c.end = c.pos + size
	b, err := c.next(int(min(size, 512)))
	if err != nil || len(b) < asfPicturePrefix+8 || f.Cover != nil {
		return err
	}
	length := le32(b[1:])
	rest := b[asfPicturePrefix:]
	for range 2 {
		_, after, ok := cutText(1, rest)
		if !ok {
			return nil
		}
		rest = after
	}
	at := c.pos - int64(len(rest))
	if typ := pictureType(rest, ""); typ != "" && at+length <= c.end {
		f.Cover = &media.Range{Offset: at, Length: length, Type: typ}
	}
	return nil
}
