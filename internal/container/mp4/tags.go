package mp4

import (
	"encoding/binary"
	"io"
	"strconv"
	"strings"
	"time"

	"manofwar/internal/container"
	"manofwar/internal/media"
)

// maxText bounds one tag.
const maxText = 64 << 10

// readUserData reads tags and chapters from moov/udta. Tags are an extra: whatever is malformed among them is left out.
func (m *Movie) readUserData(r io.ReaderAt, udta box) {
	for b, err := range boxes(r, udta.start, udta.end) {
		if err != nil {
			return
		}
		switch b.typ {
		case "meta":
			m.readMeta(r, b)
		case "chpl":
			m.readChapters(r, b)
		}
	}
}

// readMeta reads iTunes' item list. The box has version and flags in MP4 and none in QuickTime.
func (m *Movie) readMeta(r io.ReaderAt, meta box) {
	from := meta.start
	var head [8]byte
	if readAt(r, head[:], from) == nil && string(head[4:]) != "hdlr" {
		from += 4
	}
	for b, err := range boxes(r, from, meta.end) {
		if err != nil {
			return
		}
		if b.typ != "ilst" {
			continue
		}
		for item, err := range boxes(r, b.start, b.end) {
			if err != nil {
				return
			}
			for value, err := range boxes(r, item.start, item.end) {
				if err != nil {
					break
				}
				if value.typ == "data" && value.size() >= 8 {
					m.readTag(r, item.typ, value)
				}
			}
		}
	}
}

// readTag reads one value of an item: four bytes of type, four of locale, and the value.
func (m *Movie) readTag(r io.ReaderAt, name string, b box) {
	if name == "covr" {
		m.readCover(r, b)
		return
	}
	data, err := payload(r, b, maxText)
	if err != nil {
		return
	}
	data = data[8:]
	text := strings.TrimSpace(strings.ToValidUTF8(string(data), ""))
	number := 0
	if len(data) >= 4 {
		number = int(binary.BigEndian.Uint16(data[2:]))
	}
	tags := &m.info.Tags
	switch name {
	case "\xa9nam":
		tags.Title = text
	case "\xa9ART":
		tags.Artists = add(tags.Artists, text)
	case "aART":
		tags.AlbumArtists = add(tags.AlbumArtists, text)
	case "\xa9alb":
		tags.Album = text
	case "\xa9gen":
		tags.Genres = add(tags.Genres, text)
	case "\xa9day":
		if len(text) >= 4 {
			tags.Year, _ = strconv.Atoi(text[:4]) // a date that is none is no year
		}
	case "trkn":
		tags.Track = number
	case "disk":
		tags.Disc = number
	}
}

func add(list []string, text string) []string {
	if text == "" || len(list) >= 64 {
		return list
	}
	return append(list, text)
}

// readCover takes note of where the first picture is.
func (m *Movie) readCover(r io.ReaderAt, b box) {
	var head [4]byte
	if m.info.Cover != nil || b.cut || b.size() < 12 || readAt(r, head[:], b.start+8) != nil {
		return
	}
	kind := "image/jpeg"
	switch {
	case string(head[:]) == "\x89PNG":
		kind = "image/png"
	case string(head[:2]) == "BM":
		kind = "image/bmp"
	case head[0] != 0xFF || head[1] != 0xD8:
		return
	}
	m.info.Cover = &media.Range{Offset: b.start + 8, Length: b.size() - 8, Type: kind}
}

// readChapters reads Nero's chapter list: times in units of 100 ns.
func (m *Movie) readChapters(r io.ReaderAt, b box) {
	data, err := payload(r, b, 1<<20)
	if err != nil || len(data) < 9 {
		return
	}
	n := int(data[8])
	f := fields{data: data[9:]}
	if data[0] == 0 { // version 0 has no reserved bytes and a count of one byte
		n, f.data = int(data[4]), data[5:]
	}
	for range n {
		start := f.u64()
		title := f.bytes(int(f.bytes(1)[0]))
		if f.over || start > uint64(1<<62)/100 {
			return
		}
		m.info.Chapters = append(m.info.Chapters, container.Chapter{
			Start: time.Duration(start) * 100, Title: strings.ToValidUTF8(string(title), ""),
		})
	}
}
