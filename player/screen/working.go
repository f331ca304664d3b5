package screen

import (
	"math"
	"time"
)

func (w Working) compose(c *composer) {
	c.plain()
	s := c.safeArea()
	width := min(s.w, 1200)
	x := (c.width - width) / 2
	text := stack{c: c}
	text.mark(x, 84)
	text.text(space3, c.words(w.Title, style{cut: cut{bold: true}, size: sizeTitle + 4, width: int(width), lines: 2, leading: 1.15, spread: -0.01}), x, textOne)
	text.text(space2, c.words(w.Text, style{size: sizeBody, width: int(width), lines: 3}), x, textTwo)
	text.add(space5, 16, func(y float64) {
		if w.Part >= 0 {
			c.bar(box{x, y, width, 16}, w.Part)
			return
		}
		c.unknown(box{x, y, width, 16})
	})
	text.text(space3, c.words(w.Detail, style{size: sizeSmall, width: int(width), lines: 2}), x, textTwo)
	if w.Warning != "" {
		t := c.words(w.Warning, style{size: sizeBody, width: int(width - 64), lines: 2})
		text.add(space5, c.high(t), func(y float64) {
			c.add(iconOp{iconKey{iconWarning, c.px(48)}, c.point(x, y), warn})
			c.print(t, x+64, y, textOne)
		})
	}
	text.draw(s.y + (s.h-text.height)/2)
}

// unknown draws the bar of something that does not say how far it is: a light going to and fro.
func (c *composer) unknown(b box) {
	const beat, period = 100 * time.Millisecond, 4 * time.Second
	step := c.at.UnixNano() / int64(beat)
	t := float64(step%int64(period/beat)) / float64(period/beat)
	c.add(roundOp{rect: c.rect(b), radius: c.px(b.h) / 2, colour: lineThick})
	along := (1 - math.Cos(2*math.Pi*t)) / 2
	part := b
	part.w = b.w / 5
	part.x += (b.w - part.w) * along
	c.add(roundOp{rect: c.rect(part), radius: c.px(b.h) / 2, colour: textOne})
	c.again(beat)
}

func (p Problem) compose(c *composer) {
	c.plain()
	s := c.safeArea()
	side := min(480.0, s.w*0.36)
	width := s.w - side - space6
	if p.QR == "" || c.upright() {
		width = min(s.w, 1300)
	}
	text := stack{c: c}
	text.add(0, 92, func(y float64) { c.add(iconOp{iconKey{iconWarning, c.px(92)}, c.point(s.x-92*2.4/24, y), accent}) })
	text.text(space3, c.words(p.Title, style{cut: cut{bold: true}, size: sizeTitle, width: int(width), lines: 3, leading: 1.15, spread: -0.01}), s.x, textOne)
	text.text(space2, c.words(p.Why, style{size: sizeBody, width: int(width), lines: 5}), s.x, textTwo)
	c.steps(&text, p.Do, s.x, width)
	text.text(space4, c.words(p.Detail, style{size: sizeSmall, width: int(width), lines: 2}), s.x, textTwo)
	if c.upright() {
		top := s.y + max(0, (s.h-text.height-side-2*space6)/2)
		text.draw(top)
		c.invitation(p.QR, p.Caption, s.x+(s.w-side)/2, top+text.height+space6, side)
		return
	}
	text.draw(s.y + (s.h-text.height)/2)
	caption := 0.0
	if p.Caption != "" {
		caption = sizeSmall*1.25 + space3
	}
	c.invitation(p.QR, p.Caption, s.right()-side, s.y+(s.h-side-caption)/2, side)
}
