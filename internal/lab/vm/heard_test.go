//go:build vm

package vm

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"math"
	"strings"

	"manofwar/internal/lab"
)

// dac plugs the USB DAC in or pulls it out.
func (a *answers) dac(ctx context.Context, how string) error {
	if how == "out" {
		return a.world.UnplugDAC(ctx)
	}
	return a.world.PlugDAC()
}

// mark remembers how much was recorded of a card.
func (a *answers) mark(card lab.SoundCard) error {
	frames, err := a.world.Recorded(card)
	if err != nil {
		frames = nil // nothing was played yet
	}
	if a.marks == nil {
		a.marks = make(map[lab.SoundCard]int)
	}
	a.marks[card] = len(frames)
	return nil
}

// heard compares what was recorded of a card since the mark with a file in the guest, 16-bit stereo at 48 kHz: every frame of
// the file has to be there, one after the other, all as loud as the card made them.
func (a *answers) heard(ctx context.Context, card lab.SoundCard, file string) error {
	text, err := a.world.Outside().Run(ctx, "base64", "-w0", file)
	if err != nil {
		return err
	}
	data, err := base64.StdEncoding.DecodeString(strings.TrimSpace(text))
	if err != nil {
		return err
	}
	want := make([][2]int16, len(data)/4)
	if err := binary.Read(bytes.NewReader(data), binary.LittleEndian, want); err != nil {
		return err
	}
	all, err := a.world.Recorded(card)
	if err != nil {
		return err
	}
	got := all[min(a.marks[card], len(all)):]
	volume, err := sameSound(got, want)
	if err == nil {
		a.t.Logf("%s: %d frames were heard one after the other, at %.3f of their volume; the first %d are a tone of %.3f Hz",
			card, len(want), volume, len(want)/2, frequency(got[:len(want)/2]))
	}
	return err
}

// sameSound tells whether want is in got, whatever silence is around it, and how much quieter.
func sameSound(got, want [][2]int16) (volume float64, err error) {
	begin := func(frames [][2]int16) int {
		for i, f := range frames {
			if f[0] != 0 {
				return i
			}
		}
		return len(frames)
	}
	want = want[begin(want):]
	got = got[begin(got):]
	if len(want) == 0 || len(got) < len(want) {
		return 0, fmt.Errorf("%d frames were heard of %d", len(got), len(want))
	}
	var dot, power float64
	for i, w := range want {
		dot += float64(w[0]) * float64(got[i][0])
		power += float64(w[0]) * float64(w[0])
	}
	volume = dot / power
	if volume < 0.1 {
		return volume, fmt.Errorf("what was heard is something else: volume %.3f", volume)
	}
	for i, w := range want {
		for c := range w {
			if off := float64(got[i][c]) - volume*float64(w[c]); math.Abs(off) > 1.5 { // rounded there and here
				return volume, fmt.Errorf("frame %d of %d, channel %d: %d was heard and %.1f played", i, len(want), c, got[i][c], volume*float64(w[c]))
			}
		}
	}
	for i, f := range got[len(want):] {
		if f != [2]int16{} {
			return volume, fmt.Errorf("%d frames after the end, %v was heard", i, f)
		}
	}
	return volume, nil
}

// frequency counts how often the sound rises through zero, to a fraction of a frame.
func frequency(frames [][2]int16) float64 {
	first, last, n := 0.0, 0.0, 0
	for i := 1; i < len(frames); i++ {
		a, b := float64(frames[i-1][0]), float64(frames[i][0])
		if a < 0 && b >= 0 {
			at := float64(i-1) - a/(b-a)
			if n == 0 {
				first = at
			}
			last = at
			n++
		}
	}
	if n < 2 {
		return 0
	}
	return float64(n-1) / (last - first) * 48000
}
