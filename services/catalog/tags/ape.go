package tags

import (
	"bytes"
	"strings"
)

// apeKeys maps the keys of APEv2 tags to fields.
var apeKeys = map[string]field{
	"title": title, "artist": artist, "album": album, "album artist": albumArtist, "albumartist": albumArtist,
	"album_artist": albumArtist, "track": track, "disc": disc, "year": date, "date": date, "genre": genre,
}

// readAPE reads the APEv2 tag that ends at end and returns where it starts; end itself where there is none.
func readAPE(w *window, end int64, f *Facts) int64 {
	const length = 32
	b, err := w.at(end-length, length)
	if err != nil || string(b[:8]) != "APETAGEX" {
		return end
	}
	size, items, header := le32(b[12:]), le32(b[16:]), b[23]&0x80 != 0
	start := end - size
	if size < length || start < 0 {
		return end
	}
	c := &cursor{w, start, end - length}
	for range min(items, maxFrames) {
		if readAPEItem(c, f) != nil {
			break
		}
	}
	if header {
		start -= length
	}
	return max(start, 0)
}

func readAPEItem(c *cursor, f *Facts) error {
	b, err := c.next(8)
	if err != nil {
		return err
	}
	size, binary := le32(b), b[4]&6 != 0
	key := make([]byte, 0, 16)
	for {
		b, err := c.next(1)
		if err != nil {
			return err
		}
		if b[0] == 0 || len(key) > 255 {
			break
		}
		key = append(key, b[0])
	}
	id := apeKeys[strings.ToLower(string(key))]
	if id == noField || binary || size > maxRead {
		return c.skip(size)
	}
	value, err := c.next(int(size))
	if err != nil {
		return err
	}
	for _, v := range bytes.Split(value, []byte{0}) {
		set(&f.Tags, id, string(v))
	}
	return nil
}
