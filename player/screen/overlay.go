package screen

import (
	"image"
	"image/color"
	"image/draw"
	"math"
	"strconv"
	"strings"

	xdraw "golang.org/x/image/draw"
)

// overlayArea returns where overlays may be: they are gone before they burn in, and do not wander.
func (c *composer) overlayArea() box {
	return box{c.width * safe, c.height * safe, c.width * (1 - 2*safe), c.height * (1 - 2*safe)}
}

// floorAt returns how far down the next overlay at the bottom may reach.
func (c *composer) floorAt() float64 {
	if c.floor > 0 {
		return c.floor
	}
	return c.height * (1 - safe)
}

func (o OSD) compose(c *composer) {
	c.roam() // a film may be paused for hours
	s := c.safeArea()
	foot := s.bottom()
	small := style{size: sizeSmall}
	text := stack{c: c}
	icon := 64.0
	x := s.x + icon + space3
	width := s.w - icon - space3
	ends := c.words(o.Ends, style{size: sizeSmall, lines: 1})
	text.text(0, c.words(o.Title, style{cut: cut{bold: true}, size: 52, width: int(width - c.wide(ends) - space5), lines: 1}), x, textOne)
	text.text(0, c.words(o.Subtitle, style{size: sizeSmall, width: int(width), lines: 1}), x, textTwo)

	y := foot - sizeSmall*1.25
	at := c.words(timecode(o.Position), small)
	tracks := y
	rest := c.words(timecode(max(o.Duration-o.Position, 0)), small)
	if o.Duration > 0 {
		rest = c.words("–"+timecode(max(o.Duration-o.Position, 0)), small)
		y -= space2 + 12
	}
	bar := y
	y -= space3 + text.height
	c.add(scrimOp{rect: image.Rect(0, c.px(y-220), c.size.X, c.size.Y), full: c.px(200)})
	text.draw(y)
	if !ends.empty() {
		c.print(ends, s.right()-c.wide(ends), y+(52-sizeSmall)*0.625, textTwo)
	}
	shape := iconPlay
	if o.Paused {
		shape = iconPause
	}
	c.add(iconOp{iconKey{shape, c.px(icon)}, c.point(s.x-6, y+(text.height-icon)/2), textOne})
	c.print(at, s.x, tracks, textOne)
	if o.Duration > 0 {
		c.print(rest, s.right()-c.wide(rest), tracks, textTwo)
		c.chapters(o, box{s.x, bar, s.w, 12})
	}
	o.tracks(c, box{s.x + c.wide(at) + space4, tracks, s.w - c.wide(at) - c.wide(rest) - 2*space4, 0})
	c.floor = y - space4
}

// chapters draws the bar of a film: one piece a chapter.
func (c *composer) chapters(o OSD, b box) {
	edges := []float64{0}
	for _, ch := range o.Chapters {
		if part := float64(ch.Start) / float64(o.Duration); part > edges[len(edges)-1]+0.004 && part < 0.996 {
			edges = append(edges, part)
		}
	}
	edges = append(edges, 1)
	done := min(max(float64(o.Position)/float64(o.Duration), 0), 1)
	const gap = 6
	for i, from := range edges[:len(edges)-1] {
		x, end := b.x+from*b.w, b.x+edges[i+1]*b.w
		if i+2 < len(edges) {
			end -= gap
		}
		piece := box{x, b.y, end - x, b.h}
		switch at := b.x + done*b.w; {
		case at <= x:
			c.piece(piece, groove)
		case at >= end:
			c.piece(piece, textOne)
		default:
			c.piece(piece, groove)
			piece.w = max(at-x, piece.h)
			c.piece(piece, textOne)
		}
	}
	knob := 28.0
	if o.Seeking {
		knob = 36
	}
	c.piece(box{b.x + done*b.w - knob/2, b.y + b.h/2 - knob/2, knob, knob}, accent)
}

func (c *composer) piece(b box, colour color.NRGBA) {
	r := c.rect(b)
	c.add(roundOp{rect: r, radius: min(r.Dx(), r.Dy()) / 2, colour: colour})
}

// tracks names the chapter and the tracks in use, in the middle between the times.
func (o OSD) tracks(c *composer, b box) {
	var parts []osdPart
	if name := o.chapter(); name != "" {
		parts = append(parts, osdPart{nil, name})
	}
	if o.Audio != "" {
		parts = append(parts, osdPart{iconVolume, o.Audio})
	}
	if o.Captions != "" {
		parts = append(parts, osdPart{iconCaption, o.Captions})
	}
	const icon, gap = 36, space5
	for len(parts) > 0 {
		var blocks []*block
		width := float64(gap * (len(parts) - 1))
		for _, p := range parts {
			t := c.words(p.text, style{size: sizeSmall, width: int(b.w / float64(len(parts))), lines: 1})
			blocks = append(blocks, t)
			if width += c.wide(t); p.icon != nil {
				width += icon + space1
			}
		}
		if width > b.w && len(parts) > 1 {
			parts = parts[1:] // the chapter first
			continue
		}
		x := b.x + (b.w-width)/2
		for i, t := range blocks {
			if parts[i].icon != nil {
				c.add(iconOp{iconKey{parts[i].icon, c.px(icon)}, c.point(x, b.y+(sizeSmall*1.25-icon)/2), textTwo})
				x += icon + space1
			}
			c.print(t, x, b.y, textTwo)
			x += c.wide(t) + gap
		}
		return
	}
}

type osdPart struct {
	icon *icon
	text string
}

func (o OSD) chapter() string {
	name := ""
	for i, ch := range o.Chapters {
		if ch.Start > o.Position {
			break
		}
		if name = ch.Title; name == "" {
			name = o.Language.Chapter(i + 1)
		}
	}
	return name
}

// scrimOp darkens the lower part of a film, so that white text can be read over snow.
type scrimOp struct {
	rect image.Rectangle
	full int // lines from its top to where it is dark
}

const scrimDark = 0.86

func (o scrimOp) bounds() image.Rectangle { return o.rect }

func (o scrimOp) paint(dst *image.RGBA, a *Artist) {
	for y := dst.Rect.Min.Y; y < dst.Rect.Max.Y; y++ {
		t := min(float64(y-o.rect.Min.Y)/float64(o.full), 1)
		level := int32(scrimDark*t*t*(3-2*t)*255*64 + 0.5)
		if t == 1 { // where nothing changes there are no steps to hide, and one shade is laid over a film much sooner
			level = level &^ 63
		}
		out := dst.Pix[dst.PixOffset(dst.Rect.Min.X, y):][:4*dst.Rect.Dx()]
		row := &a.dither[y&7]
		for i := 0; i < len(out); i += 4 {
			alpha := uint32(level+int32(row[(dst.Rect.Min.X+i/4)&7])) / 64
			if out[i+3] == 0 {
				out[i+3] = uint8(alpha)
				continue
			}
			out[i] = uint8(uint32(out[i]) * (255 - alpha) / 255)
			out[i+1] = uint8(uint32(out[i+1]) * (255 - alpha) / 255)
			out[i+2] = uint8(uint32(out[i+2]) * (255 - alpha) / 255)
			out[i+3] = uint8(alpha + uint32(out[i+3])*(255-alpha)/255)
		}
	}
}

// card is what small overlays stand on: nearly opaque, whatever the film.
var card = color.NRGBA{0x12, 0x15, 0x1f, 0xf8}

func (v Volume) compose(c *composer) {
	c.wander = image.Point{}
	s := c.overlayArea()
	const width, height, icon = 560.0, 104.0, 52.0
	b := box{s.right() - width, s.y, width, height}
	c.add(roundOp{rect: c.rect(b), radius: c.px(height / 2), colour: card})
	level := min(max(v.Level, 0), 100)
	shape, colour := iconVolume, textOne
	if v.Muted || level == 0 {
		shape, colour = iconMuted, textTwo
	}
	c.add(iconOp{iconKey{shape, c.px(icon)}, c.point(b.x+space4, b.y+(height-icon)/2), colour})
	number := c.words(strconv.Itoa(level), style{cut: cut{bold: true}, size: sizeBody})
	room := c.words("100", style{cut: cut{bold: true}, size: sizeBody})
	c.print(number, b.right()-space4-c.wide(number), b.y+(height-c.high(number))/2, colour)
	x := b.x + space4 + icon + space3
	track := box{x, b.y + height/2 - 6, b.right() - space4 - c.wide(room) - space3 - x, 12}
	c.piece(track, groove)
	if level > 0 {
		track.w = max(track.w*float64(level)/100, track.h)
		fill := textOne
		if v.Muted {
			fill = fade(textTwo, 0.5)
		}
		c.piece(track, fill)
	}
}

func (n Notice) compose(c *composer) {
	c.wander = image.Point{}
	s := c.overlayArea()
	shape, colour := iconInfo, textTwo
	switch n.Mood {
	case Good:
		shape, colour = iconCheck, good
	case Warning:
		shape, colour = iconWarning, warn
	case Bad:
		shape, colour = iconWarning, bad
	}
	const height, icon = 92.0, 48.0
	t := c.words(n.Text, style{size: sizeBody, width: int(s.w - 2*space4 - icon - space2), lines: 1})
	if t.empty() {
		return
	}
	width := space4 + icon + space2 + c.wide(t) + space4 + space1
	b := box{s.x + (s.w-width)/2, c.floorAt() - height, width, height}
	c.add(roundOp{rect: c.rect(b), radius: c.px(height / 2), colour: card})
	c.add(iconOp{iconKey{shape, c.px(icon)}, c.point(b.x+space4, b.y+(height-icon)/2), colour})
	c.print(t, b.x+space4+icon+space2, b.y+(height-c.high(t))/2, textOne)
	c.floor = b.y - space3
}

func (k Caption) compose(c *composer) {
	c.wander = image.Point{}
	s := c.overlayArea()
	size := c.text(54)
	b := c.artist.text.setSpans(k.Text, spansOf(k.Text), style{size: size, width: c.px(s.w), lines: 4, align: centre})
	if b.empty() {
		return
	}
	at := c.point(0, c.floorAt()-c.high(b))
	c.add(textOp{block: b, x: (c.size.X - b.width) / 2, y: at.Y, colour: paper, outline: max(1, size/13)})
	c.floor = c.floorAt() - c.high(b) - space2
}

// spansOf reads the three tags of a subtitle. Others, and ends without a beginning, are left out.
func spansOf(text string) []span {
	var out []span
	var italic, bold, under int
	for text != "" {
		at := strings.IndexByte(text, '<')
		end := -1
		if at >= 0 {
			end = strings.IndexByte(text[at:], '>')
		}
		if end < 0 {
			at = len(text)
		}
		if at > 0 {
			out = append(out, span{text[:at], cut{bold > 0, italic > 0}, under > 0})
		}
		if end < 0 {
			break
		}
		step := 1
		tag := strings.ToLower(text[at+1 : at+end])
		if rest, ok := strings.CutPrefix(tag, "/"); ok {
			tag, step = rest, -1
		}
		switch tag {
		case "i":
			italic = max(italic+step, 0)
		case "b":
			bold = max(bold+step, 0)
		case "u":
			under = max(under+step, 0)
		}
		text = text[at+end+1:]
	}
	return out
}

func (b Bitmap) compose(c *composer) {
	film := b.Film
	if film.Empty() {
		film = image.Rectangle{Max: c.size}
	}
	if b.Image == nil || b.Image.Rect.Empty() || b.At.Empty() || b.Canvas.X <= 0 || b.Canvas.Y <= 0 {
		return
	}
	scale := func(v, from, to int) int { return int(math.Round(float64(v) * float64(to) / float64(from))) }
	r := image.Rect(
		scale(b.At.Min.X, b.Canvas.X, film.Dx()), scale(b.At.Min.Y, b.Canvas.Y, film.Dy()),
		scale(b.At.Max.X, b.Canvas.X, film.Dx()), scale(b.At.Max.Y, b.Canvas.Y, film.Dy()),
	).Add(film.Min)
	if over := r.Max.Y - c.px(c.floorAt()); c.floor > 0 && over > 0 {
		r = r.Sub(image.Pt(0, over)) // above what is at the bottom
	}
	if r.In(image.Rectangle{Max: c.size}) {
		c.add(bitmapOp{b.Image, r})
	}
}

// bitmapOp is a picture with transparency, scaled.
type bitmapOp struct {
	img  *image.RGBA
	rect image.Rectangle
}

func (o bitmapOp) bounds() image.Rectangle { return o.rect }

func (o bitmapOp) paint(dst *image.RGBA, _ *Artist) {
	if o.rect.Size() == o.img.Rect.Size() {
		draw.Draw(dst, o.rect, o.img, o.img.Rect.Min, draw.Over)
		return
	}
	xdraw.ApproxBiLinear.Scale(dst, o.rect, o.img, o.img.Rect, draw.Over, nil)
}
