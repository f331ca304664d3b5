//go:build vm

package vm

import (
	"image"
	"math"
	"testing"

	"manofwar/internal/lab"
)

// songs plays an album of two.
func (tv *television) songs(t *testing.T) {
	tv.play(t, songNames...)
	s := tv.await(t, "a song plays", func(s session) bool { return s.State == "playing" })
	tv.post(t, "/api/v1/cast/sessions/"+s.ID+"/change", map[string]any{"volume": 100})
	tv.until(t, "the cover", func(img image.Image) bool {
		r, g, b, _ := img.At(img.Bounds().Dx()/4, img.Bounds().Dy()/2).RGBA()
		return near(r>>8, coverRGB>>16) && near(g>>8, coverRGB>>8&0xff) && near(b>>8, coverRGB&0xff)
	})
	tv.await(t, "the second song", func(s session) bool { return s.Index == 1 && s.Entry.Item.Title == "Half 2" })
	tv.await(t, "the end", func(s session) bool { return s.State == "stopped" })
}

// waited is a song that waited at a place, or that was sought in: what was heard is at these places of it.
type waited struct {
	what     string
	from, to float64 // in seconds: it was left at from, and went on at to
}

// waits has the long song wait, go on, and go on elsewhere. When that happens depends on how busy the host is; what is heard
// then does not.
func (tv *television) waits(t *testing.T) {
	tv.play(t, longName)
	s := tv.await(t, "a song plays", func(s session) bool { return s.State == "playing" && s.Position > 1 })
	tv.post(t, "/api/v1/cast/sessions/"+s.ID+"/change", map[string]any{"volume": 100})
	tv.control(t, map[string]any{"do": "pause"})
	at := tv.await(t, "it waits", func(s session) bool { return s.State == "paused" }).Position
	tv.golden(t, "now-playing", image.Rect(290, 150, 560, 290), 20) // the words: the cover was looked at, where it is differs
	tv.control(t, map[string]any{"do": "play"})
	tv.await(t, "it goes on", func(s session) bool { return s.State == "playing" && s.Position > at+1 })
	tv.control(t, map[string]any{"do": "pause"})
	left := tv.await(t, "it waits again", func(s session) bool { return s.State == "paused" }).Position
	to := left + 5
	tv.control(t, map[string]any{"do": "seek", "to": to})
	tv.control(t, map[string]any{"do": "play"})
	tv.await(t, "it goes on elsewhere", func(s session) bool { return s.Position > to+1 })
	tv.stood = []waited{{"the pause", at, at}, {"the seek", left, to}}
}

// ramp is what the volume takes of a sound on either side, in seconds, and more.
const ramp = 0.2

// heardWaiting looks for what was heard around each pause: the song up to it, and from where it went on, with silence or a
// ramp of the volume between, and every frame on either side.
func (tv *television) heardWaiting(t *testing.T) {
	heard, err := tv.Recorded(lab.AC97)
	must(t, err)
	frame := func(seconds float64) int { return int(math.Round(seconds * 48000)) }
	for _, w := range tv.stood {
		const margin, length = ramp, 0.3
		before := tv.media.long[frame(w.from-margin-length):frame(w.from-margin)]
		after := tv.media.long[frame(w.to+margin):frame(w.to+margin+length)]
		first, volume := wholly(t, heard, before, w.what+", before")
		second, again := wholly(t, heard, after, w.what+", after")
		gap := second - first - len(before) - 2*frame(margin)
		if gap < 0 {
			t.Errorf("%s: what follows it was heard %d frames too early", w.what, -gap)
		}
		if w.from == w.to && !dips(heard[first+len(before):second], tv.media.long[frame(w.from-margin):], volume) {
			t.Errorf("%s: it was heard on without a break", w.what)
		}
		if math.Abs(volume-again) > 0.02 {
			t.Errorf("%s: at %.3f of the volume before it, and %.3f after it", w.what, volume, again)
		}
		for i := first + len(before) + 2*frame(margin); i < second-2*frame(margin); i++ { // beyond both ramps
			if f := heard[i]; max(f[0], -f[0]) > 1 || max(f[1], -f[1]) > 1 {
				t.Fatalf("%s: %v was heard while it waited", w.what, f)
			}
		}
		t.Logf("%s: left at %.2f s, silent for %.2f s, on at %.2f s", w.what, w.from, float64(gap)/48000, w.to)
	}
}

// dips reports whether 5 ms of what was heard are less than half as loud as the song: a card that waits is not recorded, but the
// ramp before it is.
func dips(heard, song [][2]int16, volume float64) bool {
	const window = 240
	for i := 0; i+window <= min(len(heard), len(song)); i += window {
		var is, full float64
		for j := i; j < i+window; j++ {
			is += math.Abs(float64(heard[j][0]))
			full += math.Abs(float64(song[j][0])) * volume
		}
		if is < full/2 {
			return true
		}
	}
	return false
}

// wholly finds a piece in what was heard, and holds every frame of it to what it should be.
func wholly(t *testing.T, heard, piece [][2]int16, what string) (at int, volume float64) {
	t.Helper()
	at, volume = find(heard, piece[:256])
	if at < 0 || len(heard) < at+len(piece) {
		t.Fatalf("%s: of %d frames that were heard, it is at %d", what, len(heard), at)
	}
	for i, want := range piece {
		for c := range want {
			if off := float64(heard[at+i][c]) - volume*float64(want[c]); math.Abs(off) > 1.5 { // rounded there and here
				t.Fatalf("%s: frame %d, channel %d: heard %d, want %.1f", what, i, c, heard[at+i][c], volume*float64(want[c]))
			}
		}
	}
	return at, volume
}

// heard compares what was heard of the songs with what is in the files. Other sound must have followed them: QEMU keeps back
// the last milliseconds.
func (tv *television) heard(t *testing.T) {
	heard, err := tv.Recorded(lab.AC97)
	must(t, err)
	tv.whole(t, heard)
}

// whole looks for both songs, frame by frame.
func (tv *television) whole(t *testing.T, heard [][2]int16) {
	t.Helper()
	// The volume was being changed at first. From some time in the first song on every frame has to be there.
	noise, from := tv.media.noise, songFrames/2
	at, volume := find(heard, noise[from:from+256])
	if at < 0 || len(heard) < at+len(noise)-from {
		t.Fatalf("of %d frames that were heard, the first song is at %d", len(heard), at)
	}
	for i, want := range noise[from:] {
		for c := range want {
			if off := float64(heard[at+i][c]) - volume*float64(want[c]); math.Abs(off) > 1.5 { // rounded there and here
				t.Fatalf("frame %d, %d from the joint, channel %d: heard %d, want %.1f", from+i, from+i-songFrames, c, heard[at+i][c], volume*float64(want[c]))
			}
		}
	}
	t.Logf("%d frames were heard one after the other, %d before and %d after the joint, at %.3f of their volume", len(noise)-from, songFrames-from, songFrames, volume)
}

func near(got, want uint32) bool { return max(got, want)-min(got, want) < 12 }

// find returns where a piece is in what was heard, and how loud; -1: nowhere.
func find(heard, piece [][2]int16) (at int, volume float64) {
	var power float64
	for _, f := range piece {
		power += float64(f[0]) * float64(f[0])
	}
	for at := range max(0, len(heard)-len(piece)) {
		var dot, rest float64
		for i, f := range piece {
			dot += float64(f[0]) * float64(heard[at+i][0])
		}
		if volume = dot / power; volume < 0.05 {
			continue
		}
		for i, f := range piece {
			off := float64(heard[at+i][0]) - volume*float64(f[0])
			rest += off * off
		}
		if rest < float64(len(piece))*4 {
			return at, volume
		}
	}
	return -1, 0
}
