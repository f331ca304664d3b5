package screen

import (
	"image"
	"math"
	"time"
)

// glowOf begins a scene in the colours of its artwork.
func (c *composer) glowOf(art *Art, title string) {
	t := tintOf(title)
	if art != nil {
		t = art.tint
	}
	c.ground(glowOp{glowKey{c.size, t, 1}})
	c.roam()
}

// artwork puts a picture into the middle of a box, as large as its shape allows, and returns where it lies.
func (c *composer) artwork(art *Art, title string, b box, shadow bool) box {
	in := b
	if art != nil {
		w, h := float64(art.pixels.Rect.Dx()), float64(art.pixels.Rect.Dy())
		k := min(b.w/w, b.h/h)
		in = box{b.x + (b.w-w*k)/2, b.y + (b.h-h*k)/2, w * k, h * k}
	}
	r := c.rect(in)
	if shadow {
		c.add(shadowOp{rect: r.Add(image.Pt(0, c.px(14))), blur: c.px(44), colour: fade(black, 0.5)})
	}
	c.add(artOp{key: artKey{art, placeholderOf(art, title), r.Size(), c.px(roundArt)}, at: r.Min})
	return in
}

func placeholderOf(art *Art, title string) string {
	if art != nil {
		return ""
	}
	return title
}

// place returns the position at a time.
func (p Playing) place(at time.Time) time.Duration {
	pos := p.Position
	if !p.At.IsZero() {
		pos += time.Duration(float64(at.Sub(p.At)) * p.Speed)
	}
	if p.Duration > 0 {
		pos = min(pos, p.Duration)
	}
	return max(pos, 0)
}

func (p Playing) compose(c *composer) {
	named := p.Album
	if named == "" {
		named = p.Title
	}
	c.glowOf(p.Art, named)
	s := c.safeArea()
	pos := p.place(c.at)
	if p.Speed > 0 && (p.Duration == 0 || pos < p.Duration) {
		c.again(time.Duration(math.Ceil(float64(time.Second-pos%time.Second) / p.Speed)))
	}
	side := min(s.h*0.78, s.w*0.42)
	art := box{s.x, s.y + (s.h-side)/2, side, side}
	column := box{s.x + side + space6, art.y, s.w - side - space6, side}
	if c.upright() {
		side = min(s.w, s.h*0.45)
		art = box{s.x + (s.w-side)/2, s.y, side, side}
		column = box{s.x, s.y + side + space5, s.w, s.h - side - space5}
	}
	c.artwork(p.Art, named, art, true)
	p.column(c, column, pos.Truncate(time.Second))
}

// column draws what is beside the artwork: words above, progress and the next song below.
func (p Playing) column(c *composer, b box, pos time.Duration) {
	if p.Next != nil && p.words(c, b, 2, 1).height+footHeight > b.h {
		p.Next = nil // before the title is cut
	}
	foot := p.foot(c, b, pos)
	room := foot - b.y - space4
	text := p.words(c, b, 3, 2)
	if text.height > room {
		text = p.words(c, b, 3, 1)
	}
	if text.height > room || len(p.Lyrics) > 0 {
		text = p.words(c, b, 2, 1)
	}
	if text.height > room {
		text = p.words(c, b, 1, 1)
	}
	if len(p.Lyrics) > 0 {
		text.draw(b.y)
		p.lyrics(c, box{b.x, b.y + text.height + space4, b.w, room - text.height - space4})
		return
	}
	text.draw(b.y + max(0, (room-text.height)/2))
}

// words stacks what is playing, in so many lines at most.
func (p Playing) words(c *composer, b box, title, artist int) stack {
	text := stack{c: c}
	text.text(0, c.words(p.Title, style{cut: cut{bold: true}, size: sizeTitle, width: int(b.w), lines: title, leading: 1.14, spread: -0.01}), b.x, textOne)
	text.text(space2, c.words(p.Artist, style{size: sizeLarge, width: int(b.w), lines: artist}), b.x, textOne)
	text.text(space1, c.words(p.Album, style{size: sizeBody, width: int(b.w), lines: 1}), b.x, textTwo)
	return text
}

// Measures of what is below the words: the cover of the next song, and all of it with gaps.
const (
	nextSide   = 104
	footHeight = nextSide + space5 + sizeSmall*1.25 + space2 + 10 + space4
)

// foot draws progress and what is next at the bottom of a column, and returns where they begin.
func (p Playing) foot(c *composer, b box, pos time.Duration) float64 {
	y := b.bottom()
	if p.Next != nil && len(p.Lyrics) == 0 {
		const side = nextSide
		y -= side
		c.artwork(p.Next.Art, p.Next.Title, box{b.x, y, side, side}, false)
		x, w := b.x+side+space3, b.w-side-space3
		line := p.Next.Title
		if p.Next.Subtitle != "" {
			line += " — " + p.Next.Subtitle
		}
		text := stack{c: c}
		text.text(0, c.words(p.NextWord, style{size: sizeSmall, width: int(w), lines: 1}), x, textTwo)
		text.text(0, c.words(line, style{size: sizeSmall + 2, cut: cut{bold: true}, width: int(w), lines: 1}), x, textOne)
		text.draw(y + (side-text.height)/2)
		y -= space5
	}
	small := style{size: sizeSmall}
	at := c.words(timecode(pos), small)
	y -= c.high(at)
	x := b.x
	if p.Speed == 0 {
		icon := float64(sizeSmall + 4)
		c.add(iconOp{iconKey{iconPause, c.px(icon)}, c.point(x-4, y+(c.high(at)-icon)/2), textOne})
		x += icon + space1
	}
	c.print(at, x, y, textTwo)
	if p.Duration > 0 {
		rest := c.words("–"+timecode(p.Duration-pos), small)
		c.print(rest, b.right()-c.wide(rest), y, textTwo)
		y -= space2 + 10
		c.bar(box{b.x, y, b.w, 10}, float64(pos)/float64(p.Duration))
	}
	return y
}

// bar draws how much of something is done, 0 to 1.
func (c *composer) bar(b box, part float64) {
	r := c.rect(b)
	radius := r.Dy() / 2
	c.add(roundOp{rect: r, radius: radius, colour: groove})
	if w := int(math.Round(float64(r.Dx()) * min(max(part, 0), 1))); w > 0 {
		r.Max.X = r.Min.X + max(w, r.Dy())
		c.add(roundOp{rect: r, radius: radius, colour: textOne})
	}
}

// lyrics shows the line that is sung, those before and after it, as many as there is room for.
func (p Playing) lyrics(c *composer, b box) {
	now, pos := -1, p.place(c.at)
	for i, l := range p.Lyrics {
		if l.At > pos {
			if p.Speed > 0 {
				c.again(time.Duration(math.Ceil(float64(l.At-pos) / p.Speed)))
			}
			break
		}
		now = i
	}
	y := b.y
	for i := max(now-1, 0); i < len(p.Lyrics); i++ {
		st, colour := style{size: sizeLarge - 4, width: int(b.w), lines: 2}, textTwo
		if i == now {
			st.bold, colour = true, textOne
		}
		t := c.words(p.Lyrics[i].Text, st)
		if y+c.high(t) > b.bottom() {
			return
		}
		y = c.print(t, b.x, y, colour) + space1
	}
}

func (l Loading) compose(c *composer) {
	c.glowOf(l.Art, l.Title)
	s := c.safeArea()
	side := min(s.h*0.7, s.w*0.4)
	art := box{s.x, s.y + (s.h-side)/2, side, side}
	x, w := s.x+side+space6, s.w-side-space6
	if c.upright() {
		art = box{s.x + (s.w-side)/2, s.y, side, side}
		x, w = s.x, s.w
	}
	if l.Art != nil && !c.upright() {
		// A poster is narrow: the words come closer.
		p := l.Art.pixels.Rect
		used := min(side, side*float64(p.Dx())/float64(p.Dy()))
		art.w = used
		x, w = s.x+used+space6, s.w-used-space6
	}
	c.artwork(l.Art, l.Title, art, true)
	text := stack{c: c}
	text.text(0, c.words(l.Title, style{cut: cut{bold: true}, size: sizeTitle, width: int(w), lines: 3, leading: 1.14, spread: -0.01}), x, textOne)
	text.text(space2, c.words(l.Subtitle, style{size: sizeLarge, width: int(w), lines: 2}), x, textTwo)
	word := c.words(l.Text, style{size: sizeBody, width: int(w * 0.8), lines: 1})
	text.add(space5, sizeBody*1.25, func(y float64) {
		c.print(word, x, y, textTwo)
		c.dots(x+c.wide(word)+space2, y+sizeBody*0.625, c.at.Sub(l.Since))
	})
	if c.upright() {
		text.draw(art.bottom() + space6)
		return
	}
	text.draw(s.y + (s.h-text.height)/2)
}

// dots shows that something is under way: three, one after another.
func (c *composer) dots(x, y float64, age time.Duration) {
	const beat = 400 * time.Millisecond
	n := int(max(age, 0)/beat) % 4
	for i := range 3 {
		colour := groove
		if i < n {
			colour = textTwo
		}
		c.add(roundOp{rect: c.rect(box{x + float64(i)*24, y - 5, 12, 12}), radius: c.px(6), colour: colour})
	}
	c.again(beat - max(age, 0)%beat)
}
