//go:build linux

package decode_test

import (
	"encoding/binary"
	"log/slog"
	"math"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"manofwar/internal/container/fixture"
	"manofwar/internal/media"
	"manofwar/player"
	"manofwar/player/api"
	"manofwar/player/decode"
	"manofwar/player/null"
)

// rig is an engine that plays real files to outputs nobody hears, in real time.
type rig struct {
	*player.Engine
	sound   *null.Sound
	display *null.Display
	ended   chan api.Ended
}

func newRig(t *testing.T, d *decode.Decoder) *rig {
	t.Helper()
	r := &rig{
		sound:   null.NewSound(null.SoundOptions{Record: true, Sample: player.S32, Waits: true}),
		display: null.NewDisplay(null.DisplayOptions{Record: true}),
		ended:   make(chan api.Ended, 100),
	}
	r.Engine = player.New(player.Options{
		Display: r.display, Sound: r.sound, Decoder: d, Log: slog.New(slog.NewTextHandler(t.Output(), nil)),
		Ended: func(e api.Ended) { r.ended <- e },
	})
	done := make(chan struct{})
	ctx := t.Context()
	go func() {
		defer close(done)
		_ = r.Run(ctx) // which returns nil
	}()
	t.Cleanup(func() { <-done })
	return r
}

// finished waits for the end of an item.
func (r *rig) finished(t *testing.T, key string) {
	t.Helper()
	select {
	case e := <-r.ended:
		if e.Key != key || e.Reason != "finished" {
			t.Fatalf("%+v, want %s to be finished", e, key)
		}
	case <-time.After(30 * time.Second):
		t.Fatalf("%s does not end: %+v", key, r.Status())
	}
}

// TestGaplessThroughTheEngine plays two halves of a tone and looks at what the card got.
func TestGaplessThroughTheEngine(t *testing.T) {
	whole := []string{"-f", "lavfi", "-i", "aevalsrc=0.4*sin(2*PI*441*t)|0.4*sin(2*PI*441*t):s=44100:d=3"}
	eachDecoder(t, func(t *testing.T, d *decode.Decoder) {
		for _, c := range []struct{ name, codec string }{{"half.mp3", "libmp3lame"}, {"half.m4a", "aac"}, {"half.flac", "flac"}} {
			t.Run(c.name, func(t *testing.T) {
				r := newRig(t, d)
				item := func(key, trim string) api.Item {
					return api.Item{Key: key, Kind: media.Music, Path: fixture.File(t, c.name, append(whole, "-af", trim, "-c:a", c.codec)...)}
				}
				second := item("b", "atrim=start_sample=66150,asetpts=N/SR/TB")
				r.Load(api.Load{Item: item("a", "atrim=end_sample=66150"), Next: &second})
				r.finished(t, "a")
				r.finished(t, "b")
				runs := r.sound.Runs()
				if len(runs) != 1 || runs[0].Format.Rate != 44100 {
					t.Fatalf("%d runs of sound", len(runs))
				}
				checkTone(t, runs[0].PCM)
			})
		}
	})
}

// checkTone wants 3 s of the tone in S32 stereo, and the same phase before and after the joint.
func checkTone(t *testing.T, pcm []byte) {
	t.Helper()
	samples := make([]float64, len(pcm)/8)
	for i := range samples {
		samples[i] = float64(int32(binary.LittleEndian.Uint32(pcm[8*i:]))) / (1 << 31)
	}
	if len(samples) < 3*44100 {
		t.Fatalf("%d samples were heard", len(samples))
	}
	phase := func(from int) float64 { // in samples, of 100 that a period has
		var re, im float64
		for i := from; i < from+20000; i++ {
			re += samples[i] * math.Sin(2*math.Pi*441*float64(i)/44100)
			im += samples[i] * math.Cos(2*math.Pi*441*float64(i)/44100)
		}
		return math.Atan2(im, re) / (2 * math.Pi) * 100
	}
	if before, after := phase(30000), phase(80000); math.Abs(before) > 0.2 || math.Abs(after) > 0.2 {
		t.Errorf("the tone is %.2f samples off before the joint and %.2f after it", before, after)
	}
}

// TestFilmThroughTheEngine plays a film with a seek in it, and kills its decoder.
func TestFilmThroughTheEngine(t *testing.T) {
	if testing.Short() {
		t.Skip("it plays in real time")
	}
	eachDecoder(t, func(t *testing.T, d *decode.Decoder) {
		r := newRig(t, d)
		r.Load(api.Load{Item: api.Item{Key: "film", Kind: media.Film, Path: fixture.BFrames(t)}})
		r.reaches(t, time.Second)
		r.Seek(api.Seek{To: new(media.Duration(10 * time.Second))})
		r.reaches(t, 11*time.Second)
		for _, pid := range children(t) {
			if err := unix.Kill(pid, unix.SIGKILL); err != nil {
				t.Fatal(err)
			}
		}
		r.reaches(t, 13*time.Second)
		r.Seek(api.Seek{To: new(media.Duration(19 * time.Second))})
		r.finished(t, "film")
		s := r.Status()
		if s.Problem != nil {
			t.Errorf("a problem: %+v", s.Problem)
		}
	})
}

// reaches waits until that moment of the item is played.
func (r *rig) reaches(t *testing.T, at time.Duration) {
	t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for begin := time.Now(); ; <-tick.C {
		s := r.Status()
		if s.State == api.Playing && time.Duration(s.Position) >= at {
			return
		}
		if time.Since(begin) > 20*time.Second {
			t.Fatalf("it does not reach %v: %+v", at, s)
		}
	}
}
