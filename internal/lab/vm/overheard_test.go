//go:build vm

package vm

import (
	"math"
	"testing"
	"time"

	"manofwar/internal/lab"
	"manofwar/player/api"
)

// How what there is to play sounds as it is recorded, 16-bit.
const (
	loudest = 8000                // of any frame
	noise   = loudest / 1.7320508 // the mean of a song's
	tone    = 4096 / 1.4142136    // of the film's
	toneHz  = 500
)

// measure finds out what the card leaves of a song: what it multiplies by is its own choice, at any volume of the player's.
func (w *witness) measure(t *testing.T) {
	t.Helper()
	w.tell(t, "POST", "/change", asRecorded)
	w.tell(t, "POST", "/load", api.Load{Item: w.item(w.long)})
	now := w.now(t)
	w.recordedUntil(t, now.to+frames(queued+closeBy)+listen)
	heard, err := w.RecordedSince(lab.AC97, now.from)
	must(t, err)
	song := w.songs[w.long][frames(time.Duration(now.Position).Seconds()+queued):][:listen]
	at, _ := find(heard, song[:start])
	if at < 0 || len(heard) < at+listen {
		t.Fatalf("of %d frames that were heard, the song is at %d", len(heard), at)
	}
	var dot, power float64
	for i, f := range song {
		dot += float64(f[0]) * float64(heard[at+i][0])
		power += float64(f[0]) * float64(f[0])
	}
	w.full = dot / power
	t.Logf("at %.2f s it was heard up to %d frames after that, at %.4f of its volume", time.Duration(now.Position).Seconds(), at-frames(queued), w.full)
}

// sounds holds what was heard since the player said where it is to that place of the song, frame by frame. Of a film, or at
// another speed, it knows how loud it should be.
func (w *witness) sounds(t *testing.T, m claim, heard [][2]int16) {
	t.Helper()
	volume := w.full * math.Pow(float64(m.Volume)/100, 3)
	if m.Muted {
		volume = 0
	}
	song, within := w.songs[m.Item.Path], m.to-m.from
	now := heard[within+frames(queued):][:listen]
	switch {
	case volume*loudest < 16:
		hushed(t, now, volume*loudest+2)
	case song == nil:
		asLoud(t, now, volume*tone)
		if f := frequency(now); volume*tone > 100 && math.Abs(f-toneHz) > 0.02*toneHz { // of less, a bit is noise
			t.Errorf("the film's tone is one of %.1f Hz", f)
		}
	case m.Speed != 1:
		asLoud(t, now, volume*noise)
	default:
		from := frames(time.Duration(m.Position).Seconds() + queued)
		piece := song[from:][:listen]
		at := findAs(heard[:within+frames(queued+closeBy)+start], piece[:start], volume)
		if at < frames(queued-closeBy) {
			elsewhere, as := find(heard, piece[:start])
			t.Errorf("it says that it is at %v of %s, which is not heard within %d frames at %.4f of its volume, but after %d at %.4f",
				time.Duration(m.Position), m.Item.Path, within, volume, elsewhere-frames(queued), as)
			return
		}
		most := 1.5 // rounded there and here
		if m.Volume < 100 {
			most += w.full // by the player as well, with noise of up to one bit before it
		}
		for i, want := range piece {
			for c := range want {
				if off := float64(heard[at+i][c]) - volume*float64(want[c]); math.Abs(off) > most {
					t.Errorf("%s, frame %d after %v, channel %d: heard %d, want %.1f", m.Item.Path, i, time.Duration(m.Position), c, heard[at+i][c], volume*float64(want[c]))
					return
				}
			}
		}
	}
}

// goesOn holds how far the player says that it has come to how much was recorded meanwhile.
func (w *witness) goesOn(t *testing.T, before, after claim) {
	t.Helper()
	went := time.Duration(after.Position - before.Position).Seconds()
	least := before.Speed * (float64(after.from-before.to)/soundRate - 0.01)
	most := before.Speed * (float64(after.to-before.from)/soundRate + 0.01)
	if went < least || went > most {
		t.Errorf("while %.2f s of %s should have passed, and at most %.2f s, it says that it has come %.2f s further", least, before.Item.Path, most, went)
	}
}

// frames is how many there are in so many seconds.
func frames(seconds float64) int { return int(math.Round(seconds * soundRate)) }

// hushed holds every frame to being no louder than that.
func hushed(t *testing.T, heard [][2]int16, most float64) {
	t.Helper()
	for i, f := range heard {
		if loud := max(f[0], -f[0], f[1], -f[1]); float64(loud) > most {
			t.Errorf("frame %d of %d is %v, where %.0f is the loudest that should be heard", i, len(heard), f, most)
			return
		}
	}
}

// asLoud holds frames to a mean volume (root mean square), which changes a little with what changes the speed.
func asLoud(t *testing.T, heard [][2]int16, want float64) {
	t.Helper()
	var sum float64
	for _, f := range heard {
		sum += float64(f[0]) * float64(f[0])
	}
	if got := math.Sqrt(sum / float64(len(heard))); got < want/2 || got > want*1.3 {
		t.Errorf("it is heard at a mean of %.1f, want %.1f", got, want)
	}
}

// findAs returns where a piece is in what was heard, as loud as that; -1: nowhere.
func findAs(heard, piece [][2]int16, volume float64) int {
	for at := range max(0, len(heard)-len(piece)+1) {
		var rest float64
		for i, f := range piece {
			off := float64(heard[at+i][0]) - volume*float64(f[0])
			if rest += off * off; rest > float64(len(piece))*4 {
				break
			}
		}
		if rest <= float64(len(piece))*4 {
			return at
		}
	}
	return -1
}
