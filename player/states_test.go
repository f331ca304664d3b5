package player_test

import (
	"fmt"
	"image"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"manofwar/internal/media"
	"manofwar/player"
	"manofwar/player/api"
	"manofwar/player/null"
	"manofwar/player/playertest"
)

func ptr[T any](v T) *T { return &v }

// commands are all there are, with what each leads to from every state within a second.
var commands = []struct {
	name string
	do   func(r *rig)
	from map[api.State]api.State
}{
	{"load", func(r *rig) { r.Load(api.Load{Item: song("/b.flac")}) }, states(api.Playing, api.Playing, api.Playing, api.Playing)},
	{"load paused", func(r *rig) { r.Load(api.Load{Item: song("/b.flac"), Paused: true}) }, states(api.Paused, api.Paused, api.Paused, api.Paused)},
	{"next", func(r *rig) { r.SetNext(ptr(song("/b.flac"))) }, states(api.Idle, api.Playing, api.Playing, api.Paused)},
	{"no next", func(r *rig) { r.SetNext(nil) }, states(api.Idle, api.Playing, api.Playing, api.Paused)},
	{"play", func(r *rig) { r.Play() }, states(api.Idle, api.Playing, api.Playing, api.Playing)},
	{"pause", func(r *rig) { r.Pause() }, states(api.Idle, api.Paused, api.Paused, api.Paused)},
	{"stop", func(r *rig) { r.Stop() }, states(api.Idle, api.Idle, api.Idle, api.Idle)},
	{"seek", func(r *rig) { r.Seek(api.Seek{To: ptr(media.Duration(time.Second))}) }, states(api.Idle, api.Playing, api.Playing, api.Paused)},
	{"seek before the begin", func(r *rig) { r.Seek(api.Seek{By: media.Duration(-time.Hour)}) }, states(api.Idle, api.Playing, api.Playing, api.Paused)},
	{"seek beyond the end", func(r *rig) { r.Seek(api.Seek{By: media.Duration(time.Hour)}) }, states(api.Idle, api.Idle, api.Idle, api.Paused)},
	{"volume", func(r *rig) { r.Change(api.Change{Volume: ptr(50)}) }, states(api.Idle, api.Playing, api.Playing, api.Paused)},
	{"mute", func(r *rig) { r.Change(api.Change{Muted: ptr(true)}) }, states(api.Idle, api.Playing, api.Playing, api.Paused)},
	{"speed", func(r *rig) { r.Change(api.Change{Speed: ptr(1.5)}) }, states(api.Idle, api.Playing, api.Playing, api.Paused)},
	{"audio", func(r *rig) { r.Change(api.Change{Audio: ptr(1)}) }, states(api.Idle, api.Playing, api.Playing, api.Paused)},
	{"a stream there is not", func(r *rig) { r.Change(api.Change{Audio: ptr(7), Subtitle: ptr(-9)}) }, states(api.Idle, api.Playing, api.Playing, api.Paused)},
	{"settings", func(r *rig) {
		r.Set(api.Settings{Offset: media.Duration(-time.Hour), Crossfade: -1, ReplayGain: "album"})
	}, states(api.Idle, api.Playing, api.Playing, api.Paused)},
}

func cue(from, to time.Duration, text string) player.Cue {
	return player.Cue{From: from, To: to, Text: text}
}

func states(idle, loading, playing, paused api.State) map[api.State]api.State {
	return map[api.State]api.State{api.Idle: idle, api.Loading: loading, api.Playing: playing, api.Paused: paused}
}

func TestEveryCommandInEveryState(t *testing.T) {
	for _, c := range commands {
		for from, to := range c.from {
			t.Run(c.name+" while "+string(from), func(t *testing.T) {
				inBubble(t, setup{}, func(r *rig) {
					if from != api.Idle {
						r.Load(api.Load{Item: song("/a.flac"), Paused: from == api.Paused})
					}
					r.until(string(from), time.Second, is(from))
					c.do(r)
					r.wait(time.Second)
					s := r.Status()
					if s.State != to {
						t.Errorf("it is %v, want %v", s.State, to)
					}
					if (s.Item == nil) != (s.State == api.Idle) || s.Problem != nil {
						t.Errorf("got %+v", s)
					}
				})
			})
		}
	}
}

func TestWhatIsDamagedIsLeftOut(t *testing.T) {
	inBubble(t, setup{}, func(r *rig) {
		next := song("/b.flac")
		r.Load(api.Load{Item: song("/bad.flac"), Next: &next})
		r.until("the next one plays", time.Second, is(api.Playing))
		s := r.Status()
		if s.Item.Key != "/b.flac" || s.Problem == nil || s.Problem.Text != "bad.flac is damaged. It was left out." || s.Problem.Code != "corrupt" || s.Problem.Key != "/bad.flac" {
			t.Errorf("problem %+v", s.Problem)
		}
		missing := song("/nothing.flac")
		r.SetNext(&missing)
		r.until("it is over", 5*time.Second, is(api.Idle))
		r.wantReasons("/bad.flac problem", "/nothing.flac problem", "/b.flac finished")
		if p := r.ended[1].Problem; p.Text != "nothing.flac is no longer there. It was left out." || p.Code != "missing" {
			t.Errorf("problem %+v", p)
		}
	})
}

func TestThreeFailuresStopIt(t *testing.T) {
	inBubble(t, setup{}, func(r *rig) {
		bad, worse := song("/bad.flac"), song("/worse.flac")
		r.Load(api.Load{Item: bad, Next: &worse})
		r.wait(100 * time.Millisecond)
		next := song("/a.flac")
		r.Load(api.Load{Item: bad, Next: &next})
		r.wait(100 * time.Millisecond)
		s := r.Status()
		if s.State != api.Idle || s.Problem == nil || s.Problem.Key != "" || s.Problem.Text != "Three in a row could not be played, so playback was stopped." {
			t.Errorf("%v, problem %+v", s.State, s.Problem)
		}
		r.wait(10 * time.Second)
		r.Load(api.Load{Item: bad, Next: &next})
		r.until("it plays again", time.Second, is(api.Playing))
	})
}

func TestAnItemThatBreaksOff(t *testing.T) {
	for _, c := range []struct {
		err        error
		code, text string
	}{
		{media.ErrCorrupt, "corrupt", "torn.flac is damaged. The rest of it was left out."},
		{player.ErrUnread, "away", "torn.flac could not be read any further."},
		{media.ErrAway, "away", "The disk with torn.flac is not connected. It was left out."},
		{player.ErrKilled, "killed", "torn.flac was left out: its decoder was ended again and again."},
	} {
		items := usual()
		torn := items["/a.flac"]
		torn.Break, torn.BreakAt = c.err, 1500*time.Millisecond
		items["/torn.flac"] = torn
		inBubble(t, setup{items: items}, func(r *rig) {
			next := song("/b.flac")
			r.Load(api.Load{Item: song("/torn.flac"), Next: &next})
			r.until("it is over", 10*time.Second, is(api.Idle))
			r.wantReasons("/torn.flac problem", "/b.flac finished")
			r.wantHeard(heard{id: 1, n: 72000}, heard{id: 2, n: 96000})
			if p := r.ended[0].Problem; p.Code != c.code || p.Text != c.text {
				t.Errorf("%v: problem %+v", c.err, p)
			}
		})
	}
}

func TestWhatDoesNotComeIsLeftOut(t *testing.T) {
	items := usual()
	hung := items["/a.flac"]
	hung.Delay = time.Hour
	items["/hung.flac"] = hung
	inBubble(t, setup{items: items}, func(r *rig) {
		next := song("/b.flac")
		r.Load(api.Load{Item: song("/hung.flac"), Next: &next})
		r.wait(29 * time.Second)
		if s := r.Status(); s.State != api.Loading || s.Item.Key != "/hung.flac" {
			t.Errorf("%v of %v", s.State, s.Item)
		}
		r.until("the next one plays", 3*time.Second, is(api.Playing))
		if p := r.Status().Problem; p == nil || p.Text != "hung.flac does not come. It was left out." || p.Code != "away" {
			t.Errorf("problem %+v", p)
		}
	})
}

func TestADecoderThatDiesIsReplaced(t *testing.T) {
	items := usual()
	film := items["/film.mkv"]
	film.Break, film.BreakAt, film.Breaks = media.ErrCorrupt, 7*time.Second, 1
	items["/film.mkv"] = film
	inBubble(t, setup{items: items}, func(r *rig) {
		r.Load(api.Load{Item: api.Item{Key: "film", Path: "/film.mkv", Kind: media.Film}})
		r.until("it is over", 30*time.Second, is(api.Idle))
		r.wantReasons("film finished")
		if requests, _ := r.decoder.Opened(); len(requests) != 2 || requests[1].From < 6900*time.Millisecond || requests[1].From > 7100*time.Millisecond {
			t.Errorf("%d requests", len(requests))
		}
	})
}

func TestTheStatusIsTold(t *testing.T) {
	inBubble(t, setup{}, func(r *rig) {
		next := song("/b.flac")
		r.Load(api.Load{Item: song("/a.flac"), Next: &next})
		r.until("it is over", 10*time.Second, is(api.Idle))
		var told []string
		for _, s := range r.told {
			line := string(s.State)
			if s.Item != nil {
				line += " " + s.Item.Key
			}
			if n := len(told); n == 0 || told[n-1] != line {
				told = append(told, line)
			}
		}
		want := []string{"loading /a.flac", "playing /a.flac", "playing /b.flac", "idle"}
		if !slices.Equal(told, want) {
			t.Errorf("told %q, want %q", told, want)
		}
	})
}

func TestSpeedChangesTheItemsTime(t *testing.T) {
	inBubble(t, setup{}, func(r *rig) {
		r.Load(api.Load{Item: film("/film.mkv")})
		r.until("it plays", time.Second, is(api.Playing))
		r.Change(api.Change{Speed: ptr(2.0)})
		r.wait(time.Second)
		a := r.Status()
		r.wait(2 * time.Second)
		b := r.Status()
		if got := time.Duration(b.Position - a.Position); !near(got, 4*time.Second, 10*time.Millisecond) || b.Speed != 2 {
			t.Errorf("in two seconds it went on by %v", got)
		}
		if b.Sync.Dropped > 0 || time.Duration(b.Sync.Offset) > time.Millisecond {
			t.Errorf("got %+v", b.Sync)
		}
	})
}

func TestStreamsAreChosenBeforeTheyAreKnown(t *testing.T) {
	inBubble(t, setup{}, func(r *rig) {
		r.Load(api.Load{Item: film("/film.mkv")})
		r.Change(api.Change{Audio: ptr(2), Subtitle: ptr(1)}) // there is no such subtitle
		r.until("it plays", time.Second, is(api.Playing))
		requests, _ := r.decoder.Opened()
		if s, last := r.Status(), requests[len(requests)-1]; s.Audio != 2 || s.Subtitle != -1 || last.Audio != 2 || last.Subtitle != player.None {
			t.Errorf("audio %d, subtitle %d", s.Audio, s.Subtitle)
		}
	})
}

// TestSubtitlePicturesLieOnTheFilm has a film of 4:3 with a picture for a subtitle, as on a DVD: it belongs onto the film, not
// onto the black beside it.
func TestSubtitlePicturesLieOnTheFilm(t *testing.T) {
	items := usual()
	disc := items["/film.mkv"]
	disc.Width, disc.Height = 640, 480
	disc.Cues = []player.Cue{{From: 0, To: time.Minute, Image: image.NewRGBA(image.Rect(0, 0, 320, 48)), At: image.Rect(160, 400, 480, 448), Canvas: image.Pt(640, 480)}}
	items["/film.mkv"] = disc
	inBubble(t, setup{items: items}, func(r *rig) {
		r.Load(api.Load{Item: film("/film.mkv")})
		words := 3
		r.Change(api.Change{Subtitle: &words})
		r.until("it plays", time.Second, is(api.Playing))
		r.wait(time.Second)
		last := r.cues[len(r.cues)-1]
		if len(last) != 1 || last[0].Canvas != image.Pt(1920, 1080) || last[0].At != image.Rect(600, 900, 1320, 1008) {
			t.Errorf("got %+v", last)
		}
	})
}

func TestSubtitlesAreTold(t *testing.T) {
	items := usual()
	subtitled := items["/film.mkv"]
	for i := range 600 {
		at := time.Duration(i) * 30 * time.Millisecond
		subtitled.Cues = append(subtitled.Cues, cue(at, at+30*time.Millisecond, fmt.Sprint(i)))
	}
	items["/film.mkv"] = subtitled
	inBubble(t, setup{items: items}, func(r *rig) {
		r.Load(api.Load{Item: film("/film.mkv")})
		r.until("it plays", time.Second, is(api.Playing))
		if len(r.cues) > 0 {
			t.Errorf("told %v before any was wanted", r.cues)
		}
		r.Change(api.Change{Subtitle: ptr(3)})
		r.until("it plays", 2*time.Second, is(api.Playing))
		r.wait(12 * time.Second)
		if s := r.Status(); s.Subtitle != 3 {
			t.Errorf("subtitle %d", s.Subtitle)
		}
		if len(r.cues) < 380 {
			t.Errorf("%d were told", len(r.cues))
		}
		r.Change(api.Change{Subtitle: ptr(-1)})
		r.wait(time.Second)
		if last := r.cues[len(r.cues)-1]; len(last) != 0 {
			t.Errorf("left over: %v", last)
		}
	})
}

// TestManyCommands throws commands at an engine whose outputs come and go, and then looks whether it still does what it
// should, and whether what it says is what the card saw.
func TestManyCommands(t *testing.T) {
	for seed := range uint64(4) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			settings := api.Settings{MatchRate: seed%2 == 0, ReplayGain: "track"}
			if seed == 1 {
				settings.Crossfade = media.Duration(time.Second)
			}
			const rate = 8000 // few samples take little time
			s := setup{settings: settings, items: usual(), sound: null.SoundOptions{PPM: float64(seed % 4 * 50)}}
			for path, it := range s.items {
				switch it.Rate {
				case 48000:
					it.Rate = rate
				case 44100:
					it.Rate = 11025
				}
				s.items[path] = it
			}
			if seed == 2 {
				s.sound.Rates, s.sound.Period = []int{rate}, 40
			}
			inBubble(t, s, func(r *rig) {
				usual, _ := r.display.Screen()
				many(r, rand.New(rand.NewPCG(seed, 4)), 2500)
				r.display.Replace(usual)
				r.sound.Plug()
				r.wait(time.Second)
				r.Change(api.Change{Speed: ptr(1.0), Volume: ptr(100), Muted: ptr(false)})
				r.Set(api.Settings{})
				r.Load(api.Load{Item: film("/film.mkv")})
				r.until("it still plays", 2*time.Second, is(api.Playing))
				began := time.Now()
				r.wait(5 * time.Second)
				if s := r.Status(); !near(time.Duration(s.Position), 5*time.Second, 50*time.Millisecond) || s.Sync.Dropped > 0 || s.Sync.Underruns > 0 {
					t.Errorf("at the end it is at %v, %+v", time.Duration(s.Position), s.Sync)
				}
				if !r.agrees(s.items) {
					t.Error("the card plays something else")
				}
				runs := r.sound.Runs()
				r.inStepSkewed(runs[len(runs)-1], began.Add(time.Second), float64(seed%4*50), 5*time.Millisecond)
			})
		})
	}
}

// calm lets everything be as usual, but for what is played.
func calm(r *rig) {
	r.display.Plug()
	r.sound.Plug()
	r.Set(api.Settings{})
	r.Change(api.Change{Speed: ptr(1.0), Volume: ptr(100), Muted: ptr(false)})
	r.wait(time.Second)
}

// agrees reports whether the card plays what the status says, where it says; true if it says that nothing is heard.
func (r *rig) agrees(items map[string]playertest.Recipe) bool {
	s := r.Status()
	runs := r.sound.Runs()
	if s.State != api.Playing || items[s.Item.Path].Rate == 0 {
		return true
	}
	run := runs[len(runs)-1]
	n := len(run.PCM)/run.Format.FrameSize() - 1
	id, frame := playertest.Frame(sampleOf(run, n*4), sampleOf(run, n*4+2))
	at := time.Duration(frame) * time.Second / time.Duration(run.Format.Rate)
	if id == 0 && s.Position > s.Duration-media.Duration(50*time.Millisecond) {
		return true // the end was heard
	}
	if id != items[s.Item.Path].ID || !near(at, time.Duration(s.Position), 6*time.Millisecond) {
		r.t.Logf("%v of %s at %v, the card plays %v of %d", s.State, s.Item.Path, time.Duration(s.Position), at, id)
		return false
	}
	return true
}

func many(r *rig, rng *rand.Rand, n int) {
	paths := []string{"/a.flac", "/b.flac", "/cd.flac", "/film.mkv", "/mute.mkv", "/bad.flac", "/nothing"}
	item := func() api.Item {
		it := film(paths[rng.IntN(len(paths))])
		if it.Path[len(it.Path)-1] == 'c' {
			it.Kind = media.Music
		}
		it.Start = media.Duration(rng.IntN(3)) * media.Duration(time.Second)
		return it
	}
	odd := []func(){
		func() { r.Load(api.Load{Item: item(), Next: ptr(item()), Paused: rng.IntN(4) == 0}) },
		func() { r.SetNext(ptr(item())) },
		r.display.Unplug, r.display.Plug, func() { r.display.Replace(blanking(50)) }, r.sound.Unplug, r.sound.Plug, r.sound.Starve,
		func() {
			r.Set(api.Settings{Crossfade: media.Duration(rng.IntN(3)) * media.Duration(150*time.Millisecond), ReplayGain: "album"})
		},
		func() { r.Set(api.Settings{Card: []string{"", "null", "gone"}[rng.IntN(3)], MatchRate: true}) },
	}
	compared := 0
	for i := range n {
		if i%50 == 0 {
			if calm(r); !r.agrees(r.decoder.Items) {
				if r.wait(100 * time.Millisecond); !r.agrees(r.decoder.Items) { // not just a fade
					r.t.Fatalf("after %d commands", i)
				}
			}
			if r.Status().State == api.Playing {
				compared++
			}
		}
		if k := rng.IntN(3 * len(commands)); k < len(commands) {
			commands[k].do(r)
		} else {
			odd[rng.IntN(len(odd))]()
		}
		switch rng.IntN(6) {
		case 0:
			r.wait(time.Duration(rng.IntN(600)) * time.Millisecond)
		case 1, 2:
			r.wait(time.Duration(rng.IntN(40)) * time.Millisecond)
		}
		if s := r.Status(); (s.Item == nil) != (s.State == api.Idle) || s.Position < 0 {
			r.t.Fatalf("got %+v", s)
		}
	}
	if compared < n/600 {
		r.t.Errorf("it played only %d times when it was looked at", compared)
	}
}
