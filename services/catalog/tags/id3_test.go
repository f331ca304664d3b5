package tags_test

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf16"

	"manofwar/internal/media"
	"manofwar/services/catalog/mediatest"
	"manofwar/services/catalog/tags"
)

// frame makes an ID3v2 frame whose size is as the version has it.
func frame(version byte, id string, body []byte) []byte {
	n := uint32(len(body))
	switch version {
	case 2:
		return append(append([]byte(id), byte(n>>16), byte(n>>8), byte(n)), body...)
	case 4:
		n = n&0x7F | n<<1&0x7F00 | n<<2&0x7F0000
	}
	b := binary.BigEndian.AppendUint32([]byte(id), n)
	return append(append(b, 0, 0), body...)
}

// id3 makes a tag.
func id3(version, flags byte, frames ...[]byte) []byte {
	body := bytes.Join(frames, nil)
	if flags&0x80 != 0 {
		body = unsynchronise(body)
	}
	n := len(body)
	return append([]byte{'I', 'D', '3', version, 0, flags, byte(n >> 21 & 0x7F), byte(n >> 14 & 0x7F), byte(n >> 7 & 0x7F), byte(n & 0x7F)}, body...)
}

func unsynchronise(b []byte) []byte { return bytes.ReplaceAll(b, []byte{0xFF}, []byte{0xFF, 0}) }

func utf16le(s string) []byte {
	b := []byte{0xFF, 0xFE}
	for _, u := range utf16.Encode([]rune(s)) {
		b = binary.LittleEndian.AppendUint16(b, u)
	}
	return b
}

func text(encoding byte, s string) []byte {
	if encoding == 1 {
		return append([]byte{1}, utf16le(s)...)
	}
	return append([]byte{encoding}, s...)
}

func fixed(s string, n int) []byte { return append([]byte(s), make([]byte, n-len(s))...) }

func apeItem(key, value string) []byte {
	b := binary.LittleEndian.AppendUint32(nil, uint32(len(value)))
	return append(append(append(b, 0, 0, 0, 0), key...), "\x00"+value...)
}

func apeTag(items ...[]byte) []byte {
	body := bytes.Join(items, nil)
	b := append(body, "APETAGEX"...)
	b = binary.LittleEndian.AppendUint32(b, 2000)
	b = binary.LittleEndian.AppendUint32(b, uint32(len(body)+32))
	b = binary.LittleEndian.AppendUint32(b, uint32(len(items)))
	return append(b, make([]byte, 12)...)
}

// TestTagsAsWritten reads tags as programs have written them, in front of and behind the same audio.
func TestTagsAsWritten(t *testing.T) {
	audio, err := os.ReadFile(filepath.Join(mediatest.Dir(t), "info.mp3"))
	if err != nil {
		t.Fatal(err)
	}
	jpeg := []byte("\xFF\xD8\xFF\xE0 a picture \xFF\xD9")
	picture := func(kind byte) []byte { return append([]byte("\x00image/jpeg\x00"+string(kind)+"\x00"), jpeg...) }
	long := strings.Repeat("x", 200)
	v1 := bytes.Join([][]byte{[]byte("TAG"), fixed("Old", 30), fixed("B\xf6rk", 30), fixed("LP", 30), []byte("1987"), fixed("", 29), {5, 17}}, nil)

	for name, c := range map[string]struct {
		front, back []byte
		want        media.Tags
		cover       string // what the range has to hold
	}{
		"2.2": {
			front: id3(2, 0, frame(2, "TT2", text(0, "T")), frame(2, "TP1", text(1, "Ä")), frame(2, "TRK", text(0, "3/9")), frame(2, "PIC", append([]byte("\x00JPG\x03\x00"), jpeg...))),
			want:  media.Tags{Title: "T", Artists: []string{"Ä"}, Track: 3}, cover: string(jpeg),
		},
		"UTF-16 with several values": {
			front: id3(3, 0, frame(3, "TPE1", append(text(1, "東京\x00"), utf16le("Б")...))),
			want:  media.Tags{Artists: []string{"東京", "Б"}},
		},
		"several values in 2.4": {
			front: id3(4, 0, frame(4, "TPE1", text(3, "A\x00B\x00A")), frame(4, "TCON", text(3, "17\x00Own")), frame(4, "TDRC", text(0, "1999-05-06"))),
			want:  media.Tags{Artists: []string{"A", "B"}, Genres: []string{"Rock", "Own"}, Year: 1999},
		},
		"genres by number": {
			front: id3(3, 0, frame(3, "TCON", text(0, "(17)(8)Foo"))),
			want:  media.Tags{Genres: []string{"Rock", "Jazz", "Foo"}},
		},
		"a genre by number and name": {
			front: id3(3, 0, frame(3, "TCON", text(0, "(17)Rock"))),
			want:  media.Tags{Genres: []string{"Rock"}},
		},
		"UTF-8 said to be ISO 8859-1": {
			front: id3(3, 0, frame(3, "TIT2", text(0, "Žluťoučký"))),
			want:  media.Tags{Title: "Žluťoučký"},
		},
		"ISO 8859-1": {
			front: id3(3, 0, frame(3, "TIT2", text(0, "K\xf6ln"))),
			want:  media.Tags{Title: "Köln"},
		},
		"plain sizes in 2.4, as old iTunes wrote": {
			front: id3(4, 0, frame(3, "TALB", text(3, long)), frame(3, "TIT2", text(3, "T"))),
			want:  media.Tags{Album: long, Title: "T"},
		},
		"unsynchronised": {
			front: id3(3, 0x80, frame(3, "APIC", picture(3)), frame(3, "TIT2", text(1, "ÿþ"))),
			want:  media.Tags{Title: "ÿþ"},
		},
		"the front cover behind another picture": {
			front: id3(3, 0, frame(3, "APIC", append([]byte("\x00image/png\x00\x04\x00"), "\x89PNG other"...)), frame(3, "APIC", picture(3)), frame(3, "TIT2", text(0, "T"))),
			want:  media.Tags{Title: "T"}, cover: string(jpeg),
		},
		"padding": {
			front: id3(3, 0, frame(3, "TIT2", text(0, "T")), make([]byte, 4000)),
			want:  media.Tags{Title: "T"},
		},
		"a frame that is longer than the tag": {
			front: id3(3, 0, frame(3, "TIT2", text(0, "T")), []byte("TALB\x7F\xFF\xFF\xFF\x00\x00\x00abc")),
			want:  media.Tags{Title: "T"},
		},
		"ID3v1": {
			back: v1,
			want: media.Tags{Title: "Old", Artists: []string{"Börk"}, Album: "LP", Year: 1987, Track: 5, Genres: []string{"Rock"}},
		},
		"APEv2 before ID3v1": {
			back: append(apeTag(apeItem("Title", "New"), apeItem("ARTIST", "A\x00B"), apeItem("Track", "2/3"), apeItem("Year", "2001")), v1...),
			want: media.Tags{Title: "New", Artists: []string{"A", "B"}, Track: 2, Year: 2001},
		},
		"two tags, the second one counting for what the first lacks": {
			front: append(id3(4, 0, frame(4, "TIT2", text(3, "New"))), id3(3, 0, frame(3, "TIT2", text(0, "Old")), frame(3, "TALB", text(0, "LP")))...),
			want:  media.Tags{Title: "New", Album: "LP"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			data := bytes.Join([][]byte{c.front, audio, c.back}, nil)
			facts, err := tags.Read(bytes.NewReader(data), int64(len(data)), "a.mp3")
			if err != nil {
				t.Fatal(err)
			}
			got, _ := json.Marshal(facts.Tags)
			want, _ := json.Marshal(c.want)
			if !bytes.Equal(got, want) {
				t.Errorf("got %s, want %s", got, want)
			}
			if s := facts.Duration.Seconds(); s < mediatest.Seconds-0.06 || s > mediatest.Seconds+0.06 {
				t.Errorf("duration %v", facts.Duration)
			}
			cover := ""
			if r := facts.Cover; r != nil {
				cover = string(data[r.Offset : r.Offset+r.Length])
			}
			if cover != c.cover {
				t.Errorf("cover %q, want %q", cover, c.cover)
			}
		})
	}
}

// TestVBRWithoutHeader estimates the duration where no header counts the frames.
func TestVBRWithoutHeader(t *testing.T) {
	audio, err := os.ReadFile(filepath.Join(mediatest.Dir(t), "bare.mp3"))
	if err != nil {
		t.Fatal(err)
	}
	junk := append(make([]byte, 3000), audio...) // some files begin with what a cut left over
	facts, err := tags.Read(bytes.NewReader(junk), int64(len(junk)), "a.mp3")
	if s := facts.Duration.Seconds(); err != nil || s < mediatest.Seconds-0.1 || s > mediatest.Seconds+0.1 {
		t.Errorf("got %v, %v", facts.Duration, err)
	}
}
