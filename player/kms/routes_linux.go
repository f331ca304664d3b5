package kms

import (
	"image"
	"maps"
	"slices"

	"manofwar/player"
	"manofwar/player/kms/drm"
)

// route is a way of pictures to the screen.
type route struct {
	plane   int
	black   bool // the floor has to be covered by black below the plane
	overlay int  // the plane for what lies over the picture; -1: it has to be blended into it
	places  bool // the picture may be smaller than the screen
	scales  bool // and of any other size than it is shown at
}

// rank orders routes by what they can do.
func (r route) rank() (n int) {
	for _, can := range []bool{r.places, r.scales, r.overlay >= 0} {
		n *= 2
		if can {
			n++
		}
	}
	return n
}

// best is the highest rank.
const best = 7

// layer is a buffer on a plane.
type layer struct {
	plane  int
	buffer *buffer
	crop   image.Rectangle // of the buffer, which is visible; in 65536ths of a pixel. Empty: all of it
	dst    image.Rectangle // on the screen
}

// whole returns the layer's crop with the default filled in.
func (l layer) whole() image.Rectangle {
	if l.crop.Empty() {
		return image.Rect(0, 0, l.buffer.width<<16, l.buffer.height<<16)
	}
	return l.crop
}

// put adds to a commit what is on some of the output's planes. Those without a layer are switched off.
func (o *output) put(t *drm.Commit, planes []int, layers []layer) {
	for _, i := range planes {
		p := o.planes[i]
		at := slices.IndexFunc(layers, func(l layer) bool { return l.plane == i })
		if at < 0 {
			t.Set(p.ID, p.Properties[propertyFB], 0)
			t.Set(p.ID, p.Properties[propertyCRTC], 0)
			continue
		}
		l := layers[at]
		src := l.whole()
		for _, v := range []struct {
			name  string
			value int
		}{
			{propertyFB, int(l.buffer.id)},
			{propertyCRTC, int(o.crtc)},
			{"SRC_X", src.Min.X},
			{"SRC_Y", src.Min.Y},
			{"SRC_W", src.Dx()},
			{"SRC_H", src.Dy()},
			{"CRTC_X", l.dst.Min.X},
			{"CRTC_Y", l.dst.Min.Y},
			{"CRTC_W", l.dst.Dx()},
			{"CRTC_H", l.dst.Dy()},
		} {
			t.Set(p.ID, p.Properties[v.name], uint64(v.value))
		}
		for name, value := range meaning(l.buffer) {
			property := p.Properties[name]
			if v, ok := property.Enum[value]; ok && !property.Immutable {
				t.Set(p.ID, property, v)
			}
		}
	}
}

// Values of a plane's properties for colours (drivers/gpu/drm/drm_color_mgmt.c, drm_blend.c).
const (
	encoding601   = "ITU-R BT.601 YCbCr"
	encoding709   = "ITU-R BT.709 YCbCr"
	rangeLimited  = "YCbCr limited range"
	premultiplied = "Pre-multiplied"
)

// meaning returns the properties that say what a picture's numbers mean. Who had the screen before may have left others.
// Colours in YUV are those of a DVD up to its size, and those of HDTV beyond, as in files that say nothing of it.
func meaning(b *buffer) map[string]string {
	switch {
	case b.format == drm.ARGB8888:
		return map[string]string{propertyBlend: premultiplied}
	case !shapes[b.format].subsampled():
		return nil
	case b.width > 1024 || b.height > 576:
		return map[string]string{propertyEncoding: encoding709, propertyRange: rangeLimited}
	}
	return map[string]string{propertyEncoding: encoding601, propertyRange: rangeLimited}
}

// discover finds the routes by commits that only test. Pictures in YUV are offered only with a plane for what lies over
// them, for nothing is blended into them here; and of any size, for nothing is scaled here.
func (o *output) discover(c card) {
	m := o.modes[o.mode]
	p := prober{output: o, card: c, whole: image.Pt(m.Width, m.Height), half: image.Pt(m.Width/2&^1, m.Height/2&^1)}
	defer p.close()
	o.base = route{plane: o.floor, overlay: p.over(route{plane: o.floor}, o.black)}
	o.routes = make(map[player.Format]route)
	for _, f := range []player.Format{player.YUV420, player.NV12, player.XRGB8888} {
		if r := p.find(f); r.places && r.overlay >= 0 && (r.scales || f == player.XRGB8888) {
			o.routes[f] = r
		}
	}
	o.active = []int{o.floor}
	for _, r := range append(slices.Collect(maps.Values(o.routes)), o.base) {
		for _, i := range []int{r.plane, r.overlay} {
			if i >= 0 && !slices.Contains(o.active, i) {
				o.active = append(o.active, i)
			}
		}
	}
}

// prober tries routes with pictures of the screen's size and of half of it, which lie in the output's black memory.
type prober struct {
	*output
	card        card
	whole, half image.Point
	views       []*buffer
}

func (p *prober) close() {
	for _, v := range p.views {
		v.free(p.card)
	}
}

// view returns a picture of a format; nil: the card cannot have it.
func (p *prober) view(f player.Format, size image.Point) *buffer {
	b := &buffer{format: f, width: size.X, height: size.Y}
	if b.add(p.card, p.black.memory, pitches(f, size.X, p.black.memory.Pitch)) != nil {
		return nil
	}
	p.views = append(p.views, b)
	return b
}

// find returns the best route of a format.
func (p *prober) find(f player.Format) route {
	found := route{plane: p.floor, overlay: -1}
	whole, half := p.view(f, p.whole), p.view(f, p.half)
	if whole == nil || half == nil {
		return found
	}
	for i, plane := range p.planes {
		if i < p.floor || plane.Properties[propertyType].Value == typeCursor || !slices.Contains(plane.Formats, uint32(f)) {
			continue
		}
		r := route{plane: i, black: i != p.floor}
		r.places = p.works(r, half, p.half)
		r.scales = r.places && p.works(r, half, p.whole) && p.works(r, whole, p.half)
		r.overlay = p.over(r, whole)
		if r.rank() > found.rank() {
			found = r
		}
		if found.rank() == best {
			break
		}
	}
	return found
}

// over returns the lowest plane above a route's that can lie over it; -1: there is none.
func (p *prober) over(r route, picture *buffer) int {
	whole, half := p.view(drm.ARGB8888, p.whole), p.view(drm.ARGB8888, p.half)
	if whole == nil || half == nil {
		return -1
	}
	for i, plane := range p.planes {
		if i <= r.plane || plane.Properties[propertyType].Value == typeCursor || !slices.Contains(plane.Formats, drm.ARGB8888) {
			continue
		}
		if p.works(r, picture, p.whole, layer{plane: i, buffer: whole, dst: image.Rectangle{Max: p.whole}}) &&
			p.works(r, picture, p.whole, layer{plane: i, buffer: half, dst: p.centred(p.half)}) {
			return i
		}
	}
	return -1
}

// works tells whether a picture can be shown at a size in the middle of the screen, with more above it.
func (p *prober) works(r route, picture *buffer, size image.Point, more ...layer) bool {
	layers := append(p.under(r), layer{plane: r.plane, buffer: picture, dst: p.centred(size)})
	layers = append(layers, more...)
	planes := []int{p.floor}
	for _, l := range layers {
		if l.plane != p.floor {
			planes = append(planes, l.plane)
		}
	}
	t := new(drm.Commit)
	p.put(t, planes, layers)
	return p.card.Commit(t, drm.TestOnly, 0) == nil
}

func (p *prober) centred(size image.Point) image.Rectangle {
	return image.Rectangle{Max: size}.Add(p.whole.Sub(size).Div(2))
}

// under returns what a route needs below the picture.
func (o *output) under(r route) []layer {
	if !r.black {
		return nil
	}
	return []layer{{plane: o.floor, buffer: o.black, dst: bounds(o.modes[o.mode])}}
}
