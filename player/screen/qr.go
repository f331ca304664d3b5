package screen

import (
	"image"
	"image/color"
	"image/draw"

	"rsc.io/qr"
)

// A phone's camera at three metres from a screen of a metre's width sees about 1.5 of its pixels to a line of 1080:
// a module of 8 lines is then 12 pixels, three times what decoders want.
const (
	quiet     = 4 // modules of white around a code (ISO/IEC 18004, 6.3.8)
	qrCorrect = qr.M
)

// qrOp is a code in a white square. Modules are whole pixels.
type qrOp struct {
	code   *qr.Code
	rect   image.Rectangle // of the code with its quiet zone
	module int
}

func (o qrOp) bounds() image.Rectangle { return o.rect }

func (o qrOp) paint(dst *image.RGBA, _ *Artist) {
	for y := range o.code.Size {
		for x := 0; x < o.code.Size; x++ {
			if !o.code.Black(x, y) {
				continue
			}
			n := 1
			for o.code.Black(x+n, y) {
				n++
			}
			at := o.rect.Min.Add(image.Pt((quiet+x)*o.module, (quiet+y)*o.module))
			draw.Draw(dst, image.Rectangle{at, at.Add(image.Pt(n*o.module, o.module))}, image.NewUniform(color.Black), image.Point{}, draw.Src)
			x += n
		}
	}
}

// code puts a QR code on a white card no larger than side. What is too long for a code, which no address or password
// is, is left out.
func (c *composer) code(text string, x, y, side float64) {
	code := c.artist.code(text)
	if code == nil {
		return
	}
	wide := c.artist.codeSide(text, c.px(side))
	module := wide / (code.Size + 2*quiet)
	at := c.point(x, y)
	rect := image.Rectangle{at, at.Add(image.Pt(wide, wide))}
	c.add(roundOp{rect: rect, radius: 2 * module, colour: paper})
	c.add(qrOp{code: code, rect: rect, module: module})
}

// codeSide returns how many pixels wide a code of whole modules comes out within side.
func (a *Artist) codeSide(text string, side int) int {
	code := a.code(text)
	if code == nil {
		return 0
	}
	modules := code.Size + 2*quiet
	return modules * max(1, side/modules)
}

func (a *Artist) code(text string) *qr.Code {
	return a.images.codes.get(text, func() *qr.Code {
		code, err := qr.Encode(text, qrCorrect)
		if err != nil {
			return nil
		}
		return code
	})
}
