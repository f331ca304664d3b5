package api

import (
	"context"
	"iter"
	"net/http"
	"net/url"
	"strconv"

	"manofwar/internal/ipc"
)

// Client calls cast. The errors are those of package media: [media.ErrNotFound] for a session or renderer that is not
// there, [media.ErrInvalid] for a request that makes no sense, [media.ErrFull] for a queue above its bound.
type Client struct{ ipc *ipc.Client }

// NewClient returns a client of cast whose socket is in runDir.
func NewClient(runDir string) *Client { return &Client{ipc.NewClient(runDir, Name)} }

// Renderers returns where something can play.
func (c *Client) Renderers(ctx context.Context) (r Renderers, err error) {
	return r, c.ipc.Get(ctx, "/renderers", &r)
}

// Sessions returns what plays.
func (c *Client) Sessions(ctx context.Context) (s Sessions, err error) {
	return s, c.ipc.Get(ctx, "/sessions", &s)
}

// Session returns one of them.
func (c *Client) Session(ctx context.Context, id string) (s Session, err error) {
	return s, c.ipc.Get(ctx, session(id, ""), &s)
}

// Queue returns limit entries of a session's queue from offset on.
func (c *Client) Queue(ctx context.Context, id string, offset, limit int) (q Queue, err error) {
	v := url.Values{"offset": {strconv.Itoa(offset)}, "limit": {strconv.Itoa(limit)}}
	return q, c.ipc.Get(ctx, session(id, "/queue?"+v.Encode()), &q)
}

// Keys returns all of a session's queue.
func (c *Client) Keys(ctx context.Context, id string) (k Keys, err error) {
	return k, c.ipc.Get(ctx, session(id, "/keys"), &k)
}

// Open returns what plays on a renderer, or begins a session there.
func (c *Client) Open(ctx context.Context, o Open) (s Session, err error) {
	return s, c.ipc.Post(ctx, "/open", o, &s)
}

// Play replaces what a renderer plays.
func (c *Client) Play(ctx context.Context, p Play) (s Session, err error) {
	return s, c.ipc.Post(ctx, "/play", p, &s)
}

// Control presses a button.
func (c *Client) Control(ctx context.Context, id string, do Control) (s Session, err error) {
	return s, c.ipc.Post(ctx, session(id, "/control"), do, &s)
}

// Edit alters a queue.
func (c *Client) Edit(ctx context.Context, id string, e Edit) (s Session, err error) {
	return s, c.ipc.Post(ctx, session(id, "/queue"), e, &s)
}

// Change alters what of it is not nil.
func (c *Client) Change(ctx context.Context, id string, ch Change) (s Session, err error) {
	return s, c.ipc.Post(ctx, session(id, "/change"), ch, &s)
}

// Move goes on elsewhere.
func (c *Client) Move(ctx context.Context, id string, m Move) (s Session, err error) {
	return s, c.ipc.Post(ctx, session(id, "/move"), m, &s)
}

// With has it play in other rooms too.
func (c *Client) With(ctx context.Context, id string, w With) (s Session, err error) {
	return s, c.ipc.Post(ctx, session(id, "/with"), w, &s)
}

// Devices returns the dongles of the home.
func (c *Client) Devices(ctx context.Context) (d Devices, err error) {
	return d, c.ipc.Get(ctx, "/devices", &d)
}

// Trust trusts another dongle.
func (c *Client) Trust(ctx context.Context, id string) error {
	return c.ipc.Post(ctx, "/devices/"+url.PathEscape(id)+"/trust", nil, nil)
}

// Distrust trusts it no more, and forgets it.
func (c *Client) Distrust(ctx context.Context, id string) error {
	return c.ipc.Call(ctx, http.MethodDelete, "/devices/"+url.PathEscape(id), nil, nil)
}

// Stop ends a session and forgets its queue.
func (c *Client) Stop(ctx context.Context, id string) error {
	return c.ipc.Call(ctx, http.MethodDelete, session(id, ""), nil, nil)
}

// Offer offers a page to be played on, and streams its orders until ctx ends or the connection breaks.
func (c *Client) Offer(ctx context.Context, id, name string) iter.Seq2[ipc.Event, error] {
	return c.ipc.Events(ctx, "/browsers/"+url.PathEscape(id)+"/events?"+url.Values{"name": {name}}.Encode())
}

// Report says what a page does.
func (c *Client) Report(ctx context.Context, id string, r Report) error {
	return c.ipc.Post(ctx, "/browsers/"+url.PathEscape(id)+"/status", r, nil)
}

// Settings returns the owner's choices.
func (c *Client) Settings(ctx context.Context) (s Settings, err error) {
	return s, c.ipc.Get(ctx, "/settings", &s)
}

// ChangeSettings keeps the owner's choices.
func (c *Client) ChangeSettings(ctx context.Context, in Settings) (s Settings, err error) {
	return s, c.ipc.Call(ctx, http.MethodPut, "/settings", in, &s)
}

// Events streams news until ctx ends or the connection breaks.
func (c *Client) Events(ctx context.Context) iter.Seq2[ipc.Event, error] {
	return c.ipc.Events(ctx, "/events")
}

func session(id, rest string) string { return "/sessions/" + url.PathEscape(id) + rest }
