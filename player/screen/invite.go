package screen

import (
	"image/color"
	"strconv"
	"time"
)

// brand is the colour of scenes that have no artwork.
var brand = tint{265, 292, 0.045}

// plain begins a scene without artwork.
func (c *composer) plain() {
	c.ground(glowOp{glowKey{c.size, brand, 0.55}})
	c.roam()
}

func (b Boot) compose(c *composer) {
	c.plain()
	age := max(c.at.Sub(b.Since), 0)
	risen := ease(age, 700*time.Millisecond)
	if b.Since.IsZero() {
		risen = 1
	}
	if risen < 1 {
		c.again(40 * time.Millisecond)
	}
	side := 260.0
	y := c.height/2 - side*17.5/32 + 30*(1-risen)
	c.mark((c.width-side)/2, y, side, risen)
	if b.Text != "" && age > 3*time.Second || b.Since.IsZero() {
		t := c.words(b.Text, style{size: sizeBody, width: int(c.width * 0.8), lines: 2, align: centre})
		c.print(t, (c.width-c.wide(t))/2, c.height/2+side/2+space5, textTwo)
	} else if b.Text != "" {
		c.again(3*time.Second - age)
	}
}

// mark puts the man-of-war on the stack, its edge at x.
func (s *stack) mark(x, side float64) {
	// On its grid of 32 it reaches from 5 to 27, and from 7 to 28.
	s.add(0, side*21/32, func(y float64) { s.c.mark(x-side*5/32, y-side*7/32, side, 1) })
}

// mark draws the man-of-war in a square.
func (c *composer) mark(x, y, side, alpha float64) {
	for _, part := range []struct {
		icon   *icon
		colour color.NRGBA
	}{{markTentacles, tentacle}, {markDome, crest}} {
		c.add(iconOp{iconKey{part.icon, c.px(side)}, c.point(x, y), fade(part.colour, alpha)})
	}
}

// ease goes from 0 to 1 within d, fast at first.
func ease(age, d time.Duration) float64 {
	if age >= d {
		return 1
	}
	t := 1 - float64(age)/float64(d)
	return 1 - t*t*t
}

func (i Invite) compose(c *composer) {
	c.plain()
	s := c.safeArea()
	side, gap := 600.0, float64(space6)
	if c.upright() {
		side = s.w * 0.72
	} else {
		side = min(side, s.w*0.4)
	}
	width := s.w - side - gap
	if c.upright() || i.QR == "" {
		width = min(s.w, 1100)
	}
	text := stack{c: c}
	text.mark(s.x, 84)
	text.text(space3, c.words(i.Title, style{cut: cut{bold: true}, size: sizeTitle + 4, width: int(width), lines: 3, leading: 1.15, spread: -0.01}), s.x, textOne)
	c.steps(&text, i.Steps, s.x, width)
	c.facts(&text, i.Facts, s.x, width)
	if c.upright() {
		top := s.y + max(0, (s.h-text.height-side-gap-sizeBody*2)/2)
		text.draw(top)
		c.invitation(i.QR, i.Caption, s.x+(s.w-side)/2, top+text.height+gap, side)
		return
	}
	text.draw(s.y + (s.h-text.height)/2)
	caption := 0.0
	if i.Caption != "" {
		caption = sizeSmall*1.25 + space3
	}
	c.invitation(i.QR, i.Caption, s.right()-side, s.y+(s.h-side-caption)/2, side)
}

// invitation draws a QR code with a line below, in the middle of side.
func (c *composer) invitation(code, caption string, x, y, side float64) {
	if code == "" {
		return
	}
	drawn := float64(c.artist.codeSide(code, c.px(side))) / c.unit
	c.code(code, x+(side-drawn)/2, y, side)
	t := c.words(caption, style{size: sizeSmall, width: int(side), lines: 2, align: centre})
	if !t.empty() {
		c.print(t, x+(side-c.wide(t))/2, y+drawn+space3, textTwo)
	}
}

// steps puts numbered lines on the stack.
func (c *composer) steps(s *stack, steps []string, x, width float64) {
	const disc = 56
	for n, step := range steps {
		t := c.words(step, style{size: sizeBody, width: int(width - disc - space3), lines: 3})
		if t.empty() {
			continue
		}
		gap := float64(space3)
		if n == 0 {
			gap = space4
		}
		s.add(gap, max(disc, c.high(t)), func(y float64) {
			if len(steps) > 1 {
				c.add(roundOp{rect: c.rect(box{x, y, disc, disc}), radius: c.px(disc) / 2, colour: fade(accent, 0.28)})
				d := c.words(strconv.Itoa(n+1), style{cut: cut{bold: true}, size: sizeSmall})
				c.print(d, x+(disc-c.wide(d))/2, y+(disc-c.high(d))/2, textOne)
				c.print(t, x+disc+space3, y+max(0, (disc-sizeBody*1.25)/2), textOne)
				return
			}
			c.print(t, x, y, textOne)
		})
	}
}

// facts puts names and values on the stack.
func (c *composer) facts(s *stack, facts []Fact, x, width float64) {
	for n, f := range facts {
		gap := float64(space3)
		if n == 0 {
			gap = space5
		}
		s.text(gap, c.words(f.Name, style{size: sizeSmall, width: int(width), lines: 1}), x, textTwo)
		v := style{cut: cut{bold: true}, size: sizeLarge, width: int(width), lines: 2}
		if f.Spell {
			v.size, v.spread = 54, 0.05
		}
		s.text(0, c.words(f.Value, v), x, textOne)
	}
}

func (l Claim) compose(c *composer) {
	c.plain()
	s := c.safeArea()
	side := min(440.0, s.w*0.34)
	width := s.w - side - space6
	if l.QR == "" || c.upright() {
		width = min(s.w, 1200)
	}
	text := stack{c: c}
	text.mark(s.x, 84)
	text.text(space3, c.words(l.Title, style{cut: cut{bold: true}, size: sizeTitle + 4, width: int(width), lines: 3, leading: 1.15, spread: -0.01}), s.x, textOne)
	cell := min(132.0, (width-5*space2-space4)/6)
	text.add(space5, cell*1.36, func(y float64) { c.digits(l.Code, s.x, y, cell) })
	c.steps(&text, l.Steps, s.x, width)
	if c.upright() {
		text.draw(s.y + max(0, (s.h-text.height-side-space6)/2))
		c.invitation(l.QR, "", s.x+(s.w-side)/2, s.y+max(0, (s.h-text.height-side-space6)/2)+text.height+space6, side)
		return
	}
	text.draw(s.y + (s.h-text.height)/2)
	c.invitation(l.QR, "", s.right()-side, s.y+(s.h-side)/2, side)
}

// digits draws a code, one card a digit, in groups of three.
func (c *composer) digits(code string, x, y, cell float64) {
	for i, d := range []rune(code) {
		at := x + float64(i)*(cell+space2)
		if i >= 3 {
			at += space4 - space2
		}
		c.add(roundOp{rect: c.rect(box{at, y, cell, cell * 1.36}), radius: c.px(roundArt), colour: fade(paper, 0.1)})
		t := c.words(string(d), style{cut: cut{bold: true}, size: cell * 0.92})
		c.print(t, at+(cell-c.wide(t))/2, y+(cell*1.36-c.high(t))/2, textOne)
	}
}
