package stream

import (
	"encoding/binary"
	"errors"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"manofwar/internal/container/fixture"
	"manofwar/internal/media"
)

// pcm decodes a file's sound to samples of one channel.
func pcm(t *testing.T, file, stream string) []float64 {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), fixture.Program(t, "ffmpeg"), "-nostdin", "-v", "error", "-xerror", "-i", file, "-map", "0:"+stream,
		"-af", "aresample=48000:async=1:first_pts=0", "-ac", "1", "-f", "s16le", "-").Output()
	if err != nil {
		t.Fatalf("decode %s: %v", file, err)
	}
	samples := make([]float64, len(out)/2)
	for i := range samples {
		samples[i] = float64(int16(binary.LittleEndian.Uint16(out[2*i:])))
	}
	return samples
}

// TestConvertedSoundHasNoJoints converts sound segment by segment and compares every 10 ms with the film's own: a gap, an
// overlap or a shift of a single sample at a joint would show.
func TestConvertedSoundHasNoJoints(t *testing.T) {
	for _, c := range []struct {
		name, rendition string
		codec           []string
	}{
		{"dts.mkv", "audio1", []string{"-c:a", "dca", "-strict", "-2", "-b:a", "768k"}},
		{"truehd.mkv", "audio1", []string{"-c:a", "truehd", "-strict", "-2"}},
		{"ac3.mkv", "audio2", []string{"-c:a", "ac3", "-b:a", "448k"}},
		{"ac3.mp4", "audio2", []string{"-c:a", "ac3", "-b:a", "448k"}},
		{"pcm.mov", "audio1", []string{"-c:a", "pcm_s16le"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			film := fixture.File(t, c.name, fixture.Args([]string{"-i", fixture.BFrames(t)},
				[]string{"-f", "lavfi", "-i", "aevalsrc='0.4*sin(2*PI*(200+40*t)*t)|0.4*sin(2*PI*(200+40*t)*t)':s=48000:d=20"},
				[]string{"-map", "0:v", "-map", "1:a", "-c:v", "copy"}, c.codec)...)
			s := serve(t, film)
			if index := string(s.body(t, "hls/index.m3u8")); !strings.Contains(index, `CODECS="avc1.4D400C,mp4a.40.2"`) {
				t.Errorf("playlist:\n%s", index)
			}
			list := parse(t, string(s.body(t, "hls/"+c.rendition+".m3u8")))
			data := slices.Clone(s.body(t, "hls/"+list.init))
			for _, segment := range list.segments {
				data = append(data, s.body(t, "hls/"+segment)...)
			}
			file := write(t, filepath.Join(t.TempDir(), "sound.mp4"), data)
			decodes(t, file)
			noJoints(t, pcm(t, file, "0"), pcm(t, film, "a:0"), list.starts)
		})
	}
}

// noJoints compares the noise where segments meet with what coding makes everywhere.
func noJoints(t *testing.T, got, want, starts []float64) {
	t.Helper()
	end := min(len(got), len(want)) - soundRate/2
	if end < 19*soundRate {
		t.Fatalf("%d samples; want %d", len(got), len(want))
	}
	const window = soundRate / 100
	noise := func(from, to int) (worst float64) {
		for at := from; at+window < to; at += window {
			var signal, noise float64
			for i := at; i < at+window; i++ {
				signal += want[i] * want[i]
				noise += (got[i] - want[i]) * (got[i] - want[i])
			}
			worst = max(worst, math.Sqrt(noise/signal))
		}
		return worst
	}
	usual := noise(soundRate/10, int(starts[1]*soundRate)-4*frameSamples)
	for _, joint := range starts[1 : len(starts)-1] {
		at := int(joint * soundRate)
		if worst := noise(at-4*frameSamples, min(at+4*frameSamples, end)); worst > 2*usual+0.02 {
			t.Errorf("at the joint %.2f s: noise of %.3f of the signal; it is %.3f within a segment", joint, worst, usual)
		}
	}
	if worst := noise(soundRate/10, end); worst > 0.25 {
		t.Errorf("noise of %.3f of the signal", worst)
	}
}

// TestDolbyIsOfferedTwice: browsers that play Dolby Digital get it, others get AAC.
func TestDolbyIsOfferedTwice(t *testing.T) {
	film := fixture.File(t, "ac3.mp4", fixture.Args([]string{"-i", fixture.BFrames(t), "-c:v", "copy", "-c:a", "ac3"})...)
	s := serve(t, film)
	index := string(s.body(t, "hls/index.m3u8"))
	for _, want := range []string{`,ac-3",`, `,mp4a.40.2",`, `AUDIO="ac-3"`, `AUDIO="mp4a.40.2"`, "audio1.m3u8", "audio2.m3u8"} {
		if !strings.Contains(index, want) {
			t.Errorf("no %s in\n%s", want, index)
		}
	}
	for _, name := range []string{"main", "audio1", "audio2"} {
		list := parse(t, string(s.body(t, "hls/"+name+".m3u8")))
		decodes(t, write(t, filepath.Join(t.TempDir(), name+".mp4"), append(s.body(t, "hls/"+list.init), s.body(t, "hls/"+list.segments[2])...)))
	}
}

func TestWithoutEngineNothingIsConverted(t *testing.T) {
	film := fixture.File(t, "dts.mkv", fixture.Args(fixture.Picture(2, "128x72"), fixture.Sound(2), fixture.H264(0), []string{"-c:a", "dca", "-strict", "-2"})...)
	s := New(Options{Library: shelf{"film": item(t, film)}, FFmpeg: filepath.Join(t.TempDir(), "none")})
	_, err := (server{s, s.routes()}).plan("hls/index.m3u8")
	if !errors.Is(err, media.ErrUnsupported) || !strings.Contains(err.Error(), "the film's sound is DTS") {
		t.Errorf("%v; want ErrUnsupported", err)
	}
}

func TestEngineThatFails(t *testing.T) {
	program := write(t, filepath.Join(t.TempDir(), "ffmpeg"), []byte("#!/bin/sh\necho no such codec >&2\nexit 1\n"))
	if err := os.Chmod(program, 0o755); err != nil {
		t.Fatal(err)
	}
	if _, err := newEngine(program).run(t.Context(), 100, nil); !errors.Is(err, media.ErrCorrupt) || !strings.Contains(err.Error(), "no such codec") {
		t.Errorf("%v; want ErrCorrupt and what it says", err)
	}
	write(t, program, []byte("#!/bin/sh\nexec yes\n"))
	if data, err := newEngine(program).run(t.Context(), 100, nil); err != nil || len(data) != 100 {
		t.Errorf("%d bytes, %v; want the first 100 of an endless stream", len(data), err)
	}
}

func FuzzADTS(f *testing.F) {
	f.Add([]byte{0xFF, 0xF1, 0x4C, 0x80, 0x01, 0x3F, 0xFC, 1, 2})
	f.Fuzz(func(t *testing.T, data []byte) {
		n := 0
		for _, p := range adts(data) {
			n += len(p) + 7
		}
		if n > len(data) {
			t.Errorf("packets of %d bytes in %d", n, len(data))
		}
	})
}
