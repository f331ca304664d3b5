//go:build linux

package decode_test

import (
	"encoding/binary"
	"image"
	"image/color"
	"os"
	"path/filepath"
	"testing"
	"time"

	"manofwar/internal/container/fixture"
	"manofwar/internal/media"
	"manofwar/player"
	"manofwar/player/decode"
)

// sup is a .sup file with one picture of 40×20 at (100, 200) of 720×576, yellow with a border of half-transparent
// black, from 1 s to 2.5 s, and the same again from 3 s to 3.5 s.
func sup() (out []byte) {
	segment := func(at time.Duration, kind byte, body ...byte) {
		out = append(out, 'P', 'G')
		out = binary.BigEndian.AppendUint32(out, uint32(at*90000/time.Second))
		out = binary.BigEndian.AppendUint32(out, 0)
		out = append(out, kind)
		out = binary.BigEndian.AppendUint16(out, uint16(len(body)))
		out = append(out, body...)
	}
	var rle []byte
	for y := range 20 {
		if y == 0 || y == 19 {
			rle = append(rle, 0, 0x80|40, 1, 0, 0)
			continue
		}
		rle = append(rle, 1, 0, 0x80|38, 2, 1, 0, 0)
	}
	for i, shown := range []struct{ from, to time.Duration }{{time.Second, 2500 * time.Millisecond}, {3 * time.Second, 3500 * time.Millisecond}} {
		n := byte(2 * i)
		window := []byte{1, 0, 0, 100, 0, 200, 0, 40, 0, 20}
		segment(shown.from, 0x16, 2, 0xD0, 2, 0x40, 0x10, 0, n, 0x80, 0, 0, 1, 0, 0, 0, 0, 0, 100, 0, 200)
		segment(shown.from, 0x17, window...)
		segment(shown.from, 0x14, 0, 0, 1, 16, 128, 128, 128, 2, 210, 146, 16, 255)
		length := len(rle) + 4
		segment(shown.from, 0x15, append([]byte{0, 0, 0, 0xC0, 0, byte(length >> 8), byte(length), 0, 40, 0, 20}, rle...)...)
		segment(shown.from, 0x80)
		segment(shown.to, 0x16, 2, 0xD0, 2, 0x40, 0x10, 0, n+1, 0, 0, 0, 0)
		segment(shown.to, 0x17, window...)
		segment(shown.to, 0x80)
	}
	return out
}

// TestPicturesOfText plays subtitles that are pictures, as they come from Blu-ray discs and DVDs.
func TestPicturesOfText(t *testing.T) {
	pgs := write(t, "words.sup", sup())
	bluray, dvd := filepath.Join(t.TempDir(), "bluray.mkv"), filepath.Join(t.TempDir(), "dvd.mkv")
	fixture.Run(t, "-f", "lavfi", "-i", "testsrc2=s=720x576:r=25:d=4", "-itsoffset", "1", "-i", pgs, "-map", "0", "-map", "1", "-c:v", "libx264", "-preset", "ultrafast", "-c:s", "copy", bluray)
	fixture.Run(t, "-fix_sub_duration", "-i", bluray, "-map", "0", "-c:v", "copy", "-c:s", "dvdsub", dvd)
	tv := filepath.Join(t.TempDir(), "tv.ts")
	fixture.Run(t, "-fix_sub_duration", "-i", bluray, "-map", "0", "-c:v", "copy", "-c:s", "dvbsub", tv)
	eachDecoder(t, func(t *testing.T, d *decode.Decoder) {
		for _, path := range []string{bluray, dvd, tv} {
			r := request(t, d, path)
			got := play(open(t, d, r), r)
			if len(got.errs) > 0 {
				t.Fatal(got.errs)
			}
			checkImages(t, filepath.Base(path), got.cues)
		}
	})
}

func checkImages(t *testing.T, name string, cues []player.Cue) {
	t.Helper()
	type span struct{ from, to time.Duration }
	var shown []span
	for _, c := range cues {
		if n := len(shown); n > 0 {
			shown[n-1].to = min(shown[n-1].to, c.From)
		}
		if c.Image == nil {
			continue
		}
		shown = append(shown, span{c.From, c.To})
		inside, border := c.Image.RGBAAt(20, 10), c.Image.RGBAAt(0, 5)
		near := func(a, b uint8) bool { return max(a, b)-min(a, b) <= 24 }
		if want := (color.RGBA{255, 255, 0, 255}); !near(inside.R, want.R) || !near(inside.G, want.G) || inside.B > 40 || inside.A != 255 {
			t.Errorf("%s: the inside is %v", name, inside)
		}
		if border.R > 10 || !near(border.A, 128) {
			t.Errorf("%s: the border is %v", name, border)
		}
		if !c.At.Overlaps(image.Rect(100, 200, 140, 220)) || c.At.Dx() > 44 || c.Canvas != image.Pt(720, 576) {
			t.Errorf("%s: it lies at %v of %v", name, c.At, c.Canvas)
		}
	}
	want := []span{{time.Second, 2500 * time.Millisecond}, {3 * time.Second, 3500 * time.Millisecond}}
	if len(shown) != 2 {
		t.Fatalf("%s: %d subtitles: %+v", name, len(shown), cues)
	}
	for i, w := range want {
		if g := shown[i]; (g.from-w.from).Abs() > 15*time.Millisecond || (g.to-w.to).Abs() > 15*time.Millisecond {
			t.Errorf("%s: subtitle %d is shown from %v to %v, want %v", name, i, g.from, g.to, w)
		}
	}
}

// TestSeekIntoSubtitle begins while one is to be seen.
func TestSeekIntoSubtitle(t *testing.T) {
	eachDecoder(t, func(t *testing.T, d *decode.Decoder) {
		r := request(t, d, file(t, "h264-opus-srt.mkv"))
		r.From = 2500 * time.Millisecond
		got := play(open(t, d, r), r)
		if len(got.cues) != 1 || (got.cues[0].From-2*time.Second).Abs() > 30*time.Millisecond || got.cues[0].Text != "Second, é\nof two" {
			t.Errorf("subtitles %+v", got.cues)
		}
	})
}

// TestSubtitlesBeside plays those of a file next to the film, in an old code page.
func TestSubtitlesBeside(t *testing.T) {
	dir := t.TempDir()
	film := filepath.Join(dir, "Film (2020).mkv")
	if err := os.WriteFile(film, contents(t, file(t, "h264-opus-srt.mkv")), 0o644); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"Film (2020).de.forced.srt": "1\n00:00:01,000 --> 00:00:02,000\nSch\xF6n \x85\n\n2\n00:00:03,000 --> 00:00:04,000\n<b>Ende</b>\n",
		"Film (2020).srt":           "\xFF\xFE1\x00\n\x000\x000\x00:\x000\x000\x00:\x000\x001\x00 \x00-\x00-\x00>\x00 \x000\x000\x00:\x000\x000\x00:\x000\x002\x00\n\x00a\x00\n\x00",
		"Film (2020) 2.srt":         "another film's",
		"Film.srt":                  "another film's",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	d := decoders(t)["installed"]
	r := request(t, d, film)
	beside := r.Info.Streams[3:]
	want := media.Stream{Kind: media.Subtitle, Codec: "subrip", Language: "de", Title: "forced", File: "Film (2020).de.forced.srt"}
	if len(beside) != 2 || beside[0] != want || beside[1].File != "Film (2020).srt" {
		t.Fatalf("streams beside the film: %+v", beside)
	}
	r.Subtitle, r.From = 3, 1500*time.Millisecond
	got := play(open(t, d, r), r).cues
	if len(got) != 2 || got[0].Text != "Schön …" || got[0].From != time.Second || got[1].Text != "<b>Ende</b>" {
		t.Errorf("subtitles %+v", got)
	}
	r.Subtitle, r.From = 4, 0
	if got := play(open(t, d, r), r).cues; len(got) != 1 || got[0].Text != "a" || got[0].To != 2*time.Second {
		t.Errorf("subtitles in UTF-16 %+v", got)
	}
}
