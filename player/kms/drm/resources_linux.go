package drm

import (
	"fmt"
	"runtime"
)

// Object is a kind of thing that has properties (drm_mode.h, DRM_MODE_OBJECT_).
type Object uint32

// The kinds.
const (
	CRTC      Object = 0xcccccccc // what drives a screen
	Connector Object = 0xc0c0c0c0
	Plane     Object = 0xeeeeeeee // what puts a buffer on a CRTC
)

// Resources are what a card consists of, by ID. The index of a CRTC is its bit in masks of CRTCs.
type Resources struct {
	CRTCs, Connectors   []uint32
	MaxWidth, MaxHeight int // of a buffer
}

// Resources reads what the card has. Connectors may come and go.
func (c *Card) Resources() (Resources, error) {
	for {
		r, settled, err := c.readResources()
		if err != nil || settled {
			return r, err
		}
	}
}

// readResources asks twice: how much there is, and what. settled is false where there was more the second time.
func (c *Card) readResources() (r Resources, settled bool, err error) {
	var pin runtime.Pinner
	defer pin.Unpin()
	var count cardResources
	if err := do(c, getResources, &count); err != nil {
		return r, false, fmt.Errorf("resources: %w", err)
	}
	r.CRTCs, r.Connectors = make([]uint32, count.crtcCount), make([]uint32, count.connectorCount)
	list := cardResources{
		crtcs: pointer(&pin, r.CRTCs), connectors: pointer(&pin, r.Connectors),
		crtcCount: count.crtcCount, connectorCount: count.connectorCount,
	}
	if err := do(c, getResources, &list); err != nil {
		return r, false, fmt.Errorf("resources: %w", err)
	}
	r.MaxWidth, r.MaxHeight = int(list.maxWidth), int(list.maxHeight)
	return r, list.crtcCount <= count.crtcCount && list.connectorCount <= count.connectorCount, nil
}

// ConnectorInfo is a socket for a screen, and what is known of the screen in it.
type ConnectorInfo struct {
	ID        uint32
	Kind      uint32 // DRM_MODE_CONNECTOR_
	Name      string // such as "HDMI-A-1"
	Connected bool
	Encoder   uint32 // in use; 0: none
	Encoders  []uint32
	Modes     []ModeInfo // the best first
}

// connected is the value of enum drm_connector_status. 3, unknown, is for connectors that cannot tell: nothing is shown
// there as long as another one says that it is connected.
const connected = 1

// ReadConnector reads a connector. With probe the kernel asks the screen for its modes, which takes some 100 ms on HDMI;
// without, it says what it knew last.
func (c *Card) ReadConnector(id uint32, probe bool) (ConnectorInfo, error) {
	count := modeConnector{id: id}
	if !probe {
		count.modeCount = 1 // 0 asks for a probe
	}
	for {
		k, next, err := c.readConnector(count)
		if err != nil {
			return k, fmt.Errorf("connector %d: %w", id, err)
		}
		if next == nil {
			return k, nil
		}
		count = *next
	}
}

// readConnector asks with room for as much as count says. next is what to ask with where there is more.
func (c *Card) readConnector(count modeConnector) (k ConnectorInfo, next *modeConnector, err error) {
	var pin runtime.Pinner
	defer pin.Unpin()
	modes, encoders := make([]ModeInfo, count.modeCount), make([]uint32, count.encoderCount)
	got := modeConnector{
		id: count.id, modeCount: count.modeCount, encoderCount: count.encoderCount,
		modes: pointer(&pin, modes), encoders: pointer(&pin, encoders),
	}
	if err := do(c, getConnector, &got); err != nil {
		return k, nil, err
	}
	if got.modeCount > count.modeCount || got.encoderCount > count.encoderCount {
		got.modeCount = max(got.modeCount, 1) // without a second probe
		return k, &got, nil
	}
	return ConnectorInfo{
		ID: got.id, Kind: got.kind, Name: connectorName(got.kind, got.number), Connected: got.connection == connected,
		Encoder: got.encoder, Encoders: encoders[:got.encoderCount], Modes: modes[:got.modeCount],
	}, nil, nil
}

// ReadEncoder returns the CRTC that the encoder serves now, 0 for none, and the mask of those that it could.
func (c *Card) ReadEncoder(id uint32) (crtc, possible uint32, err error) {
	e := modeEncoder{id: id}
	if err := do(c, getEncoder, &e); err != nil {
		return 0, 0, fmt.Errorf("encoder %d: %w", id, err)
	}
	return e.crtc, e.possibleCRTCs, nil
}

// HasVBlank tells whether the card counts a CRTC's vertical blanks. On one that does not, commits are said to be on the
// screen at once. The CRTC must be active.
func (c *Card) HasVBlank(crtc uint32) bool {
	return do(c, getSequence, &crtcSequence{crtc: crtc}) == nil
}

// PlaneInfo is a plane.
type PlaneInfo struct {
	ID         uint32
	CRTC       uint32   // it is on; 0: none
	CRTCs      uint32   // mask of those that it could be on
	Formats    []uint32 // that it takes line by line
	Properties Properties
}

// Planes reads all planes with their properties.
func (c *Card) Planes() ([]PlaneInfo, error) {
	ids, err := c.planeIDs()
	if err != nil {
		return nil, fmt.Errorf("planes: %w", err)
	}
	planes := make([]PlaneInfo, len(ids))
	for i, id := range ids {
		if planes[i], err = c.readPlane(id); err != nil {
			return nil, fmt.Errorf("plane %d: %w", id, err)
		}
	}
	return planes, nil
}

func (c *Card) planeIDs() ([]uint32, error) {
	var pin runtime.Pinner
	defer pin.Unpin()
	var r planeResources
	if err := do(c, getPlanes, &r); err != nil {
		return nil, err
	}
	ids := make([]uint32, r.count)
	r.planes = pointer(&pin, ids)
	err := do(c, getPlanes, &r)
	return ids[:min(int(r.count), len(ids))], err
}

func (c *Card) readPlane(id uint32) (PlaneInfo, error) {
	var pin runtime.Pinner
	defer pin.Unpin()
	p := modePlane{id: id}
	if err := do(c, getPlane, &p); err != nil {
		return PlaneInfo{}, err
	}
	formats := make([]uint32, p.formatCount)
	p.formats = pointer(&pin, formats)
	if err := do(c, getPlane, &p); err != nil {
		return PlaneInfo{}, err
	}
	properties, err := c.ReadProperties(id, Plane)
	if err != nil {
		return PlaneInfo{}, err
	}
	info := PlaneInfo{ID: id, CRTC: p.crtc, CRTCs: p.possibleCRTCs, Formats: formats, Properties: properties}
	if in, ok := properties["IN_FORMATS"]; ok && in.Value != 0 { // without it, all formats are line by line
		blob, err := c.Blob(uint32(in.Value))
		if err != nil {
			return PlaneInfo{}, err
		}
		if linear, ok := parseFormats(blob); ok {
			info.Formats = linear
		}
	}
	return info, nil
}
