//go:build linux

package decode_test

import (
	"bytes"
	"errors"
	"io"
	"math"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"testing"
	"time"
	"unsafe"

	"manofwar/internal/container/fixture"
	"manofwar/internal/media"
	"manofwar/player"
	"manofwar/player/decode"
)

// packed returns a frame's bytes without what is between its lines.
func packed(f *player.Frame) []byte {
	var out []byte
	lines := func(i, width, count int) {
		for y := range count {
			out = append(out, f.Planes[i].Data[y*f.Planes[i].Pitch:][:width]...)
		}
	}
	switch f.Format {
	case player.XRGB8888:
		lines(0, 4*f.Width, f.Height)
	case player.YUV420:
		lines(0, f.Width, f.Height)
		lines(1, f.Width/2, f.Height/2)
		lines(2, f.Width/2, f.Height/2)
	case player.NV12:
		lines(0, f.Width, f.Height)
		lines(1, f.Width, f.Height/2)
	}
	return out
}

// TestPicturesAreFFmpegs compares each byte, in every format, scaled or not, with gaps between the lines or none.
func TestPicturesAreFFmpegs(t *testing.T) {
	path := file(t, "h264-aac.mp4")
	names := map[player.Format]string{player.XRGB8888: "bgr0", player.YUV420: "yuv420p", player.NV12: "nv12"}
	eachDecoder(t, func(t *testing.T, d *decode.Decoder) {
		for format, name := range names {
			for _, size := range []struct{ w, h, pad int }{{160, 120, 0}, {160, 120, 32}, {640, 570, 0}, {640, 570, 64}} {
				r := request(t, d, path)
				r.Format, r.Width, r.Height, r.Audio = format, size.w, size.h, player.None
				want, err := exec.CommandContext(t.Context(), d.FFmpeg, "-v", "error", "-i", path, "-frames:v", "3", "-vf",
					"scale="+strconv.Itoa(size.w)+":"+strconv.Itoa(size.h)+":flags=fast_bilinear:out_range="+map[bool]string{true: "pc", false: "tv"}[format == player.XRGB8888],
					"-pix_fmt", name, "-f", "rawvideo", "-").Output()
				if err != nil {
					t.Fatal(err)
				}
				s := open(t, d, r)
				f := frame(format, size.w, size.h, size.pad)
				var got []byte
				for range 3 {
					if _, err := s.Picture(f); err != nil {
						t.Fatal(err)
					}
					got = append(got, packed(f)...)
				}
				if !bytes.Equal(got, want) {
					t.Errorf("%s %+v: the pictures differ", name, size)
				}
			}
		}
	})
}

func TestFrameMustFit(t *testing.T) {
	d := decoders(t)["installed"]
	r := request(t, d, file(t, "h264-aac.mp4"))
	s := open(t, d, r)
	short := frame(player.YUV420, 160, 120, 0)
	short.Planes[2].Data = short.Planes[2].Data[1:]
	for _, f := range []*player.Frame{frame(player.NV12, 160, 120, 0), frame(player.YUV420, 158, 120, 0), short} {
		if _, err := s.Picture(f); !errors.Is(err, player.ErrFormat) {
			t.Errorf("a frame that does not fit: %v", err)
		}
	}
	if _, err := s.Picture(frame(player.YUV420, 160, 120, 0)); err != nil {
		t.Errorf("one that does after them: %v", err)
	}
	r.Width = 161
	if _, err := d.Open(t.Context(), r); !errors.Is(err, player.ErrFormat) {
		t.Errorf("a width that is odd: %v", err)
	}
	r.Width, r.Audio = 160, 0
	if _, err := d.Open(t.Context(), r); !errors.Is(err, media.ErrInvalid) {
		t.Errorf("sound of a picture: %v", err)
	}
}

// TestDownmix wants stereo of mono at its own level, and of loud 5.1 without more than it can hold by far.
func TestDownmix(t *testing.T) {
	tone := func(expr, layout string) string {
		return fixture.File(t, "mix.wav", "-f", "lavfi", "-i", "aevalsrc="+expr+":c="+layout+":s=48000:d=0.5", "-c:a", "pcm_f32le")
	}
	peak := func(p []float32) (m float64) {
		for _, v := range p {
			m = max(m, math.Abs(float64(v)))
		}
		return m
	}
	eachDecoder(t, func(t *testing.T, d *decode.Decoder) {
		for _, c := range []struct {
			name, path string
			low, high  float64
		}{
			{"mono", tone("0.5*sin(440*2*PI*t)", "mono"), 0.495, 0.505},
			{"speech in 5.1", tone("0|0|0.5*sin(440*2*PI*t)|0|0|0", "5.1"), 0.18, 0.36},
			{"all of 5.1 at once", tone("sin(440*2*PI*t)|sin(440*2*PI*t)|sin(440*2*PI*t)|0|sin(440*2*PI*t)|sin(440*2*PI*t)", "5.1"), 0.9, 1.42},
		} {
			r := request(t, d, c.path)
			r.Channels, r.Rate = 2, 48000
			got := play(open(t, d, r), r)
			if p := peak(got.sound); p < c.low || p > c.high {
				t.Errorf("%s: a peak of %.3f, want %.2f to %.2f", c.name, p, c.low, c.high)
			}
		}
	})
}

// TestSpeed plays faster and slower. Times stay those of the item.
func TestSpeed(t *testing.T) {
	path := file(t, "h264-aac.mp4")
	eachDecoder(t, func(t *testing.T, d *decode.Decoder) {
		for _, speed := range []float64{0.25, 0.5, 1.25, 2} {
			r := request(t, d, path)
			r.Speed, r.From = speed, time.Second
			got := play(open(t, d, r), r)
			if want := 3 * 48000 / speed; math.Abs(float64(len(got.sound)/2)-want) > 0.03*want+2048 {
				t.Errorf("at %v times: %d samples, want %.0f", speed, len(got.sound)/2, want)
			}
			if got.jumps > 0 || got.soundAt != time.Second || len(got.pictures) != 75 || got.pictures[0] != time.Second {
				t.Errorf("at %v times: %d jumps, sound from %v, %d pictures from %v", speed, got.jumps, got.soundAt, len(got.pictures), got.pictures[0])
			}
		}
	})
}

// TestPassed compares bursts with those of ffmpeg's own muxer.
func TestPassed(t *testing.T) {
	eachDecoder(t, func(t *testing.T, d *decode.Decoder) {
		for _, c := range []struct {
			name  string
			burst int // 16-bit pairs
			rate  int
		}{{"hevc-ac3.mkv", 1536, 48000}, {"h264-ac3.ts", 1536, 48000}, {"hevc10-eac3.mp4", 6144, 192000}, {"h264-dts.mkv", 512, 48000}} {
			path := file(t, c.name)
			r := request(t, d, path)
			r.Video, r.Pass, r.Rate, r.Channels = player.None, true, c.rate, 2
			want, err := exec.CommandContext(t.Context(), d.FFmpeg, "-v", "error", "-i", path, "-map", "0:a:0", "-c", "copy", "-f", "spdif", "-").Output()
			if err != nil {
				t.Fatal(err)
			}
			got := readPairs(t, open(t, d, r))
			if !bytes.Equal(got, want) {
				t.Errorf("%s: %d bytes of bursts differ from ffmpeg's %d", c.name, len(got), len(want))
			}
			r.From = 2 * time.Second
			s := open(t, d, r)
			pairs := make([]float32, c.burst)
			n, at, err := s.Sound(pairs)
			if err != nil || n != c.burst || (at-2*time.Second).Abs() > 33*time.Millisecond {
				t.Errorf("%s from 2 s: %d pairs at %v, %v", c.name, n, at, err)
			}
		}
	})
}

func readPairs(t *testing.T, s player.Stream) (all []byte) {
	t.Helper()
	pairs := make([]float32, 1000)
	for {
		n, _, err := s.Sound(pairs)
		if errors.Is(err, io.EOF) {
			return all
		} else if err != nil {
			t.Fatal(err)
		}
		all = append(all, unsafe.Slice((*byte)(unsafe.Pointer(&pairs[0])), 4*n)...)
	}
}

// TestProbe checks what is found out.
func TestProbe(t *testing.T) {
	base := []string{"-f", "lavfi", "-i", "testsrc2=s=720x576:r=50:d=1", "-f", "lavfi", "-i", "sine=d=1:r=48000"}
	sound := []string{"-f", "lavfi", "-i", "sine=d=1:r=48000"}
	chapters := fixture.Text(t, "chapters.txt", ";FFMETADATA1\n[CHAPTER]\nTIMEBASE=1/1000\nSTART=0\nEND=500\ntitle=Intro\n[CHAPTER]\nTIMEBASE=1/1000\nSTART=500\nEND=1000\ntitle=Rest\n")
	wide := fixture.File(t, "wide.mpg", append(base, "-vf", "interlace,setsar=64/45", "-c:v", "mpeg2video", "-flags", "+ildct+ilme", "-c:a", "mp2", "-f", "vob")...)
	turned := fixture.File(t, "turned.mov", "-i", fixture.File(t, "plain.mov", append(base, "-c:v", "mpeg4", "-an")...), "-c", "copy", "-metadata:s:v", "rotate=90")
	ntsc := fixture.File(t, "ntsc.mkv", "-f", "lavfi", "-i", "testsrc2=s=64x64:r=24000/1001:d=2", "-i", chapters, "-map_chapters", "1", "-c:v", "libx264", "-preset", "ultrafast")
	loud := fixture.File(t, "loud.flac", append(sound, "-metadata", "REPLAYGAIN_TRACK_GAIN=-6.50 dB", "-metadata", "REPLAYGAIN_TRACK_PEAK=0.98", "-metadata", "replaygain_album_gain=+1.25 dB")...)
	opus := fixture.File(t, "loud.opus", append(sound, "-c:a", "libopus", "-metadata", "R128_TRACK_GAIN=-512")...)
	eachDecoder(t, func(t *testing.T, d *decode.Decoder) {
		probe := func(path string) player.Info {
			t.Helper()
			info, err := d.Probe(t.Context(), player.Source{Path: path})
			if err != nil {
				t.Fatal(err)
			}
			return info
		}
		if i := probe(wide); !i.Interlace || math.Abs(i.Aspect-16.0/9) > 0.01 || i.Rate != (player.Rational{Num: 50, Den: 1}) || i.Container != "mpegps" {
			t.Errorf("television: %+v", i)
		}
		if i := probe(turned); math.Abs(i.Aspect-0.8) > 0.01 {
			t.Errorf("a film that is turned has the shape %v", i.Aspect)
		}
		if i := probe(ntsc); i.Interlace || i.Rate != (player.Rational{Num: 24000, Den: 1001}) || len(i.Chapters) != 2 || i.Chapters[1] != (player.Chapter{Start: 500 * time.Millisecond, Title: "Rest"}) {
			t.Errorf("film: %+v", i)
		}
		if i := probe(loud); i.Gain != (player.Gain{Track: -6.5, TrackPeak: 0.98, Album: 1.25}) || i.Aspect != 0 {
			t.Errorf("gain: %+v", i.Gain)
		}
		if i := probe(opus); i.Gain != (player.Gain{Track: 3}) {
			t.Errorf("gain of Opus: %+v", i.Gain)
		}
		song := probe(file(t, "cbr.mp3"))
		if len(song.Streams) != 1 || song.Streams[0].Kind != media.Audio || song.Container != "mp3" {
			t.Errorf("a song with a cover: %+v", song)
		}
		film := probe(file(t, "h264-opus-srt.mkv"))
		kinds := []media.StreamKind{}
		for _, s := range film.Streams {
			kinds = append(kinds, s.Kind)
		}
		if !slices.Equal(kinds, []media.StreamKind{media.Video, media.Audio, media.Subtitle}) || film.Container != "matroska" || film.Duration.Round(100*time.Millisecond) != 4*time.Second {
			t.Errorf("a film: %+v", film)
		}
	})
}

// TestHDR turns a film into HDR10 and has it turned back. Its colours must come near to what they were, nearer than when
// HDR10 is shown as it is.
func TestHDR(t *testing.T) {
	image := decoders(t)["image"]
	if image == nil {
		t.Skip("rootfs/build/ffmpeg.sh has not been run, and zscale is not in every ffmpeg")
	}
	dir := t.TempDir()
	run := func(args ...string) []byte {
		out, err := exec.CommandContext(t.Context(), image.FFmpeg, append([]string{"-v", "error", "-y"}, args...)...).CombinedOutput()
		if err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		return out
	}
	source := []string{"-f", "lavfi", "-i", "testsrc2=s=320x180:r=5:d=1,gblur=sigma=6,eq=saturation=0.7:brightness=-0.02"}
	plain := run(append(source, "-vf", "format=yuv420p", "-frames:v", "1", "-f", "rawvideo", "-")...)
	hdr := filepath.Join(dir, "hdr.mov")
	run(append(source, "-vf", "format=yuv420p,setparams=range=tv:color_primaries=bt709:color_trc=bt709:colorspace=bt709,zscale=t=linear:npl=203,format=gbrpf32le,"+
		"zscale=p=bt2020:t=smpte2084:m=bt2020nc:r=tv:npl=203,format=yuv420p10le", "-c:v", "rawvideo", "-f", "nut", hdr)...)
	coded := filepath.Join(dir, "hdr.mkv")
	fixture.Run(t, "-i", hdr, "-c:v", "libx265", "-x265-params", "log-level=error:lossless=1:colorprim=bt2020:transfer=smpte2084:colormatrix=bt2020nc", coded)
	eachDecoder(t, func(t *testing.T, d *decode.Decoder) {
		r := request(t, d, coded)
		if !r.Info.HDR {
			t.Fatalf("it is not seen to be HDR: %+v", r.Info)
		}
		errorOf := func() (sum float64) {
			f := frame(r.Format, r.Width, r.Height, 0)
			if _, err := open(t, d, r).Picture(f); err != nil {
				t.Fatal(err)
			}
			for i, b := range packed(f) {
				sum += math.Abs(float64(b) - float64(plain[i]))
			}
			return sum / float64(len(plain))
		}
		with := errorOf()
		r.Info.HDR = false
		without := errorOf()
		if with > 0.7*without {
			t.Errorf("it is off by %.1f of 255, and shown as it is by %.1f", with, without)
		}
		t.Logf("it is off by %.1f of 255, and shown as it is by %.1f", with, without)
		r.Info.HDR, r.Format = true, player.XRGB8888
		if _, err := open(t, d, r).Picture(frame(r.Format, r.Width, r.Height, 0)); err != nil {
			t.Error(err)
		}
	})
}

// TestDeinterlaced wants a picture of each field.
func TestDeinterlaced(t *testing.T) {
	path := fixture.File(t, "fields.mpg", "-f", "lavfi", "-i", "testsrc2=s=720x576:r=50:d=2", "-vf", "interlace", "-c:v", "mpeg2video", "-flags", "+ildct+ilme", "-f", "vob")
	eachDecoder(t, func(t *testing.T, d *decode.Decoder) {
		r := request(t, d, path)
		got := play(open(t, d, r), r)
		if len(got.errs) > 0 || len(got.pictures) < 96 {
			t.Errorf("%d pictures, %v", len(got.pictures), got.errs)
		}
		if err := ascending(got.pictures, 20*time.Millisecond); err != nil {
			t.Error(err)
		}
	})
}
