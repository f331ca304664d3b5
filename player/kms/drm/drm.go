// Package drm speaks to the kernel's mode setting (DRM/KMS) by ioctls: cards, connectors, planes and their properties,
// buffers that a program draws into, atomic commits and the events that follow them.
//
// Every structure and number is from the kernel's include/uapi/drm/drm.h, drm_mode.h and drm_fourcc.h, and is named where
// it is declared. It decides nothing: which screen and which plane is package kms's. It leaves out legacy mode setting,
// cursors, gamma, leases, fences and everything of rendering.
package drm

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
	"time"
)

// Formats and modifiers of drm_fourcc.h, beyond those of package player.
const (
	ARGB8888 = 'A' | 'R'<<8 | '2'<<16 | '4'<<24

	ModifierLinear = 0 // DRM_FORMAT_MOD_LINEAR: line by line
)

// Flags of [ModeInfo] (drm_mode.h, DRM_MODE_FLAG_ and DRM_MODE_TYPE_).
const (
	flagInterlace  = 1 << 4
	flagDoubleScan = 1 << 5
	flag3D         = 0x1f << 14
	typePreferred  = 1 << 3
)

// ModeInfo is struct drm_mode_modeinfo: the timing of a mode, in pixels and lines. Clock is in kHz.
type ModeInfo struct {
	Clock                                         uint32
	HDisplay, HSyncStart, HSyncEnd, HTotal, HSkew uint16
	VDisplay, VSyncStart, VSyncEnd, VTotal, VScan uint16
	VRefresh                                      uint32 // rounded: it cannot tell 23.976 Hz from 24
	Flags, Type                                   uint32
	Name                                          [32]byte
}

// Refresh returns how often the screen is drawn, in Hz: for an interlaced mode how often a field is. The terms are those
// of the kernel's drm_mode_vrefresh, without its rounding.
func (m ModeInfo) Refresh() float64 {
	hz := float64(m.Clock) * 1000 / (float64(m.HTotal) * float64(m.VTotal))
	if m.Interlaced() {
		hz *= 2
	}
	if m.Flags&flagDoubleScan != 0 {
		hz /= 2
	}
	if m.VScan > 1 {
		hz /= float64(m.VScan)
	}
	if math.IsNaN(hz) || math.IsInf(hz, 0) { // the totals of a driver's mistake
		return 0
	}
	return hz
}

// Interlaced tells whether every other line is drawn at a time.
func (m ModeInfo) Interlaced() bool { return m.Flags&flagInterlace != 0 }

// Stereo tells whether the mode is one of two pictures.
func (m ModeInfo) Stereo() bool { return m.Flags&flag3D != 0 }

// Preferred tells whether the screen says that the mode suits it best.
func (m ModeInfo) Preferred() bool { return m.Type&typePreferred != 0 }

// String describes the mode as in "1920x1080i@59.94".
func (m ModeInfo) String() string {
	scan := ""
	if m.Interlaced() {
		scan = "i"
	}
	return fmt.Sprintf("%dx%d%s@%.3f", m.HDisplay, m.VDisplay, scan, m.Refresh())
}

// connectorNames are the kernel's names of the types of connectors (drivers/gpu/drm/drm_connector.c), by DRM_MODE_CONNECTOR_.
var connectorNames = []string{
	"Unknown", "VGA", "DVI-I", "DVI-D", "DVI-A", "Composite", "SVIDEO", "LVDS", "Component", "DIN", "DP",
	"HDMI-A", "HDMI-B", "TV", "eDP", "Virtual", "DSI", "DPI", "Writeback", "SPI", "USB",
}

// Writeback is the type of a connector that leads into memory.
const Writeback = 18

// connectorName returns what the kernel calls a connector, such as "HDMI-A-1".
func connectorName(kind, number uint32) string {
	name := connectorNames[0]
	if int(kind) < len(connectorNames) {
		name = connectorNames[kind]
	}
	return fmt.Sprintf("%s-%d", name, number)
}

// Flip is the news that a commit is on the screen (struct drm_event_vblank of type DRM_EVENT_FLIP_COMPLETE).
type Flip struct {
	User uint64        // the commit's own number
	At   time.Duration // on CLOCK_MONOTONIC
	CRTC uint32
}

// Types and sizes of events (drm.h).
const (
	eventFlipComplete = 2
	eventHeader       = 8  // struct drm_event
	eventVBlank       = 32 // struct drm_event_vblank
)

// parseFlips reads what read(2) on a card returned: events one after the other, each with its length. Other kinds are
// passed over; what is cut off is ignored.
func parseFlips(b []byte) (flips []Flip) {
	order := binary.LittleEndian
	for len(b) >= eventHeader {
		length := int(order.Uint32(b[4:]))
		if length < eventHeader || length > len(b) {
			return flips
		}
		if order.Uint32(b) == eventFlipComplete && length >= eventVBlank {
			at := time.Duration(order.Uint32(b[16:]))*time.Second + time.Duration(order.Uint32(b[20:]))*time.Microsecond
			flips = append(flips, Flip{User: order.Uint64(b[8:]), At: at, CRTC: order.Uint32(b[28:])})
		}
		b = b[length:]
	}
	return flips
}

// parseFormats reads a plane's property IN_FORMATS (struct drm_format_modifier_blob) and returns the formats that it
// takes line by line. ok is false where the blob is not of the version that is known.
func parseFormats(b []byte) (linear []uint32, ok bool) {
	const header, entry = 24, 24 // struct drm_format_modifier_blob, struct drm_format_modifier
	order := binary.LittleEndian
	if len(b) < header || order.Uint32(b) != 1 {
		return nil, false
	}
	formats, ok := array(b, order.Uint32(b[12:]), order.Uint32(b[8:]), 4)
	if !ok {
		return nil, false
	}
	modifiers, ok := array(b, order.Uint32(b[20:]), order.Uint32(b[16:]), entry)
	if !ok {
		return nil, false
	}
	for ; len(modifiers) > 0; modifiers = modifiers[entry:] {
		if order.Uint64(modifiers[16:]) != ModifierLinear {
			continue
		}
		mask, first := order.Uint64(modifiers), uint64(order.Uint32(modifiers[8:]))
		for bit := range uint64(64) {
			if i := first + bit; mask&(1<<bit) != 0 && i < uint64(len(formats)/4) {
				linear = append(linear, order.Uint32(formats[4*i:]))
			}
		}
	}
	return linear, true
}

// array returns count elements of size bytes at offset of b.
func array(b []byte, offset, count uint32, size uint64) ([]byte, bool) {
	end := uint64(offset) + uint64(count)*size
	if end > uint64(len(b)) {
		return nil, false
	}
	return b[offset:end], true
}

// text returns a string that the kernel ended with a zero byte.
func text(b []byte) string {
	if i := bytes.IndexByte(b, 0); i >= 0 {
		b = b[:i]
	}
	return string(b)
}
