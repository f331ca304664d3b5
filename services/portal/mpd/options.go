package mpd

import (
	"context"
	"strconv"

	castapi "manofwar/services/cast/api"
)

// modes are MPD's words for what follows an entry. Cast has fewer: it repeats one entry or all, and stops once after an
// entry. Single without repeat is that: it holds for one entry.
type modes struct {
	repeat bool
	single string // "0", "1", "oneshot"
}

func modesOf(s castapi.Session) modes {
	m := modes{repeat: s.Repeat != castapi.RepeatOff, single: "0"}
	if s.Repeat == castapi.RepeatOne {
		m.single = "1"
	}
	if s.SleepEnd {
		m.single = "oneshot"
	}
	return m
}

// change returns what makes a session follow the modes.
func (m modes) change() castapi.Change {
	repeat, end := castapi.RepeatOff, m.single == "oneshot" || m.single == "1" && !m.repeat
	if m.repeat {
		repeat = castapi.RepeatAll
	}
	if m.repeat && m.single == "1" {
		repeat = castapi.RepeatOne
	}
	return castapi.Change{Repeat: &repeat, SleepEnd: &end}
}

func (c *client) repeat(ctx context.Context, args []string) error {
	on, err := parseFlag(args[0])
	if err != nil {
		return err
	}
	return c.server.house.change(ctx, func(s castapi.Session) (castapi.Change, error) {
		m := modesOf(s)
		m.repeat = on
		return m.change(), nil
	})
}

func (c *client) single(ctx context.Context, args []string) error {
	if args[0] != "0" && args[0] != "1" && args[0] != "oneshot" {
		return errArgument("0, 1 or oneshot", args[0])
	}
	return c.server.house.change(ctx, func(s castapi.Session) (castapi.Change, error) {
		m := modesOf(s)
		m.single = args[0]
		return m.change(), nil
	})
}

// random shuffles the queue, or puts it back in the order in which it was filled. Clients see the order that plays.
func (c *client) random(ctx context.Context, args []string) error {
	on, err := parseFlag(args[0])
	if err != nil {
		return err
	}
	return c.server.house.change(ctx, func(castapi.Session) (castapi.Change, error) {
		return castapi.Change{Shuffle: &on}, nil
	})
}

// consume can be off only.
func (c *client) consume(_ context.Context, args []string) error {
	on, err := parseFlag(args[0])
	if err == nil && on {
		err = fail(codeUnknown, "entries stay in the queue here: consume cannot be turned on")
	}
	return err
}

func (c *client) setVolume(ctx context.Context, args []string) error {
	n, err := strconv.Atoi(args[0])
	if err != nil || n < 0 || n > 100 {
		return errArgument("a volume from 0 to 100", args[0])
	}
	return c.toVolume(ctx, func(castapi.Session) int { return n })
}

// changeVolume is told by how much.
func (c *client) changeVolume(ctx context.Context, args []string) error {
	by, err := strconv.Atoi(args[0])
	if err != nil || by < -100 || by > 100 {
		return errArgument("a change from -100 to 100", args[0])
	}
	return c.toVolume(ctx, func(s castapi.Session) int { return min(max(s.Volume+by, 0), 100) })
}

// toVolume sets the volume, and has the sound on if that is not 0.
func (c *client) toVolume(ctx context.Context, volume func(castapi.Session) int) error {
	h := c.server.house
	return h.change(ctx, func(s castapi.Session) (castapi.Change, error) {
		all, err := h.cast.Renderers(ctx)
		if err != nil {
			return castapi.Change{}, err
		}
		for _, r := range all.Renderers {
			if r.ID == s.Renderer && !r.Volume {
				return castapi.Change{}, fail(codeSystem, "problems setting volume: %s has none that can be set from here", r.Name)
			}
		}
		n, muted := volume(s), false
		return castapi.Change{Volume: &n, Muted: &muted}, nil
	})
}

func (c *client) volume(ctx context.Context, _ []string) error {
	s, ok, err := c.server.house.now(ctx)
	if err == nil && ok {
		c.number("volume", heard(s))
	}
	return err
}

// heard is the volume at which a session is.
func heard(s castapi.Session) int {
	if s.Muted {
		return 0
	}
	return s.Volume
}

// replayGain tells what the owner has chosen.
func (c *client) replayGain(ctx context.Context, _ []string) error {
	s, err := c.server.opts.Player.Status(ctx)
	if err != nil {
		return err
	}
	mode := s.Settings.ReplayGain
	if mode == "" {
		mode = "off"
	}
	c.pair("replay_gain_mode", mode)
	return nil
}
