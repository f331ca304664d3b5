package dlna

import (
	"context"
	"fmt"
	"math"
	"strings"
	"time"

	"manofwar/internal/upnpav"
)

// playback is what a device says that it does.
type playback struct {
	state    string // AVTransport:1, section 2.2.1: "PLAYING", "PAUSED_PLAYBACK", "STOPPED", "TRANSITIONING", "NO_MEDIA_PRESENT"
	failed   bool
	uri      string
	at       time.Duration
	duration time.Duration // 0: it does not say
}

// SetURI says what to play.
func (c *upnp) SetURI(ctx context.Context, uri, meta string) error {
	return c.transport.SetAVTransportURICtx(ctx, 0, uri, meta)
}

// SetNext says what to play after that; nothing if uri is empty.
func (c *upnp) SetNext(ctx context.Context, uri, meta string) error {
	return c.transport.SetNextAVTransportURICtx(ctx, 0, uri, meta)
}

// Play begins, or goes on.
func (c *upnp) Play(ctx context.Context) error { return c.transport.PlayCtx(ctx, 0, "1") }

// Pause waits.
func (c *upnp) Pause(ctx context.Context) error { return c.transport.PauseCtx(ctx, 0) }

// Stop ends it.
func (c *upnp) Stop(ctx context.Context) error { return c.transport.StopCtx(ctx, 0) }

// Seek goes to a place.
func (c *upnp) Seek(ctx context.Context, to time.Duration) error {
	return c.transport.SeekCtx(ctx, 0, "REL_TIME", formatTime(to))
}

// Playback asks what it does.
func (c *upnp) Playback(ctx context.Context) (p playback, err error) {
	state, status, _, err := c.transport.GetTransportInfoCtx(ctx, 0)
	if err != nil {
		return p, err
	}
	_, duration, _, uri, at, _, _, _, err := c.transport.GetPositionInfoCtx(ctx, 0)
	if err != nil {
		return p, err
	}
	p = playback{state: strings.ToUpper(state), failed: strings.EqualFold(status, "ERROR_OCCURRED"), uri: uri}
	p.at, _ = upnpav.ParseTime(at) // "NOT_IMPLEMENTED" of who does not know
	p.duration, _ = upnpav.ParseTime(duration)
	return p, nil
}

// Volume asks how loud it is, 0 to 100.
func (c *upnp) Volume(ctx context.Context) (volume int, muted bool, err error) {
	v, err := c.rendering.GetVolumeCtx(ctx, 0, "Master")
	if err != nil {
		return 0, false, err
	}
	muted, err = c.rendering.GetMuteCtx(ctx, 0, "Master")
	if err != nil {
		muted = false // it is an option (RenderingControl:1, section 2.4)
	}
	return min(100, int(math.Round(float64(v)*100/float64(c.loudest)))), muted, nil
}

// SetVolume sets it.
func (c *upnp) SetVolume(ctx context.Context, volume int) error {
	v := uint16(math.Round(float64(volume) * float64(c.loudest) / 100))
	return c.rendering.SetVolumeCtx(ctx, 0, "Master", v)
}

// SetMute silences it, or no longer.
func (c *upnp) SetMute(ctx context.Context, muted bool) error {
	return c.rendering.SetMuteCtx(ctx, 0, "Master", muted)
}

// Takes, CanNext and HasVolume say what it can.
func (c *upnp) Takes() []string { return c.sink }
func (c *upnp) CanNext() bool   { return c.canNext }
func (c *upnp) HasVolume() bool { return c.rendering != nil }

// formatTime writes a time as AVTransport:1, section 2.2.13 has it, without the fraction: it is an option that devices
// stumble over.
func formatTime(d time.Duration) string {
	s := int64(d.Round(time.Second) / time.Second)
	return fmt.Sprintf("%d:%02d:%02d", s/3600, s/60%60, s%60)
}
