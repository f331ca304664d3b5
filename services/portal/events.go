package portal

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"manofwar/internal/ipc"
	"manofwar/internal/media"
)

const (
	// eventStall is how long a browser may take to read an event.
	eventStall = 30 * time.Second
	// keepAlive is how often an idle stream says that it is alive.
	keepAlive = 20 * time.Second
)

// events streams news to one browser (WHATWG HTML, section 9.2), beginning with the state as it is, until the browser
// leaves or falls behind.
func (p *Service) events(w http.ResponseWriter, r *http.Request) error {
	o, err := offerOf(r)
	if err != nil {
		return err
	}
	if !p.watch.enter() {
		return &media.Error{Op: "listen for news", Err: media.ErrBusy, Hint: "Too many pages are open. Close some."}
	}
	defer p.watch.leave()
	h := w.Header()
	h.Set("Content-Type", "text/event-stream")
	h.Set("Cache-Control", "no-store")
	if r.Method == http.MethodHead {
		return nil
	}
	news, stop := p.watch.news.Subscribe()
	defer stop()
	out := eventWriter{w, http.NewResponseController(w)}
	if out.write("retry: 2000\n\n") != nil {
		return nil
	}
	for _, ev := range p.watch.state(p.watch.ask(r.Context())) {
		if out.event(ev.Event) != nil {
			return nil
		}
	}
	orders, stopOrders := p.orders(r.Context(), o)
	defer stopOrders()
	offered := first(r.Context(), orders) // before it hears of places: once it does, it may ask to be played on
	for _, ev := range append(p.watch.casting(r.Context()), offered...) {
		if out.event(ev) != nil {
			return nil
		}
	}
	tick := time.NewTicker(keepAlive)
	defer tick.Stop()
	for {
		var err error
		select {
		case <-r.Context().Done():
			return nil
		case <-tick.C:
			err = out.write(": \n\n")
		case ev, ok := <-news:
			if !ok {
				return nil
			}
			err = out.event(ev)
		case ev, ok := <-orders:
			if !ok {
				orders = nil
				continue
			}
			err = out.event(ev)
		}
		if err != nil {
			return nil // the browser has left
		}
	}
}

// first waits a while for a page's first order, which says that cast has taken it for a place.
func first(ctx context.Context, orders <-chan ipc.Event) []ipc.Event {
	if orders == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	select {
	case ev, ok := <-orders:
		if ok {
			return []ipc.Event{ev}
		}
	case <-ctx.Done():
	}
	return nil
}

type eventWriter struct {
	w  http.ResponseWriter
	rc *http.ResponseController
}

// event tells what [eventRights] has, and nothing else: services may learn to say what no right was declared for.
func (o eventWriter) event(ev ipc.Event) error {
	if eventRights[ev.Kind] == "" {
		return nil
	}
	return o.write(fmt.Sprintf("event: %s\ndata: %s\n\n", ev.Kind, ev.Data))
}

func (o eventWriter) write(s string) error {
	if err := o.rc.SetWriteDeadline(time.Now().Add(eventStall)); err != nil {
		return err
	}
	if _, err := o.w.Write([]byte(s)); err != nil {
		return err
	}
	return o.rc.Flush()
}
