package kms

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"

	"manofwar/player"
	"manofwar/player/kms/drm"
	"manofwar/player/kms/edid"
)

// head is a screen and what of the card serves it.
type head struct {
	connector  socket
	title      string // of the screen
	crtc       uint32
	properties drm.Properties  // of the CRTC
	planes     []drm.PlaneInfo // that the CRTC can have, the lowest first
	floor      int             // which of them takes a picture as large as the screen
	modes      []player.Mode
	infos      []drm.ModeInfo // as the kernel has them, one for each mode
}

// output is a head that is driven in a mode.
type output struct {
	*head
	mode   int
	blob   uint32                  // of the mode
	black  *buffer                 // as large as the mode
	canvas [2]*buffer              // likewise, for pictures that are put together here; nil: not needed yet
	boards [2]*buffer              // that overlays are drawn on; nil: not needed yet
	base   route                   // of pictures as large as the screen
	routes map[player.Format]route // of others
	active []int                   // planes that any of the routes uses
	vblank bool
}

// Names of properties (drm_plane.c, drm_crtc.c and others of drivers/gpu/drm).
const (
	propertyCRTC     = "CRTC_ID"
	propertyFB       = "FB_ID"
	propertyMode     = "MODE_ID"
	propertyActive   = "ACTIVE"
	propertyZ        = "zpos"
	propertyType     = "type"
	propertyEncoding = "COLOR_ENCODING"
	propertyRange    = "COLOR_RANGE"
	propertyBlend    = "pixel blend mode"
)

// Values of a plane's property "type" (drm_plane.h, enum drm_plane_type).
const (
	typeOverlay = 0
	typePrimary = 1
	typeCursor  = 2
)

// newHead chooses what serves the screen.
func newHead(c card, k socket) (*head, error) {
	o := &head{connector: k}
	if s, err := edid.Parse(k.edid); err == nil {
		o.title = s.Title()
	}
	o.modes, o.infos = listModes(k.Modes)
	if len(o.modes) == 0 {
		return nil, fmt.Errorf("%s: the screen has no mode that can be used", k.Name)
	}
	r, err := c.Resources()
	if err != nil {
		return nil, err
	}
	index, err := chooseCRTC(c, r, k)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", k.Name, err)
	}
	o.crtc = r.CRTCs[index]
	if o.properties, err = c.ReadProperties(o.crtc, drm.CRTC); err != nil {
		return nil, err
	}
	planes, err := c.Planes()
	if err != nil {
		return nil, err
	}
	o.planes = slices.DeleteFunc(planes, func(p drm.PlaneInfo) bool {
		return p.CRTCs&(1<<index) == 0 || p.CRTC != 0 && p.CRTC != o.crtc
	})
	slices.SortStableFunc(o.planes, compareDepth)
	o.floor = slices.IndexFunc(o.planes, func(p drm.PlaneInfo) bool {
		return p.Properties[propertyType].Value == typePrimary && slices.Contains(p.Formats, uint32(player.XRGB8888))
	})
	if o.floor < 0 {
		return nil, fmt.Errorf("%s: no plane takes pictures", k.Name)
	}
	return o, nil
}

// compareDepth orders planes from the lowest: by their position, or where the driver tells none, by their type.
func compareDepth(a, b drm.PlaneInfo) int {
	za, oka := a.Properties[propertyZ]
	zb, okb := b.Properties[propertyZ]
	if oka && okb && za.Value != zb.Value {
		return cmp.Compare(za.Value, zb.Value)
	}
	rank := map[uint64]int{typePrimary: 0, typeOverlay: 1, typeCursor: 2}
	if d := rank[a.Properties[propertyType].Value] - rank[b.Properties[propertyType].Value]; d != 0 {
		return d
	}
	return cmp.Compare(a.ID, b.ID)
}

// errNoCRTC says that everything that could drive the screen is taken.
var errNoCRTC = errors.New("nothing is left that could drive the screen")

// chooseCRTC returns the index of the CRTC that drives the connector now, or else of the first that can.
func chooseCRTC(c card, r drm.Resources, k socket) (int, error) {
	var possible uint32
	for _, id := range k.Encoders {
		now, could, err := c.ReadEncoder(id)
		if err != nil {
			return 0, err
		}
		possible |= could
		if i := slices.Index(r.CRTCs, now); id == k.Encoder && i >= 0 {
			return i, nil
		}
	}
	for i := range r.CRTCs {
		if possible&(1<<i) != 0 {
			return i, nil
		}
	}
	return 0, errNoCRTC
}

// listModes returns the modes that the player can use, in the kernel's order, without those of which there is one already.
func listModes(all []drm.ModeInfo) (modes []player.Mode, infos []drm.ModeInfo) {
	preferred := false
	for _, info := range all {
		m := player.Mode{
			Width: int(info.HDisplay), Height: int(info.VDisplay), Refresh: info.Refresh(), Interlaced: info.Interlaced(),
		}
		if info.Stereo() || m.Width == 0 || m.Height == 0 || m.Refresh <= 0 || slices.ContainsFunc(modes, func(n player.Mode) bool { return alike(m, n) }) {
			continue
		}
		m.Preferred = info.Preferred() && !preferred
		preferred = preferred || m.Preferred
		modes, infos = append(modes, m), append(infos, info)
	}
	return modes, infos
}

// find returns the index of the mode, or -1.
func (o *head) find(m player.Mode) int {
	return slices.IndexFunc(o.modes, func(n player.Mode) bool { return alike(m, n) })
}

// alike tells whether two modes look the same. Clocks are whole kHz: what differs by less than a hundred thousandth is one.
func alike(a, b player.Mode) bool {
	return a.Width == b.Width && a.Height == b.Height && a.Interlaced == b.Interlaced && math.Abs(a.Refresh-b.Refresh) < a.Refresh*1e-5
}

// wanted is the mode that was set last. The zero value is none.
type wanted struct {
	mode player.Mode
	of   *head // the screen for which it was set
}

// The largest mode that is chosen without being asked for: a screen of 4K shows a menu no better by it, and memory and
// bandwidth of a small board are better used otherwise.
const maxWidth, maxHeight = 1920, 1080

// first returns the index of the mode to begin with: the one that was wanted last of this screen, else the one that it prefers
// if it is not too large, else the best one.
func (o *head) first(w wanted) int {
	if w.of != nil && w.of.same(o.connector) {
		if i := o.find(w.mode); i >= 0 {
			return i
		}
	}
	best := 0
	for i, m := range o.modes {
		if suits(m) > suits(o.modes[best]) {
			best = i
		}
	}
	return best
}

// suits rates a mode to begin with. The order of equals is the kernel's.
func suits(m player.Mode) float64 {
	fits := m.Width <= maxWidth && m.Height <= maxHeight
	switch {
	case fits && m.Preferred && !m.Interlaced:
		return 1e12
	case fits && !m.Interlaced:
		return float64(m.Width*m.Height)*1000 + min(m.Refresh, 60)
	case fits:
		return float64(m.Width * m.Height)
	}
	return -float64(m.Width * m.Height) // the smallest of those that are too large
}

// drive sets a mode of the head, and finds out what its planes can do in it.
func (d *Display) drive(h *head, mode int) error {
	c, m := d.card, h.modes[mode]
	next := &output{head: h, mode: mode}
	var err error
	if next.blob, err = c.ModeBlob(h.infos[mode]); err != nil {
		return err
	}
	if next.black, err = newBuffer(c, player.XRGB8888, m.Width, m.Height); err != nil {
		return errors.Join(err, c.DestroyBlob(next.blob))
	}
	clear(next.black.memory.Data)
	t := next.begin()
	all := make([]int, len(h.planes))
	for i := range all {
		all[i] = i
	}
	next.put(t, all, []layer{{plane: h.floor, buffer: next.black, dst: bounds(m)}})
	if err := c.Commit(t, drm.AllowModeset, 0); err != nil {
		next.close(c)
		return err
	}
	if d.out != nil {
		d.clearShown()
		d.out.close(c)
	}
	next.vblank = c.HasVBlank(next.crtc)
	next.discover(c)
	d.out, d.stale = next, d.over != nil
	d.screen.Store(next.screen())
	return nil
}

// begin makes a commit that sets the mode.
func (o *output) begin() *drm.Commit {
	t := new(drm.Commit)
	t.Set(o.connector.ID, o.connector.properties[propertyCRTC], uint64(o.crtc))
	t.Set(o.crtc, o.properties[propertyMode], uint64(o.blob))
	t.Set(o.crtc, o.properties[propertyActive], 1)
	return t
}

// screen describes the output to the player.
func (o *output) screen() *player.Screen {
	s := &player.Screen{
		Connector: o.connector.Name, Name: o.title, Mode: o.modes[o.mode], Modes: o.modes, VBlank: o.vblank,
	}
	for _, f := range []player.Format{player.YUV420, player.NV12, player.XRGB8888} {
		if o.routes[f].scales {
			s.Formats, s.Scales = append(s.Formats, f), true
		}
	}
	if !s.Scales {
		s.Formats = []player.Format{player.XRGB8888}
	}
	return s
}

// close gives back what the output has of the card. The CRTC goes black where a buffer of the output is on it.
func (o *output) close(c card) {
	for _, b := range append([]*buffer{o.black}, append(o.canvas[:], o.boards[:]...)...) {
		if b != nil {
			b.free(c)
		}
	}
	_ = c.DestroyBlob(o.blob) // in force or not, the kernel keeps what it needs
}

// leave has the kernel keep on the screen what is there when its framebuffers are given back. One that cannot shows black.
func (o *output) leave(c card, p *picture) {
	layers := []layer{{buffer: o.black}}
	if p != nil {
		layers = p.layers
	}
	for _, l := range layers {
		_ = c.LeaveFramebuffer(l.buffer.id)
	}
}
