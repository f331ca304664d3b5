//go:build vm

package vm

import (
	"fmt"
	"image"
	"math"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"manofwar/internal/lab"
)

// flashName is a film with a flash and a beep at every second.
const flashName = "Flashes (2021).mkv"

func makeFlashes(t *testing.T, dir string) {
	must(t, lab.FFmpeg(t.Context(), "-f", "lavfi", "-i", "color=black:s=320x180:r=30,drawbox=c=white:t=fill:enable='lt(mod(t,1),0.1)'",
		"-f", "lavfi", "-i", "aevalsrc='0.5*lt(mod(t,1),0.1)*sin(2*PI*1000*t)':s=48000", "-t", "300", "-c:v", "libx264", "-preset", "veryfast",
		"-pix_fmt", "yuv420p", "-g", "60", "-c:a", "aac", "-ac", "2", filepath.Join(dir, flashName)))
}

// What nobody notices: sound that comes so much before its picture, or after it, by Recommendation ITU-R BT.1359-1, in ms. QEMU's
// card holds some more between what it has told the guest is heard and its recording.
const (
	soundBefore = 45
	soundAfter  = 125
	cardHolds   = 40
)

const (
	soundRate = 48000
	beepLevel = 500           // every wave of a beep is louder
	soundless = soundRate / 2 // at least so long it is still between two beeps
	ahead     = soundRate / 6 // before a flash is due, the screen is looked at all the time
	mostLooks = 400           // for one flash
	flashes   = 3             // that are waited for
	attempts  = 25            // for them: one may be over before it is looked for
)

// together looks at the film and listens to it from outside: from its beginning, elsewhere, and after a pause.
func (tv *television) together(t *testing.T) {
	tv.play(t, flashName)
	s := tv.await(t, "the film plays", func(s session) bool { return s.State == "playing" && s.Position > 3 })
	tv.post(t, "/api/v1/cast/sessions/"+s.ID+"/change", map[string]any{"volume": 100})
	tv.flashesAndBeeps(t, "from the beginning")
	tv.control(t, map[string]any{"do": "seek", "to": 60})
	tv.await(t, "it is elsewhere", func(s session) bool { return s.State == "playing" && s.Position > 63 })
	tv.flashesAndBeeps(t, "elsewhere")
	tv.control(t, map[string]any{"do": "pause"})
	at := tv.await(t, "it waits", func(s session) bool { return s.State == "paused" }).Position
	tv.control(t, map[string]any{"do": "play"})
	tv.await(t, "it goes on", func(s session) bool { return s.State == "playing" && s.Position > at+3 })
	tv.flashesAndBeeps(t, "after a pause")
}

// flashesAndBeeps holds the distances of some flashes from their beeps to what nobody notices: the one in the middle, as the
// moment of each is known to a picture.
func (tv *television) flashesAndBeeps(t *testing.T, when string) {
	t.Helper()
	heard, err := tv.Recorded(lab.AC97)
	must(t, err)
	beeps := beginnings(heard)
	if len(beeps) == 0 {
		t.Fatalf("%s: no beep was heard", when)
	}
	var seen []int
	for range attempts {
		if at, ok := tv.nextFlash(t, beeps[len(beeps)-1]); ok {
			seen = append(seen, at)
		}
		if len(seen) == flashes {
			break
		}
	}
	if len(seen) < flashes {
		t.Fatalf("%s: %d flashes were seen to begin", when, len(seen))
	}
	tv.recordedUntil(t, slices.Max(seen)+2*ahead) // their beeps as well
	heard, err = tv.Recorded(lab.AC97)
	must(t, err)
	var late []float64
	for _, f := range seen {
		nearest := slices.MinFunc(beginnings(heard), func(a, b int) int { return int(math.Abs(float64(a-f)) - math.Abs(float64(b-f))) })
		late = append(late, float64(nearest-f)/soundRate*1e3)
	}
	slices.Sort(late)
	t.Logf("%s: beeps are later than their flashes by %.0f ms", when, late)
	if middle := late[len(late)/2]; middle < -soundBefore || middle > soundAfter+cardHolds {
		t.Errorf("%s: beeps are later than their flashes by %.0f ms", when, late)
	}
}

// nextFlash returns the frame of sound at which the next flash begins that is expected: a whole number of seconds after a beep;
// false: it was not seen to begin. It is known to half the time between two looks, and half of what QEMU keeps back.
func (tv *television) nextFlash(t *testing.T, beep int) (at int, ok bool) {
	t.Helper()
	now, err := tv.RecordedFrames(lab.AC97)
	must(t, err)
	next := beep + ((now+2*ahead-beep)/soundRate+1)*soundRate
	tv.recordedUntil(t, next-ahead)
	for i := range mostLooks {
		img, recorded, err := tv.Instant(t.Context(), lab.AC97)
		must(t, err)
		if bright(img) {
			return (now + recorded + lab.RecordedLater) / 2, i > 0
		}
		now = recorded
	}
	return 0, false
}

// recordedUntil waits until so many frames are recorded. It asks the guest nothing.
func (tv *television) recordedUntil(t *testing.T, frames int) {
	t.Helper()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	ctx := within(t, patience)
	for {
		n, err := tv.RecordedFrames(lab.AC97)
		must(t, err)
		if n >= frames {
			return
		}
		select {
		case <-ctx.Done():
			t.Fatal(fmt.Errorf("%d frames of %d are recorded", n, frames))
		case <-tick.C:
		}
	}
}

// bright tells whether the middle of a picture is.
func bright(img image.Image) bool {
	middle := img.Bounds().Min.Add(img.Bounds().Size().Div(2))
	r, g, b, _ := img.At(middle.X, middle.Y).RGBA()
	return r+g+b > 3*0x8000
}

// beginnings returns the frames at which there is sound after silence.
func beginnings(heard [][2]int16) (at []int) {
	last := -soundless
	for i, f := range heard {
		if max(f[0], -f[0]) < beepLevel {
			continue
		}
		if i-last >= soundless {
			at = append(at, i)
		}
		last = i
	}
	return at
}
