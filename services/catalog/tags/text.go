package tags

import (
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"manofwar/internal/media"
)

// Bounds on what is kept of one file's texts.
const (
	maxText   = 1 << 10 // bytes of one value
	maxValues = 32      // of one field
)

// field is one of the texts that every tag format has under some name.
type field uint8

const (
	noField field = iota
	title
	artist
	album
	albumArtist
	track
	disc
	date
	genre
)

// set adds a value of a field. The first one wins where there can be only one.
func set(t *media.Tags, f field, value string) {
	value = clean(value)
	if value == "" {
		return
	}
	switch f {
	case title:
		first(&t.Title, value)
	case artist:
		add(&t.Artists, value)
	case album:
		first(&t.Album, value)
	case albumArtist:
		add(&t.AlbumArtists, value)
	case genre:
		add(&t.Genres, value)
	case track:
		number(&t.Track, value)
	case disc:
		number(&t.Disc, value)
	case date:
		if t.Year == 0 {
			t.Year = year(value)
		}
	}
}

// tidy cleans tags that another reader has set.
func tidy(t *media.Tags) {
	t.Title, t.Album = clean(t.Title), clean(t.Album)
	for _, list := range []*[]string{&t.Artists, &t.AlbumArtists, &t.Genres} {
		old := *list
		*list = nil
		for _, value := range old {
			if value = clean(value); value != "" {
				add(list, value)
			}
		}
	}
}

func first(s *string, value string) {
	if *s == "" {
		*s = value
	}
}

func add(list *[]string, value string) {
	if len(*list) >= maxValues {
		return
	}
	for _, v := range *list {
		if v == value {
			return
		}
	}
	*list = append(*list, value)
}

// number reads the first number of "3", "03/12" and the like.
func number(n *int, value string) {
	value, _, _ = strings.Cut(value, "/")
	if v, err := strconv.Atoi(strings.TrimSpace(value)); err == nil && v > 0 && v < 1<<16 && *n == 0 {
		*n = v
	}
}

// year finds the first run of four digits, which every way to write a date has.
func year(value string) int {
	run := 0
	for i := range len(value) {
		if c := value[i]; c < '0' || c > '9' {
			run = 0
			continue
		}
		if run++; run == 4 {
			y, _ := strconv.Atoi(value[i-3 : i+1]) // four digits always are a number
			return y
		}
	}
	return 0
}

// clean makes a foreign text one line of valid UTF-8 without white space around it.
func clean(s string) string {
	if len(s) > maxText {
		s = s[:maxText]
	}
	s = strings.ToValidUTF8(s, "\uFFFD")
	s = strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\r' || r == '\t':
			return ' '
		case r < ' ' || r == 0x7F:
			return -1
		}
		return r
	}, s)
	return strings.TrimSpace(s)
}

// latin1 decodes what should be ISO 8859-1. Many programs wrote UTF-8 there, which is told by being valid as such.
func latin1(b []byte) string {
	if utf8.Valid(b) {
		return string(b)
	}
	runes := make([]rune, len(b))
	for i, c := range b {
		runes[i] = rune(c)
	}
	return string(runes)
}

// utf16Text decodes UTF-16 with a byte-order mark, or else in the given order.
func utf16Text(b []byte, bigEndian bool) string {
	if len(b) >= 2 {
		switch {
		case b[0] == 0xFE && b[1] == 0xFF:
			b, bigEndian = b[2:], true
		case b[0] == 0xFF && b[1] == 0xFE:
			b, bigEndian = b[2:], false
		}
	}
	units := make([]uint16, len(b)/2)
	for i := range units {
		if bigEndian {
			units[i] = uint16(b[2*i])<<8 | uint16(b[2*i+1])
		} else {
			units[i] = uint16(b[2*i+1])<<8 | uint16(b[2*i])
		}
	}
	return string(utf16.Decode(units))
}

// pictureType names an image's media type by its first bytes, because tags often name it wrongly.
func pictureType(b []byte, said string) string {
	s := string(b)
	switch {
	case strings.HasPrefix(s, "\xFF\xD8\xFF"):
		return "image/jpeg"
	case strings.HasPrefix(s, "\x89PNG"):
		return "image/png"
	case strings.HasPrefix(s, "GIF8"):
		return "image/gif"
	case strings.HasPrefix(s, "RIFF") && len(s) >= 12 && s[8:12] == "WEBP":
		return "image/webp"
	case strings.HasPrefix(s, "BM"):
		return "image/bmp"
	}
	said = strings.ToLower(said)
	if name, ok := strings.CutPrefix(said, "image/"); ok && name != "" && strings.Trim(name, "abcdefghijklmnopqrstuvwxyz0123456789.+-") == "" {
		return said // it becomes a header field
	}
	return ""
}
