//go:build vm

package vm

import (
	"math"
	"slices"
	"testing"

	"manofwar/internal/container/fixture"
)

// moment is a place in a file of a kind, in seconds, and the tones that are heard there, in Hz: on the left, on the right, or mixed.
type moment struct {
	at     float64
	tones  []float64
	wander float64 // by how much it may be recognised too early
}

// moments are the places at which a kind is recognised: near its beginning, in its middle, near its end.
func moments(k fixture.Kind) []moment {
	switch {
	case k.Silent():
		return nil
	case k.Surround(): // these tones stay as they are, and are what is left of it in stereo
		tones := []float64{440, 550, 660, 770, 880}
		return []moment{{0.05, tones, 0}, {0.6, tones, 0}, {1.1, tones, 0}}
	}
	rising := func(at float64) moment { return moment{at, []float64{200 + 200*at, 300 + 200*at}, wander} } // by 200 Hz in a second
	return []moment{rising(0.25), rising(0.6), rising(1)}
}

const (
	kindLength = 1.2             // of a file of a kind, in seconds
	lookFrames = soundRate / 20  // of sound that is compared with tones: longer than the slowest beat of two of them
	stepFrames = soundRate / 100 // from one look to the next
	tonesShare = 0.8             // of the sound's energy, at least, is in its tones: codecs leave out some, and add noise
	leastLevel = 200             // of 32768: what is quieter on average is silence
	wander     = 0.2             // by how much a moment may be off, in seconds: a look recognises its surroundings as well
)

// unheard returns the names of those kinds of which not every moment was heard, in the order of all, each as much later than the one
// before as in its file. Where one of several in a row that sound alike was left out, it is the last of them. Silence does not count: a card that waits is not recorded, and one that has nothing to play may be.
func unheard(heard [][2]int16, kinds []fixture.Kind) (names []string) {
	from, rest := 0, 0.0 // where the last look was, and how much of the files before was to come then
	for _, k := range kinds {
		all := moments(k)
		for i, m := range all {
			after, between := m.at, [2]float64{max(0, m.at-wander), rest + m.at + kindLength/2} // less than another file
			if i > 0 {
				after = m.at - all[i-1].at
				between = [2]float64{after - m.wander, after + wander}
				rest = 0
			}
			at := findTones(heard, from, between, m.tones)
			if at < 0 {
				names = append(names, k.Name)
				rest += kindLength - m.at + after
				break
			}
			if from = at; i == len(all)-1 {
				rest = kindLength - m.at
			}
		}
	}
	return names
}

// findTones returns the first frame from which on tones are heard, after some sound and before more of it, in seconds; -1: none is
// there.
func findTones(heard [][2]int16, from int, within [2]float64, tones []float64) int {
	var waves [][lookFrames]float64
	for _, f := range tones {
		var sine, cosine [lookFrames]float64
		for i := range sine {
			sine[i], cosine[i] = math.Sincos(2 * math.Pi * f * float64(i) / soundRate)
		}
		waves = append(waves, sine, cosine)
	}
	orthogonal(waves)
	sound := 0
	for at := from; at+lookFrames <= len(heard) && float64(sound) <= within[1]*soundRate; at += stepFrames {
		look := heard[at : at+lookFrames]
		if float64(sound) >= within[0]*soundRate && inTones(look, waves, 0) && inTones(look, waves, 1) {
			return at
		}
		if level(look, 0) >= leastLevel || level(look, 1) >= leastLevel {
			sound += stepFrames
		}
	}
	return -1
}

// level is how loud a channel is on average: the root of its mean square.
func level(sound [][2]int16, channel int) float64 {
	energy := 0.0
	for _, f := range sound {
		energy += float64(f[channel]) * float64(f[channel])
	}
	return math.Sqrt(energy / float64(len(sound)))
}

// inTones tells whether a channel is loud enough, and most of it in the space of some orthonormal waves.
func inTones(sound [][2]int16, waves [][lookFrames]float64, channel int) bool {
	loud, part := level(sound, channel), 0.0
	if loud < leastLevel {
		return false
	}
	for w := range waves {
		dot := 0.0
		for i, f := range sound {
			dot += float64(f[channel]) * waves[w][i]
		}
		part += dot * dot
	}
	return part >= tonesShare*loud*loud*float64(len(sound))
}

// orthogonal makes waves orthonormal, by Gram and Schmidt.
func orthogonal(waves [][lookFrames]float64) {
	for w := range waves {
		for _, other := range waves[:w] {
			dot := 0.0
			for i, v := range other {
				dot += v * waves[w][i]
			}
			for i, v := range other {
				waves[w][i] -= dot * v
			}
		}
		length := 0.0
		for _, v := range waves[w] {
			length += v * v
		}
		for i := range waves[w] {
			waves[w][i] /= math.Sqrt(length)
		}
	}
}

// TestUnheard has every kind heard, and then every one but one that breaks off, two that are left out, and one of which only one
// channel is heard.
func TestUnheard(t *testing.T) {
	rising := func(t float64) (float64, float64) { return (200 + 100*t) * t, (300 + 100*t) * t }
	sound := func(k fixture.Kind, from, to float64) (frames [][2]int16) {
		for i := int(from * soundRate); i < int(to*soundRate); i++ {
			at := float64(i) / soundRate
			left, right := rising(at)
			f := [2]float64{math.Sin(2 * math.Pi * left), math.Sin(2 * math.Pi * right)}
			if k.Surround() {
				f = [2]float64{math.Sin(2*math.Pi*440*at) + 0.7*math.Sin(2*math.Pi*770*at), math.Sin(2 * math.Pi * 550 * at)}
			}
			frames = append(frames, [2]int16{int16(5000 * f[0]), int16(5000 * f[1])})
		}
		return frames
	}
	var whole, broken [][2]int16
	for _, k := range fixture.Kinds {
		if k.Silent() {
			continue
		}
		all := sound(k, 0, 1.2)
		whole = append(whole, all...)
		switch k.Name {
		case "hevc10-eac3.mp4", "vbr.mp3":
		case "h264-pcm.mov":
			broken = append(broken, all[:len(all)/2]...)
		case "tta.tta":
			for i := range all {
				all[i][1] = 0
			}
			fallthrough
		default:
			broken = append(broken, all...)
		}
	}
	if names := unheard(whole, fixture.Kinds); names != nil {
		t.Errorf("all were heard, but it is said that these were not: %q", names)
	}
	want := []string{"h264-pcm.mov", "hevc10-eac3.mp4", "s16.wav", "tta.tta"} // s16.wav stands for vbr.mp3: the last of a row that sounds alike
	if names := unheard(broken, fixture.Kinds); !slices.Equal(names, want) {
		t.Errorf("not heard: %q, want %q", names, want)
	}
}
