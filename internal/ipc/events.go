package ipc

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/http"
	"strings"
	"sync"
	"time"
)

// Event is one piece of news. Kind is what a client listens for; Data is its JSON.
type Event struct {
	Kind string
	Data json.RawMessage
}

// eventBacklog is how many events a slow reader may fall behind before it is disconnected; it then reconnects and
// reads the state anew.
const eventBacklog = 64

// keepAlive keeps idle streams open through whatever sits between.
const keepAlive = 20 * time.Second

// Events spreads news to everyone who listens, as server-sent events (WHATWG HTML, section 9.2). The zero value is ready.
type Events struct {
	mu          sync.Mutex // guards subscribers
	subscribers map[chan Event]struct{}
}

// Publish sends v, as JSON, to all who listen now. It never blocks: a listener that has fallen behind is cut off.
func (e *Events) Publish(kind string, v any) error {
	data, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("publish %s: %w", kind, err)
	}
	e.Send(Event{Kind: kind, Data: data})
	return nil
}

// Send is [Events.Publish] for an event that is encoded already.
func (e *Events) Send(ev Event) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for ch := range e.subscribers {
		select {
		case ch <- ev:
		default:
			delete(e.subscribers, ch)
			close(ch)
		}
	}
}

// Subscribe returns a channel of the events from now on, closed when its reader falls behind. Call stop when done.
func (e *Events) Subscribe() (events <-chan Event, stop func()) {
	ch := make(chan Event, eventBacklog)
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.subscribers == nil {
		e.subscribers = make(map[chan Event]struct{})
	}
	e.subscribers[ch] = struct{}{}
	return ch, func() {
		e.mu.Lock()
		defer e.mu.Unlock()
		if _, ok := e.subscribers[ch]; ok {
			delete(e.subscribers, ch)
			close(ch)
		}
	}
}

// ServeHTTP streams events until the client leaves, falls behind, or the service stops.
func (e *Events) ServeHTTP(w http.ResponseWriter, r *http.Request) { e.ServeFrom(w, r, nil) }

// ServeFrom is [Events.ServeHTTP] for listeners who first need the state from which the news go on: first returns it, and
// is called once nothing that comes later can be missed.
func (e *Events) ServeFrom(w http.ResponseWriter, r *http.Request, first func() []Event) {
	events, stop := e.Subscribe()
	defer stop()
	h := w.Header()
	h.Set("Content-Type", "text/event-stream")
	h.Set("Cache-Control", "no-store")
	rc := http.NewResponseController(w)
	tick := time.NewTicker(keepAlive)
	defer tick.Stop()
	_, err := io.WriteString(w, ": hello\n\n")
	if first != nil {
		for _, ev := range first() {
			err = errors.Join(err, writeEvent(w, ev))
		}
	}
	for err == nil {
		if err = rc.Flush(); err != nil {
			return
		}
		select {
		case <-r.Context().Done():
			return
		case <-tick.C:
			_, err = io.WriteString(w, ": \n\n")
		case ev, ok := <-events:
			if !ok {
				return
			}
			err = writeEvent(w, ev)
		}
	}
}

func writeEvent(w io.Writer, ev Event) error {
	_, err := fmt.Fprintf(w, "event: %s\ndata: %s\n\n", ev.Kind, ev.Data)
	return err
}

// Events streams the events that path sends. The sequence ends with an error when the connection does, and silently
// when ctx does. It is up to the caller to reconnect, as [Hear] does, and to read the state anew.
func (c *Client) Events(ctx context.Context, path string) iter.Seq2[Event, error] {
	return func(yield func(Event, error) bool) {
		events, err := c.Follow(ctx, path)
		if err != nil {
			yield(Event{}, err)
			return
		}
		events(yield)
	}
}

// Follow is [Client.Events] for a caller that reads the state itself: once it returns, no later event is missed. The
// sequence can be ranged over once, and must be, for the connection to be closed.
func (c *Client) Follow(ctx context.Context, path string) (iter.Seq2[Event, error], error) {
	resp, err := c.do(ctx, http.MethodGet, path, nil)
	if err != nil {
		return nil, err
	}
	return func(yield func(Event, error) bool) {
		defer resp.Body.Close()
		if err := readEvents(resp.Body, yield); err != nil && ctx.Err() == nil {
			yield(Event{}, fmt.Errorf("events of %s: %w", c.name, err))
		}
	}, nil
}

// readEvents parses the stream. It returns nil once yield wants no more, else why the stream ended.
func readEvents(r io.Reader, yield func(Event, error) bool) error {
	lines := bufio.NewScanner(r)
	lines.Buffer(make([]byte, 0, 4096), MaxBody)
	var ev Event
	for lines.Scan() {
		switch field, value, _ := strings.Cut(lines.Text(), ":"); field {
		case "event":
			ev.Kind = strings.TrimPrefix(value, " ")
		case "data":
			ev.Data = append(ev.Data, bytes.TrimPrefix([]byte(value), []byte(" "))...)
			if len(ev.Data) > MaxBody {
				return bufio.ErrTooLong
			}
		case "":
			if value == "" && ev.Data != nil {
				if !yield(ev, nil) {
					return nil
				}
				ev = Event{}
			}
		}
	}
	if err := lines.Err(); err != nil {
		return err
	}
	return io.ErrUnexpectedEOF
}
