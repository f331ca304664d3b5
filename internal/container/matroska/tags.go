package matroska

import (
	"io"
	"math"
	"strconv"
	"strings"
	"time"

	"manofwar/internal/container"
	"manofwar/internal/media"
)

func (m *Movie) readTags(data []byte) {
	for id, tag := range children(data) {
		if id != idTag || targetsTrack(tag) {
			continue
		}
		for id, simple := range children(tag) {
			if id != idSimpleTag {
				continue
			}
			var name, value string
			for id, v := range children(simple) {
				switch id {
				case idTagName:
					name = strings.ToUpper(text(v))
				case idTagString:
					value = text(v)
				}
			}
			m.setTag(name, value)
		}
	}
}

// targetsTrack reports whether a tag is about one track only.
func targetsTrack(tag []byte) bool {
	for id, targets := range children(tag) {
		if id != idTargets {
			continue
		}
		for id, v := range children(targets) {
			if id == idTagTrackUID && number(v) != 0 {
				return true
			}
		}
	}
	return false
}

func (m *Movie) setTag(name, value string) {
	if value == "" {
		return
	}
	leading, _, _ := strings.Cut(value, "/")
	n, _ := strconv.Atoi(leading) // what is no number is no track number
	tags := &m.info.Tags
	switch name {
	case "TITLE":
		if tags.Title == "" {
			tags.Title = value
		}
	case "ARTIST":
		tags.Artists = append(tags.Artists, value)
	case "ALBUM":
		tags.Album = value
	case "ALBUM_ARTIST", "ALBUMARTIST":
		tags.AlbumArtists = append(tags.AlbumArtists, value)
	case "GENRE":
		tags.Genres = append(tags.Genres, value)
	case "DATE", "DATE_RELEASED", "DATE_RECORDED":
		if len(value) >= 4 && tags.Year == 0 {
			tags.Year, _ = strconv.Atoi(value[:4]) // a date that is none is no year
		}
	case "PART_NUMBER", "TRACK":
		tags.Track = n
	case "DISC":
		tags.Disc = n
	}
}

func (m *Movie) readChapters(data []byte) {
	for id, edition := range children(data) {
		if id != idEdition || len(m.info.Chapters) > 0 {
			continue
		}
		for id, atom := range children(edition) {
			if id != idChapterAtom || len(m.info.Chapters) >= 1000 {
				continue
			}
			var c container.Chapter
			for id, v := range children(atom) {
				switch id {
				case idChapterStart:
					c.Start = time.Duration(min(number(v), math.MaxInt64))
				case idChapterDisplay:
					for id, v := range children(v) {
						if id == idChapterString && c.Title == "" {
							c.Title = text(v)
						}
					}
				}
			}
			m.info.Chapters = append(m.info.Chapters, c)
		}
	}
}

// readAttachments looks for a picture among the attached files; one whose name begins with "cover" wins.
func (m *Movie) readAttachments(r io.ReaderAt, list element) {
	for pos, n := list.start, 0; pos < list.end && n < 1000; n++ {
		e, err := readElement(r, pos, list.end)
		if err != nil {
			return
		}
		pos = e.end
		if e.id == idAttachedFile {
			m.readAttachedFile(r, e)
		}
	}
}

func (m *Movie) readAttachedFile(r io.ReaderAt, file element) {
	var name, kind string
	var data element
	for pos, n := file.start, 0; pos < file.end && n < 100; n++ {
		e, err := readElement(r, pos, file.end)
		if err != nil {
			return
		}
		pos = e.end
		switch e.id {
		case idFileName, idFileMediaType:
			v, err := payload(r, e, 4096)
			if err != nil {
				return
			}
			if e.id == idFileName {
				name = text(v)
			} else {
				kind = text(v)
			}
		case idFileData:
			data = e
		}
	}
	isCover := strings.HasPrefix(strings.ToLower(name), "cover")
	if !strings.HasPrefix(kind, "image/") || data.size() == 0 || data.cut || data.end > m.size || m.info.Cover != nil && !isCover {
		return
	}
	m.info.Cover = &media.Range{Offset: data.start, Length: data.size(), Type: kind}
}

// text cleans a string: Matroska pads with zero bytes.
func text(data []byte) string {
	s, _, _ := strings.Cut(string(data), "\x00")
	return strings.TrimSpace(strings.ToValidUTF8(s, ""))
}
