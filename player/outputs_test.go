package player_test

import (
	"encoding/binary"
	"errors"
	"fmt"
	"image"
	"math"
	"testing"
	"time"

	"manofwar/internal/media"
	"manofwar/player"
	"manofwar/player/api"
	"manofwar/player/null"
	"manofwar/player/playertest"
)

// inStep fails the test unless every picture that was shown since a time was so when its sound was heard, give or take
// by. It compares the card's record with the display's and knows nothing of the engine's clock.
func (r *rig) inStep(since time.Time, rate float64, fps float64, offset, by time.Duration) {
	r.t.Helper()
	type place struct {
		at    time.Time
		frame int64
	}
	var places []place
	for _, h := range r.stretches() {
		if h.id > 0 && h.n > 100 {
			places = append(places, place{h.at, h.first}, place{h.at.Add(time.Duration(float64(h.n) / rate * float64(time.Second))), h.first + h.n})
		}
	}
	checked := 0
	for _, p := range r.display.Pictures() {
		id, n := playertest.Picture(p.Sign)
		if p.At.Before(since) || id == 0 {
			continue
		}
		frame := float64(n) / fps * rate
		for i := 0; i+1 < len(places); i += 2 {
			a, b := places[i], places[i+1]
			if frame < float64(a.frame) || frame > float64(b.frame) {
				continue
			}
			if slack := offset.Abs() + 20*time.Millisecond; p.At.Before(a.at.Add(-slack)) || p.At.After(b.at.Add(slack)) {
				continue // across a pause: shown before it, heard after it
			}
			due := a.at.Add(time.Duration(float64(b.at.Sub(a.at)) * (frame - float64(a.frame)) / float64(b.frame-a.frame))).Add(-offset)
			if off := p.At.Sub(due); off > by || off < -by {
				r.t.Fatalf("picture %d was shown %v from when its sound was heard", n, off)
			}
			checked++
		}
	}
	if checked < 50 {
		r.t.Errorf("%d pictures were compared", checked)
	}
}

func TestPicturesKeepStepWithASkewedCard(t *testing.T) {
	items := usual()
	long := items["/film.mkv"]
	long.Length = 30 * time.Second
	items["/film.mkv"] = long
	for _, ppm := range []float64{-100, 100, 1000} {
		for _, period := range []int{1, 480} {
			inBubble(t, setup{items: items, sound: null.SoundOptions{PPM: ppm, Period: period}}, func(r *rig) {
				r.Load(api.Load{Item: film("/film.mkv")})
				r.until("it plays", time.Second, is(api.Playing))
				began := time.Now()
				r.wait(25 * time.Second)
				s := r.Status()
				limit := time.Millisecond
				if period > 1 {
					limit = 8 * time.Millisecond // of the first half second; a period lasts 10
				}
				if s.Sync.Dropped > 0 || s.Sync.Underruns > 0 || time.Duration(s.Sync.Offset) > limit {
					t.Errorf("%v ppm: %+v", ppm, s.Sync)
				}
				r.inStepSkewed(r.sound.Runs()[0], began.Add(2*time.Second), ppm, limit)
			})
		}
	}
}

// inStepSkewed is inStep for a card whose record has the times of an ideal one, and one run.
func (r *rig) inStepSkewed(run null.Run, since time.Time, ppm float64, by time.Duration) {
	r.t.Helper()
	checked := 0
	for _, p := range r.display.Pictures() {
		id, n := playertest.Picture(p.Sign)
		if id == 0 || p.At.Before(since) {
			continue
		}
		due := run.At.Add(time.Duration(float64(n) / 25 / (1 + ppm/1e6) * float64(time.Second)))
		if off := p.At.Sub(due); off > by || off < -by {
			r.t.Fatalf("%v ppm: picture %d was shown %v from when its sound was heard", ppm, n, off)
		}
		checked++
	}
	if checked < 50 {
		r.t.Errorf("%d pictures were compared", checked)
	}
}

func TestPicturesKeepStepThroughSeekAndPause(t *testing.T) {
	for name, s := range map[string]setup{
		"at once": {}, "with blanks": {display: null.DisplayOptions{Screen: blanking(60)}},
		"for a slow screen": {settings: api.Settings{Offset: media.Duration(150 * time.Millisecond)}},
		"for a quick one":   {settings: api.Settings{Offset: media.Duration(-100 * time.Millisecond)}},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, s, func(r *rig) {
				r.Load(api.Load{Item: film("/film.mkv")})
				r.until("it plays", time.Second, is(api.Playing))
				began := time.Now()
				r.wait(2 * time.Second)
				r.Pause()
				r.wait(time.Second)
				r.Play()
				r.wait(2 * time.Second)
				to := media.Duration(10 * time.Second)
				r.Seek(api.Seek{To: &to})
				r.wait(3 * time.Second)
				by := time.Millisecond
				if name == "with blanks" {
					by = 9 * time.Millisecond // half a refresh
				}
				r.inStep(began.Add(200*time.Millisecond), 48000, 25, time.Duration(s.settings.Offset), by)
				if st := r.Status(); st.Sync.Dropped > 0 || st.Sync.Underruns > 0 {
					t.Errorf("got %+v", st.Sync)
				}
			})
		})
	}
}

// blanking is a screen with vertical blanks that takes what is as large as its rectangle.
func blanking(hz float64) player.Screen {
	m := player.Mode{Width: 1280, Height: 720, Refresh: hz, Preferred: true}
	return player.Screen{Connector: "HDMI-A-1", Mode: m, Formats: []player.Format{player.XRGB8888}, VBlank: true}
}

func TestAPausedFilmShowsWhereItIs(t *testing.T) {
	inBubble(t, setup{}, func(r *rig) {
		r.Load(api.Load{Item: film("/film.mkv"), Paused: true})
		r.until("it waits", time.Second, is(api.Paused))
		to := media.Duration(5 * time.Second)
		r.Seek(api.Seek{To: &to})
		r.until("it waits there", time.Second, is(api.Paused))
		r.wait(100 * time.Millisecond)
		seen := r.display.Pictures()
		id, n := playertest.Picture(seen[len(seen)-1].Sign)
		if id != 4 || n != 125 || r.Status().Position != to {
			t.Errorf("item %d, picture %d at %v", id, n, time.Duration(r.Status().Position))
		}
		if len(r.sound.Runs()) > 0 {
			t.Error("something was heard")
		}
		r.display.Unplug()
		r.wait(time.Second)
		r.display.Plug()
		r.wait(time.Second)
		again := r.display.Pictures()
		if len(again) != len(seen)+1 || again[len(seen)].Sign != seen[len(seen)-1].Sign {
			t.Errorf("a screen that returns shows %v", again[len(seen):])
		}
	})
}

func TestTheCardIsUnpluggedAndReturns(t *testing.T) {
	inBubble(t, setup{}, func(r *rig) {
		r.Load(api.Load{Item: film("/film.mkv")})
		r.until("it plays", time.Second, is(api.Playing))
		began := time.Now()
		r.wait(2 * time.Second)
		at := time.Duration(r.Status().Position)
		r.sound.Unplug()
		r.wait(3 * time.Second)
		s := r.Status()
		if got := time.Duration(s.Position); !near(got, at+3*time.Second, 20*time.Millisecond) || s.State != api.Playing || s.Sound != nil {
			t.Errorf("%v at %v, sound %v", s.State, got, s.Sound)
		}
		if s.Problem == nil || s.Problem.Code != "no-sound" {
			t.Errorf("problem %+v", s.Problem)
		}
		r.sound.Plug()
		r.wait(3 * time.Second)
		s = r.Status()
		if got := time.Duration(s.Position); !near(got, at+6*time.Second, 30*time.Millisecond) || s.Sound == nil || s.Sound.Card != "null" || s.Problem != nil {
			t.Errorf("%v at %v, sound %v, problem %v", s.State, got, s.Sound, s.Problem)
		}
		if len(r.sound.Runs()) != 2 || s.Sync.Dropped > 0 || s.Sync.Underruns > 0 {
			t.Errorf("%d runs, %+v", len(r.sound.Runs()), s.Sync)
		}
		r.inStep(began, 48000, 25, 0, 3*time.Millisecond)
		if requests, _ := r.decoder.Opened(); len(requests) != 1 {
			t.Errorf("it was opened %d times", len(requests))
		}
	})
}

func TestACardThatStandsStillIsGivenUp(t *testing.T) {
	inBubble(t, setup{}, func(r *rig) {
		r.Load(api.Load{Item: film("/film.mkv")})
		r.until("it plays", time.Second, is(api.Playing))
		r.wait(time.Second)
		r.sound.Stall(true)
		r.wait(6 * time.Second)
		if s := r.Status(); s.State != api.Playing || time.Duration(s.Position) < 3*time.Second || s.Problem == nil || s.Problem.Text != "The sound output does not work." {
			t.Errorf("%v at %v, problem %+v", s.State, time.Duration(s.Position), s.Problem)
		}
		r.sound.Stall(false)
		r.wait(6 * time.Second) // it is tried again
		if s := r.Status(); s.Problem != nil || s.Sound.Card == "" || len(r.sound.Runs()) < 2 {
			t.Errorf("problem %+v", s.Problem)
		}
	})
}

func TestWithoutACard(t *testing.T) {
	inBubble(t, setup{sound: null.SoundOptions{Cards: []player.Card{}}}, func(r *rig) {
		next := song("/b.flac")
		r.Load(api.Load{Item: song("/a.flac"), Next: &next})
		r.until("it plays", time.Second, is(api.Playing))
		began := time.Now()
		if s := r.Status(); s.Problem == nil || s.Problem.Code != "no-sound" || s.Sound != nil {
			t.Errorf("problem %+v", s.Problem)
		}
		r.until("it is over", 10*time.Second, is(api.Idle))
		r.wantReasons("/a.flac finished", "/b.flac finished")
		if took := time.Since(began); !near(took, 5*time.Second, 50*time.Millisecond) {
			t.Errorf("took %v", took)
		}
	})
}

func TestAFilmWithoutSound(t *testing.T) {
	inBubble(t, setup{}, func(r *rig) {
		r.Load(api.Load{Item: film("/mute.mkv")})
		r.until("it plays", time.Second, is(api.Playing))
		began := time.Now()
		r.until("it is over", 10*time.Second, is(api.Idle))
		r.wantReasons("/mute.mkv finished")
		if took := time.Since(began); !near(took, 4*time.Second, 20*time.Millisecond) {
			t.Errorf("took %v", took)
		}
		if s := r.Status(); s.Sync.Shown < 99 || s.Sync.Dropped > 0 {
			t.Errorf("got %+v", s.Sync)
		}
	})
}

func TestSoundThatBeginsLate(t *testing.T) {
	items := usual()
	late := items["/film.mkv"]
	late.Late = 2 * time.Second
	items["/film.mkv"] = late
	inBubble(t, setup{items: items}, func(r *rig) {
		r.Load(api.Load{Item: film("/film.mkv")})
		r.until("it plays", time.Second, is(api.Playing))
		began := time.Now()
		r.wait(5 * time.Second)
		r.inStep(began.Add(2*time.Second), 48000, 25, 0, time.Millisecond)
		if s := r.Status(); s.Sync.Dropped > 0 || s.Sync.Underruns > 0 {
			t.Errorf("got %+v", s.Sync)
		}
	})
}

func TestEachCardHasItsOffset(t *testing.T) {
	late := media.Duration(150 * time.Millisecond)
	inBubble(t, setup{}, func(r *rig) {
		card := r.sound.Cards()[0].ID
		r.Set(api.Settings{ReplayGain: "off", Offset: media.Duration(time.Second), Offsets: api.Offsets{card: late, "another": -late}})
		r.Load(api.Load{Item: film("/film.mkv")})
		r.until("it plays", time.Second, is(api.Playing))
		began := time.Now()
		r.wait(12 * time.Second)
		r.inStep(began.Add(200*time.Millisecond), 48000, 25, time.Duration(late), time.Millisecond)
		if s := r.Status(); math.Abs(s.Sync.Drift) > 1 {
			t.Errorf("a card that keeps time drifts by %v millionths", s.Sync.Drift)
		}
	})
}

// dark is a display that says why it has no screen.
type dark struct {
	player.Display
	why error
}

func (d dark) Problem() error { return d.why }

func TestWhyThereIsNoScreen(t *testing.T) {
	for _, c := range []struct {
		why  error
		text string
	}{
		{nil, "No television is connected. The sound goes on."},
		{fmt.Errorf("look: %w", player.ErrTaken), "Another program has the television. The sound goes on."},
		{errors.New("permission denied"), "The television cannot be used. The sound goes on."},
	} {
		wrap := func(d player.Display) player.Display { return dark{d, c.why} }
		inBubble(t, setup{display: null.DisplayOptions{Unplugged: true}, wrap: wrap}, func(r *rig) {
			r.Load(api.Load{Item: film("/film.mkv")})
			r.until("it plays", time.Second, is(api.Playing))
			if p := r.Status().Problem; p == nil || p.Code != "no-display" || p.Text != c.text || p.Hint == "" {
				t.Errorf("%v: got %+v", c.why, p)
			}
		})
	}
}

func TestTheScreenIsUnpluggedAndReturns(t *testing.T) {
	inBubble(t, setup{}, func(r *rig) {
		over := image.NewRGBA(image.Rect(0, 0, 10, 10))
		r.Load(api.Load{Item: film("/film.mkv")})
		r.until("it plays", time.Second, is(api.Playing))
		r.SetOverlay(over, image.Pt(1, 2))
		r.wait(time.Second)
		r.display.Unplug()
		r.wait(3 * time.Second)
		shown := len(r.display.Pictures())
		s := r.Status()
		if s.Display != nil || s.State != api.Playing || s.Problem == nil || s.Problem.Code != "no-display" || s.Sync.Underruns > 0 {
			t.Errorf("got %+v, problem %+v", s, s.Problem)
		}
		r.display.Plug()
		r.wait(2 * time.Second)
		if n := len(r.display.Pictures()) - shown; n < 45 {
			t.Errorf("%d pictures in the two seconds after", n)
		}
		if s := r.Status(); s.Problem != nil || !near(time.Duration(s.Position), 6*time.Second, 100*time.Millisecond) || r.display.Over().Image != over {
			t.Errorf("got %+v", s)
		}
		if len(r.sound.Runs()) != 1 {
			t.Error("the sound was interrupted")
		}
		r.display.Replace(blanking(50)) // which takes other frames
		r.wait(2 * time.Second)
		seen := r.display.Pictures()
		if last := seen[len(seen)-1]; last.Format != player.XRGB8888 || last.Size != image.Pt(1280, 720) {
			t.Errorf("shown as %+v", last)
		}
	})
}

func TestWithoutAScreen(t *testing.T) {
	inBubble(t, setup{display: null.DisplayOptions{Unplugged: true}}, func(r *rig) {
		r.Load(api.Load{Item: film("/film.mkv")})
		r.until("it plays", time.Second, is(api.Playing))
		r.wait(time.Second)
		r.display.Plug()
		r.wait(2 * time.Second)
		seen := r.display.Pictures()
		if s := r.Status(); len(seen) < 35 || !near(time.Duration(s.Position), 2700*time.Millisecond, 200*time.Millisecond) {
			t.Errorf("%d pictures were seen; at %v", len(seen), time.Duration(s.Position))
		}
	})
}

func TestFewFramesAreEnough(t *testing.T) {
	for frames, shown := range map[int]int{2: 0, 5: 100, 8: 100} { // two of them are for the screen while no film is on
		inBubble(t, setup{display: null.DisplayOptions{Frames: frames}}, func(r *rig) {
			r.Load(api.Load{Item: film("/film.mkv")})
			r.until("it plays", 2*time.Second, is(api.Playing))
			r.wait(5 * time.Second)
			if s := r.Status(); s.Sync.Shown < shown || !near(time.Duration(s.Position), 5*time.Second, 100*time.Millisecond) || s.Sync.Underruns > 0 {
				t.Errorf("%d frames: %v at %v, %+v", frames, s.State, time.Duration(s.Position), s.Sync)
			}
			r.until("it is over", 20*time.Second, is(api.Idle))
			r.wantReasons("/film.mkv finished")
		})
	}
}

func TestTheScreenWhileNoFilmIsOn(t *testing.T) {
	inBubble(t, setup{}, func(r *rig) {
		shade := &plain{t: t, shade: 0x0001_0002_0001_0002}
		last := func() null.Picture {
			r.wait(50 * time.Millisecond)
			seen := r.display.Pictures()
			return seen[len(seen)-1]
		}
		if p := last(); p.Sign != 0 || p.Dst != image.Rect(0, 0, 1920, 1080) {
			t.Errorf("at first %+v", p)
		}
		r.SetScreen(shade)
		if p := last(); p.Sign != 0x0001_0002_0001_0002 {
			t.Errorf("got %+v", p)
		}
		r.Load(api.Load{Item: film("/film.mkv")})
		r.until("it plays", time.Second, is(api.Playing))
		if p := last(); p.Format != player.YUV420 || p.Size != image.Pt(640, 360) || p.Dst != image.Rect(0, 0, 1920, 1080) {
			t.Errorf("got %+v", p)
		}
		r.Load(api.Load{Item: song("/a.flac")})
		r.until("it plays", time.Second, is(api.Playing))
		if p := last(); p.Sign != 0x0001_0002_0001_0002 {
			t.Errorf("during music %+v", p)
		}
		for i := range uint64(4) {
			next := &plain{t: t, shade: i}
			r.SetScreen(next)
			if p := last(); p.Sign != i {
				t.Errorf("still %d: got %+v", i, p)
			}
		}
	})
}

// plain is a still of one shade.
type plain struct {
	t     *testing.T
	shade uint64
}

func (p *plain) Paint(f *player.Frame, before player.Still) {
	if f.Format != player.XRGB8888 || f.Width != 1920 || f.Height != 1080 {
		p.t.Errorf("painting on %+v", f)
	}
	data := f.Planes[0].Data
	if before != nil {
		if got, want := binary.LittleEndian.Uint64(data), before.(*plain).shade; got != want {
			p.t.Errorf("the frame is said to hold %x, and holds %x", want, got)
		}
	}
	for i := 0; i+8 <= len(data); i += 8 {
		binary.LittleEndian.PutUint64(data[i:], p.shade)
	}
}

func TestTheModeSuitsTheFilm(t *testing.T) {
	items := usual()
	cinema := items["/film.mkv"]
	cinema.FPS, cinema.Length = player.Rational{Num: 24000, Den: 1001}, 3*time.Second
	items["/24.mkv"] = cinema
	screen := blanking(60)
	for _, hz := range []float64{60, 60000. / 1001, 50, 24, 24000. / 1001} {
		screen.Modes = append(screen.Modes, player.Mode{Width: 1280, Height: 720, Refresh: hz, Preferred: hz == 60})
	}
	inBubble(t, setup{items: items, display: null.DisplayOptions{Screen: screen}, settings: api.Settings{MatchRate: true}}, func(r *rig) {
		next := film("/mute.mkv")
		r.Load(api.Load{Item: film("/24.mkv"), Next: &next})
		r.until("it plays", time.Second, is(api.Playing))
		if hz := r.Status().Display.Refresh; hz != 24000./1001 {
			t.Errorf("at %v Hz", hz)
		}
		r.until("the next one plays", 5*time.Second, func(s api.Status) bool { return s.Item != nil && s.Item.Key == "/mute.mkv" && s.State == api.Playing })
		if hz := r.Status().Display.Refresh; hz != 50 {
			t.Errorf("at %v Hz", hz)
		}
	})
}

func TestTheCardIsChosen(t *testing.T) {
	cards := []player.Card{{ID: "vc4hdmi0", Name: "HDMI 0", HDMI: true}, {ID: "Headphones", Name: "Headphones"}, {ID: "vc4hdmi1", Name: "HDMI 1", HDMI: true}}
	inBubble(t, setup{sound: null.SoundOptions{Cards: cards}, display: null.DisplayOptions{Screen: blanking(60)}}, func(r *rig) {
		r.Load(api.Load{Item: song("/a.flac")})
		r.until("it plays", time.Second, is(api.Playing))
		if c := r.Status().Sound.Card; c != "vc4hdmi0" {
			t.Errorf("on %q", c)
		}
		r.Set(api.Settings{Card: "Headphones"})
		r.wait(500 * time.Millisecond)
		if s := r.Status(); s.Sound.Card != "Headphones" || s.State != api.Playing || len(r.sound.Runs()) != 2 {
			t.Errorf("on %q", s.Sound.Card)
		}
		r.sound.SetCards(cards[2:])
		r.wait(500 * time.Millisecond)
		if s := r.Status(); s.Problem == nil || s.Problem.Text != "The chosen sound output is not connected." {
			t.Errorf("problem %+v", s.Problem)
		}
		r.until("it is over", 5*time.Second, is(api.Idle))
		r.wantReasons("/a.flac finished")
	})
}
