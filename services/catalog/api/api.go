// Package api is what the catalog says to other services: the words of its socket and a client for them.
//
//	GET  /items?kind=&q=&album=&sort=&offset=&limit=  [Page] of items; here and below library=, as often as wanted, keeps to these
//	GET  /items/{id}                                  one [media.Item]
//	GET  /items/{id}/file                             its [File], which must be there to be read
//	GET  /ids?kind=&q=&album=                         [IDs] of all that is selected, in the same order
//	POST /lookup                                      [Lookup] → [Found]
//	GET  /albums?q=&sort=&offset=&limit=              [Albums]
//	GET  /albums/{id}                                 one [AlbumPage]
//	GET  /status                                      [Status]
//	POST /scan                                        starts a scan of every library, or does nothing while one runs
//	GET  /events                                      server-sent: "status" with a [Status], "changed" with a [Changed]
package api

import (
	"context"
	"iter"
	"net/url"
	"strconv"
	"time"

	"manofwar/internal/ipc"
	"manofwar/internal/media"
)

// Name is the service's name.
const Name = "catalog"

// The bounds of a [Query].
const (
	MaxLimit     = 500     // of a page, in items or albums
	MaxOffset    = 1 << 30 // of a page's start
	MaxText      = 512     // of the words, in bytes
	MaxLibraries = 64      // to keep to
	MaxIDs       = 50000   // of a list of IDs
)

// Query selects items or albums. The zero value selects everything, a default page at a time.
type Query struct {
	Kind      media.Kind // only of this kind
	Album     media.ID   // only on this album, in its order
	Text      string     // words that all have to begin a word of the title, an artist, the album or the file's name
	Libraries []media.ID // only in these, up to MaxLibraries; empty: in all
	Sort      string     // empty, as [Page] and [Albums] say, or [Newest]
	Offset    int        // how many to leave out at the front
	Limit     int        // how many at the most, 1 to MaxLimit; 0: 100
}

// Newest is the order in which those that were added last come first.
const Newest = "added"

// Values returns the query as URL parameters.
func (q Query) Values() url.Values {
	v := url.Values{}
	set := func(key, value string) {
		if value != "" && value != "0" {
			v.Set(key, value)
		}
	}
	set("kind", string(q.Kind))
	set("album", string(q.Album))
	set("q", q.Text)
	for _, id := range q.Libraries {
		v.Add("library", string(id))
	}
	set("sort", q.Sort)
	set("offset", strconv.Itoa(q.Offset))
	set("limit", strconv.Itoa(q.Limit))
	return v
}

// Page is a run of the items that a query selects, sorted by artist, album, disc and track; films by title.
type Page struct {
	Total int          `json:"total"` // how many the query selects in all
	Items []media.Item `json:"items"`
}

// IDs are all items that a query selects, up to MaxIDs.
type IDs struct {
	Total int        `json:"total"`
	IDs   []media.ID `json:"ids"`
}

// Lookup asks for up to MaxLimit items.
type Lookup struct {
	IDs []media.ID `json:"ids"`
}

// Found are those of them that the library has, in the order in which they were asked for.
type Found struct {
	Items []media.Item `json:"items"`
}

// Albums is a run of the albums that a query selects, sorted by artist and year.
type Albums struct {
	Total  int           `json:"total"`
	Albums []media.Album `json:"albums"`
}

// AlbumPage is an album with its tracks in order.
type AlbumPage struct {
	media.Album
	Items []media.Item `json:"items"`
}

// File is where an item's bytes are.
type File struct {
	Item media.Item `json:"item"`
	Path string     `json:"path"` // absolute
}

// Status is the state of the libraries and of the scan.
type Status struct {
	Roots    []media.Root `json:"roots"`
	Music    int          `json:"music"` // items that can be played
	Films    int          `json:"films"`
	Problems int          `json:"problems"` // items that cannot
	Revision uint64       `json:"revision"` // rises with every change of an item
	Scan     Scan         `json:"scan"`
	Trouble  string       `json:"trouble,omitempty"` // what keeps the index from being saved, in words for a person
}

// Scan is the progress of a scan, or the outcome of the last one.
type Scan struct {
	Running  bool           `json:"running"`
	Root     string         `json:"root,omitempty"` // the library being scanned
	Found    int            `json:"found"`          // files seen so far
	Done     int            `json:"done"`           // of them, read or known to be unchanged
	Started  time.Time      `json:"started,omitzero"`
	Finished time.Time      `json:"finished,omitzero"`
	Left     media.Duration `json:"left,omitempty"` // estimate of the time to go; 0: unknown
}

// Changed says that items were added, altered or removed.
type Changed struct {
	Revision uint64 `json:"revision"`
}

// Client calls the catalog.
type Client struct{ ipc *ipc.Client }

// NewClient returns a client of the catalog whose socket is in runDir.
func NewClient(runDir string) *Client { return &Client{ipc.NewClient(runDir, Name)} }

// Items returns the items that q selects.
func (c *Client) Items(ctx context.Context, q Query) (p Page, err error) {
	return p, c.ipc.Get(ctx, "/items?"+q.Values().Encode(), &p)
}

// IDs returns the IDs of all items that q selects, whose Offset and Limit do not count.
func (c *Client) IDs(ctx context.Context, q Query) (ids []media.ID, err error) {
	q.Offset, q.Limit = 0, 0
	var all IDs
	err = c.ipc.Get(ctx, "/ids?"+q.Values().Encode(), &all)
	return all.IDs, err
}

// Lookup returns those of the items that the library has, in the order asked for.
func (c *Client) Lookup(ctx context.Context, ids []media.ID) ([]media.Item, error) {
	var found Found
	err := c.ipc.Post(ctx, "/lookup", Lookup{ids}, &found)
	return found.Items, err
}

// Item returns one item. The error is [media.ErrNotFound] where the library does not have it.
func (c *Client) Item(ctx context.Context, id media.ID) (it media.Item, err error) {
	return it, c.ipc.Get(ctx, "/items/"+url.PathEscape(string(id)), &it)
}

// File returns where an item's bytes are. The error is [media.ErrAway] while its disk is not connected, and
// [media.ErrNotFound] where the library does not have it.
func (c *Client) File(ctx context.Context, id media.ID) (f File, err error) {
	return f, c.ipc.Get(ctx, "/items/"+url.PathEscape(string(id))+"/file", &f)
}

// Albums returns the albums that q selects.
func (c *Client) Albums(ctx context.Context, q Query) (a Albums, err error) {
	return a, c.ipc.Get(ctx, "/albums?"+q.Values().Encode(), &a)
}

// Album returns one album with its tracks.
func (c *Client) Album(ctx context.Context, id media.ID) (a AlbumPage, err error) {
	return a, c.ipc.Get(ctx, "/albums/"+url.PathEscape(string(id)), &a)
}

// Status returns the state of the libraries.
func (c *Client) Status(ctx context.Context) (s Status, err error) {
	return s, c.ipc.Get(ctx, "/status", &s)
}

// Scan starts a scan of every library.
func (c *Client) Scan(ctx context.Context) error { return c.ipc.Post(ctx, "/scan", nil, nil) }

// Events streams news until ctx ends or the connection breaks.
func (c *Client) Events(ctx context.Context) iter.Seq2[ipc.Event, error] {
	return c.ipc.Events(ctx, "/events")
}
