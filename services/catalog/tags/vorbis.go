package tags

import (
	"bytes"
	"strings"
)

// vorbisKeys maps the names of Vorbis comments to fields. RIFF, Matroska and the free-form atoms of MP4 share some.
var vorbisKeys = map[string]field{
	"TITLE": title, "ARTIST": artist, "ALBUM": album, "ALBUMARTIST": albumArtist, "ALBUM ARTIST": albumArtist,
	"TRACKNUMBER": track, "TRACK": track, "DISCNUMBER": disc, "DISC": disc, "DATE": date, "YEAR": date, "GENRE": genre,
}

// maxComment is the longest comment that is read: longer ones are pictures and lyrics.
const maxComment = 4 << 10

// readVorbisComments reads a comment header as Vorbis, Opus and FLAC share it: all numbers are little-endian.
func readVorbisComments(src source, f *Facts) error {
	vendor, err := src.next(4)
	if err != nil {
		return err
	}
	if err := src.skip(le32(vendor)); err != nil {
		return err
	}
	count, err := src.next(4)
	if err != nil {
		return err
	}
	for range min(le32(count), maxFrames) {
		if err := readVorbisComment(src, f); err != nil {
			return err
		}
	}
	return nil
}

func readVorbisComment(src source, f *Facts) error {
	b, err := src.next(4)
	if err != nil {
		return err
	}
	size := le32(b)
	if size > maxComment {
		return src.skip(size)
	}
	if b, err = src.next(int(size)); err != nil {
		return err
	}
	if key, value, ok := bytes.Cut(b, []byte("=")); ok && len(key) < 32 {
		set(&f.Tags, vorbisKeys[strings.ToUpper(string(key))], string(value))
	}
	return nil
}
