package alsa

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"
)

// eldOf is the beginning of what a screen of that name says of its sound.
func eldOf(name string) []byte {
	eld := make([]byte, 128)
	eld[0], eld[4] = 0x10, 0x60|byte(len(name))
	copy(eld[20:], name)
	return eld
}

func TestOutputs(t *testing.T) {
	no, yes := false, true
	hdmi := func(n int, id string, eld []byte) card {
		return card{number: n, id: id, driver: "vc4-hdmi", name: "vc4-hdmi", devices: []device{{id: "MAI PCM i2s-hifi-0", eld: eld}}}
	}
	headphones := card{number: 5, id: "Headphones", driver: "bcm2835_headpho", name: "bcm2835 Headphones", devices: []device{{id: "bcm2835 Headphones"}}}
	dac := card{number: 3, id: "DAC", driver: "USB-Audio", name: "Topping E30", devices: []device{{id: "USB Audio", name: "USB Audio"}}}
	ac97 := card{number: 0, id: "I82801AAICH", driver: "ICH", name: "Intel 82801AA-ICH", devices: []device{{id: "Intel ICH", name: "Intel 82801AA-ICH"}}}
	pc := card{number: 0, id: "PCH", driver: "HDA-Intel", name: "HDA Intel PCH", devices: []device{
		{number: 0, id: "ALC892 Analog", name: "ALC892 Analog"},
		{number: 1, id: "ALC892 Digital", name: "ALC892 Digital"},
		{number: 3, id: "HDMI 0", name: "HDMI 0", eld: []byte{}, jack: &no},
		{number: 7, id: "HDMI 1", name: "HDMI 1", jack: &yes},
	}}
	for _, c := range []struct {
		name  string
		cards []card
		want  []string // ID, name, HDMI, usable
	}{
		{"nothing", nil, nil},
		{"a Pi 3 with a TV", []card{hdmi(0, "vc4hdmi", eldOf("LG TV")), headphones}, []string{
			"vc4hdmi: LG TV (HDMI), HDMI", "Headphones: Headphone jack",
		}},
		{"a Pi 3 without", []card{hdmi(0, "vc4hdmi", make([]byte, 128)), headphones}, []string{
			"Headphones: Headphone jack", "vc4hdmi: HDMI, HDMI, not usable",
		}},
		{"a Pi 4 with a TV in its second socket and a DAC", []card{hdmi(0, "vc4hdmi0", make([]byte, 128)), hdmi(1, "vc4hdmi1", eldOf("")), dac, headphones}, []string{
			"vc4hdmi1: HDMI 2, HDMI", "DAC: Topping E30", "Headphones: Headphone jack", "vc4hdmi0: HDMI 1, HDMI, not usable",
		}},
		{"QEMU", []card{ac97}, []string{"I82801AAICH: Intel 82801AA-ICH"}},
		{"a PC", []card{pc}, []string{
			"PCH,7: HDMI 2, HDMI", "PCH: HDA Intel PCH, ALC892 Analog", "PCH,1: HDA Intel PCH, ALC892 Digital", "PCH,3: HDMI 1, HDMI, not usable",
		}},
		{"what nobody hears is last", []card{{number: 1, id: "Dummy", driver: "Dummy", name: "Dummy", devices: []device{{}}}, ac97}, []string{
			"I82801AAICH: Intel 82801AA-ICH", "Dummy: Dummy",
		}},
	} {
		var got []string
		for _, o := range outputs(c.cards) {
			line := fmt.Sprintf("%s: %s", o.ID, o.Name)
			if o.HDMI {
				line += ", HDMI"
			}
			if !o.usable {
				line += ", not usable"
			}
			got = append(got, line)
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s:\n%s\nwant\n%s", c.name, strings.Join(got, "\n"), strings.Join(c.want, "\n"))
		}
	}
}

// FuzzScreenName reads what a screen says.
func FuzzScreenName(f *testing.F) {
	f.Add(eldOf("LG TV"))
	f.Add([]byte{})
	f.Add(bytes.Repeat([]byte{0xff}, 25))
	f.Fuzz(func(t *testing.T, eld []byte) {
		if name := screenName(eld); len(name) > 31 || strings.ContainsFunc(name, func(r rune) bool { return r < ' ' || r > '~' }) {
			t.Errorf("%q", name)
		}
	})
}
