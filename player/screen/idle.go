package screen

import (
	"image"
	"math"
	"time"
)

// How the shelf of covers moves: a pixel at a time, so seldom that it is not seen to move.
const shelfStep = 500 * time.Millisecond

func (i Idle) compose(c *composer) {
	c.plain()
	s := c.safeArea()
	foot := i.foot(c, s)
	head := i.head(c, s)
	if len(i.Fresh) == 0 {
		head.text(space5, c.words(i.Hint, style{size: sizeBody, width: int(s.w), lines: 2}), s.x, textTwo)
		head.draw(s.y + (foot-s.y-head.height)/2)
		return
	}
	head.draw(s.y)
	i.shelf(c, box{0, s.y + head.height, c.width, foot - s.y - head.height}, s)
}

// head stacks the time of day and the date, or the mark where neither is known.
func (i Idle) head(c *composer, s box) stack {
	out := stack{c: c}
	if i.Unset {
		out.mark(s.x, 180)
		return out
	}
	zone := i.Zone
	if zone == nil {
		zone = time.UTC
	}
	now := c.at.In(zone)
	c.again(now.Truncate(time.Minute).Add(time.Minute).Sub(now))
	out.text(0, c.words(i.Language.Clock(now), style{size: 210, leading: 1, spread: -0.02}), s.x-10, textOne)
	out.text(0, c.words(i.Language.Date(now), style{size: sizeLarge, width: int(s.w), lines: 1}), s.x, textTwo)
	return out
}

// foot draws the quiet lines at the bottom and returns where they begin.
func (i Idle) foot(c *composer, s box) float64 {
	name := i.Name
	if i.Address != "" {
		if name != "" {
			name += "  ·  "
		}
		name += i.Address
	}
	left := c.words(name, style{size: sizeSmall, width: int(s.w * 0.55), lines: 1})
	y := s.bottom() - sizeSmall*1.25
	if c.upright() {
		left = c.words(name, style{size: sizeSmall, width: int(s.w), lines: 1})
	}
	c.print(left, s.x, y, textTwo)
	if i.Network == "" {
		return y
	}
	width := s.w - c.wide(left) - space6
	if c.upright() {
		y -= sizeSmall * 1.25
		width = s.w
	}
	right := c.words(i.Network, style{size: sizeSmall, width: int(width), lines: 1})
	if c.upright() {
		c.print(right, s.x, y, textTwo)
	} else {
		c.print(right, s.right()-c.wide(right), y, textTwo)
	}
	return y
}

// shelf draws the covers in one row, which passes by when it is longer than the screen.
func (i Idle) shelf(c *composer, b box, s box) {
	heading := c.words(i.Heading, style{cut: cut{bold: true}, size: sizeBody, width: int(s.w), lines: 1})
	const names = 2 * sizeSmall * 1.25
	side := min(b.h-space5-c.high(heading)-space3-space2-names-space5, 380)
	if side < 80 {
		return
	}
	y := b.bottom() - space5 - names - space2 - side
	c.print(heading, s.x, y-space3-c.high(heading), textOne)
	gap := float64(space4)
	length := float64(len(i.Fresh)) * (side + gap)
	shift := 0.0
	if moves := length > c.width+side; moves {
		pixels := c.at.UnixNano() / int64(shelfStep)
		shift = math.Mod(float64(pixels)/c.unit, length)
		c.again(shelfStep - time.Duration(c.at.UnixNano()%int64(shelfStep)))
	}
	for n, tile := range i.Fresh {
		x := s.x + float64(n)*(side+gap) - shift
		if x+side+gap < 0 {
			x += length
		}
		if x < c.width {
			c.tile(tile, x, y, side)
		}
	}
}

// tile draws one cover with its names.
func (c *composer) tile(t Tile, x, y, side float64) {
	r := c.rect(box{x, y, side, side})
	r.Max = r.Min.Add(image.Pt(c.px(side), c.px(side)))
	c.add(artOp{key: artKey{t.Art, placeholderOf(t.Art, t.Title), r.Size(), c.px(roundArt)}, at: r.Min})
	line := style{size: sizeSmall, width: int(side), lines: 1}
	c.print(c.words(t.Title, style{cut: cut{bold: true}, size: sizeSmall, width: int(side), lines: 1}), x, y+side+space2, textOne)
	c.print(c.words(t.Subtitle, line), x, y+side+space2+sizeSmall*1.25, textTwo)
}
