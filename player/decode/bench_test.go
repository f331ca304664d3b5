//go:build linux

package decode_test

import (
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"manofwar/internal/container/fixture"
	"manofwar/player"
	"manofwar/player/decode"
)

// film1080 is 20 s of 1080p at 30 pictures a second with some 8 Mb/s, and stereo.
func film1080(b *testing.B) string {
	return fixture.File(b, "film-1080p30.mkv", "-f", "lavfi", "-i", "testsrc2=s=1920x1080:r=30:d=20", "-f", "lavfi", "-i", "sine=d=20:r=48000", "-ac", "2",
		"-c:v", "libx264", "-preset", "veryfast", "-b:v", "8M", "-g", "60", "-pix_fmt", "yuv420p", "-c:a", "aac")
}

func imageDecoder(b *testing.B) *decode.Decoder {
	all := decoders(b)
	if d := all["image"]; d != nil {
		return d
	}
	return all["installed"]
}

func cpu(b *testing.B, who int) time.Duration {
	var u unix.Rusage
	if err := unix.Getrusage(who, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// BenchmarkFilm reports the processor's time by the film's, in percent of a core: of this process and of ffmpeg.
func BenchmarkFilm(b *testing.B) {
	path := film1080(b)
	d := imageDecoder(b)
	for _, c := range []struct {
		name   string
		format player.Format
		w, h   int
		pad    int
	}{{"yuv420p", player.YUV420, 1920, 1080, 0}, {"yuv420p-pitch", player.YUV420, 1920, 1080, 128}, {"bgr0-720p", player.XRGB8888, 1280, 720, 0}} {
		b.Run(c.name, func(b *testing.B) {
			for b.Loop() {
				r := request(b, d, path)
				r.Format, r.Width, r.Height = c.format, c.w, c.h
				own, child, start := cpu(b, unix.RUSAGE_SELF), cpu(b, unix.RUSAGE_CHILDREN), time.Now()
				s := open(b, d, r)
				got := playInto(s, r, c.pad)
				_ = s.Close()
				if len(got.pictures) != 600 {
					b.Fatalf("%d pictures, %v", len(got.pictures), got.errs)
				}
				b.ReportMetric(100*(cpu(b, unix.RUSAGE_SELF)-own).Seconds()/20, "own_%")
				b.ReportMetric(100*(cpu(b, unix.RUSAGE_CHILDREN)-child).Seconds()/20, "ffmpeg_%")
				b.ReportMetric(20/time.Since(start).Seconds(), "x_realtime")
			}
		})
	}
}

// BenchmarkSeek reports how long it takes from the call of Open to the first picture and the first sound.
func BenchmarkSeek(b *testing.B) {
	path := film1080(b)
	d := imageDecoder(b)
	r := request(b, d, path)
	f := frame(r.Format, r.Width, r.Height, 0)
	i := 0
	for b.Loop() {
		r.From = time.Duration(i*7%18)*time.Second + 500*time.Millisecond
		i++
		s := open(b, d, r)
		if _, err := s.Picture(f); err != nil {
			b.Fatal(err)
		}
		if _, _, err := s.Sound(make([]float32, 2)); err != nil {
			b.Fatal(err)
		}
		_ = s.Close()
	}
}
