package decode

import (
	"bytes"
	"cmp"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"manofwar/internal/media"
)

// maxSidecar bounds a file of subtitles: a film's are 100 KB.
const maxSidecar = 8 << 20

// sidecars returns the subtitles in files beside a film: those that have its name, with perhaps a language and a remark
// behind it, as in "Film.en.forced.srt".
func sidecars(path string) []media.Stream {
	stem := strings.TrimSuffix(filepath.Base(path), filepath.Ext(path))
	entries, err := os.ReadDir(filepath.Dir(path))
	if err != nil || stem == "" {
		return nil // there are none that could be read
	}
	var found []media.Stream
	for _, e := range entries {
		rest, ours := strings.CutPrefix(e.Name(), stem)
		if !ours || !strings.HasPrefix(rest, ".") || !strings.EqualFold(filepath.Ext(rest), ".srt") || e.IsDir() {
			continue
		}
		s := media.Stream{Kind: media.Subtitle, Codec: "subrip", File: e.Name()}
		for _, word := range strings.Split(strings.Trim(rest[:len(rest)-len(".srt")], "."), ".") {
			if len(word) == 2 || len(word) == 3 {
				s.Language = cmp.Or(s.Language, strings.ToLower(word))
			} else if word != "" {
				s.Title = strings.TrimSpace(s.Title + " " + word)
			}
		}
		found = append(found, s)
	}
	slices.SortFunc(found, func(a, b media.Stream) int { return strings.Compare(a.File, b.File) })
	return found
}

// asUTF8 returns text as UTF-8: from UTF-16, if it begins with its mark, or else from Windows-1252, which is what old
// files of subtitles are in mostly.
func asUTF8(b []byte) []byte {
	for _, e := range []struct {
		mark string
		unit func([]byte) uint16
	}{
		{"\xFF\xFE", func(b []byte) uint16 { return uint16(b[0]) | uint16(b[1])<<8 }},
		{"\xFE\xFF", func(b []byte) uint16 { return uint16(b[1]) | uint16(b[0])<<8 }},
	} {
		if rest, ok := bytes.CutPrefix(b, []byte(e.mark)); ok {
			var units []uint16
			for ; len(rest) >= 2; rest = rest[2:] {
				units = append(units, e.unit(rest))
			}
			return []byte(string(utf16.Decode(units)))
		}
	}
	if utf8.Valid(b) {
		return b
	}
	runes := make([]rune, 0, len(b))
	for _, c := range b {
		if c >= 0x80 && c < 0xA0 {
			runes = append(runes, windows1252[c-0x80])
		} else {
			runes = append(runes, rune(c))
		}
	}
	return []byte(string(runes))
}

// windows1252 is what stands for the control characters 0x80 to 0x9F of ISO 8859-1.
var windows1252 = [32]rune([]rune("€\uFFFD‚ƒ„…†‡ˆ‰Š‹Œ\uFFFDŽ\uFFFD\uFFFD‘’“”•–—˜™š›œ\uFFFDžŸ"))
