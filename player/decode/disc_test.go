//go:build linux

package decode_test

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"manofwar/internal/media"
	"manofwar/player"
	"manofwar/player/decode"
)

// disc makes the folder of a DVD of files with their sizes, or their contents.
func disc(t *testing.T, files map[string][]byte) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "Nosferatu", "VIDEO_TS")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	for name, data := range files {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// TestDVD cuts a film as a DVD does, and wants it played as if it were whole.
func TestDVD(t *testing.T) {
	path := file(t, "mpeg2-ac3.vob")
	film := contents(t, path)
	const pack = 2048
	a, b := len(film)/3/pack*pack, len(film)*2/3/pack*pack
	dir := disc(t, map[string][]byte{
		"VIDEO_TS.IFO": []byte("DVDVIDEO-VMG"), "VTS_01_0.VOB": film, "VTS_01_1.VOB": film[:a/2], "VTS_01_2.VOB": film[:a/2],
		"VTS_02_1.VOB": film[:a], "vts_02_2.vob": film[a:b], "VTS_02_3.VOB": film[b:], "VTS_02_5.VOB": film, "VTS_03_2.VOB": film,
	})
	eachDecoder(t, func(t *testing.T, d *decode.Decoder) {
		r := request(t, d, path)
		want := play(open(t, d, r), r)
		for _, from := range []string{dir, filepath.Dir(dir), filepath.Join(dir, "VTS_02_1.VOB")} {
			r := request(t, d, from)
			got := play(open(t, d, r), r)
			if len(got.errs) > 0 || !slices.Equal(got.pictures, want.pictures) || !slices.Equal(got.sound, want.sound) {
				t.Errorf("%s: %d pictures, %d samples, %v; want %d and %d", from, len(got.pictures), len(got.sound), got.errs, len(want.pictures), len(want.sound))
			}
			r.From = 3 * time.Second // in the last part
			checkPictures(t, want, play(open(t, d, r), r), r)
		}
		if r := request(t, d, filepath.Join(dir, "vts_02_2.vob")); r.Info.Container != "mpegps" {
			t.Errorf("a part by itself is %s", r.Info.Container)
		}
	})
}

func TestDVDThatIsNone(t *testing.T) {
	d := decoders(t)["installed"]
	odd := filepath.Join(t.TempDir(), "a|b")
	if err := os.Rename(disc(t, map[string][]byte{"VTS_01_1.VOB": {1}, "VTS_01_2.VOB": {1}}), odd); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		path string
		want error
	}{
		"menus alone":     {disc(t, map[string][]byte{"VIDEO_TS.VOB": {1}, "VTS_01_0.VOB": {1}}), media.ErrUnsupported},
		"empty files":     {disc(t, map[string][]byte{"VTS_01_1.VOB": nil}), media.ErrUnsupported},
		"its end alone":   {disc(t, map[string][]byte{"VTS_01_2.VOB": {1}}), media.ErrUnsupported},
		"an odd name":     {odd, media.ErrUnsupported},
		"noise":           {disc(t, map[string][]byte{"VTS_01_1.VOB": make([]byte, 4096), "VTS_01_2.VOB": make([]byte, 4096)}), media.ErrCorrupt},
		"a folder in one": {disc(t, nil), media.ErrUnsupported},
	} {
		if _, err := d.Probe(t.Context(), player.Source{Path: c.path}); !errors.Is(err, c.want) {
			t.Errorf("%s: got %v, want %v", name, err, c.want)
		}
	}
}
