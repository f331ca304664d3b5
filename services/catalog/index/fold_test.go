package index

import (
	"slices"
	"strings"
	"testing"

	"manofwar/internal/media"
)

func TestFold(t *testing.T) {
	for in, want := range map[string]string{
		"AC/DC": "ac/dc", "Björk": "bjork", "Bjo\u0308rk": "bjork", "Ænima": "aenima", "STRAßE": "strasse", "Sigur Rós": "sigur ros",
		"Мумий Тролль": "мумии тролль", "Dvořák": "dvorak", "Łódź": "lodz", "ﬁn": "fin", "ＡＢＣ": "abc", "东风": "东风", "İstanbul": "istanbul", "\xff": "\ufffd",
	} {
		if got := fold(in); got != want {
			t.Errorf("%q: got %q, want %q", in, got, want)
		}
	}
}

func TestNatural(t *testing.T) {
	want := []string{"", "01", "1a", "2", "10", "a", "a 2", "a 10", "a b", "track 009", "track 10", "ä"}
	got := slices.Clone(want)
	slices.Reverse(got)
	slices.SortStableFunc(got, natural)
	if !slices.Equal(got, want) {
		t.Errorf("got %q", got)
	}
}

func TestWords(t *testing.T) {
	got := slices.Collect(words("don't stop-me now (live) 99½ 东风 rock’n’roll"))
	want := strings.Split("dont|stop|me|now|live|99½|东风|rocknroll", "|")
	if slices.Equal(got, want) {
		return
	}
	want[5] = "99" // ½ is no digit before it is folded
	if !slices.Equal(got, want) {
		t.Errorf("got %q", got)
	}
}

func TestAlbumDir(t *testing.T) {
	for in, want := range map[string]string{
		"": "", "A/": "A", "A/CD1/": "A", "A/Disc 02/": "A", "A/cd/": "A", "A/Disk-3/": "A", "A/Discovery/": "A/Discovery", "CD 1/": "", "A/CDs of mine/": "A/CDs of mine",
	} {
		if got := albumDir(in); got != want {
			t.Errorf("%q: got %q, want %q", in, got, want)
		}
	}
}

// FuzzDecodeRecord decodes whatever bytes, and takes them apart as an item. What came from an item encodes to the same again.
func FuzzDecodeRecord(f *testing.F) {
	it := media.Item{
		Kind: media.Film, Container: "mp4", Streams: []media.Stream{{Kind: media.Video, Codec: "h264", FrameRate: 23.976}},
		Tags: media.Tags{Title: "T", Artists: []string{"A", "B"}, Year: 1999}, Cover: &media.Range{Path: "p", Length: 3},
	}
	f.Add(encodeRecord(&entry{id: 7, size: 5, modified: -3, added: 9, picture: beside, facts: encodeFacts(&it)}))
	f.Add([]byte{recordVersion})
	f.Fuzz(func(t *testing.T, data []byte) {
		var e entry
		if decodeRecord(data, &e) != nil {
			return
		}
		var it media.Item
		if _, err := decodeFacts(e.facts, &it); err != nil {
			return
		}
		facts := encodeFacts(&it)
		var again media.Item
		if _, err := decodeFacts(facts, &again); err != nil || encodeFacts(&again) != facts {
			t.Errorf("%+v does not come back: %+v, %v", it, again, err)
		}
	})
}
