package screen

import (
	"image"
	"math"
)

// glowOp is the ground of a scene: a deep colour, with two lights in its upper corners.
type glowOp struct{ key glowKey }

type glowKey struct {
	size image.Point
	tint tint
	dim  float64 // of the lights, 1: as on the page
}

func (o glowOp) bounds() image.Rectangle { return image.Rectangle{Max: o.key.size} }
func (o glowOp) opaque() bool            { return true }

func (o glowOp) paint(dst *image.RGBA, a *Artist) {
	a.images.glows.get(o.key, func() *glow { return newGlow(o.key) }).paint(dst, a.dither)
}

// glow is a ground at one value for each cell of glowCell × glowCell pixels, in 256ths of a step.
type glow struct {
	columns int
	cells   []([3]int32)
}

const glowCell = 16

func newGlow(k glowKey) *glow {
	g := &glow{columns: k.size.X/glowCell + 2}
	rows := k.size.Y/glowCell + 2
	g.cells = make([][3]int32, g.columns*rows)
	deep := encoded(oklchLinear(ambientDeep*(0.75+0.25*k.dim), k.tint.chroma*0.6, k.tint.hue))
	one := encoded(oklchLinear(ambientLight+0.02, k.tint.chroma, k.tint.hue))
	two := encoded(oklchLinear(ambientLight, k.tint.chroma*0.9, k.tint.other))
	w, h := float64(k.size.X), float64(k.size.Y)
	for y := range rows {
		for x := range g.columns {
			px, py := float64(x*glowCell), float64(y*glowCell)
			// The page's gradients: middle, radii, and where they have faded out.
			first := k.dim * light(math.Hypot((px-0.12*w)/(0.9*w), py/(0.9*h))/0.75)
			second := k.dim * light(math.Hypot((px-0.95*w)/(0.8*w), (py-0.15*h)/(0.8*h))/0.8)
			cell := &g.cells[y*g.columns+x]
			for i := range cell {
				v := deep[i]
				v += (two[i] - v) * second
				v += (one[i] - v) * first
				cell[i] = int32(v*255*256 + 0.5)
			}
		}
	}
	return g
}

func encoded(r, g, b float64) [3]float64 { return [3]float64{encode(r), encode(g), encode(b)} }

// light fades from 1 in the middle to 0 at the distance 1, without an edge.
func light(d float64) float64 {
	t := 1 - min(d, 1)
	return t * t * (3 - 2*t)
}

// paint interpolates the cells and dithers: on a dark wall of a television, steps of one would be seen as bands.
func (g *glow) paint(dst *image.RGBA, pattern *[8][8]uint8) {
	r := dst.Rect
	first, last := r.Min.X/glowCell, (r.Max.X-1)/glowCell+1
	line := make([][3]int32, last-first+1)
	for y := r.Min.Y; y < r.Max.Y; y++ {
		row, part := y/glowCell*g.columns, int32(y%glowCell)
		for i := range line {
			a, b := &g.cells[row+first+i], &g.cells[row+g.columns+first+i]
			for k := range a {
				line[i][k] = a[k]*glowCell + (b[k]-a[k])*part
			}
		}
		dither := &pattern[y&7]
		out := dst.Pix[dst.PixOffset(r.Min.X, y):][: 4*r.Dx() : 4*r.Dx()]
		for x := r.Min.X; x < r.Max.X; {
			i := x/glowCell - first
			a, b := &line[i], &line[i+1]
			end := min((x/glowCell+1)*glowCell, r.Max.X)
			step := int32(x % glowCell)
			red, green, blue := a[0]*glowCell+(b[0]-a[0])*step, a[1]*glowCell+(b[1]-a[1])*step, a[2]*glowCell+(b[2]-a[2])*step
			for ; x < end; x++ {
				d := int32(dither[x&7])<<10 + 512
				p := out[4*(x-r.Min.X):][:4:4]
				p[0], p[1], p[2], p[3] = uint8((red+d)>>16), uint8((green+d)>>16), uint8((blue+d)>>16), 0xff
				red += b[0] - a[0]
				green += b[1] - a[1]
				blue += b[2] - a[2]
			}
		}
	}
}
