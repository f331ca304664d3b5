package nl80211

import (
	"context"

	"golang.org/x/sys/unix"

	"manofwar/netmgr/ieee80211"
)

// RegisterFrame asks for received management frames of a kind whose bodies begin with match. They come as [FrameReceived], to
// one connection only: the error wraps [unix.EALREADY] where somebody else has asked. The registration ends with the connection, or with the
// interface.
func (c *Conn) RegisterFrame(ctx context.Context, index int, kind ieee80211.Kind, match []byte) error {
	a := on(index)
	a.u16(unix.NL80211_ATTR_FRAME_TYPE, uint16(kind))
	a.bytes(unix.NL80211_ATTR_FRAME_MATCH, match)
	return c.do(ctx, "register for frames", unix.NL80211_CMD_REGISTER_FRAME, a)
}

// RegisterStrays asks an access point for [Stray]s.
func (c *Conn) RegisterStrays(ctx context.Context, index int) error {
	return c.do(ctx, "register for stray frames", unix.NL80211_CMD_UNEXPECTED_FRAME, on(index))
}

// Frame is a management frame to send.
type Frame struct {
	Index, MHz int
	Confirm    bool // what became of it is told by a [FrameSent]
	Frame      ieee80211.Frame
}

// SendFrame sends it, encrypted where its kind and its receiver ask for that.
func (c *Conn) SendFrame(ctx context.Context, f Frame) error {
	a := on(f.Index)
	a.u32(unix.NL80211_ATTR_WIPHY_FREQ, uint32(f.MHz))
	a.bytes(unix.NL80211_ATTR_FRAME, f.Frame.Append(nil))
	if !f.Confirm {
		a.flag(unix.NL80211_ATTR_DONT_WAIT_FOR_ACK)
	}
	return c.do(ctx, "send frame", unix.NL80211_CMD_FRAME, a)
}
