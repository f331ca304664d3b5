package dlna

import (
	"context"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
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
	p.at, _ = parseTime(at) // "NOT_IMPLEMENTED" of who does not know
	p.duration, _ = parseTime(duration)
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

// parseTime reads one: hours, minutes, seconds, and a fraction in decimals or as "1/3".
func parseTime(s string) (time.Duration, error) {
	parts := strings.Split(strings.TrimSpace(s), ":")
	if len(parts) != 3 {
		return 0, fmt.Errorf("%.40q is no time", s)
	}
	h, err := strconv.ParseUint(parts[0], 10, 16)
	if err != nil {
		return 0, err
	}
	m, err := strconv.ParseUint(parts[1], 10, 8)
	if err != nil {
		return 0, err
	}
	whole, fraction, _ := strings.Cut(parts[2], ".")
	sec, err := strconv.ParseUint(whole, 10, 8)
	if err != nil {
		return 0, err
	}
	d := time.Duration(h)*time.Hour + time.Duration(m)*time.Minute + time.Duration(sec)*time.Second
	if num, den, ok := strings.Cut(fraction, "/"); ok {
		n, err1 := strconv.ParseUint(num, 10, 16)
		of, err2 := strconv.ParseUint(den, 10, 16)
		if err1 != nil || err2 != nil || n >= of {
			return 0, fmt.Errorf("%.40q is no time", s)
		}
		return d + time.Duration(n)*time.Second/time.Duration(of), nil
	}
	if fraction != "" {
		f, err := strconv.ParseFloat("0."+fraction, 64)
		if err != nil || !(f >= 0 && f < 1) {
			return 0, fmt.Errorf("%.40q is no time", s)
		}
		d += time.Duration(f * float64(time.Second))
	}
	return d, nil
}
