// Package api is what the stream service says to other services: delivery plans, and a client that asks for them.
//
//	GET /plan/{id}/file                 the item's own file
//	GET /plan/{id}/cover                its picture; ?size=N asks for one no wider than N pixels where it can be made
//	GET /plan/{id}/hls/{name...}        an HLS presentation: index.m3u8, and whatever that names
//	GET /plan/{id}/subtitles/{n}.vtt    its nth subtitle stream as WebVTT
//	GET /status                         [Status]
//
// A plan is not the bytes but where they are: the portal opens the files itself and lets the kernel copy them.
package api

import (
	"context"
	"net/url"
	"strings"
	"time"

	"manofwar/internal/ipc"
	"manofwar/internal/media"
)

// Name is the service's name.
const Name = "stream"

// Plan is how to answer one request for media: its parts, one after the other, are the body.
type Plan struct {
	Type     string        `json:"type"`              // the body's media type
	ETag     string        `json:"etag,omitempty"`    // a strong validator, with its quotes
	Modified time.Time     `json:"modified,omitzero"` // of the source
	MaxAge   time.Duration `json:"maxAge,omitempty"`  // how long a client may keep it without asking; 0: always ask
	Parts    []Part        `json:"parts"`
}

// Part is either bytes or a range of a file.
type Part struct {
	Inline []byte `json:"inline,omitempty"`
	Path   string `json:"path,omitempty"` // absolute; empty: Inline is the part
	Offset int64  `json:"offset,omitempty"`
	Length int64  `json:"length,omitempty"` // in bytes, of the range
}

// Size returns the part's length in bytes.
func (p Part) Size() int64 {
	if p.Path == "" {
		return int64(len(p.Inline))
	}
	return p.Length
}

// Size returns the body's length in bytes.
func (p Plan) Size() (n int64) {
	for _, part := range p.Parts {
		n += part.Size()
	}
	return n
}

// Status says what the service can do.
type Status struct {
	Transcode string `json:"transcode,omitempty"` // the codec engine's version; empty: there is none, and what needs one does not play
}

// Client asks for plans.
type Client struct{ ipc *ipc.Client }

// NewClient returns a client of the stream service whose socket is in runDir.
func NewClient(runDir string) *Client { return &Client{ipc.NewClient(runDir, Name)} }

// Plan returns the plan for what, such as "file" or "hls/index.m3u8", of an item. The error is one of
// [media.ErrNotFound], [media.ErrAway], [media.ErrCorrupt], [media.ErrUnsupported] or [media.ErrInvalid] where
// that is what is wrong.
func (c *Client) Plan(ctx context.Context, id media.ID, what string, params url.Values) (p Plan, err error) {
	segments := strings.Split(what, "/")
	for i, s := range segments {
		segments[i] = url.PathEscape(s)
	}
	path := "/plan/" + url.PathEscape(string(id)) + "/" + strings.Join(segments, "/")
	if len(params) > 0 {
		path += "?" + params.Encode()
	}
	return p, c.ipc.Get(ctx, path, &p)
}

// Status returns what the service can do.
func (c *Client) Status(ctx context.Context) (s Status, err error) {
	return s, c.ipc.Get(ctx, "/status", &s)
}
