package screen

import (
	"image/color"
	"math"
)

// The design's vocabulary, as the page has it in its tokens.css. Ink is the sea at night, coral the crest of a
// man-of-war: one accent, so that colour belongs to the artwork. On a television there is no third shade of text.
var (
	textOne  = oklch(0.965, 0.006, 268)
	textTwo  = oklch(0.815, 0.014, 268)
	accent   = oklch(0.775, 0.135, 32)
	good     = oklch(0.82, 0.13, 158)
	warn     = oklch(0.85, 0.125, 85)
	bad      = oklch(0.76, 0.14, 18)
	crest    = color.NRGBA{0xff, 0x8f, 0x73, 0xff} // of the mark
	tentacle = color.NRGBA{0x8f, 0xb4, 0xff, 0xff}
	paper    = color.NRGBA{0xff, 0xff, 0xff, 0xff} // under a QR code: phones want black on white
	black    = color.NRGBA{0, 0, 0, 0xff}
	groove   = color.NRGBA{0xff, 0xff, 0xff, 0x33} // the rest of a bar
)

// The lightness of an artwork's glow, and of the picture that stands for one that is missing.
const (
	ambientLight = 0.34
	ambientDeep  = 0.23
	artLight     = 0.44
)

// Sizes of text, in lines of a screen of 1080.
const (
	sizeSmall  = 32 // the smallest there is
	sizeBody   = 38
	sizeLarge  = 46
	sizeTitle  = 68
	sizeBanner = 84
)

// Steps of space and of rounding.
const (
	space1 = 8
	space2 = 16
	space3 = 24
	space4 = 36
	space5 = 56
	space6 = 84

	roundSmall = 10
	roundArt   = 20
	roundCard  = 32
)

const safe = 0.05 // of each side, where a television may cut off

// oklch returns a colour of Björn Ottosson's OKLCH, with a hue in degrees, clipped to sRGB.
func oklch(l, c, hue float64) color.NRGBA {
	r, g, b := oklchLinear(l, c, hue)
	return color.NRGBA{encode8(r), encode8(g), encode8(b), 0xff}
}

func oklchLinear(l, c, hue float64) (r, g, b float64) {
	sin, cos := math.Sincos(hue * math.Pi / 180)
	return oklabLinear(l, c*cos, c*sin)
}

func oklabLinear(l, a, b float64) (red, green, blue float64) {
	cube := func(x float64) float64 { return x * x * x }
	long := cube(l + 0.3963377774*a + 0.2158037573*b)
	medium := cube(l - 0.1055613458*a - 0.0638541728*b)
	short := cube(l - 0.0894841775*a - 1.2914855480*b)
	return 4.0767416621*long - 3.3077115913*medium + 0.2309699292*short,
		-1.2684380046*long + 2.6097574011*medium - 0.3413193965*short,
		-0.0041960863*long - 0.7034186147*medium + 1.7076147010*short
}

// oklab returns OKLab of linear light.
func oklab(r, g, b float64) (l, a, bb float64) {
	long := math.Cbrt(0.4122214708*r + 0.5363325363*g + 0.0514459929*b)
	medium := math.Cbrt(0.2119034982*r + 0.6806995451*g + 0.1073969566*b)
	short := math.Cbrt(0.0883024619*r + 0.2817188376*g + 0.6299787005*b)
	return 0.2104542553*long + 0.7936177850*medium - 0.0040720468*short,
		1.9779984951*long - 2.4285922050*medium + 0.4505937099*short,
		0.0259040371*long + 0.7827717662*medium - 0.8086757660*short
}

// encode gives linear light sRGB's curve, 0 to 1.
func encode(x float64) float64 {
	switch {
	case x <= 0:
		return 0
	case x >= 1:
		return 1
	case x <= 0.0031308:
		return 12.92 * x
	}
	return 1.055*math.Pow(x, 1/2.4) - 0.055
}

func encode8(x float64) uint8 { return uint8(encode(x)*255 + 0.5) }

// decode8 is the reverse of encode8.
func decode8(x uint8) float64 {
	c := float64(x) / 255
	if c <= 0.04045 {
		return c / 12.92
	}
	return math.Pow((c+0.055)/1.055, 2.4)
}

// fade makes a colour transparent: 0 is gone.
func fade(c color.NRGBA, by float64) color.NRGBA {
	c.A = uint8(float64(c.A)*min(max(by, 0), 1) + 0.5)
	return c
}
