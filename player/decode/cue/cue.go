// Package cue reads subtitles one by one as they come: SubRip text, and the pictures of Blu-ray discs (PGS), of DVDs
// (VobSub) and of digital television (DVB).
//
// Each reader takes hostile bytes: what it keeps is bounded, and what it does not understand it passes over.
package cue

import (
	"image"
	"image/color"
	"time"
)

// Cue is one subtitle. With neither Text nor Image it ends what is shown.
type Cue struct {
	From, To time.Duration
	Text     string // lines, with <i>, <b> and <u> only
	Image    *image.RGBA
	At       image.Rectangle
	Canvas   image.Point
}

// Lasting is how long a subtitle is shown that does not say when it ends, unless another one ends it.
const Lasting = 30 * time.Second

// premultiplied returns a colour of BT.601, as subtitles have it, or of BT.709 on a canvas of high definition.
func premultiplied(y, cb, cr, alpha uint8, hd bool) color.RGBA {
	red, gcb, gcr, blue := 1.596, 0.392, 0.813, 2.017
	if hd {
		red, gcb, gcr, blue = 1.793, 0.213, 0.533, 2.112
	}
	l, u, v := 1.164*(float64(y)-16), float64(cb)-128, float64(cr)-128
	a := float64(alpha) / 255
	scale := func(x float64) uint8 { return uint8(min(max(x, 0), 255)*a + 0.5) }
	return color.RGBA{scale(l + red*v), scale(l - gcb*u - gcr*v), scale(l + blue*u), alpha}
}

// maxPixels bounds a picture: the largest canvas there is.
const maxPixels = 3840 * 2160
