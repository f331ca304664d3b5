package screen

import (
	"image"
	"image/color"
	"image/draw"
	"math"

	"github.com/go-text/typesetting/font"
	"golang.org/x/image/font/sfnt"
	"golang.org/x/image/math/fixed"
	"golang.org/x/image/vector"
)

// glyph is the mask of a letter, placed from the point on the baseline where it begins.
type glyph struct {
	mask *image.Alpha // nil: nothing to see
	at   image.Point
}

func (g *glyph) bytes() int {
	if g.mask == nil {
		return 64
	}
	return 128 + len(g.mask.Pix)
}

type glyphKey struct {
	face    *face
	id      font.GID
	size    fixed.Int26_6
	quarter uint8 // of a pixel, to the right
	cut     cut
	outline fixed.Int26_6
}

// rasterizer holds what drawing outlines needs, to be used again.
type rasterizer struct {
	vector vector.Rasterizer
	buffer sfnt.Buffer
}

// slant is how far imitated italics lean.
const slant = 0.2

func (t *typesetter) glyph(k glyphKey) *glyph {
	return t.glyphs.get(k, func() *glyph {
		if k.outline == 0 {
			return t.raster.draw(k)
		}
		inner := k
		inner.outline = 0
		return t.glyph(inner).widened(float64(k.outline) / 64)
	})
}

// draw rasterises a glyph. A font that has no outline for it gives nothing to see.
func (z *rasterizer) draw(k glyphKey) *glyph {
	segments, err := k.face.outline.LoadGlyph(&z.buffer, sfnt.GlyphIndex(k.id), k.size, nil)
	if err != nil || len(segments) == 0 {
		return &glyph{}
	}
	move := func(p fixed.Point26_6) (float32, float32) {
		x, y := float32(p.X)/64+float32(k.quarter)/4, float32(p.Y)/64
		if k.cut.italic {
			x -= y * slant
		}
		return x, y
	}
	bold := float32(0)
	if k.cut.bold {
		bold = float32(k.size) / 64 / 26
	}
	minX, minY, maxX, maxY := extentOf(segments, move)
	box := image.Rect(floor(minX), floor(minY), ceil(maxX+bold), ceil(maxY))
	if box.Empty() || box.Dx() > 2048 || box.Dy() > 2048 {
		return &glyph{}
	}
	z.vector.Reset(box.Dx(), box.Dy())
	for _, by := range []float32{0, bold / 2, bold} {
		if by > 0 || bold == 0 || k.cut.bold {
			trace(&z.vector, segments, func(p fixed.Point26_6) (float32, float32) {
				x, y := move(p)
				return x + by - float32(box.Min.X), y - float32(box.Min.Y)
			})
		}
		if bold == 0 {
			break
		}
	}
	mask := image.NewAlpha(image.Rectangle{Max: box.Size()})
	z.vector.DrawOp = draw.Src
	z.vector.Draw(mask, mask.Rect, image.Opaque, image.Point{})
	return &glyph{mask, box.Min}
}

func extentOf(segments sfnt.Segments, move func(fixed.Point26_6) (float32, float32)) (minX, minY, maxX, maxY float32) {
	minX, minY, maxX, maxY = math.MaxFloat32, math.MaxFloat32, -math.MaxFloat32, -math.MaxFloat32
	for _, s := range segments {
		for _, p := range s.Args[:points(s.Op)] {
			x, y := move(p)
			minX, maxX = min(minX, x), max(maxX, x)
			minY, maxY = min(minY, y), max(maxY, y)
		}
	}
	return minX, minY, maxX, maxY
}

func points(op sfnt.SegmentOp) int {
	switch op {
	case sfnt.SegmentOpQuadTo:
		return 2
	case sfnt.SegmentOpCubeTo:
		return 3
	}
	return 1
}

func trace(z *vector.Rasterizer, segments sfnt.Segments, move func(fixed.Point26_6) (float32, float32)) {
	for i, s := range segments {
		ax, ay := move(s.Args[0])
		switch s.Op {
		case sfnt.SegmentOpMoveTo:
			if i > 0 {
				z.ClosePath()
			}
			z.MoveTo(ax, ay)
		case sfnt.SegmentOpLineTo:
			z.LineTo(ax, ay)
		case sfnt.SegmentOpQuadTo:
			bx, by := move(s.Args[1])
			z.QuadTo(ax, ay, bx, by)
		case sfnt.SegmentOpCubeTo:
			bx, by := move(s.Args[1])
			cx, cy := move(s.Args[2])
			z.CubeTo(ax, ay, bx, by, cx, cy)
		}
	}
	z.ClosePath()
}

// widened returns the glyph with a border of r pixels all round.
func (g *glyph) widened(r float64) *glyph {
	if g.mask == nil {
		return g
	}
	n := ceil(float32(r))
	src := g.mask
	out := image.NewAlpha(image.Rect(0, 0, src.Rect.Dx()+2*n, src.Rect.Dy()+2*n))
	for dy := -n; dy <= n; dy++ {
		for dx := -n; dx <= n; dx++ {
			cover := int(256*min(max(r+0.5-math.Hypot(float64(dx), float64(dy)), 0), 1) + 0.5)
			if cover == 0 {
				continue
			}
			for y := range src.Rect.Dy() {
				from := src.Pix[y*src.Stride : y*src.Stride+src.Rect.Dx()]
				to := out.Pix[(y+n+dy)*out.Stride+n+dx:]
				for x, a := range from {
					if v := uint8(int(a) * cover >> 8); v > to[x] {
						to[x] = v
					}
				}
			}
		}
	}
	return &glyph{out, g.at.Sub(image.Pt(n, n))}
}

func floor(x float32) int { return int(math.Floor(float64(x))) }
func ceil(x float32) int  { return int(math.Ceil(float64(x))) }

// bounds holds all ink of a text: letters may reach over their lines, and lean out of them.
func (o textOp) bounds() image.Rectangle {
	b, s := o.block, o.block.style.size
	over := int(s*0.5 + o.outline + 2)
	return image.Rect(o.x-over, o.y-over, o.x+b.width+over, o.y+b.height+over)
}

func (o textOp) paint(dst *image.RGBA, a *Artist) {
	if o.outline > 0 {
		o.glyphs(dst, &a.text, fixed.Int26_6(o.outline*64), black)
	}
	o.glyphs(dst, &a.text, 0, o.colour)
}

func (o textOp) glyphs(dst *image.RGBA, t *typesetter, outline fixed.Int26_6, c color.NRGBA) {
	src := image.NewUniform(c)
	size := fixed.Int26_6(o.block.style.size * 64)
	for i := range o.block.lines {
		l := &o.block.lines[i]
		for j := range l.glyphs {
			g := &l.glyphs[j]
			x, y := fixed.I(o.x)+l.x+g.x, o.y+l.baseline+g.y.Round()
			if far := o.x + (l.x + g.x).Floor(); far > dst.Rect.Max.X+4*size.Ceil() || far < dst.Rect.Min.X-4*size.Ceil() {
				continue
			}
			drawn := t.glyph(glyphKey{g.face, g.id, size, uint8(x & 63 / 16), g.cut, outline})
			if drawn.mask != nil {
				at := image.Pt(x.Floor(), y).Add(drawn.at)
				r := drawn.mask.Rect.Add(at)
				draw.DrawMask(dst, r, src, image.Point{}, drawn.mask, image.Point{}, draw.Over)
			}
			if g.rule {
				thick := max(1, int(o.block.style.size/14+0.5))
				r := image.Rect(x.Floor(), y+2*thick, (x + g.adv).Ceil(), y+3*thick)
				border := int(math.Ceil(float64(outline) / 64))
				draw.Draw(dst, r.Inset(-border), src, image.Point{}, draw.Over)
			}
		}
	}
}
