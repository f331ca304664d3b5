package mpd

import (
	"context"
	"errors"
	"math"
	"strconv"
	"time"

	"manofwar/internal/media"
	castapi "manofwar/services/cast/api"
)

// play goes on, or begins what its argument names.
func (c *client) play(ctx context.Context, args []string) error {
	return c.begin(ctx, args, (*entries).place)
}

func (c *client) playID(ctx context.Context, args []string) error {
	return c.begin(ctx, args, (*entries).byID)
}

func (c *client) begin(ctx context.Context, args []string, find func(*entries, string) (int, error)) error {
	h := c.server.house
	s, q, err := h.read(ctx)
	if err != nil {
		return err
	}
	if len(q.ids) == 0 && (len(args) == 0 || args[0] == "-1") {
		return nil // as MPD does
	}
	do := castapi.Control{Do: "play"}
	if len(args) > 0 && args[0] != "-1" {
		i, err := find(q, args[0])
		if err != nil {
			return err
		}
		do = castapi.Control{Do: "jump", Key: q.keys[i]}
	}
	h.clear(s)
	return h.control(ctx, do)
}

func (c *client) pause(ctx context.Context, args []string) error {
	h := c.server.house
	s, ok, err := h.now(ctx)
	if err != nil || !ok || s.State == castapi.Stopped {
		return err
	}
	do := "toggle"
	if len(args) > 0 {
		on, err := parseFlag(args[0])
		if err != nil {
			return err
		}
		if do = "play"; on {
			do = "pause"
		}
	}
	return h.control(ctx, castapi.Control{Do: do})
}

func (c *client) stop(ctx context.Context, _ []string) error {
	err := c.server.house.control(ctx, castapi.Control{Do: "stop"})
	if errors.Is(err, errNotPlaying) {
		return nil
	}
	return err
}

func (c *client) next(ctx context.Context, _ []string) error {
	if _, err := c.playing(ctx); err != nil {
		return err
	}
	return c.server.house.control(ctx, castapi.Control{Do: "next"})
}

// previous goes back by one, however far the song is: cast begins it anew where it has played for a while.
func (c *client) previous(ctx context.Context, _ []string) error {
	s, err := c.playing(ctx)
	if err != nil {
		return err
	}
	if s.Index > 0 {
		to := media.Duration(0)
		if err := c.server.house.control(ctx, castapi.Control{Do: "seek", To: &to}); err != nil {
			return err
		}
	}
	return c.server.house.control(ctx, castapi.Control{Do: "previous"})
}

// playing returns the session, which must not have stopped.
func (c *client) playing(ctx context.Context) (castapi.Session, error) {
	s, ok, err := c.server.house.now(ctx)
	if err == nil && (!ok || s.State == castapi.Stopped) {
		err = errNotPlaying
	}
	return s, err
}

func (c *client) seek(ctx context.Context, args []string) error {
	return c.seekIn(ctx, args, (*entries).place)
}

func (c *client) seekID(ctx context.Context, args []string) error {
	return c.seekIn(ctx, args, (*entries).byID)
}

// seekIn goes to a time in an entry, which plays if it is another than did.
func (c *client) seekIn(ctx context.Context, args []string, find func(*entries, string) (int, error)) error {
	to, err := parseSeconds(args[1])
	if err == nil && to < 0 {
		err = errArgument("a number of seconds", args[1])
	}
	if err != nil {
		return err
	}
	h := c.server.house
	s, q, err := h.read(ctx)
	if err != nil {
		return err
	}
	i, err := find(q, args[0])
	if err != nil {
		return err
	}
	if s.State == castapi.Stopped || s.Entry == nil || s.Entry.Key != q.keys[i] {
		if err := h.control(ctx, castapi.Control{Do: "jump", Key: q.keys[i]}); err != nil {
			return err
		}
	}
	return h.control(ctx, castapi.Control{Do: "seek", To: &to})
}

// seekHere goes to a time in what plays, counted from where it is if it has a sign.
func (c *client) seekHere(ctx context.Context, args []string) error {
	arg := args[0]
	by := arg != "" && (arg[0] == '+' || arg[0] == '-')
	to, err := parseSeconds(arg)
	if err != nil {
		return err
	}
	if _, err := c.playing(ctx); err != nil {
		return err
	}
	do := castapi.Control{Do: "seek", To: &to}
	if by {
		do = castapi.Control{Do: "seek", By: to}
	}
	return c.server.house.control(ctx, do)
}

// maxSeconds is longer than anything that is played.
const maxSeconds = 1000 * 3600

// parseSeconds reads a time, with a sign where one is given.
func parseSeconds(arg string) (media.Duration, error) {
	f, err := strconv.ParseFloat(arg, 64)
	if err != nil || math.IsNaN(f) || math.Abs(f) > maxSeconds {
		return 0, errArgument("a number of seconds", arg)
	}
	return media.Duration(f * float64(time.Second)), nil
}

func parseFlag(arg string) (bool, error) {
	switch arg {
	case "0":
		return false, nil
	case "1":
		return true, nil
	}
	return false, errArgument("0 or 1", arg)
}
