package api

import (
	"context"
	"iter"

	"manofwar/internal/ipc"
)

// Client calls the player. The errors of its commands are those of package media, and [media.ErrBusy] never: a command
// replaces what an earlier one began.
type Client struct{ ipc *ipc.Client }

// NewClient returns a client of the player whose socket is in runDir.
func NewClient(runDir string) *Client { return &Client{ipc.NewClient(runDir, Name)} }

// Over returns a client of a player that is reached by other means than its socket.
func Over(c *ipc.Client) *Client { return &Client{c} }

// Status returns what is played and how.
func (c *Client) Status(ctx context.Context) (s Status, err error) {
	return s, c.ipc.Get(ctx, "/status", &s)
}

// Events streams news until ctx ends or the connection breaks.
func (c *Client) Events(ctx context.Context) iter.Seq2[ipc.Event, error] {
	return c.ipc.Events(ctx, "/events")
}

// Follow is [Client.Events] for who reads the status besides: once it returns, no later event is missed.
func (c *Client) Follow(ctx context.Context) (iter.Seq2[ipc.Event, error], error) {
	return c.ipc.Follow(ctx, "/events")
}

// Load plays something else.
func (c *Client) Load(ctx context.Context, l Load) error { return c.ipc.Post(ctx, "/load", l, nil) }

// SetNext says what follows the current item; nil: nothing.
func (c *Client) SetNext(ctx context.Context, it *Item) error {
	return c.ipc.Post(ctx, "/next", Next{it}, nil)
}

// Play goes on.
func (c *Client) Play(ctx context.Context) error { return c.ipc.Post(ctx, "/play", nil, nil) }

// Pause waits where the current item is.
func (c *Client) Pause(ctx context.Context) error { return c.ipc.Post(ctx, "/pause", nil, nil) }

// Stop forgets what is loaded.
func (c *Client) Stop(ctx context.Context) error { return c.ipc.Post(ctx, "/stop", nil, nil) }

// Seek moves in the current item.
func (c *Client) Seek(ctx context.Context, s Seek) error { return c.ipc.Post(ctx, "/seek", s, nil) }

// Align keeps step with another player.
func (c *Client) Align(ctx context.Context, a Align) error {
	return c.ipc.Post(ctx, "/align", a, nil)
}

// Change alters what of it is not nil.
func (c *Client) Change(ctx context.Context, ch Change) error {
	return c.ipc.Post(ctx, "/change", ch, nil)
}

// Set keeps the owner's choices.
func (c *Client) Set(ctx context.Context, s Settings) error {
	return c.ipc.Call(ctx, "PUT", "/settings", s, nil)
}

// Notice shows a line at the bottom of the screen.
func (c *Client) Notice(ctx context.Context, n Notice) error {
	return c.ipc.Post(ctx, "/notice", n, nil)
}
