package screen

import (
	"fmt"
	"image/color"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

const page = "../../services/portal/ui/"

// TestTokens compares with the page's own, in its dark theme: phone and television are one product.
func TestTokens(t *testing.T) {
	css := string(readFile(t, page+"src/styles/tokens.css"))
	css, _, _ = strings.Cut(css, ":root[data-theme='light']")
	colours := map[string]color.NRGBA{}
	for _, m := range regexp.MustCompile(`--([a-z0-9-]+): oklch\(([0-9.]+) ([0-9.]+) ([0-9.]+)\);`).FindAllStringSubmatch(css, -1) {
		colours[m[1]] = oklch(number(t, m[2]), number(t, m[3]), number(t, m[4]))
	}
	for name, ours := range map[string]color.NRGBA{
		"text": textOne, "text-2": textTwo, "accent": accent, "good": good, "warn": warn, "bad": bad,
	} {
		if theirs, ok := colours[name]; !ok || theirs != ours {
			t.Errorf("--%s is %v on the page (%v), %v on the screen", name, theirs, ok, ours)
		}
	}
	for name, ours := range map[string]float64{"ambient-l": ambientLight, "ambient-deep-l": ambientDeep, "art-l": artLight} {
		if !strings.Contains(css, fmt.Sprintf("--%s: %v;", name, ours)) {
			t.Errorf("--%s is not %v on the page", name, ours)
		}
	}
}

// TestIcons compares the drawings with the page's.
func TestIcons(t *testing.T) {
	icons, mark := string(readFile(t, page+"src/components/icons.ts")), string(readFile(t, page+"public/favicon.svg"))
	for _, i := range []*icon{iconPlay, iconPause, iconVolume, iconMuted, iconCheck, iconWarning, iconInfo, iconCaption} {
		if !strings.Contains(icons, "'"+i.path+"'") {
			t.Errorf("the page has no icon %s", i.path)
		}
	}
	for _, i := range []*icon{markDome, markTentacles} {
		if !strings.Contains(mark, `"`+i.path+`"`) {
			t.Errorf("the page's mark has no %s", i.path)
		}
	}
	for _, c := range []color.NRGBA{crest, tentacle} {
		if hex := fmt.Sprintf("#%02x%02x%02x", c.R, c.G, c.B); !strings.Contains(mark, hex) {
			t.Errorf("the page's mark has no %s", hex)
		}
	}
}

// TestOklch holds the conversion to sRGB's own primaries.
func TestOklch(t *testing.T) {
	for _, want := range []color.NRGBA{{0xff, 0, 0, 0xff}, {0, 0xff, 0, 0xff}, {0, 0, 0xff, 0xff}, {0xff, 0xff, 0xff, 0xff}, {0x12, 0x15, 0x1f, 0xff}, {1, 2, 3, 0xff}} {
		l, a, b := oklab(decode8(want.R), decode8(want.G), decode8(want.B))
		r, g, bb := oklabLinear(l, a, b)
		if got := (color.NRGBA{encode8(r), encode8(g), encode8(bb), 0xff}); got != want {
			t.Errorf("%v came back as %v", want, got)
		}
	}
}

func number(t *testing.T, s string) float64 {
	t.Helper()
	v, err := strconv.ParseFloat(s, 64)
	if err != nil {
		t.Fatal(err)
	}
	return v
}
