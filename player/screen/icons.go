package screen

import (
	"image"
	"image/color"
	"image/draw"
	"math"
	"strconv"
)

// icon is a drawing of the page's (its icons.ts and its mark), in the language of SVG's paths.
type icon struct {
	path   string
	grid   float64
	stroke float64 // width of the pen; 0: filled
}

func drawn(path string) *icon  { return &icon{path, 24, 1.8} }
func filled(path string) *icon { return &icon{path, 24, 0} }

var (
	iconPlay    = filled("M7.5 4.6v14.8c0 .8.9 1.3 1.6.9l11.6-7.4c.6-.4.6-1.3 0-1.7L9.1 3.7c-.7-.4-1.6.1-1.6.9Z")
	iconPause   = filled("M7.2 4h2.6c.6 0 1 .4 1 1v14c0 .6-.4 1-1 1H7.2c-.6 0-1-.4-1-1V5c0-.6.4-1 1-1Zm7 0h2.6c.6 0 1 .4 1 1v14c0 .6-.4 1-1 1h-2.6c-.6 0-1-.4-1-1V5c0-.6.4-1 1-1Z")
	iconVolume  = drawn("M4 9.5v5h3.5L12 18.5v-13L7.5 9.5zM15.5 9a4.2 4.2 0 0 1 0 6M18 6.2a8.2 8.2 0 0 1 0 11.6")
	iconMuted   = drawn("M4 9.5v5h3.5L12 18.5v-13L7.5 9.5zM16 9.8l4.5 4.5M20.5 9.8 16 14.3")
	iconCheck   = drawn("M4.5 12.5 9.7 17.5 19.5 6.8")
	iconWarning = drawn("M12 4 2.9 19.5h18.2zM12 10v4.5M12 17v.1")
	iconInfo    = drawn("M12 20.5a8.5 8.5 0 1 0 0-17 8.5 8.5 0 0 0 0 17ZM12 11v5.5M12 7.8v.1")
	iconCaption = drawn("M3.5 5.5h17v13h-17zM7 11h4M14 11h3M7 14.8h2.5M12.5 14.8H17")

	markDome      = &icon{"M5 17.5C6.5 10.5 12 7 17.5 7c5.2 0 8.5 4.3 9.5 10.5Z", 32, 0}
	markTentacles = &icon{"M9 21v3.5M13.7 21v6M18.3 21v4M23 21v2.5", 32, 2.4}
)

// iconOp is an icon in a square.
type iconOp struct {
	key    iconKey
	at     image.Point
	colour color.NRGBA
}

type iconKey struct {
	icon *icon
	side int
}

func (o iconOp) bounds() image.Rectangle {
	return image.Rectangle{o.at, o.at.Add(image.Pt(o.key.side, o.key.side))}
}

func (o iconOp) paint(dst *image.RGBA, a *Artist) {
	mask := a.images.icons.get(o.key, func() *image.Alpha { return a.text.raster.icon(o.key) })
	draw.DrawMask(dst, o.bounds(), image.NewUniform(o.colour), image.Point{}, mask, image.Point{}, draw.Over)
}

func (z *rasterizer) icon(k iconKey) *image.Alpha {
	img := image.NewRGBA(image.Rect(0, 0, k.side, k.side))
	scale := float64(k.side) / k.icon.grid
	p := parsePath(k.icon.path, scale)
	if k.icon.stroke > 0 {
		z.stroke(img, p, k.icon.stroke*scale, paper)
	} else {
		z.fill(img, p, paper)
	}
	mask := image.NewAlpha(img.Rect)
	for i := range mask.Pix {
		mask.Pix[i] = img.Pix[4*i+3]
	}
	return mask
}

// pathReader reads the path data of SVG 1.1, clause 8.3: M, L, H, V, C, A and Z, absolute or relative.
type pathReader struct {
	text  string
	scale float64
	out   drawing
	at    point
}

// parsePath reads one of the drawings above. It leaves out what it does not know: they are ours.
func parsePath(text string, scale float64) drawing {
	r := pathReader{text: text, scale: scale}
	var command byte
	for r.skip(); r.text != ""; r.skip() {
		if c := r.text[0]; c >= 'A' && c != 'e' {
			command, r.text = c, r.text[1:]
		}
		if !r.step(command) {
			break
		}
		switch command {
		case 'M':
			command = 'L'
		case 'm':
			command = 'l'
		}
	}
	for i := range r.out {
		for j := range r.out[i].points {
			r.out[i].points[j].x *= scale
			r.out[i].points[j].y *= scale
		}
	}
	return r.out
}

func (r *pathReader) skip() {
	for r.text != "" && (r.text[0] == ' ' || r.text[0] == ',') {
		r.text = r.text[1:]
	}
}

// number reads a number; two may stand together where the second begins with a sign or a point.
func (r *pathReader) number() float64 {
	r.skip()
	i, dot := 0, false
	for ; i < len(r.text); i++ {
		c := r.text[i]
		if c == '.' && dot || c != '.' && (c < '0' || c > '9') && (c != '-' || i > 0) {
			break
		}
		dot = dot || c == '.'
	}
	v, _ := strconv.ParseFloat(r.text[:i], 64) // nothing is zero
	r.text = r.text[i:]
	return v
}

func (r *pathReader) flag() bool {
	r.skip()
	set := r.text != "" && r.text[0] == '1'
	if r.text != "" {
		r.text = r.text[1:]
	}
	return set
}

func (r *pathReader) point(relative bool) point {
	p := point{r.number(), r.number()}
	if relative {
		p.x, p.y = p.x+r.at.x, p.y+r.at.y
	}
	return p
}

func (r *pathReader) step(command byte) bool {
	relative := command >= 'a'
	switch command {
	case 'M', 'm':
		r.at = r.point(relative)
		r.out = append(r.out, polyline{points: []point{r.at}})
	case 'L', 'l':
		r.line(r.point(relative))
	case 'H':
		r.line(point{r.number(), r.at.y})
	case 'h':
		r.line(point{r.at.x + r.number(), r.at.y})
	case 'V':
		r.line(point{r.at.x, r.number()})
	case 'v':
		r.line(point{r.at.x, r.at.y + r.number()})
	case 'C', 'c':
		r.curve(r.point(relative), r.point(relative), r.point(relative))
	case 'A', 'a':
		rx, _, _ := r.number(), r.number(), r.number()
		large, sweep := r.flag(), r.flag()
		r.arc(rx, large, sweep, r.point(relative))
	case 'Z', 'z':
		l := &r.out[len(r.out)-1]
		l.closed = true
		r.at = l.points[0]
		if r.skip(); r.text != "" && r.text[0] != 'M' && r.text[0] != 'm' {
			return false
		}
	default:
		return false
	}
	return true
}

func (r *pathReader) line(to point) {
	l := &r.out[len(r.out)-1]
	l.points = append(l.points, to)
	r.at = to
}

// pieces returns how many lines stand for a curve of that length.
func (r *pathReader) pieces(length float64) int { return int(max(6, math.Sqrt(length*r.scale)*2)) }

func (r *pathReader) curve(b, c, d point) {
	a := r.at
	n := r.pieces(math.Hypot(b.x-a.x, b.y-a.y) + math.Hypot(c.x-b.x, c.y-b.y) + math.Hypot(d.x-c.x, d.y-c.y))
	for i := 1; i <= n; i++ {
		t := float64(i) / float64(n)
		u := 1 - t
		w0, w1, w2, w3 := u*u*u, 3*u*u*t, 3*u*t*t, t*t*t
		r.line(point{w0*a.x + w1*b.x + w2*c.x + w3*d.x, w0*a.y + w1*b.y + w2*c.y + w3*d.y})
	}
}

// arc draws part of a circle to a point (SVG 1.1, appendix F.6.5).
func (r *pathReader) arc(radius float64, large, sweep bool, to point) {
	a := r.at
	dx, dy := (a.x-to.x)/2, (a.y-to.y)/2
	half := math.Hypot(dx, dy)
	if half == 0 {
		return
	}
	radius = max(radius, half)
	k := math.Sqrt(max(radius*radius-half*half, 0)) / half
	if large == sweep {
		k = -k
	}
	cx, cy := (a.x+to.x)/2+k*dy, (a.y+to.y)/2-k*dx
	from, end := math.Atan2(a.y-cy, a.x-cx), math.Atan2(to.y-cy, to.x-cx)
	switch {
	case sweep && end < from:
		end += 2 * math.Pi
	case !sweep && end > from:
		end -= 2 * math.Pi
	}
	n := r.pieces(math.Abs(end-from) * radius)
	for i := 1; i < n; i++ {
		sin, cos := math.Sincos(from + (end-from)*float64(i)/float64(n))
		r.line(point{cx + radius*cos, cy + radius*sin})
	}
	r.line(to)
}
