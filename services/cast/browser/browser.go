// Package browser lets pages be renderers. A page offers itself by listening for orders, says what it does by requests,
// and has gone a moment after it stopped listening. It plays the media by the portal's routes like any other page; no
// media pass through here.
package browser

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"time"
	"unicode"
	"unicode/utf8"

	"manofwar/internal/ipc"
	"manofwar/internal/media"
	"manofwar/services/cast/api"
	"manofwar/services/cast/renderer"
)

const (
	// grace is how long a page that has stopped listening still counts as there: its connection may have broken.
	grace = 5 * time.Second
	// maxPages bounds the pages that offer themselves.
	maxPages = 64
	// keepAlive is how often an idle stream says that it is alive.
	keepAlive = 20 * time.Second
)

// Pages are those that offer themselves now.
type Pages struct {
	listener renderer.Listener
	log      *slog.Logger

	turn sync.Mutex // held while a page comes or goes and the listener is told of it: of two in a row it hears in order

	mu     sync.Mutex // guards pages and what is in them; never held while the listener is called
	pages  map[string]*page
	closed bool
}

// page is one of them.
type page struct {
	id    string
	name  string
	wake  chan struct{} // there is an order to send; holds one
	order renderer.Order
	taken chan struct{} // closed when another has come under the same ID
	gone  *time.Timer   // runs while nobody listens

	mu *sync.Mutex // of Pages
}

// New returns Pages that tell the listener.
func New(l renderer.Listener, log *slog.Logger) *Pages {
	return &Pages{listener: l, log: log, pages: make(map[string]*page)}
}

// Close ends what would happen later: no page is lost any more.
func (b *Pages) Close() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.closed = true
	for _, p := range b.pages {
		if p.gone != nil {
			p.gone.Stop()
		}
	}
}

// Order implements [renderer.Renderer].
func (p *page) Order(o renderer.Order) {
	p.mu.Lock()
	p.order = o
	p.mu.Unlock()
	select {
	case p.wake <- struct{}{}:
	default:
	}
}

// Offer streams a page's orders to it for as long as it listens.
func (b *Pages) Offer(w http.ResponseWriter, r *http.Request) error {
	id, name := r.PathValue("id"), cleanName(r.URL.Query().Get("name"))
	if !validID(id) {
		return &media.Error{
			Op: "offer a page", Path: "id", Err: media.ErrInvalid,
			Hint: fmt.Sprintf("It is %q and 8 to 48 letters, digits, - or _.", api.BrowserPrefix),
		}
	}
	p, taken, err := b.enter(id, name)
	if err != nil {
		return err
	}
	h := w.Header()
	h.Set("Content-Type", "text/event-stream")
	h.Set("Cache-Control", "no-store")
	p.send(stream{w, http.NewResponseController(w)}, r.Context().Done(), taken)
	b.leave(p, taken)
	return nil
}

// enter makes a page one that is there, and tells. Whoever listened under the same ID is told that it is taken.
func (b *Pages) enter(id, name string) (*page, chan struct{}, error) {
	b.turn.Lock()
	defer b.turn.Unlock()
	p, taken, err := b.add(id, name)
	if err == nil {
		b.listener.Found(api.Renderer{ID: id, Kind: api.InPage, Name: name, Films: true, Volume: true}, p)
	}
	return p, taken, err
}

func (b *Pages) add(id, name string) (*page, chan struct{}, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	p := b.pages[id]
	if p == nil {
		if len(b.pages) >= maxPages {
			return nil, nil, &media.Error{Op: "offer a page", Err: media.ErrBusy, Hint: "Too many pages are open. Close some."}
		}
		p = &page{id: id, wake: make(chan struct{}, 1), order: renderer.Order{Speed: 1}, mu: &b.mu}
		b.pages[id] = p
	}
	if p.gone != nil {
		p.gone.Stop()
	}
	if p.taken != nil {
		close(p.taken)
	}
	p.name, p.taken = name, make(chan struct{})
	return p, p.taken, nil
}

// leave begins the time after which the page has gone, unless somebody else listens in its place.
func (b *Pages) leave(p *page, mine chan struct{}) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if p.taken != mine {
		return
	}
	p.taken = nil
	p.gone = time.AfterFunc(grace, func() { b.lose(p) })
}

// lose forgets a page to which nobody has come back, and tells.
func (b *Pages) lose(p *page) {
	b.turn.Lock()
	defer b.turn.Unlock()
	b.mu.Lock()
	left := p.taken == nil && b.pages[p.id] == p && !b.closed
	if left {
		delete(b.pages, p.id)
	}
	b.mu.Unlock()
	if left {
		b.listener.Lost(p.id)
	}
}

// send sends the order as it is, and whenever it is another, until the page leaves or somebody takes its place.
func (p *page) send(out stream, left, taken <-chan struct{}) {
	tick := time.NewTicker(keepAlive)
	defer tick.Stop()
	last := ""
	for {
		order, gist := p.next()
		if gist != last {
			last = gist
			if out.event("order", order) != nil {
				return
			}
		}
		select {
		case <-left:
			return
		case <-taken:
			_ = out.event("taken", struct{}{}) // it may have left already
			return
		case <-tick.C:
			if out.write(": \n\n") != nil {
				return
			}
		case <-p.wake:
		}
	}
}

// next returns the order as a page has it, and what has to differ for it to be another: a place to seek to moves on while
// the entry plays, and is for a page that has not followed its number.
func (p *page) next() (api.Order, string) {
	p.mu.Lock()
	o := p.order
	p.mu.Unlock()
	out := api.Order{
		Entry: entry(o.Entry), Next: entry(o.Next), Play: o.Play, Speed: o.Speed,
		Volume: o.Level.Volume, Muted: o.Level.Muted, Audio: o.Audio, Subtitle: o.Subtitle,
	}
	if o.Entry == nil {
		out.Play = false
		return out, gist(out)
	}
	out.Session, _, _ = strings.Cut(o.Entry.Key, ".")
	seek := o.Seek
	seek.To = 0
	out.Seek = &seek
	is := gist(out)
	seek.To = o.Seek.To
	return out, is
}

func entry(it *renderer.Item) *api.Entry {
	if it == nil {
		return nil
	}
	return &api.Entry{Key: it.Key, Item: it.Media}
}

func gist(o api.Order) string {
	data, _ := json.Marshal(o) // it always encodes
	return string(data)
}

// Report takes in what a page does.
func (b *Pages) Report(w http.ResponseWriter, r *http.Request) error {
	var in api.Report
	if err := ipc.ReadJSON(w, r, &in); err != nil {
		return err
	}
	id := r.PathValue("id")
	b.mu.Lock()
	p := b.pages[id]
	speed := 1.0
	if p != nil {
		speed = p.order.Speed
	}
	b.mu.Unlock()
	if p == nil {
		return &media.Error{Op: "find page", Path: "id", Err: media.ErrNotFound, Hint: "A page offers itself by listening for events."}
	}
	report, err := reportOf(in)
	if err != nil {
		return err
	}
	report.Speed = speed
	b.listener.Reported(id, report)
	w.WriteHeader(http.StatusNoContent)
	return nil
}

const (
	maxText     = 500 // of a problem, in bytes
	maxPosition = media.Duration(1000 * time.Hour)
	maxKey      = 128
)

// reportOf checks what a page says.
func reportOf(in api.Report) (out renderer.Report, err error) {
	bad := func(field string) error {
		return &media.Error{Op: "read", Path: field, Err: media.ErrInvalid}
	}
	switch in.State {
	case api.Stopped, api.Loading, api.Playing, api.Paused:
	default:
		return out, bad("state")
	}
	switch {
	case in.Position < 0 || in.Position > maxPosition:
		return out, bad("position")
	case in.Duration < 0 || in.Duration > maxPosition:
		return out, bad("duration")
	case len(in.Key) > maxKey:
		return out, bad("key")
	}
	out = renderer.Report{
		Key: in.Key, State: in.State, Position: time.Duration(in.Position), At: time.Now(), Duration: time.Duration(in.Duration),
		Seek: in.Seek,
	}
	if p := in.Problem; p != nil {
		clean := api.Problem{Title: clip(p.Title), Code: clip(p.Code), Text: clip(p.Text), Hint: clip(p.Hint), At: time.Now()}
		if clean.Text == "" {
			return out, bad("problem")
		}
		if clean.Code == codeBlocked {
			out.Problem = &clean
		} else {
			out.Ended = &renderer.Ended{Key: in.Key, Problem: &clean}
		}
	} else if in.Ended {
		out.Ended = &renderer.Ended{Key: in.Key}
	}
	return out, nil
}

// codeBlocked is that of the problem that a browser wants a tap before it makes a sound.
const codeBlocked = "blocked"

func clip(s string) string { return strings.ToValidUTF8(s[:min(len(s), maxText)], "") }

// stream writes server-sent events.
type stream struct {
	w  http.ResponseWriter
	rc *http.ResponseController
}

func (o stream) event(kind string, v any) error {
	data, err := json.Marshal(v)
	if err != nil {
		return err
	}
	return o.write(fmt.Sprintf("event: %s\ndata: %s\n\n", kind, data))
}

func (o stream) write(s string) error {
	if _, err := o.w.Write([]byte(s)); err != nil {
		return err
	}
	return o.rc.Flush()
}

// validID reports whether a page may be called that.
func validID(id string) bool {
	rest, ok := strings.CutPrefix(id, api.BrowserPrefix)
	for _, c := range []byte(rest) {
		switch {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c == '-', c == '_':
		default:
			return false
		}
	}
	return ok && len(rest) >= 8 && len(rest) <= 48
}

// cleanName makes what a page calls itself fit to be shown on a line.
func cleanName(s string) string {
	s = strings.Join(strings.Fields(strings.Map(func(r rune) rune {
		if r == utf8.RuneError || !unicode.IsGraphic(r) {
			return ' '
		}
		return r
	}, s)), " ")
	if runes := []rune(s); len(runes) > api.MaxName {
		s = strings.TrimSpace(string(runes[:api.MaxName]))
	}
	if s == "" {
		return "A browser"
	}
	return s
}
