package screen

import "image/color"

// stack is a column of things, one below another, whose height is known before it is placed.
type stack struct {
	c      *composer
	items  []stackedItem
	height float64
}

type stackedItem struct {
	y    float64
	draw func(y float64)
}

// add puts something of a height below the rest, after a gap unless it is the first.
func (s *stack) add(gap, height float64, draw func(y float64)) {
	if len(s.items) == 0 {
		gap = 0
	}
	s.items = append(s.items, stackedItem{s.height + gap, draw})
	s.height += gap + height
}

// text puts a block at x; an empty one leaves no gap.
func (s *stack) text(gap float64, b *block, x float64, colour color.NRGBA) {
	if b.empty() {
		return
	}
	s.add(gap, s.c.high(b), func(y float64) { s.c.print(b, x, y, colour) })
}

// draw places the stack.
func (s *stack) draw(y float64) {
	for _, i := range s.items {
		i.draw(y + i.y)
	}
}

// empty tells a block without a letter.
func (b *block) empty() bool {
	for i := range b.lines {
		if len(b.lines[i].glyphs) > 0 {
			return false
		}
	}
	return true
}
