package kms

import (
	"fmt"
	"image"
	"maps"
	"os"
	"slices"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"manofwar/player"
	"manofwar/player/kms/drm"
)

// hardware says what a simulated card can do.
type hardware struct {
	name   string
	planes []simulatedPlane
	vblank bool
}

// simulatedPlane is a plane, in the order of depth.
type simulatedPlane struct {
	kind    uint64
	formats []uint32
	covers  bool // it has to cover the screen
	fixed   bool // it does not scale
	colours bool // it has properties for them
}

var (
	rgb     = []uint32{uint32(player.XRGB8888), drm.ARGB8888}
	opaques = []uint32{uint32(player.XRGB8888)}
	all     = []uint32{uint32(player.XRGB8888), drm.ARGB8888, uint32(player.YUV420), uint32(player.NV12)}

	// broadcom is the Raspberry Pi's vc4: every plane does everything.
	broadcom = hardware{"planes that do everything", []simulatedPlane{
		{typePrimary, all, false, false, true},
		{typeOverlay, all, false, false, true},
		{typeOverlay, all, false, false, true},
		{typeCursor, rgb, false, true, false},
	}, true}
	// covered is like many cards of computers: the lowest plane has to cover the screen and does not scale.
	covered = hardware{"a floor and planes above", []simulatedPlane{
		{typePrimary, rgb, true, true, false},
		{typeOverlay, all, false, false, true},
		{typeOverlay, rgb, false, true, false},
		{typeCursor, rgb, false, true, false},
	}, true}
	// uncovered takes video, but has nothing that could lie over it.
	uncovered = hardware{"nothing lies over video", []simulatedPlane{
		{typePrimary, opaques, true, true, false},
		{typeOverlay, all, false, false, true},
	}, true}
	// menu has a plane for what lies over pictures of the screen's size, and no other.
	menu = hardware{"one plane above", []simulatedPlane{
		{typePrimary, opaques, true, true, false},
		{typeOverlay, rgb, false, true, false},
	}, true}
	// virtual is virtio-gpu.
	virtual = hardware{"one plane", []simulatedPlane{
		{typePrimary, opaques, true, true, false},
		{typeCursor, []uint32{drm.ARGB8888}, false, true, false},
	}, false}

	everyHardware = []hardware{broadcom, covered, uncovered, menu, virtual}
)

// IDs of what the simulated card consists of.
const (
	simulatedCRTC      = 40
	simulatedConnector = 50
	simulatedEncoder   = 51
	simulatedPlanes    = 60
)

// simulatedNames are those of all properties; a property's ID is its index, and 100.
var simulatedNames = []string{
	propertyCRTC, propertyFB, propertyMode, propertyActive, propertyZ, propertyType, propertyEncoding, propertyRange, propertyBlend, "EDID", "link-status",
	"SRC_X", "SRC_Y", "SRC_W", "SRC_H", "CRTC_X", "CRTC_Y", "CRTC_W", "CRTC_H",
}

func idOf(name string) uint32 { return uint32(100 + slices.Index(simulatedNames, name)) }

// setting is a property of an object.
type setting struct{ object, property uint32 }

// simulated is a card without hardware. It refuses what its hardware could not do, and knows what would be on the screen.
type simulated struct {
	hardware
	origin time.Time

	mu        sync.Mutex // guards all below
	connected bool
	modes     []drm.ModeInfo
	state     map[setting]uint64
	next      uint32 // ID or handle
	modeBlobs map[uint32]drm.ModeInfo
	memories  map[uint32]*drm.Memory
	buffers   map[uint32]drm.Framebuffer
	imports   map[uint32]bool
	flips     []drm.Flip
	fail      func(flags uint32) error // asked before each commit; nil: nothing fails
	gone      bool
	closed    bool
	commits   int // that were no test
}

func newSimulated(h hardware) *simulated {
	return &simulated{
		hardware: h, origin: time.Now(), connected: true, state: make(map[setting]uint64), next: 1000,
		modeBlobs: make(map[uint32]drm.ModeInfo), memories: make(map[uint32]*drm.Memory), buffers: make(map[uint32]drm.Framebuffer),
		imports: make(map[uint32]bool),
		modes: []drm.ModeInfo{
			timing(320, 180, 60, 1<<3), timing(192, 108, 50, 0), timing(192, 108, 60, 0), timing(160, 120, 60, 0),
		},
	}
}

// timing makes a mode with a tenth of blanking.
func timing(width, height, hz int, kind uint32) drm.ModeInfo {
	w, h := width*11/10, height*11/10
	return drm.ModeInfo{
		Clock: uint32(w * h * hz / 1000), HDisplay: uint16(width), VDisplay: uint16(height), HTotal: uint16(w), VTotal: uint16(h), Type: kind,
	}
}

func (c *simulated) id() uint32 {
	c.next++
	return c.next
}

// alive is the error of every call once the card is gone.
func (c *simulated) alive() error {
	if c.gone || c.closed {
		return unix.ENODEV
	}
	return nil
}

func (c *simulated) Resources() (drm.Resources, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return drm.Resources{CRTCs: []uint32{simulatedCRTC}, Connectors: []uint32{simulatedConnector}}, c.alive()
}

func (c *simulated) ReadConnector(uint32, bool) (drm.ConnectorInfo, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return drm.ConnectorInfo{
		ID: simulatedConnector, Kind: 11, Name: "HDMI-A-1", Connected: c.connected, Encoders: []uint32{simulatedEncoder}, Modes: slices.Clone(c.modes),
	}, c.alive()
}

func (c *simulated) ReadEncoder(uint32) (crtc, possible uint32, err error) { return 0, 1, nil }

func (c *simulated) ReadProperties(object uint32, _ drm.Object) (drm.Properties, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	all := make(drm.Properties)
	for _, name := range simulatedNames {
		all[name] = drm.Property{ID: idOf(name), Value: c.state[setting{object, idOf(name)}]}
	}
	return all, c.alive()
}

func (c *simulated) Planes() (list []drm.PlaneInfo, err error) {
	for i, p := range c.planes {
		properties, err := c.ReadProperties(simulatedPlanes+uint32(i), drm.Plane)
		if err != nil {
			return nil, err
		}
		properties[propertyType] = drm.Property{ID: idOf(propertyType), Value: p.kind, Immutable: true}
		properties[propertyZ] = drm.Property{ID: idOf(propertyZ), Value: uint64(i), Immutable: true}
		if p.colours {
			properties[propertyEncoding] = drm.Property{ID: idOf(propertyEncoding), Enum: map[string]uint64{encoding601: 1, encoding709: 2}}
			properties[propertyBlend] = drm.Property{ID: idOf(propertyBlend), Enum: map[string]uint64{premultiplied: 4, "Coverage": 0}}
			properties[propertyRange] = drm.Property{ID: idOf(propertyRange), Enum: map[string]uint64{rangeLimited: 3}}
		}
		list = append(list, drm.PlaneInfo{ID: simulatedPlanes + uint32(i), CRTCs: 1, Formats: p.formats, Properties: properties})
	}
	slices.Reverse(list) // the kernel's order is no order of depth
	return list, nil
}

func (c *simulated) Blob(uint32) ([]byte, error) { return nil, unix.ENOENT }

func (c *simulated) HasVBlank(uint32) bool { return c.vblank }

func (c *simulated) Allocate(width, height, bits int) (*drm.Memory, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := c.alive(); err != nil {
		return nil, err
	}
	m := &drm.Memory{Handle: c.id(), Pitch: width * bits / 8}
	m.Data = make([]byte, m.Pitch*height)
	c.memories[m.Handle] = m
	return m, nil
}

func (c *simulated) Free(m *drm.Memory) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.memories[m.Handle] == nil {
		return fmt.Errorf("memory %d: %w", m.Handle, unix.ENOENT)
	}
	delete(c.memories, m.Handle)
	m.Data = nil
	return nil
}

func (c *simulated) AddFramebuffer(f drm.Framebuffer) (uint32, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for i, p := range f.Planes {
		lines := f.Height / shapes[player.Format(f.Format)].planes[i].high
		if m := c.memories[p.Handle]; !c.imports[p.Handle] && (m == nil || p.Offset+p.Pitch*(lines-1)+1 > len(m.Data)) {
			return 0, unix.EINVAL
		}
	}
	id := c.id()
	c.buffers[id] = f
	return id, c.alive()
}

func (c *simulated) RemoveFramebuffer(id uint32) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, ok := c.buffers[id]; !ok {
		return unix.ENOENT
	}
	delete(c.buffers, id)
	return nil
}

func (c *simulated) LeaveFramebuffer(uint32) error { return unix.EINVAL }

func (c *simulated) ImportObject(file uintptr) (uint32, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	handle := uint32(10_000 + file)
	c.imports[handle] = true
	return handle, c.alive()
}

func (c *simulated) CloseObject(handle uint32) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.imports[handle] {
		return unix.EINVAL
	}
	delete(c.imports, handle)
	return nil
}

func (c *simulated) ModeBlob(m drm.ModeInfo) (uint32, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	id := c.id()
	c.modeBlobs[id] = m
	return id, c.alive()
}

func (c *simulated) DestroyBlob(id uint32) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.modeBlobs, id)
	return nil
}

func (c *simulated) DropMaster() error { return nil }

func (c *simulated) Close() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.closed = true
	return nil
}

func (c *simulated) Commit(t *drm.Commit, flags uint32, number uint64) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := c.alive(); err != nil {
		return err
	}
	if c.fail != nil {
		if err := c.fail(flags); err != nil {
			return err
		}
	}
	state := maps.Clone(c.state)
	t.All(func(object, property uint32, value uint64) { state[setting{object, property}] = value })
	if flags&drm.AllowModeset == 0 && state[setting{simulatedCRTC, idOf(propertyMode)}] != c.state[setting{simulatedCRTC, idOf(propertyMode)}] {
		return unix.EINVAL
	}
	for i := range c.planes {
		if err := c.check(state, i); err != nil {
			return err
		}
	}
	if flags&drm.TestOnly != 0 {
		return nil
	}
	c.state = state
	c.commits++
	if flags&drm.WithFlip != 0 {
		var now unix.Timespec
		_ = unix.ClockGettime(unix.CLOCK_MONOTONIC, &now)
		c.flips = append(c.flips, drm.Flip{User: number, At: time.Duration(now.Nano()) + c.untilBlank(), CRTC: simulatedCRTC})
	}
	return nil
}

// untilBlank returns how long it is to the next vertical blank.
func (c *simulated) untilBlank() time.Duration {
	if !c.vblank {
		return 0
	}
	mode := c.modeBlobs[uint32(c.state[setting{simulatedCRTC, idOf(propertyMode)}])]
	period := time.Duration(float64(time.Second) / mode.Refresh())
	return period - time.Since(c.origin)%period
}

func (c *simulated) Flips(deadline time.Time) ([]drm.Flip, error) {
	for {
		var now unix.Timespec
		_ = unix.ClockGettime(unix.CLOCK_MONOTONIC, &now)
		c.mu.Lock()
		if len(c.flips) > 0 && c.flips[0].At <= time.Duration(now.Nano()) {
			flips := c.flips[:1]
			c.flips = c.flips[1:]
			c.mu.Unlock()
			return flips, nil
		}
		c.mu.Unlock()
		if time.Now().After(deadline) {
			return nil, os.ErrDeadlineExceeded
		}
		<-time.After(200 * time.Microsecond)
	}
}

// layout is what is on one plane.
type layout struct {
	plane    int
	id       uint32 // of the framebuffer
	buffer   drm.Framebuffer
	crop     image.Rectangle // in 65536ths of a pixel
	dst      image.Rectangle
	encoding uint64
	colours  uint64 // the property for their range
	blend    uint64
}

// layout returns what a state has on a plane; false: nothing.
func (c *simulated) layout(state map[setting]uint64, i int) (l layout, ok bool) {
	get := func(name string) int {
		return int(int32(uint32(state[setting{simulatedPlanes + uint32(i), idOf(name)}])))
	}
	at := func(x, y, w, h int) image.Rectangle { return image.Rect(x, y, x+w, y+h) }
	l = layout{
		plane: i, id: uint32(get(propertyFB)), encoding: uint64(get(propertyEncoding)), colours: uint64(get(propertyRange)),
		blend: uint64(get(propertyBlend)),
		crop:  at(get("SRC_X"), get("SRC_Y"), get("SRC_W"), get("SRC_H")),
		dst:   at(get("CRTC_X"), get("CRTC_Y"), get("CRTC_W"), get("CRTC_H")),
	}
	l.buffer = c.buffers[l.id]
	return l, l.id != 0
}

// size returns the size of the mode in force.
func (c *simulated) size(state map[setting]uint64) image.Rectangle {
	m := c.modeBlobs[uint32(state[setting{simulatedCRTC, idOf(propertyMode)}])]
	return image.Rect(0, 0, int(m.HDisplay), int(m.VDisplay))
}

// check says whether the hardware could do what a state has on a plane.
func (c *simulated) check(state map[setting]uint64, i int) error {
	l, ok := c.layout(state, i)
	if !ok {
		return nil
	}
	p, screen := c.planes[i], c.size(state)
	whole := image.Rect(0, 0, l.buffer.Width<<16, l.buffer.Height<<16)
	same := l.crop.Dx()>>16 == l.dst.Dx() && l.crop.Dy()>>16 == l.dst.Dy()
	if l.buffer.Format == 0 || !slices.Contains(p.formats, l.buffer.Format) || l.crop.Empty() || !l.crop.In(whole) ||
		p.fixed && !same || p.covers && l.dst != screen || l.dst.Intersect(screen).Empty() ||
		state[setting{simulatedPlanes + uint32(i), idOf(propertyCRTC)}] != simulatedCRTC {
		return unix.EINVAL
	}
	return nil
}

// layouts returns what is on the planes.
func (c *simulated) layouts() (list []layout) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for i := range c.planes {
		if l, ok := c.layout(c.state, i); ok {
			list = append(list, l)
		}
	}
	return list
}

// picture returns what would be seen, of layers in RGB that are not scaled.
func (c *simulated) picture() *image.RGBA {
	layers := c.layouts()
	c.mu.Lock()
	defer c.mu.Unlock()
	screen := c.size(c.state)
	img := image.NewRGBA(screen)
	for i := 3; i < len(img.Pix); i += 4 {
		img.Pix[i] = 255
	}
	for _, l := range layers {
		plane := l.buffer.Planes[0]
		memory := c.memories[plane.Handle]
		visible := l.dst.Intersect(screen)
		for y := visible.Min.Y; y < visible.Max.Y; y++ {
			for x := visible.Min.X; x < visible.Max.X; x++ {
				from := memory.Data[plane.Offset+(y-l.dst.Min.Y+l.crop.Min.Y>>16)*plane.Pitch+4*(x-l.dst.Min.X+l.crop.Min.X>>16):][:4]
				pixel := [4]byte{from[0], from[1], from[2], 255}
				if l.buffer.Format == drm.ARGB8888 {
					pixel[3] = from[3]
				}
				to := img.Pix[img.PixOffset(x, y):][:4]
				under := [4]byte{to[2], to[1], to[0], 0}
				lay(under[:], pixel[:])
				to[0], to[1], to[2] = under[2], under[1], under[0]
			}
		}
	}
	return img
}

// leaks returns how much has been made and not given back.
func (c *simulated) leaks() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.buffers)+len(c.memories)+len(c.modeBlobs)+len(c.imports) == 0 {
		return ""
	}
	return fmt.Sprintf("%d framebuffers, %d memories, %d modes, %d imports", len(c.buffers), len(c.memories), len(c.modeBlobs), len(c.imports))
}
