package mpd

import (
	"context"
	"fmt"
	"io"
	"slices"

	"manofwar/internal/media"
)

// subsystems is a set of what clients can be told of.
type subsystems uint

// The subsystems that have news here.
const (
	databaseNews subsystems = 1 << iota
	updateNews
	playlistNews
	playerNews
	mixerNews
	optionsNews
	outputNews
)

// subsystemNames are those of the subsystems above, and behind them those that never have news.
var subsystemNames = []string{
	"database", "update", "playlist", "player", "mixer", "options", "output",
	"stored_playlist", "partition", "sticker", "subscription", "message", "neighbor", "mount",
}

// idle waits for news, or for the client to say that it has something else to do.
func (c *client) idle(ctx context.Context, lines <-chan string, args []string) error {
	var wanted subsystems
	for _, name := range args {
		i := slices.Index(subsystemNames, name)
		if i < 0 {
			a := asAck(errArgument("a subsystem", name))
			c.text(a.line(0, "idle"))
			return a
		}
		wanted |= 1 << i
	}
	if len(args) == 0 {
		wanted = ^subsystems(0)
	}
	for {
		if c.tell(wanted) {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-c.wake:
		case line, ok := <-lines:
			if !ok {
				return io.EOF
			}
			if line == "noidle" {
				c.text("OK\n")
				return nil
			}
			return fmt.Errorf("%.40q while idle, when only noidle may be said: %w", line, media.ErrInvalid)
		}
	}
}

// tell says what has changed of the wanted, if anything has, and forgets it.
func (c *client) tell(wanted subsystems) bool {
	c.mu.Lock()
	news := c.news & wanted
	c.news &^= news
	c.mu.Unlock()
	if news == 0 {
		return false
	}
	for i, name := range subsystemNames {
		if news&(1<<i) != 0 {
			c.pair("changed", name)
		}
	}
	c.text("OK\n")
	return true
}

// changed notes what has, until the client asks.
func (c *client) changed(news subsystems) {
	c.mu.Lock()
	c.news |= news
	c.mu.Unlock()
	select {
	case c.wake <- struct{}{}:
	default: // it is awake
	}
}

// tell tells all clients.
func (s *Server) tell(news subsystems) {
	if news == 0 {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for c := range s.clients {
		c.changed(news)
	}
}
