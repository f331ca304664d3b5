package screen

import (
	"image"
	"image/color"
	"image/draw"
	"math"
)

// A drawing is a picture in straight lines, in pixels.
type drawing []polyline

type polyline struct {
	points []point
	closed bool
}

type point struct{ x, y float64 }

// ellipse returns a circle.
func ellipse(x, y, r float64) drawing {
	n := int(max(16, 4*math.Sqrt(r)*3))
	line := polyline{closed: true}
	for i := range n {
		sin, cos := math.Sincos(2 * math.Pi * float64(i) / float64(n))
		line.points = append(line.points, point{x + r*cos, y + r*sin})
	}
	return drawing{line}
}

// turn returns a rotation by degrees about a point.
func turn(degrees, mx, my float64) func(x, y float64) (float64, float64) {
	sin, cos := math.Sincos(degrees * math.Pi / 180)
	return func(x, y float64) (float64, float64) {
		return mx + (x-mx)*cos - (y-my)*sin, my + (x-mx)*sin + (y-my)*cos
	}
}

// fill paints the inside of a drawing; parts that run the other way round cut holes. It goes by strips: the rasterizer keeps
// eight bytes for each pixel of the largest that it was ever given.
func (z *rasterizer) fill(dst *image.RGBA, p drawing, c color.NRGBA) {
	const pixels = 1 << 15
	box := p.box().Intersect(dst.Rect)
	if box.Empty() {
		return
	}
	strip, lines := box, max(1, pixels/box.Dx())
	for ; strip.Min.Y < box.Max.Y; strip.Min.Y += lines {
		strip.Max.Y = min(strip.Min.Y+lines, box.Max.Y)
		z.fillStrip(dst, strip, p, c)
	}
}

func (z *rasterizer) fillStrip(dst *image.RGBA, box image.Rectangle, p drawing, c color.NRGBA) {
	z.vector.Reset(box.Dx(), box.Dy())
	for _, l := range p {
		for i, q := range l.points {
			x, y := float32(q.x-float64(box.Min.X)), float32(q.y-float64(box.Min.Y))
			if i == 0 {
				z.vector.MoveTo(x, y)
			} else {
				z.vector.LineTo(x, y)
			}
		}
		z.vector.ClosePath()
	}
	z.vector.DrawOp = draw.Over
	z.vector.Draw(dst, box, image.NewUniform(c), image.Point{})
}

// stroke paints a drawing with a pen of that width, with round ends and joins.
func (z *rasterizer) stroke(dst *image.RGBA, p drawing, width float64, c color.NRGBA) {
	z.fill(dst, p.outlined(width), c)
}

// outlined returns the area that a round pen covers: a box for each line, a disc for each point, all running
// the same way round, so that where they overlap stays filled.
func (p drawing) outlined(width float64) drawing {
	r := width / 2
	var out drawing
	for _, l := range p {
		for i, a := range l.points {
			out = append(out, ellipse(a.x, a.y, r)...)
			b := a
			switch {
			case i+1 < len(l.points):
				b = l.points[i+1]
			case l.closed:
				b = l.points[0]
			}
			d := math.Hypot(b.x-a.x, b.y-a.y)
			if d == 0 {
				continue
			}
			nx, ny := -(b.y-a.y)/d*r, (b.x-a.x)/d*r
			out = append(out, polyline{closed: true, points: []point{
				{a.x - nx, a.y - ny}, {b.x - nx, b.y - ny}, {b.x + nx, b.y + ny}, {a.x + nx, a.y + ny},
			}})
		}
	}
	return out
}

// box returns the pixels that a drawing may touch.
func (p drawing) box() image.Rectangle {
	minX, minY, maxX, maxY := math.Inf(1), math.Inf(1), math.Inf(-1), math.Inf(-1)
	for _, l := range p {
		for _, q := range l.points {
			minX, maxX = min(minX, q.x), max(maxX, q.x)
			minY, maxY = min(minY, q.y), max(maxY, q.y)
		}
	}
	if minX > maxX {
		return image.Rectangle{}
	}
	return image.Rect(int(math.Floor(minX)), int(math.Floor(minY)), int(math.Ceil(maxX)), int(math.Ceil(maxY)))
}
