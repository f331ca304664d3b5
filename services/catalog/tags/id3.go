package tags

import (
	"bytes"
	"strconv"
	"strings"
	"time"

	"manofwar/internal/media"
)

// id3Frames maps the frames of ID3v2.2 (three letters) and of 2.3 and 2.4 (four) to fields.
var id3Frames = map[string]field{
	"TT2": title, "TP1": artist, "TAL": album, "TP2": albumArtist, "TRK": track, "TPA": disc, "TYE": date, "TCO": genre,
	"TIT2": title, "TPE1": artist, "TALB": album, "TPE2": albumArtist, "TRCK": track, "TPOS": disc, "TYER": date,
	"TDRC": date, "TDRL": date, "TCON": genre,
}

// maxFrames bounds how many frames of one tag are looked at.
const maxFrames = 1000

// id3Tag is a reader of one ID3v2 tag.
type id3Tag struct {
	src     cursor
	version byte // 2, 3 or 4
	unsync  bool // the whole tag is unsynchronised: every FF 00 stands for FF
	facts   *Facts
	front   bool // the cover that was found is a front cover
	length  time.Duration
}

// readID3 reads the ID3v2 tags at off and returns where they end; off itself where there is none. A damaged tag costs
// only what it says: the audio behind it is found all the same.
func readID3(w *window, off int64, f *Facts) (end int64, err error) {
	for range 4 { // some programs put a new tag in front of the old one
		head, err := w.at(off, 10)
		if err != nil || string(head[:3]) != "ID3" || head[3] < 2 || head[3] > 4 {
			return off, ioError(err)
		}
		flags := head[5]
		size, ok := syncsafe(head[6:10])
		if !ok {
			return off, nil
		}
		end := min(off+10+size, w.size)
		t := id3Tag{src: cursor{w, off + 10, end}, version: head[3], unsync: flags&0x80 != 0, facts: f}
		if t.version != 2 || flags&0x40 == 0 { // in 2.2 the bit means a compression nobody defined
			t.skipExtendedHeader(flags)
			if err := t.frames(); err != nil {
				return end, err
			}
			if f.Duration == 0 {
				f.Duration = t.length
			}
		}
		if off = end; flags&0x10 != 0 {
			off += 10 // the footer of 2.4
		}
	}
	return off, nil
}

// ioError passes on errors of the disk and drops those that only mean that the file is short.
func ioError(err error) error {
	if isShort(err) {
		return nil
	}
	return err
}

func syncsafe(b []byte) (int64, bool) {
	if (b[0]|b[1]|b[2]|b[3])&0x80 != 0 {
		return 0, false
	}
	return int64(b[0])<<21 | int64(b[1])<<14 | int64(b[2])<<7 | int64(b[3]), true
}

func (t *id3Tag) skipExtendedHeader(flags byte) {
	if t.version == 2 || flags&0x40 == 0 {
		return
	}
	b, err := t.src.next(4)
	if err != nil {
		return
	}
	n := be32(b)
	if t.version == 4 {
		n, _ = syncsafe(b)
		n -= 4 // it counts itself
	}
	if t.src.skip(n) != nil {
		t.src.pos = t.src.end
	}
}

func (t *id3Tag) frames() error {
	for range maxFrames {
		id, size, flags, err := t.frameHeader()
		if err != nil || id == "" {
			return ioError(err)
		}
		next := t.src.pos + size
		if err := t.frame(id, size, flags); ioError(err) != nil {
			return err
		}
		if !t.unsync {
			t.src.pos = min(next, t.src.end)
		}
	}
	return nil
}

// frameHeader reads the next frame's header; an empty id ends the tag.
func (t *id3Tag) frameHeader() (id string, size int64, flags int, err error) {
	length := 10
	if t.version == 2 {
		length = 6
	}
	if t.src.left() < int64(length) {
		return "", 0, 0, nil
	}
	b, err := t.read(length)
	if err != nil || !frameID(b[:3]) {
		return "", 0, 0, err
	}
	if t.version == 2 {
		return string(b[:3]), int64(be24(b[3:])), 0, nil
	}
	id, flags = string(b[:4]), be16(b[8:])
	size = be32(b[4:])
	if t.version == 4 {
		size = t.frameSize(b[4:8])
	}
	return id, size, flags, nil
}

func frameID(b []byte) bool {
	for _, c := range b {
		if (c < 'A' || c > 'Z') && (c < '0' || c > '9') {
			return false
		}
	}
	return true
}

// frameSize reads a frame's size in 2.4, where it is syncsafe, but for files by old versions of iTunes. Where the two
// readings differ, the one behind which a frame, padding or the end follows is right.
func (t *id3Tag) frameSize(b []byte) int64 {
	plain := be32(b)
	safe, ok := syncsafe(b)
	if !ok {
		return plain
	}
	if safe == plain || t.unsync {
		return safe
	}
	follows := func(size int64) bool {
		at := t.src.pos + size
		if at == t.src.end {
			return true
		}
		id, err := t.src.w.at(at, 4)
		return err == nil && at+4 <= t.src.end && (frameID(id) || id[0] == 0)
	}
	if !follows(safe) && follows(plain) {
		return plain
	}
	return safe
}

// frame reads the frame of size bytes that the source is at.
func (t *id3Tag) frame(id string, size int64, flags int) error {
	if t.version == 4 {
		if flags&0x40 != 0 && size > 0 { // the group it belongs to
			size--
			if err := t.src.skip(1); err != nil {
				return err
			}
		}
		if flags&0x01 != 0 && size >= 4 { // the length of what it holds
			size -= 4
			if err := t.src.skip(4); err != nil {
				return err
			}
		}
	}
	packed := t.version == 3 && flags&0xE0 != 0 || t.version == 4 && flags&0x0C != 0
	f, wanted := id3Frames[id]
	switch {
	case packed:
		return t.discard(size)
	case id == "APIC" || id == "PIC":
		return t.picture(size, t.unsync || t.version == 4 && flags&0x02 != 0)
	case id == "TLEN" || id == "TLE":
		b, err := t.read(int(min(size, 32)))
		if err == nil && len(b) > 1 {
			ms, _ := strconv.ParseInt(strings.Join(id3Strings(b), ""), 10, 64)
			t.length = samples(ms, 1000)
		}
		return err
	case !wanted || size < 2 || size > maxRead:
		return t.discard(size)
	}
	b, err := t.read(int(size))
	if err != nil {
		return err
	}
	if t.version == 4 && flags&0x02 != 0 && !t.unsync {
		b = bytes.ReplaceAll(b, []byte{0xFF, 0}, []byte{0xFF})
	}
	for _, s := range id3Strings(b) {
		if f == genre {
			id3Genres(&t.facts.Tags, s)
			continue
		}
		set(&t.facts.Tags, f, s)
	}
	return nil
}

// read returns the next n bytes, with unsynchronisation undone.
func (t *id3Tag) read(n int) ([]byte, error) {
	if !t.unsync {
		return t.src.next(n)
	}
	out := make([]byte, 0, min(n, maxRead))
	for len(out) < n {
		b, err := t.src.next(1)
		if err != nil {
			return nil, err
		}
		c := b[0]
		if out = append(out, c); c == 0xFF {
			if b, err := t.src.next(1); err == nil && b[0] != 0 {
				t.src.pos--
			}
		}
	}
	return out, nil
}

// discard passes over n bytes.
func (t *id3Tag) discard(n int64) error {
	if !t.unsync {
		return t.src.skip(n)
	}
	for n > 0 {
		step := min(n, readAhead)
		if _, err := t.read(int(step)); err != nil {
			return err
		}
		n -= step
	}
	return nil
}

// picture notes where the picture of an APIC or PIC frame is. One in an unsynchronised tag is not in one piece.
func (t *id3Tag) picture(size int64, unsync bool) error {
	if unsync || t.front {
		return t.discard(size)
	}
	start, end := t.src.pos, t.src.pos+size
	b, err := t.read(int(min(size, 512, t.src.left())))
	if err != nil || len(b) < 6 {
		return err
	}
	rest, said := b[1:], ""
	if t.version == 2 {
		said, rest = "image/"+strings.ToLower(string(rest[:3])), rest[3:]
	} else {
		mime, after, ok := bytes.Cut(rest, []byte{0})
		if !ok || len(after) == 0 {
			return nil
		}
		said, rest = string(mime), after
	}
	kind := rest[0]
	_, rest, ok := cutText(b[0], rest[1:])
	if !ok || len(rest) < 4 {
		return nil
	}
	at := start + int64(len(b)-len(rest))
	if front := kind == 3; front || t.facts.Cover == nil {
		if typ := pictureType(rest, said); typ != "" {
			t.facts.Cover = &media.Range{Offset: at, Length: end - at, Type: typ}
			t.front = front
		}
	}
	return nil
}

// cutText splits b behind its first zero-terminated text in the given encoding.
func cutText(encoding byte, b []byte) (text, rest []byte, ok bool) {
	if encoding != 1 && encoding != 2 {
		return bytes.Cut(b, []byte{0})
	}
	for i := 0; i+1 < len(b); i += 2 {
		if b[i] == 0 && b[i+1] == 0 {
			return b[:i], b[i+2:], true
		}
	}
	return b, nil, false
}

// id3Strings decodes a text frame: an encoding and one or more texts with zeros between.
func id3Strings(b []byte) []string {
	encoding, b := b[0], b[1:]
	var texts []string
	bigEndian := encoding == 2
	for len(b) > 0 && len(texts) < maxValues {
		text, rest, _ := cutText(encoding, b)
		switch encoding {
		case 1, 2:
			if len(text) >= 2 && text[0] == 0xFE && text[1] == 0xFF {
				bigEndian = true // some write the mark in front of the first text only
			}
			texts = append(texts, utf16Text(text, bigEndian))
		case 3:
			texts = append(texts, string(text))
		default:
			texts = append(texts, latin1(text))
		}
		b = rest
	}
	return texts
}

// id3Genres adds the genres of a TCON frame: "Rock", "17", "(17)", "(17)Rock", "(51)(39)Foo".
func id3Genres(t *media.Tags, s string) {
	for strings.HasPrefix(s, "(") && !strings.HasPrefix(s, "((") {
		ref, rest, ok := strings.Cut(s[1:], ")")
		name := genreRef(ref)
		if !ok || name == "" {
			break
		}
		if rest = strings.TrimSpace(rest); !strings.EqualFold(rest, name) {
			set(t, genre, name)
		}
		s = rest
	}
	if name := genreRef(s); name != "" {
		s = name
	}
	set(t, genre, strings.TrimPrefix(s, "(("))
}

func genreRef(s string) string {
	switch s = strings.TrimSpace(s); s {
	case "RX":
		return "Remix"
	case "CR":
		return "Cover"
	}
	if n, err := strconv.Atoi(s); err == nil && n >= 0 && n < len(id3v1Genres) {
		return id3v1Genres[n]
	}
	return ""
}

// readID3v1 reads the 128 bytes at the end of a file that may be an ID3v1 tag, and reports whether they are.
func readID3v1(w *window, t *media.Tags) bool {
	b, err := w.at(w.size-128, 128)
	if err != nil || string(b[:3]) != "TAG" {
		return false
	}
	text := func(from, to int) string {
		s, _, _ := bytes.Cut(b[from:to], []byte{0})
		return latin1(s)
	}
	set(t, title, text(3, 33))
	if len(t.Artists) == 0 {
		set(t, artist, text(33, 63))
	}
	set(t, album, text(63, 93))
	set(t, date, text(93, 97))
	if b[125] == 0 && b[126] != 0 && t.Track == 0 {
		t.Track = int(b[126])
	}
	if g := int(b[127]); g < len(id3v1Genres) && len(t.Genres) == 0 {
		set(t, genre, id3v1Genres[g])
	}
	return true
}
