package screen

import (
	"image"
	"image/color"
	"image/draw"
	"math"
)

// roundOp is a rectangle with round corners.
type roundOp struct {
	rect   image.Rectangle
	radius int
	colour color.NRGBA
}

func (o roundOp) bounds() image.Rectangle { return o.rect }

func (o roundOp) paint(dst *image.RGBA, a *Artist) {
	src := image.NewUniform(o.colour)
	r := min(o.radius, o.rect.Dx()/2, o.rect.Dy()/2)
	if r < 1 {
		draw.Draw(dst, o.rect, src, image.Point{}, draw.Over)
		return
	}
	corner := a.images.corner(r)
	in := o.rect
	draw.Draw(dst, image.Rect(in.Min.X+r, in.Min.Y, in.Max.X-r, in.Min.Y+r), src, image.Point{}, draw.Over)
	draw.Draw(dst, image.Rect(in.Min.X, in.Min.Y+r, in.Max.X, in.Max.Y-r), src, image.Point{}, draw.Over)
	draw.Draw(dst, image.Rect(in.Min.X+r, in.Max.Y-r, in.Max.X-r, in.Max.Y), src, image.Point{}, draw.Over)
	for _, at := range [4]struct{ to, from image.Point }{
		{in.Min, image.Pt(0, 0)},
		{image.Pt(in.Max.X-r, in.Min.Y), image.Pt(r, 0)},
		{image.Pt(in.Min.X, in.Max.Y-r), image.Pt(0, r)},
		{image.Pt(in.Max.X-r, in.Max.Y-r), image.Pt(r, r)},
	} {
		draw.DrawMask(dst, image.Rectangle{at.to, at.to.Add(image.Pt(r, r))}, src, image.Point{}, corner, at.from, draw.Over)
	}
}

// disc returns the mask of a disc, whose quarters are the corners of that radius.
func disc(r int) *image.Alpha {
	mask := image.NewAlpha(image.Rect(0, 0, 2*r, 2*r))
	for y := range 2 * r {
		for x := range 2 * r {
			d := math.Hypot(float64(x)+0.5-float64(r), float64(y)+0.5-float64(r))
			mask.Pix[y*mask.Stride+x] = uint8(255*min(max(float64(r)+0.5-d, 0), 1) + 0.5)
		}
	}
	return mask
}

// shadowOp is the soft shadow of a rectangle.
type shadowOp struct {
	rect   image.Rectangle
	blur   int // from full shadow to none
	colour color.NRGBA
}

func (o shadowOp) bounds() image.Rectangle { return o.rect.Inset(-o.blur) }

func (o shadowOp) paint(dst *image.RGBA, a *Artist) {
	columns := o.profile(dst.Rect.Min.X, dst.Rect.Max.X, o.rect.Min.X, o.rect.Max.X)
	rows := o.profile(dst.Rect.Min.Y, dst.Rect.Max.Y, o.rect.Min.Y, o.rect.Max.Y)
	mask := image.NewAlpha(image.Rect(dst.Rect.Min.X, 0, dst.Rect.Max.X, 1))
	src := image.NewUniform(o.colour)
	for y, row := range rows {
		for x, column := range columns {
			// Bayer's pattern keeps the steps of so faint a slope from showing.
			mask.Pix[x] = uint8(min((row*column+int(a.dither[(dst.Rect.Min.Y+y)&7][(dst.Rect.Min.X+x)&7])*1020)>>16, 255))
		}
		line := image.Rect(dst.Rect.Min.X, dst.Rect.Min.Y+y, dst.Rect.Max.X, dst.Rect.Min.Y+y+1)
		draw.DrawMask(dst, line, src, image.Point{}, mask, image.Pt(dst.Rect.Min.X, 0), draw.Over)
	}
}

// profile gives the shadow along one axis from a to b, of an edge at each end of lo to hi, as 0 to 4080. The product
// of two profiles is the blurred rectangle.
func (o shadowOp) profile(a, b, lo, hi int) []int {
	edge := func(d float64) float64 { // a smooth step over twice the blur
		t := min(max((d/float64(o.blur)+1)/2, 0), 1)
		return t * t * (3 - 2*t)
	}
	out := make([]int, b-a)
	for i := range out {
		x := float64(a+i) + 0.5
		out[i] = int(4080 * edge(x-float64(lo)) * edge(float64(hi)-x))
	}
	return out
}

// bayer is the pattern of an ordered dither, 0 to 63.
var bayer = [8][8]uint8{
	{0, 32, 8, 40, 2, 34, 10, 42},
	{48, 16, 56, 24, 50, 18, 58, 26},
	{12, 44, 4, 36, 14, 46, 6, 38},
	{60, 28, 52, 20, 62, 30, 54, 22},
	{3, 35, 11, 43, 1, 33, 9, 41},
	{51, 19, 59, 27, 49, 17, 57, 25},
	{15, 47, 7, 39, 13, 45, 5, 37},
	{63, 31, 55, 23, 61, 29, 53, 21},
}
