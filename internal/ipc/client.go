package ipc

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"

	"manofwar/internal/media"
)

// Client calls one service over its socket. It is safe for concurrent use and keeps connections open between calls.
type Client struct {
	name   string
	socket string // its path
	http   http.Client
	bound  int64 // of an answer, in bytes; 0: none, our own services are trusted to end theirs
}

// NewClient returns a client of the named service whose socket is in runDir. Nothing is dialled yet.
func NewClient(runDir, name string) *Client {
	path := SocketPath(runDir, name)
	return &Client{name: name, socket: path, http: http.Client{Transport: &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			var d net.Dialer
			return d.DialContext(ctx, "unix", path)
		},
		MaxIdleConnsPerHost: 16,
		IdleConnTimeout:     time.Minute,
		DisableCompression:  true,
	}}}
}

// NewClientOver returns a client of a service that is reached by other means than its socket: transport sends the requests,
// whose paths are the service's own. It may be another machine's: of an answer no more than [MaxBody] is read.
func NewClientOver(name string, transport http.RoundTripper) *Client {
	return &Client{name: name, http: http.Client{Transport: transport}, bound: MaxBody}
}

// Get asks for path and decodes the answer into out.
func (c *Client) Get(ctx context.Context, path string, out any) error {
	return c.Call(ctx, http.MethodGet, path, nil, out)
}

// Post sends in, which may be nil, and decodes the answer into out, which may be nil.
func (c *Client) Post(ctx context.Context, path string, in, out any) error {
	return c.Call(ctx, http.MethodPost, path, in, out)
}

// Call sends one request. An error answer comes back as an [*Error]; no answer at all wraps [media.ErrBusy], because
// the supervisor is already bringing the service back.
func (c *Client) Call(ctx context.Context, method, path string, in, out any) error {
	resp, err := c.do(ctx, method, path, in)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	body := io.Reader(resp.Body)
	if c.bound > 0 {
		body = io.LimitReader(body, c.bound)
	}
	if out != nil {
		err = json.NewDecoder(body).Decode(out)
	}
	if err == nil {
		_, err = io.Copy(io.Discard, body) // to its end, so that the connection is kept
	}
	if err != nil {
		return fmt.Errorf("answer of %s: %w", c.name, err)
	}
	return nil
}

// Open asks for path and returns the answer's body as it is, for the caller to close.
func (c *Client) Open(ctx context.Context, path string) (io.ReadCloser, error) {
	resp, err := c.do(ctx, http.MethodGet, path, nil)
	if err != nil {
		return nil, err
	}
	return resp.Body, nil
}

// do returns a 2xx answer whose body the caller closes, or an error.
func (c *Client) do(ctx context.Context, method, path string, in any) (*http.Response, error) {
	var body io.Reader
	if in != nil {
		data, err := json.Marshal(in)
		if err != nil {
			return nil, fmt.Errorf("call %s: %w", c.name, err)
		}
		body = bytes.NewReader(data)
	}
	req, err := http.NewRequestWithContext(ctx, method, "http://"+c.name+path, body)
	if err != nil {
		return nil, fmt.Errorf("call %s: %w", c.name, err)
	}
	resp, err := c.http.Do(req)
	switch {
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case err != nil:
		return nil, &media.Error{Op: "call " + c.name, Err: errors.Join(media.ErrBusy, err), Hint: "It is being restarted. Try again in a moment."}
	case resp.StatusCode/100 == 2:
		return resp, nil
	}
	defer resp.Body.Close()
	e := &Error{Status: resp.StatusCode}
	if err := json.NewDecoder(io.LimitReader(resp.Body, MaxBody)).Decode(e); err != nil || e.Message == "" {
		e.Code, e.Message = "internal", fmt.Sprintf("%s answered %s", c.name, resp.Status)
	}
	return nil, e
}
