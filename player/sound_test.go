package player_test

import (
	"fmt"
	"math"
	"testing"
	"time"

	"manofwar/internal/media"
	"manofwar/player"
	"manofwar/player/api"
	"manofwar/player/null"
	"manofwar/player/playertest"
)

// wantWhole fails the test unless exactly these stretches were heard, one right after the other.
func (r *rig) wantHeard(want ...heard) {
	r.t.Helper()
	got := r.stretches()
	for len(got) > 0 && got[len(got)-1].id == 0 { // what is written to end without a click
		got = got[:len(got)-1]
	}
	ok := len(got) == len(want)
	for i := range want {
		ok = ok && got[i].id == want[i].id && got[i].first == want[i].first && got[i].n == want[i].n
	}
	if !ok {
		r.t.Errorf("heard %v, want %v", got, want)
	}
}

func (h heard) String() string { return fmt.Sprintf("%d: %d+%d", h.id, h.first, h.n) }

func TestNoSampleIsMissingAtAJoint(t *testing.T) {
	for name, sound := range map[string]null.SoundOptions{
		"16 bits": {}, "32 bits": {Sample: player.S32}, "by periods": {Period: 480, Buffer: 100 * time.Millisecond}, "fast": {PPM: 300},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, setup{sound: sound}, func(r *rig) {
				a, b := song("/a.flac"), song("/b.flac")
				r.Load(api.Load{Item: a, Next: &b})
				r.until("the second one plays", 5*time.Second, func(s api.Status) bool { return s.Item.Key == "/b.flac" && s.State == api.Playing })
				c := song("/a.flac")
				r.SetNext(&c)
				r.until("it is over", 10*time.Second, is(api.Idle))
				r.wantReasons("/a.flac finished", "/b.flac finished", "/a.flac finished")
				r.wantHeard(heard{id: 1, n: 3 * 48000}, heard{id: 2, n: 2 * 48000}, heard{id: 1, n: 3 * 48000})
				if runs := r.sound.Runs(); len(runs) != 1 {
					t.Errorf("the card was stopped %d times", len(runs)-1)
				}
			})
		})
	}
}

func TestAnotherRateLosesNoSample(t *testing.T) {
	inBubble(t, setup{}, func(r *rig) {
		next := song("/cd.flac")
		r.Load(api.Load{Item: song("/b.flac"), Next: &next})
		r.until("it is over", 10*time.Second, is(api.Idle))
		r.wantReasons("/b.flac finished", "/cd.flac finished")
		runs := r.sound.Runs()
		if len(runs) != 2 || runs[1].Format.Rate != 44100 {
			t.Fatalf("%d runs", len(runs))
		}
		got := r.stretches()
		if got[0].n != 2*48000 || got[len(got)-2].id != 3 && got[len(got)-1].id != 3 {
			t.Errorf("heard %v", got)
		}
		gap := runs[1].At.Sub(runs[0].At) - 2*time.Second
		if gap < 0 || gap > 150*time.Millisecond {
			t.Errorf("the gap is %v", gap)
		}
	})
}

func TestACardThatTakesOneRateGetsIt(t *testing.T) {
	inBubble(t, setup{sound: null.SoundOptions{Rates: []int{48000}}}, func(r *rig) {
		for range 2 {
			r.Load(api.Load{Item: song("/cd.flac")})
			r.until("it is over", 10*time.Second, is(api.Idle))
		}
		r.wantHeard(heard{id: 3, n: 2 * 48000}, heard{id: 3, n: 2 * 48000})
		if requests, _ := r.decoder.Opened(); len(requests) != 3 || requests[2].Rate != 48000 {
			t.Errorf("%d requests", len(requests))
		}
	})
}

func TestASongThatComesLateFollowsAtOnce(t *testing.T) {
	inBubble(t, setup{}, func(r *rig) {
		r.Load(api.Load{Item: song("/a.flac")})
		r.wait(3 * time.Second) // 200 ms before its end
		next := song("/b.flac")
		r.SetNext(&next)
		r.until("it is over", 10*time.Second, is(api.Idle))
		r.wantReasons("/a.flac finished", "/b.flac finished")
	})
}

func TestANextThatIsTakenBackInTheLastMomentIsNotHeard(t *testing.T) {
	for _, before := range []time.Duration{5, 20, 50, 90, 120, 300} {
		t.Run(before.String(), func(t *testing.T) {
			inBubble(t, setup{}, func(r *rig) {
				b, c := song("/b.flac"), song("/cd.flac")
				r.Load(api.Load{Item: song("/a.flac"), Next: &b})
				r.until("its end is near", 5*time.Second, func(s api.Status) bool {
					return time.Duration(s.Position) >= 3*time.Second-before*time.Millisecond
				})
				r.SetNext(&c)
				r.until("it is over", 10*time.Second, is(api.Idle))
				r.wantReasons("/a.flac finished", "/cd.flac finished")
				for _, h := range r.stretches() {
					if h.id == 2 && h.n > 480 {
						t.Errorf("heard %v of what was taken back", h)
					}
				}
			})
		})
	}
}

func TestPauseLosesNothing(t *testing.T) {
	inBubble(t, setup{}, func(r *rig) {
		r.Load(api.Load{Item: song("/a.flac")})
		r.until("it plays", time.Second, is(api.Playing))
		r.wait(time.Second)
		began := time.Now()
		r.Pause()
		if s := r.Status(); s.State != api.Paused {
			t.Errorf("got %v", s.State)
		}
		r.wait(time.Second)
		runs := r.sound.Runs()
		silent := runs[0].At.Add(time.Duration(len(runs[0].PCM)/4) * time.Second / 48000)
		if took := silent.Sub(began); took > 150*time.Millisecond {
			t.Errorf("silent %v after the command", took)
		}
		at := time.Duration(r.Status().Position)
		r.Play()
		began = time.Now()
		r.until("it goes on", time.Second, func(s api.Status) bool { return time.Duration(s.Position) > at })
		if took := time.Since(began); took > 20*time.Millisecond {
			t.Errorf("heard %v after the command", took)
		}
		r.until("it is over", 5*time.Second, is(api.Idle))
		var total int64
		last := int64(-1)
		for _, h := range r.stretches() { // fades hide some samples; those beside them tell that none is missing
			if h.id == 1 && h.n > 100 {
				total += h.n
				if h.first <= last {
					t.Errorf("heard again: %v", h)
				}
				last = h.first + h.n - 1
			}
		}
		if last != 3*48000-1 || total < 3*48000-2*1000 {
			t.Errorf("%d samples were heard, the last is %d", total, last)
		}
		if got := time.Duration(len(r.sound.Runs()[0].PCM)/4) * time.Second / 48000; !near(got, at, 10*time.Millisecond) {
			t.Errorf("paused at %v, the card had played %v", at, got)
		}
	})
}

func TestASeekIsExact(t *testing.T) {
	inBubble(t, setup{}, func(r *rig) {
		r.Load(api.Load{Item: song("/a.flac")})
		r.until("it plays", time.Second, is(api.Playing))
		r.wait(500 * time.Millisecond)
		began := time.Now()
		to := media.Duration(2 * time.Second)
		r.Seek(api.Seek{To: &to})
		if s := r.Status(); s.Position != to || s.State != api.Loading {
			t.Errorf("got %v at %v", s.State, time.Duration(s.Position))
		}
		r.until("it plays there", time.Second, is(api.Playing))
		if took := time.Since(began); took > 230*time.Millisecond { // the decoder takes 200
			t.Errorf("took %v", took)
		}
		r.until("it is over", 5*time.Second, is(api.Idle))
		got := r.stretches()
		var last heard
		for _, h := range got {
			if h.id == 1 {
				last = h
			}
		}
		if end := last.first + last.n; end != 3*48000 || last.first < 2*48000 || last.first > 2*48000+1000 {
			t.Errorf("heard %v", last)
		}
		r.wantReasons("/a.flac finished")
	})
}

func TestManySeeksEndAtTheLast(t *testing.T) {
	inBubble(t, setup{}, func(r *rig) {
		r.Load(api.Load{Item: film("/film.mkv")})
		r.until("it plays", time.Second, is(api.Playing))
		for i := range 1000 {
			to := media.Duration(time.Duration(i%19) * time.Second)
			if i == 999 {
				to = media.Duration(7 * time.Second)
			}
			r.Seek(api.Seek{To: &to})
			if i%10 == 0 {
				r.wait(time.Millisecond)
			}
		}
		r.until("it plays", time.Second, is(api.Playing))
		if at := time.Duration(r.Status().Position); !near(at, 7*time.Second, 50*time.Millisecond) {
			t.Errorf("at %v", at)
		}
		if requests, _ := r.decoder.Opened(); len(requests) > 5 {
			t.Errorf("%d decoders were started", len(requests))
		}
		for range 3 {
			r.Seek(api.Seek{By: media.Duration(time.Second)})
		}
		r.until("it plays", time.Second, is(api.Playing))
		if at := time.Duration(r.Status().Position); !near(at, 10*time.Second, 200*time.Millisecond) {
			t.Errorf("at %v after three steps of a second", at)
		}
	})
}

func TestItBeginsWhereItWasLeft(t *testing.T) {
	inBubble(t, setup{}, func(r *rig) {
		it := song("/a.flac")
		it.Start = media.Duration(2500 * time.Millisecond)
		r.Load(api.Load{Item: it, Paused: true})
		r.until("it waits", time.Second, is(api.Paused))
		if at := r.Status().Position; at != it.Start {
			t.Errorf("at %v", time.Duration(at))
		}
		if len(r.sound.Runs()) > 0 {
			t.Error("something was heard")
		}
		r.Play()
		r.until("it is over", 5*time.Second, is(api.Idle))
	})
}

func TestTheVolumeHasNoStep(t *testing.T) {
	items := usual()
	loud := items["/a.flac"]
	loud.Loud = func(int64) float32 { return 0.5 }
	items["/a.flac"] = loud
	inBubble(t, setup{items: items}, func(r *rig) {
		r.Load(api.Load{Item: song("/a.flac")})
		r.until("it plays", time.Second, is(api.Playing))
		for i, v := range []int{0, 100, 50, 100, 10} {
			r.Change(api.Change{Volume: &v})
			r.wait(time.Duration(i*7+150) * time.Millisecond)
		}
		yes, no := true, false
		r.Change(api.Change{Muted: &yes})
		r.wait(200 * time.Millisecond)
		r.Change(api.Change{Muted: &no})
		r.wait(200 * time.Millisecond)
		r.Pause()
		r.wait(300 * time.Millisecond)
		r.Play()
		r.wait(300 * time.Millisecond)
		to := media.Duration(time.Second)
		r.Seek(api.Seek{To: &to})
		r.wait(time.Second)
		r.Stop()
		r.wait(time.Second)
		const limit = 16384/(48*14) + 3 // over 15 ms, and a bit of noise
		last := 16384                   // an item begins at once
		runs := r.sound.Runs()
		if len(runs) != 3 {
			t.Errorf("%d runs", len(runs))
		}
		for n, run := range runs {
			for i := 0; i < len(run.PCM); i += 4 {
				v := int(sampleOf(run, i))
				if d := v - last; d > limit || d < -limit {
					t.Fatalf("in run %d a step from %d to %d at %d", n, last, v, i/4)
				}
				last = v
			}
			if last < -2 || last > 2 {
				t.Errorf("run %d ends at %d", n, last)
			}
			last = 0
		}
	})
}

func TestACrossfadeHasEqualPower(t *testing.T) {
	items := usual()
	for i, path := range []string{"/a.flac", "/b.flac"} { // tones whose powers add up
		it := items[path]
		hz := []float64{440, 1000}[i]
		it.Length = 4 * time.Second
		it.Loud = func(n int64) float32 { return float32(0.4 * math.Sin(2*math.Pi*hz*float64(n)/48000)) }
		items[path] = it
	}
	inBubble(t, setup{items: items, settings: api.Settings{Crossfade: media.Duration(2 * time.Second)}}, func(r *rig) {
		next := song("/b.flac")
		r.Load(api.Load{Item: song("/a.flac"), Next: &next})
		r.until("it is over", 20*time.Second, is(api.Idle))
		r.wantReasons("/a.flac finished", "/b.flac finished")
		run := r.sound.Runs()[0]
		n := len(run.PCM) / 4
		if n < 6*48000 || n > 6*48000+48000/4 {
			t.Errorf("%d frames were heard", n)
		}
		for at := 0; at+4800 <= 6*48000; at += 4800 {
			var sum float64
			for i := at; i < at+4800; i++ {
				v := float64(sampleOf(run, i*4)) / 32768
				sum += v * v
			}
			if rms := math.Sqrt(sum / 4800); rms < 0.27 || rms > 0.30 { // 0.4/√2 = 0.283
				t.Errorf("at %v the power is %.3f", time.Duration(at)*time.Second/48000, rms)
			}
		}
	})
}

func TestAnAlbumIsNotCrossfaded(t *testing.T) {
	inBubble(t, setup{settings: api.Settings{Crossfade: media.Duration(time.Second)}}, func(r *rig) {
		a, b := song("/a.flac"), song("/b.flac")
		a.Album, b.Album = "Live", "Live"
		r.Load(api.Load{Item: a, Next: &b})
		r.until("it is over", 10*time.Second, is(api.Idle))
		r.wantHeard(heard{id: 1, n: 3 * 48000}, heard{id: 2, n: 2 * 48000})
	})
}

func TestItRunsDryAndGoesOn(t *testing.T) {
	inBubble(t, setup{}, func(r *rig) {
		r.Load(api.Load{Item: song("/a.flac")})
		r.until("it plays", time.Second, is(api.Playing))
		r.wait(time.Second)
		r.sound.Starve()
		r.until("it is over", 5*time.Second, is(api.Idle))
		if s := r.Status(); s.Sync.Underruns != 1 {
			t.Errorf("%d underruns", s.Sync.Underruns)
		}
		r.wantReasons("/a.flac finished")
	})
}

func TestADecoderThatIsSlowIsWaitedFor(t *testing.T) {
	items := usual()
	slow := items["/film.mkv"]
	slow.Slow, slow.Length = 25*time.Millisecond, 3*time.Second // for each 20 ms
	items["/film.mkv"] = slow
	inBubble(t, setup{items: items}, func(r *rig) {
		r.Load(api.Load{Item: film("/film.mkv")})
		r.until("it waits", 2*time.Second, is(api.Loading))
		r.until("it is over", 10*time.Second, is(api.Idle))
		s := r.Status()
		if s.Sync.Underruns == 0 || s.Sync.Shown < 60 {
			t.Errorf("got %+v", s.Sync)
		}
		r.wantReasons("/film.mkv finished")
	})
}

func TestCompressedSoundIsPassedOn(t *testing.T) {
	items := usual()
	dolby := items["/a.flac"]
	dolby.Codec = "ac3"
	items["/dolby.mkv"] = dolby
	for _, takes := range []bool{true, false} {
		inBubble(t, setup{items: items, settings: api.Settings{Passthrough: true}, sound: null.SoundOptions{IEC: takes}}, func(r *rig) {
			r.Load(api.Load{Item: film("/dolby.mkv")})
			r.until("it plays", time.Second, is(api.Playing))
			r.until("it is over", 5*time.Second, is(api.Idle))
			requests, _ := r.decoder.Opened()
			if last := requests[len(requests)-1]; last.Pass != takes {
				t.Errorf("the last request is %+v", last)
			}
			run := r.sound.Runs()[0]
			if (run.Format.Sample == player.IEC) != takes {
				t.Errorf("played as %v", run.Format)
			}
			if !takes {
				return
			}
			for i := range 1000 { // each sample of the decoder is four bytes of ours
				left, right := playertest.Sample(1, int64(i))
				if a, b := bits(run, 2*i), bits(run, 2*i+1); a != left || b != right {
					t.Fatalf("at %d %v and %v", i, a, b)
				}
			}
		})
	}
}
