// Package screen draws what the television shows and is not the film: the welcome with its QR codes, the claim code,
// the idle screen, what is playing, progress, errors, and what lies over a film: position, volume, notices, subtitles.
//
// It is pure: an [Artist] composes layers and a time to a [Picture], and a picture paints itself into memory of any
// size. It opens no device, asks no clock, starts no goroutine, and says nothing that a scene does not hold; fonts
// are read from the [fs.FS] given to [New] when a script first needs them. Showing pictures is the work of
// player/kms, choosing them that of player/native.
//
//	artist := screen.New(screen.SystemFonts()...)
//	words := screen.In("de")
//	now := artist.Compose(size, time.Now(), words.Welcome(ssid, passphrase))
//	for _, r := range now.Changes(before) {
//		now.PaintXRGB(plane.Data, plane.Pitch, r)
//	}
//	// the same again at now.Next, and when there is something else to show
//
// A scene ([Boot], [Invite], [Claim], [Idle], [Playing], [Loading], [Working], [Problem]) fills the screen. An overlay
// ([OSD], [Volume], [Notice], [Caption], [Bitmap]) is transparent around what it shows. Any number of layers may lie
// over one another, overlays over a scene as well; those at the bottom of the screen make room for each other, the
// first lowest. [Artist.Overlay] paints overlays into an image of just their size.
//
// Measures are those of a screen of 1080 lines, scaled to the mode. Text is at least 32 lines high, titles 64;
// everything that has to be read stays 5% off each edge and has a contrast of at least 7:1; scenes wander slowly, so
// that nothing burns in. Colours are those of the page's tokens.css; a playing item lends its own.
//
// Words are chosen here and nowhere else on the screen: [In] gives those of a language.
package screen

import (
	"image"
	"image/draw"
	"io/fs"
	"slices"
	"time"
)

// Layer is something to show: a scene, or an overlay over what is below it.
type Layer interface {
	compose(c *composer)
}

// Artist composes pictures. It keeps fonts, glyphs and artwork in the sizes that were asked for last, within bounds
// that are fixed. It and its pictures belong to one goroutine at a time.
type Artist struct {
	text   typesetter
	images imageCache
	dither *[8][8]uint8
	strip  []byte // of a screen, being painted; nil: none was
}

// New returns an artist who finds fonts in the trees, by their names wherever they lie, and the first of a name: see
// families. Without any, text is set in Go's own font, which knows Latin, Greek and Cyrillic.
func New(fonts ...fs.FS) *Artist {
	return &Artist{text: newTypesetter(fonts...), images: newImageCache(), dither: &bayer}
}

// Forget drops the artwork and shapes that are kept: while a film plays, it needs the memory. They are made anew when
// they are next shown.
func (a *Artist) Forget() { a.images, a.strip = newImageCache(), nil }

// Compose lays out what a screen of that size shows at a time. The layers are in order from the bottom; a scene
// hides what is below it, overlays come last. Layers are only read, and may be used again.
func (a *Artist) Compose(size image.Point, at time.Time, layers ...Layer) *Picture {
	a.images.fit(size)
	c := newComposer(a, size, at)
	for _, l := range stacked(layers) {
		l.compose(c)
	}
	return c.picture()
}

// stacked puts each OSD before the captions and notices that came before it: it is at the very bottom of the screen, and
// they above it.
func stacked(layers []Layer) []Layer {
	out := slices.Clone(layers)
	slices.SortStableFunc(out, func(a, b Layer) int { return rank(a) - rank(b) })
	return out
}

func rank(l Layer) int {
	switch l.(type) {
	case OSD:
		return 1
	case Volume, Notice, Caption, Bitmap:
		return 2
	}
	return 0
}

// Overlay paints overlays into an image just as large as what they show, and says where on the screen it lies. The
// image is nil when there is nothing to show.
func (a *Artist) Overlay(size image.Point, at time.Time, layers ...Layer) (*image.RGBA, image.Point) {
	return a.Compose(size, at, layers...).Overlay(nil)
}

// Overlay paints the picture as [Artist.Overlay] does. The image is made in the memory of an earlier one that nobody looks at
// any more, if that is large enough: an overlay may be megabytes.
func (p *Picture) Overlay(earlier []byte) (*image.RGBA, image.Point) {
	if p.Bounds.Empty() {
		return nil, image.Point{}
	}
	size := p.Bounds.Size()
	img := &image.RGBA{Pix: earlier[:cap(earlier)], Stride: 4 * size.X, Rect: p.Bounds}
	n := size.Y * img.Stride
	if n > len(img.Pix) {
		img.Pix = make([]byte, n+n/8) // it wanders, and the next one is a little larger
	}
	img.Pix = img.Pix[:n]
	p.Paint(img)
	img.Rect = image.Rectangle{Max: size}
	return img, p.Bounds.Min
}

// Picture is a composed screen. It does not change.
type Picture struct {
	Size   image.Point
	Bounds image.Rectangle // of what is not transparent
	Next   time.Time       // when the same layers look different; zero: not by themselves

	artist *Artist
	ops    []op
}

// An op is one thing on a picture. Ops are compared with ==: equal ops paint equal pixels.
type op interface {
	bounds() image.Rectangle
	paint(dst *image.RGBA, a *Artist)
}

// Paint paints the part of the picture that lies in dst's rectangle, every pixel of it: dst may be a window
// ([image.RGBA.SubImage]) or a strip of the screen, in the screen's coordinates. Pixels are premultiplied.
func (p *Picture) Paint(dst *image.RGBA) {
	first, covers := 0, false
	for i, o := range p.ops {
		if q, ok := o.(interface{ opaque() bool }); ok && q.opaque() {
			first, covers = i, dst.Rect.In(o.bounds())
		}
	}
	if !covers {
		draw.Draw(dst, dst.Rect, image.Transparent, image.Point{}, draw.Src)
	}
	for _, o := range p.ops[first:] {
		if r := o.bounds().Intersect(dst.Rect); !r.Empty() {
			o.paint(dst.SubImage(r).(*image.RGBA), p.artist)
		}
	}
}

// PaintXRGB paints the part of the picture that lies in r into a frame of the whole screen in the form XRGB8888, that
// is blue, green, red and a byte of no meaning, whose lines are pitch bytes apart. It goes by strips, so that a
// screen needs no second copy in memory.
func (p *Picture) PaintXRGB(frame []byte, pitch int, r image.Rectangle) {
	const pixels = 1 << 16
	r = r.Intersect(image.Rectangle{Max: p.Size})
	if r.Empty() {
		return
	}
	lines := max(1, pixels/r.Dx())
	if p.artist.strip == nil {
		p.artist.strip = make([]byte, 4*pixels)
	}
	strip := &image.RGBA{Pix: p.artist.strip, Stride: 4 * r.Dx()}
	if r.Dx() > pixels {
		strip.Pix = make([]byte, 4*r.Dx())
	}
	for y := r.Min.Y; y < r.Max.Y; y += lines {
		strip.Rect = image.Rect(r.Min.X, y, r.Max.X, min(y+lines, r.Max.Y))
		p.Paint(strip)
		for line := strip.Rect.Min.Y; line < strip.Rect.Max.Y; line++ {
			from := strip.Pix[strip.PixOffset(r.Min.X, line):][:4*r.Dx()]
			to := frame[line*pitch+4*r.Min.X:][:4*r.Dx()]
			for i := 0; i < len(to); i += 4 {
				to[i], to[i+1], to[i+2], to[i+3] = from[i+2], from[i+1], from[i], 0xff
			}
		}
	}
}

// Changes returns rectangles that hold everything in which p looks different from before: all of the screen if that
// is nil or of another size. They do not overlap.
func (p *Picture) Changes(before *Picture) []image.Rectangle {
	if before == nil || before.Size != p.Size {
		return []image.Rectangle{{Max: p.Size}}
	}
	count := make(map[op]int, len(p.ops))
	for _, o := range before.ops {
		count[o]++
	}
	var changed []image.Rectangle
	for _, o := range p.ops {
		if count[o] == 0 {
			changed = append(changed, o.bounds())
			continue
		}
		count[o]--
	}
	for _, o := range before.ops {
		if count[o] > 0 {
			count[o]--
			changed = append(changed, o.bounds())
		}
	}
	return merge(changed, image.Rectangle{Max: p.Size})
}

// merge clips rectangles and joins those that overlap, or cost little more together than apart.
func merge(list []image.Rectangle, clip image.Rectangle) []image.Rectangle {
	var out []image.Rectangle
	for _, r := range list {
		if r = r.Intersect(clip); r.Empty() {
			continue
		}
		for i := 0; i < len(out); {
			if both := r.Union(out[i]); r.Overlaps(out[i]) || area(both) <= (area(r)+area(out[i]))*5/4 {
				r = both
				out[i] = out[len(out)-1]
				out = out[:len(out)-1]
				i = 0
				continue
			}
			i++
		}
		out = append(out, r)
	}
	return out
}

func area(r image.Rectangle) int { return r.Dx() * r.Dy() }
