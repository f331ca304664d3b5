//go:build vm

package vm

import (
	"bytes"
	"fmt"
	"image"
	"image/png"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"manofwar/internal/lab"
)

// evening is what is on the television's disk: two songs that are one piece of noise, cut in the middle, a long one, a
// picture that stands still, and a film of it.
type evening struct {
	noise [][2]int16 // of the two songs, 16-bit stereo at 48 kHz
	long  [][2]int16
	still string // the picture's file
}

const (
	songFrames = 5 * 48000
	longFrames = 120 * 48000
	coverRGB   = 0xc03040

	filmName = "Bars (2020).mkv"
	longName = "long.flac"
)

var songNames = []string{"half1.flac", "half2.flac"}

func makeMedia(t *testing.T, dir string) evening {
	random := rand.New(rand.NewPCG(1, 2))
	m := evening{noise: makeNoise(random, 2*songFrames), long: makeNoise(random, longFrames)}
	cover := filepath.Join(t.TempDir(), "cover.png")
	must(t, lab.FFmpeg(t.Context(), "-f", "lavfi", "-i", fmt.Sprintf("color=0x%06x:s=500x500", coverRGB), "-frames:v", "1", cover))
	for i, name := range songNames {
		makeSong(t, filepath.Join(dir, name), cover, m.noise[i*songFrames:(i+1)*songFrames], fmt.Sprintf("Half %d", i+1), "Noise", i+1)
	}
	makeSong(t, filepath.Join(dir, longName), cover, m.long, "Long", "Length", 1)
	m.still = makeFilm(t, filepath.Join(dir, filmName))
	makeFlashes(t, dir)
	return m
}

// makeNoise returns frames that are nowhere the same.
func makeNoise(random *rand.Rand, frames int) [][2]int16 {
	all := make([][2]int16, frames)
	for i := range all {
		for c := range all[i] {
			all[i][c] = int16(random.IntN(16000) - 8000)
		}
	}
	return all
}

// makeSong writes a FLAC file.
func makeSong(t *testing.T, file, cover string, frames [][2]int16, title, album string, track int) {
	var raw bytes.Buffer
	for _, f := range frames {
		for _, v := range f {
			raw.Write([]byte{byte(v), byte(uint16(v) >> 8)})
		}
	}
	pcm := filepath.Join(t.TempDir(), "song.pcm")
	must(t, os.WriteFile(pcm, raw.Bytes(), 0o600))
	must(t, lab.FFmpeg(t.Context(), "-f", "s16le", "-ar", "48000", "-ac", "2", "-i", pcm, "-i", cover, "-map", "0", "-map", "1", "-c:a", "flac",
		"-disposition:v", "attached_pic", "-metadata", "title="+title, "-metadata", "album="+album, "-metadata", "artist=Nobody",
		"-metadata", fmt.Sprintf("track=%d", track), file))
}

// filmWords are the film's subtitles, as SubRip: the same words again and again from a quarter of it on.
func filmWords() string {
	var b strings.Builder
	at := func(seconds int) string { return fmt.Sprintf("00:%02d:%02d,000", seconds/60, seconds%60) }
	for i, from := 1, 150; from < 600; i, from = i+1, from+5 {
		fmt.Fprintf(&b, "%d\n%s --> %s\nGood evening, <i>everyone</i>\n\n", i, at(from), at(from+5))
	}
	return b.String()
}

// makeFilm writes a film in which nothing moves, of the shape of the screen, and returns its picture.
func makeFilm(t *testing.T, file string) (still string) {
	words := filepath.Join(t.TempDir(), "words.srt")
	must(t, os.WriteFile(words, []byte(filmWords()), 0o600))
	must(t, lab.FFmpeg(t.Context(), "-f", "lavfi", "-i", "smptebars=s=320x240:r=5", "-f", "lavfi", "-i", "sine=f=500:r=48000", "-i", words, "-t", "600",
		"-map", "0", "-map", "1", "-map", "2", "-c:s", "srt", "-metadata:s:s:0", "language=eng",
		"-c:v", "libx264", "-preset", "ultrafast", "-crf", "12", "-pix_fmt", "yuv420p", "-g", "10", "-c:a", "aac", file))
	still = filepath.Join(t.TempDir(), "still.png")
	must(t, lab.FFmpeg(t.Context(), "-i", file, "-frames:v", "1", still))
	return still
}

// stillAt is the film's picture on a screen of that size, with black beside it where the shapes differ.
func (m evening) stillAt(t *testing.T, width, height int) image.Image {
	t.Helper()
	file := filepath.Join(t.TempDir(), "still.png")
	must(t, lab.FFmpeg(t.Context(), "-i", m.still, "-vf",
		fmt.Sprintf("scale=%[1]d:%[2]d:flags=fast_bilinear:force_original_aspect_ratio=decrease,pad=%[1]d:%[2]d:-1:-1", width, height), file))
	data, err := os.ReadFile(file)
	must(t, err)
	img, err := png.Decode(bytes.NewReader(data))
	must(t, err)
	return img
}
