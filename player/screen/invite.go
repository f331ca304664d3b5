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
	c.beside(i.QR, i.Caption, 600, func(x, width float64, tight int) stack {
		text := stack{c: c}
		text.mark(x, 84)
		text.text(space3, c.words(i.Title, heading(width, 3-tight)), x, textOne)
		text.text(space1, c.words(i.Text, style{size: sizeBody, width: int(width), lines: 2}), x, textTwo)
		c.steps(&text, i.Steps, x, width, 3-tight)
		c.facts(&text, i.Facts, x, width)
		return text
	})
}

// heading is the style of a scene's title.
func heading(width float64, lines int) style {
	return style{cut: cut{bold: true}, size: sizeTitle + 4, width: int(width), lines: max(lines, 1), leading: 1.15, spread: -0.01}
}

// beside puts words on the left and a code on the right, or below on an upright screen. The words are stacked tighter, up
// to 2, until there is room for them.
func (c *composer) beside(code, caption string, side float64, words func(x, width float64, tight int) stack) {
	s := c.safeArea()
	side = min(side, s.w*0.4)
	width, room := s.w-side-space6, s.h
	switch {
	case code == "":
		width = min(s.w, 1300)
	case c.upright():
		side = s.w * 0.6
		width, room = s.w, s.h-side-space6-2*sizeSmall*1.25-space3
	}
	text := words(s.x, width, 0)
	for tight := 1; text.height > room && tight <= 2; tight++ {
		text = words(s.x, width, tight)
	}
	top := s.y + max(0, (room-text.height)/2)
	text.draw(top)
	if c.upright() {
		c.invitation(code, caption, s.x+(s.w-side)/2, top+text.height+space6, side)
		return
	}
	high := side
	if caption != "" {
		high += sizeSmall*1.25 + space3
	}
	c.invitation(code, caption, s.right()-side, s.y+(s.h-high)/2, side)
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
func (c *composer) steps(s *stack, steps []string, x, width float64, lines int) {
	const disc = 56
	for n, step := range steps {
		t := c.words(step, style{size: sizeBody, width: int(width - disc - space3), lines: max(lines, 1)})
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
	c.beside(l.QR, "", 440, func(x, width float64, tight int) stack {
		text := stack{c: c}
		text.mark(x, 84)
		text.text(space3, c.words(l.Title, heading(width, 3-tight)), x, textOne)
		cell := min(132.0, (width-4*space2-space4)/6)
		text.add(space5, cell*1.36, func(y float64) { c.digits(l.Code, x, y, cell) })
		c.steps(&text, l.Steps, x, width, 3-tight)
		return text
	})
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
