package screen

import (
	"image"
	"image/color"
	"math"
	"time"
)

// composer collects what is on a picture. Places and measures are in lines of a screen of 1080; the ops hold pixels.
type composer struct {
	artist        *Artist
	size          image.Point
	at            time.Time
	unit          float64 // pixels of one line
	width, height float64 // of the screen, in lines
	wander        image.Point
	floor         float64 // how far down the next overlay may reach; 0: not narrowed yet
	ops           []op
	next          time.Time
}

func newComposer(a *Artist, size image.Point, at time.Time) *composer {
	// A screen that is narrower than television ever was is measured by its width, so that lines of text keep room.
	unit := min(float64(size.Y)/1080, float64(size.X)/1000)
	return &composer{
		artist: a, size: size, at: at, unit: unit,
		width: float64(size.X) / unit, height: float64(size.Y) / unit,
	}
}

func (c *composer) picture() *Picture {
	p := &Picture{Size: c.size, Next: c.next, artist: c.artist, ops: c.ops}
	screen := image.Rectangle{Max: c.size}
	for _, o := range c.ops {
		p.Bounds = p.Bounds.Union(o.bounds().Intersect(screen))
	}
	return p
}

// again asks for another picture in d.
func (c *composer) again(d time.Duration) {
	if t := c.at.Add(d); c.next.IsZero() || t.Before(c.next) {
		c.next = t
	}
}

// upright tells a screen that is higher than wide.
func (c *composer) upright() bool { return c.width < c.height }

// safeArea returns what a television shows of the screen at least, less what scenes wander.
func (c *composer) safeArea() box {
	x, y := c.width*safe+wanderX, c.height*safe+wanderY
	return box{x, y, c.width - 2*x, c.height - 2*y}
}

// How far scenes wander from their middle, in lines, and how long they stay in one place.
const (
	wanderX    = 20
	wanderY    = 12
	wanderStep = 10 * time.Second
)

// roam lets everything that follows wander: along a path that takes hours to come round again.
func (c *composer) roam() {
	step := c.at.UnixNano() / int64(wanderStep)
	c.wander = image.Pt(c.px(wanderX*zigzag(step, 89)), c.px(wanderY*zigzag(step, 61)))
	c.again(time.Unix(0, (step+1)*int64(wanderStep)).Sub(c.at))
}

// zigzag goes from -1 to 1 and back in period steps.
func zigzag(step int64, period int64) float64 {
	phase := float64(step%period) / float64(period) // 0 to 1
	return 4*math.Abs(phase-0.5) - 1
}

// px returns pixels of a measure.
func (c *composer) px(v float64) int { return int(math.Round(v * c.unit)) }

// at returns pixels of a place.
func (c *composer) point(x, y float64) image.Point {
	return image.Pt(c.px(x), c.px(y)).Add(c.wander)
}

func (c *composer) rect(b box) image.Rectangle {
	return image.Rectangle{c.point(b.x, b.y), c.point(b.x+b.w, b.y+b.h)}
}

// box is a rectangle in lines.
type box struct{ x, y, w, h float64 }

func (b box) right() float64  { return b.x + b.w }
func (b box) bottom() float64 { return b.y + b.h }

// add puts something on top.
func (c *composer) add(o op) { c.ops = append(c.ops, o) }

// ground begins a scene: it hides everything before.
func (c *composer) ground(o op) {
	c.ops = append(c.ops[:0], o)
	c.next, c.floor = time.Time{}, 0
	c.wander = image.Point{}
}

// words sets a text, which is in lines; see style.
func (c *composer) words(text string, s style) *block {
	s.size = c.text(s.size)
	s.width = c.px(float64(s.width))
	return c.artist.text.set(text, s)
}

// text returns a size of letters in pixels: whole ones, because the shaper knows no others.
func (c *composer) text(size float64) float64 { return max(math.Round(size*c.unit), 9) }

// high returns the height of a block in lines.
func (c *composer) high(b *block) float64 { return float64(b.height) / c.unit }

// wide returns the width of a block in lines.
func (c *composer) wide(b *block) float64 { return float64(b.width) / c.unit }

// print puts a block where its top left is, and returns where it ends below.
func (c *composer) print(b *block, x, y float64, colour color.NRGBA) float64 {
	if b.height > 0 {
		p := c.point(x, y)
		c.add(textOp{block: b, x: p.X, y: p.Y, colour: colour})
	}
	return y + c.high(b)
}
