//go:build linux

package decode_test

import (
	"math"
	"testing"
	"time"

	"manofwar/internal/container/fixture"
	"manofwar/player"
	"manofwar/player/decode"
)

// TestSeekLandsExactly compares what is decoded from a place on with the same samples and pictures decoded from the start.
func TestSeekLandsExactly(t *testing.T) {
	eachDecoder(t, func(t *testing.T, d *decode.Decoder) {
		for _, name := range []string{
			"h264-aac.mp4", "h264-opus-srt.mkv", "hevc-ac3.mkv", "h264-ac3.ts", "mpeg4-mp3.avi", "mpeg2-ac3.vob", "vp9-opus.webm",
			"cbr.mp3", "vbr.mp3", "s16.flac", "s24-96k.flac", "vorbis.ogg", "opus.opus", "aac.m4a", "alac.m4a", "s16.wav", "wavpack.wv",
		} {
			t.Run(name, func(t *testing.T) {
				path := file(t, name)
				r := request(t, d, path)
				whole := play(open(t, d, r), r)
				for _, from := range []time.Duration{70 * time.Millisecond, 1234567 * time.Microsecond, 2 * time.Second, 3900 * time.Millisecond} {
					r.From = from
					got := play(open(t, d, r), r)
					if len(got.errs) > 0 {
						t.Fatalf("from %v: %v", from, got.errs)
					}
					checkPictures(t, whole, got, r)
					checkSound(t, whole, got, r)
				}
			})
		}
	})
}

// off is how far a seek may be from the place, where a container's times are no better: Matroska's are rounded to a
// millisecond, and AVI counts pictures and packets of sound.
func off(r player.Request) (pictures, sound time.Duration) {
	switch r.Info.Container {
	case "avi":
		return 40 * time.Millisecond, 25 * time.Millisecond
	case "matroska", "mpegps":
		return 21 * time.Millisecond, 1100 * time.Microsecond
	}
	return time.Millisecond, 0
}

// checkPictures wants the first picture that is due from the place on, and all the others.
func checkPictures(t *testing.T, whole, got played, r player.Request) {
	t.Helper()
	if r.Video == player.None {
		return
	}
	var want []time.Duration
	for _, at := range whole.pictures {
		if at >= r.From-time.Millisecond {
			want = append(want, at)
		}
	}
	if len(got.pictures) == 0 || len(want) == 0 {
		t.Errorf("from %v: %d pictures, want %d", r.From, len(got.pictures), len(want))
		return
	}
	allowed, _ := off(r)
	if d := (got.pictures[0] - want[0]).Abs(); d > allowed || len(got.pictures) != len(want) {
		t.Errorf("from %v: %d pictures, the first at %v; want %d, at %v", r.From, len(got.pictures), got.pictures[0], len(want), want[0])
	}
}

// checkSound finds where in the whole the first samples belong that have been decoded long enough to be themselves.
func checkSound(t *testing.T, whole, got played, r player.Request) {
	t.Helper()
	if r.Audio == player.None {
		return
	}
	if d := got.soundAt - r.From; d < -50*time.Microsecond || d > 50*time.Millisecond {
		t.Errorf("from %v: the first sample is of %v", r.From, got.soundAt)
	}
	c := r.Channels
	skip := 2500 // frames in which a codec settles
	expect := int(math.Round((got.soundAt-whole.soundAt).Seconds()*float64(r.Rate))) + skip
	have := got.sound[min(len(got.sound), skip*c):]
	have = have[:min(len(have), 1024*c)]
	if len(have) < 200*c {
		return
	}
	best, where := math.Inf(1), 0
	for shift := -600; shift <= 600; shift++ {
		at := (expect + shift) * c
		if at < 0 || at+len(have) > len(whole.sound) {
			continue
		}
		sum := 0.0
		for i := 0; i < len(have); i += 7 {
			d := float64(have[i] - whole.sound[at+i])
			sum += d * d
		}
		if sum < best {
			best, where = sum, shift
		}
	}
	if _, allowed := off(r); (time.Duration(where) * time.Second / time.Duration(r.Rate)).Abs() > allowed {
		t.Errorf("from %v: the samples are those of %d later (error %g)", r.From, where, best)
	}
}

// TestGapless plays two halves of a sound one after the other. At the joint no sample may be missing or too many.
func TestGapless(t *testing.T) {
	const rate, at = 44100, 66150 // 1.5 s
	whole := []string{"-f", "lavfi", "-i", "aevalsrc=0.4*sin(2*PI*441*t)|0.4*sin(2*PI*441*t):s=44100:d=3"}
	eachDecoder(t, func(t *testing.T, d *decode.Decoder) {
		for _, c := range []struct{ name, codec string }{
			{"half.mp3", "libmp3lame"},
			{"half.m4a", "aac"},
			{"half.flac", "flac"},
			{"half.ogg", "libvorbis"},
			{"half.wav", "pcm_s16le"},
			{"half.wv", "wavpack"},
			{"half-alac.m4a", "alac"},
		} {
			t.Run(c.name, func(t *testing.T) {
				var joined []float32
				for i, trim := range []string{"atrim=end_sample=66150", "atrim=start_sample=66150,asetpts=N/SR/TB"} {
					path := fixture.File(t, c.name, append(whole, "-af", trim, "-c:a", c.codec)...)
					r := request(t, d, path)
					got := play(open(t, d, r), r)
					if n := len(got.sound) / 2; n != at {
						t.Errorf("half %d has %d samples, want %d", i, n, at)
					}
					if got.soundAt != 0 {
						t.Errorf("half %d begins at %v", i, got.soundAt)
					}
					joined = append(joined, got.sound...)
				}
				// The tone goes through the joint: it is where the sine says, and within what the codec loses.
				worst := 0.0
				for i := at - 200; i < at+200 && 2*i < len(joined); i++ {
					want := 0.4 * math.Sin(2*math.Pi*441*float64(i)/rate)
					worst = max(worst, math.Abs(float64(joined[2*i])-want))
				}
				t.Logf("%.4f off at the joint at the most", worst)
			})
		}
	})
}
