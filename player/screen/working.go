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
	text.text(space3, c.words(w.Title, heading(width, 2)), x, textOne)
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
	c.add(roundOp{rect: c.rect(b), radius: c.px(b.h) / 2, colour: groove})
	along := (1 - math.Cos(2*math.Pi*t)) / 2
	part := b
	part.w = b.w / 5
	part.x += (b.w - part.w) * along
	c.add(roundOp{rect: c.rect(part), radius: c.px(b.h) / 2, colour: textOne})
	c.again(beat)
}

func (p Problem) compose(c *composer) {
	c.plain()
	c.beside(p.QR, p.Caption, 480, func(x, width float64, tight int) stack {
		const icon = 92 // which begins 2.4/24 inside its square
		text := stack{c: c}
		text.add(0, icon, func(y float64) { c.add(iconOp{iconKey{iconWarning, c.px(icon)}, c.point(x-icon/10, y), accent}) })
		text.text(space3, c.words(p.Title, heading(width, 3-tight)), x, textOne)
		text.text(space2, c.words(p.Why, style{size: sizeBody, width: int(width), lines: 5 - 2*tight}), x, textTwo)
		c.steps(&text, p.Do, x, width, 3-tight)
		text.text(space4, c.words(p.Detail, style{size: sizeSmall, width: int(width), lines: max(2-tight, 1)}), x, textTwo)
		return text
	})
}
