package player_test

import (
	"context"
	"encoding/binary"
	"log/slog"
	"math"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"manofwar/internal/media"
	"manofwar/player"
	"manofwar/player/api"
	"manofwar/player/null"
	"manofwar/player/playertest"
)

// rig is an engine between a decoder that makes things up and outputs that nobody hears, in a bubble of virtual time.
type rig struct {
	*player.Engine
	t       *testing.T
	decoder *playertest.Decoder
	display *null.Display
	sound   *null.Sound
	ended   []api.Ended
	told    []api.Status
	cues    [][]player.Cue
}

// setup says how a rig differs from the usual one.
type setup struct {
	items    map[string]playertest.Recipe
	display  null.DisplayOptions
	sound    null.SoundOptions
	settings api.Settings
	wrap     func(player.Display) player.Display // what the engine has instead of the display; nil: that
}

// The usual items: two songs and a film.
func usual() map[string]playertest.Recipe {
	return map[string]playertest.Recipe{
		"/a.flac":   {ID: 1, Length: 3 * time.Second, Rate: 48000, Delay: 200 * time.Millisecond},
		"/b.flac":   {ID: 2, Length: 2 * time.Second, Rate: 48000, Delay: 200 * time.Millisecond},
		"/cd.flac":  {ID: 3, Length: 2 * time.Second, Rate: 44100, Delay: 200 * time.Millisecond},
		"/film.mkv": {ID: 4, Length: 20 * time.Second, Rate: 48000, FPS: player.Rational{Num: 25, Den: 1}, Width: 640, Height: 360, Delay: 250 * time.Millisecond},
		"/mute.mkv": {ID: 5, Length: 4 * time.Second, FPS: player.Rational{Num: 25, Den: 1}, Width: 640, Height: 360},
		"/bad.flac": {ID: 6, Length: time.Second, Rate: 48000, Probe: media.ErrCorrupt},
	}
}

// inBubble runs f with a rig, and looks afterwards that nothing is left of it.
func inBubble(t *testing.T, s setup, f func(r *rig)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		if s.items == nil {
			s.items = usual()
		}
		s.display.Record, s.sound.Record = true, true
		if s.sound.Sample == "" {
			s.sound.Sample = player.S16
		}
		r := &rig{t: t, decoder: &playertest.Decoder{Items: s.items}, display: null.NewDisplay(s.display), sound: null.NewSound(s.sound)}
		var display player.Display = r.display
		if s.wrap != nil {
			display = s.wrap(display)
		}
		r.decoder.Display = display
		r.Engine = player.New(player.Options{
			Display: display, Sound: r.sound, Decoder: r.decoder, Log: slog.New(slog.DiscardHandler), Settings: s.settings,
			Status: func(s api.Status) { r.told = append(r.told, s) },
			Ended:  func(e api.Ended) { r.ended = append(r.ended, e) },
			Cues:   func(c []player.Cue) { r.cues = append(r.cues, c) },
		})
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error)
		go func() { done <- r.Run(ctx) }()
		synctest.Wait()
		defer r.finish(cancel, done)
		f(r)
	})
}

// finish ends the engine and looks what is left of it.
func (r *rig) finish(cancel func(), done chan error) {
	t := r.t
	cancel()
	if err := <-done; err != nil {
		t.Errorf("run: %v", err)
	}
	if _, open := r.decoder.Opened(); open != 0 {
		t.Errorf("%d streams were left open", open)
	}
	if held, torn := r.display.Frames(); held > 1 || torn > 0 {
		t.Errorf("%d frames were left, %d were written to while they were seen", held, torn)
	}
}

// wait lets d pass.
func (r *rig) wait(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

func song(path string) api.Item {
	return api.Item{Key: path, Path: path, Kind: media.Music}
}

func film(path string) api.Item { return api.Item{Key: path, Path: path, Kind: media.Film} }

// until waits until the status is as it should be.
func (r *rig) until(what string, limit time.Duration, ok func(api.Status) bool) {
	r.t.Helper()
	for end := time.Now().Add(limit); !ok(r.Status()); r.wait(time.Millisecond) {
		if time.Now().After(end) {
			r.t.Fatalf("not within %v: %s; status %+v", limit, what, r.Status())
		}
	}
}

func is(s api.State) func(api.Status) bool {
	return func(st api.Status) bool { return st.State == s }
}

// heard is a stretch of frames that followed each other.
type heard struct {
	at    time.Time // when its first frame was
	id    byte      // 0: silence
	first int64
	n     int64
}

// stretches tells what was heard from what the card recorded in 16 bits.
func (r *rig) stretches() (out []heard) {
	for _, run := range r.sound.Runs() {
		size := run.Format.FrameSize()
		for i := 0; i+size <= len(run.PCM); i += size {
			left, right := sampleOf(run, i), sampleOf(run, i+size/2)
			id, frame := playertest.Frame(left, right)
			if n := len(out); n > 0 && i > 0 && out[n-1].id == id && (id == 0 || frame == out[n-1].first+out[n-1].n) {
				out[n-1].n++
				continue
			}
			at := run.At.Add(time.Duration(i/size) * time.Second / time.Duration(run.Format.Rate))
			out = append(out, heard{at, id, frame, 1})
		}
	}
	return out
}

func sampleOf(run null.Run, i int) int16 {
	if run.Format.Sample == player.S16 {
		return int16(binary.LittleEndian.Uint16(run.PCM[i:]))
	}
	return int16(int32(binary.LittleEndian.Uint32(run.PCM[i:])) >> 16)
}

// reasons lists why items ended.
func (r *rig) reasons() (out []string) {
	for _, e := range r.ended {
		out = append(out, e.Key+" "+e.Reason)
	}
	return out
}

func (r *rig) wantReasons(want ...string) {
	r.t.Helper()
	if got := r.reasons(); !slices.Equal(got, want) {
		r.t.Errorf("ended %q, want %q", got, want)
	}
}

func near(a, b, by time.Duration) bool { return math.Abs(float64(a-b)) <= float64(by) }

// bits returns what four bytes of a run are as a float.
func bits(run null.Run, i int) float32 {
	return math.Float32frombits(binary.LittleEndian.Uint32(run.PCM[4*i:]))
}
