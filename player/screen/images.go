package screen

import (
	"image"
	"image/draw"
	"math"
	"strings"
	"unicode"

	"rsc.io/qr"
)

// imageCache keeps pictures in the sizes and shapes that they are shown in.
type imageCache struct {
	scaled  aging[artKey, *image.RGBA]
	corners aging[int, *image.Alpha]
	icons   aging[iconKey, *image.Alpha]
	codes   aging[string, *qr.Code]
	glows   aging[glowKey, *glow]
}

type artKey struct {
	art    *Art
	title  string // where there is no art
	size   image.Point
	radius int
}

func newImageCache() imageCache {
	return imageCache{
		scaled:  aging[artKey, *image.RGBA]{weigh: func(i *image.RGBA) int { return len(i.Pix) }},
		corners: aging[int, *image.Alpha]{limit: 64, weigh: func(*image.Alpha) int { return 1 }},
		icons:   aging[iconKey, *image.Alpha]{limit: 64, weigh: func(*image.Alpha) int { return 1 }},
		codes:   aging[string, *qr.Code]{limit: 8, weigh: func(*qr.Code) int { return 1 }},
		glows:   aging[glowKey, *glow]{limit: 4, weigh: func(*glow) int { return 1 }},
	}
}

// fit bounds what is kept by a screen's own size: covers fill less than half of one.
func (c *imageCache) fit(size image.Point) { c.scaled.limit = 5 * size.X * size.Y }

func (c *imageCache) corner(r int) *image.Alpha {
	return c.corners.get(r, func() *image.Alpha { return disc(r) })
}

// artOp is a picture that fills a rectangle with its middle.
type artOp struct {
	key artKey
	at  image.Point
}

func (o artOp) bounds() image.Rectangle { return image.Rectangle{o.at, o.at.Add(o.key.size)} }

func (o artOp) paint(dst *image.RGBA, a *Artist) {
	img := a.images.scaled.get(o.key, func() *image.RGBA { return a.scaled(o.key) })
	r, b := min(o.key.radius, o.key.size.Y/2), o.bounds()
	for _, part := range []struct {
		from, to int
		op       draw.Op
	}{
		{b.Min.Y, b.Min.Y + r, draw.Over},
		{b.Min.Y + r, b.Max.Y - r, draw.Src}, // between its round corners a picture is opaque
		{b.Max.Y - r, b.Max.Y, draw.Over},
	} {
		draw.Draw(dst, image.Rect(b.Min.X, part.from, b.Max.X, part.to), img, image.Pt(0, part.from-b.Min.Y), part.op)
	}
}

func (a *Artist) scaled(k artKey) *image.RGBA {
	var img *image.RGBA
	if k.art == nil {
		img = a.placeholder(k.title, k.size)
	} else {
		img = resize(k.art.pixels, middle(k.art.pixels.Rect, k.size), k.size)
	}
	r := min(k.radius, k.size.X/2, k.size.Y/2)
	lightenEdge(img, r, max(1, float64(r)/14))
	a.roundOff(img, r)
	return img
}

// middle returns the largest part of r, around its middle, that has the shape of size.
func middle(r image.Rectangle, size image.Point) image.Rectangle {
	w, h := r.Dx(), r.Dy()
	if w*size.Y > h*size.X {
		w = max(1, h*size.X/size.Y)
	} else {
		h = max(1, w*size.Y/size.X)
	}
	at := r.Min.Add(image.Pt((r.Dx()-w)/2, (r.Dy()-h)/2))
	return image.Rectangle{at, at.Add(image.Pt(w, h))}
}

// lightenEdge draws a thin line inside a picture with round corners, so that a dark one stands out from its ground.
func lightenEdge(img *image.RGBA, r int, width float64) {
	const white = 0.07
	w, h := img.Rect.Dx(), img.Rect.Dy()
	for y := range h {
		for x := 0; x < w; x++ {
			d := edgeDistance(float64(x)+0.5, float64(y)+0.5, float64(w), float64(h), float64(r))
			if d >= width && y >= r && y < h-r && x < w/2 {
				x = w - int(width) - 2 // nothing to do in between
				continue
			}
			by := white * min(max(width+0.5-d, 0), 1)
			p := img.Pix[img.PixOffset(x, y):][:3]
			for i, v := range p {
				p[i] = v + uint8(by*float64(255-v)+0.5)
			}
		}
	}
}

// edgeDistance returns how far inside a rectangle with round corners a point lies.
func edgeDistance(x, y, w, h, r float64) float64 {
	dx, dy := min(x, w-x), min(y, h-y)
	if dx >= r || dy >= r {
		return min(dx, dy)
	}
	return r - math.Hypot(r-dx, r-dy)
}

// roundOff makes the corners of a picture transparent.
func (a *Artist) roundOff(img *image.RGBA, r int) {
	if r < 1 {
		return
	}
	mask := a.images.corner(r)
	w, h := img.Rect.Dx(), img.Rect.Dy()
	for y := range 2 * r {
		for x := range 2 * r {
			tx, ty := x, y
			if x >= r {
				tx += w - 2*r
			}
			if y >= r {
				ty += h - 2*r
			}
			p := img.Pix[img.PixOffset(tx, ty):][:4]
			cover := uint32(mask.Pix[y*mask.Stride+x])
			for i, v := range p {
				p[i] = uint8((uint32(v)*cover + 127) / 255)
			}
		}
	}
}

// placeholder draws the picture that stands for a missing one: circles and letters made from the title, as the page
// draws them.
func (a *Artist) placeholder(title string, size image.Point) *image.RGBA {
	img := image.NewRGBA(image.Rectangle{Max: size})
	hue, seed := float64(hash(title)%360), hash(title+".")
	unit := float64(size.X) / 100
	if float64(size.Y) < float64(size.X) {
		unit = float64(size.Y) / 100
	}
	mx, my := float64(size.X)/2, float64(size.Y)/2
	draw.Draw(img, img.Rect, image.NewUniform(oklch(artLight, 0.085, hue)), image.Point{}, draw.Src)
	turned := turn(float64(seed%360), mx, my)
	circle := func(x, y, r float64) drawing {
		px, py := turned(mx+(x-50)*unit, my+(y-50)*unit)
		return ellipse(px, py, r*unit)
	}
	ring := fade(oklch(0.92, 0.05, hue), 0.2)
	p := &a.text.raster
	p.fill(img, circle(18, 36, float64(34+seed%17)), oklch(artLight+0.1, 0.115, hue+28))
	p.fill(img, circle(78, 72, float64(40+seed%23)), oklch(artLight-0.1, 0.075, hue-34))
	p.stroke(img, circle(float64(40+seed%21), 50, float64(62+seed%11)), 0.8*unit, ring)
	p.stroke(img, circle(float64(40+seed%21), 50, float64(46+seed%11)), 0.8*unit, ring)
	letters := a.text.set(initials(title), style{cut: cut{bold: true}, size: 30 * unit, lines: 1, spread: -0.03})
	textOp{
		block: letters, x: int(mx) - letters.width/2, y: int(my) - letters.height/2,
		colour: fade(oklch(0.97, 0.02, hue), 0.92),
	}.paint(img, a)
	return img
}

// initials returns the first letters of the first two words.
func initials(title string) string {
	words := strings.FieldsFunc(title, func(r rune) bool { return unicode.IsSpace(r) || strings.ContainsRune("-–—_:.,/()[]", r) })
	var out []rune
	for _, w := range words {
		if strings.ContainsFunc(w, func(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) }) && len(out) < 2 {
			out = append(out, unicode.ToUpper([]rune(w)[0]))
		}
	}
	return string(out)
}
