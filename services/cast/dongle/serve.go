package dongle

import (
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"

	"manofwar/internal/identity"
	"manofwar/internal/ipc"
	"manofwar/internal/media"
	"manofwar/internal/peerlink"
	playerapi "manofwar/player/api"
)

// Player is what is asked of our own player for another device.
type Player interface {
	Follow(context.Context) (iter.Seq2[ipc.Event, error], error)
	Status(context.Context) (playerapi.Status, error)
	Load(context.Context, playerapi.Load) error
	SetNext(context.Context, *playerapi.Item) error
	Play(context.Context) error
	Pause(context.Context) error
	Stop(context.Context) error
	Seek(context.Context, playerapi.Seek) error
	Change(context.Context, playerapi.Change) error
	Align(context.Context, playerapi.Align) error
}

// maxBody bounds what a device sends at once, in bytes: two items with their pictures.
const maxBody = 3 * maxCover

// handler is all that another device may ask.
//
//	POST /hello          [Hello] → [Hello]; anybody may
//	GET  /clock          [Time]
//	GET  /items/{key}    the bytes of an item that it was told to play, or ranges of them
//	GET  /player/status, /player/events
//	POST /player/load, /player/next, /player/play, /player/pause, /player/stop, /player/seek, /player/change, /player/align
//
// The player's verbs are those of player/api, with these differences: keys are the caller's own, and of what others have it play
// nothing but that is told; items have neither path nor address, their bytes are fetched from the caller; times are of our clock.
func (n *Network) handler() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("POST /hello", ipc.Handler(n.postHello))
	for pattern, f := range map[string]func(http.ResponseWriter, *http.Request) error{
		"GET /clock": n.getClock, "GET /items/{key}": n.getItem, "GET /player/status": n.getStatus, "GET /player/events": n.getEvents,
	} {
		mux.Handle(pattern, n.trusted(f))
	}
	for verb, f := range map[string]func(context.Context) error{"play": n.Player.Play, "pause": n.Player.Pause, "stop": n.Player.Stop} {
		mux.Handle("POST /player/"+verb, n.trusted(func(w http.ResponseWriter, r *http.Request) error {
			if err := f(r.Context()); err != nil {
				return err
			}
			w.WriteHeader(http.StatusNoContent)
			return nil
		}))
	}
	take(n, mux, "load", func(ctx context.Context, from identity.ID, in playerapi.Load) (err error) {
		if in.Item, err = n.accept(from, in.Item); err == nil && in.Next != nil {
			var next playerapi.Item
			next, err = n.accept(from, *in.Next)
			in.Next = &next
		}
		if err != nil {
			return err
		}
		return n.Player.Load(ctx, in)
	})
	take(n, mux, "next", func(ctx context.Context, from identity.ID, in playerapi.Next) error {
		if in.Item == nil {
			return n.Player.SetNext(ctx, nil)
		}
		it, err := n.accept(from, *in.Item)
		if err != nil {
			return err
		}
		return n.Player.SetNext(ctx, &it)
	})
	take(n, mux, "seek", func(ctx context.Context, _ identity.ID, in playerapi.Seek) error { return n.Player.Seek(ctx, in) })
	take(n, mux, "change", func(ctx context.Context, _ identity.ID, in playerapi.Change) error { return n.Player.Change(ctx, in) })
	take(n, mux, "align", func(ctx context.Context, from identity.ID, in playerapi.Align) error {
		in.Key = mark(from) + in.Key
		in.At = n.clock.Time(fromWire(in.At))
		return n.Player.Align(ctx, in)
	})
	return n.brief(mux)
}

// brief gives those in whom the owner does not trust one short request per connection, whatever it is.
func (n *Network) brief(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, known := n.Trusted.Get(peerlink.Peer(r)); !known {
			peerlink.Brief(w)
		}
		h.ServeHTTP(w, r)
	})
}

// take adds a verb of the player that has a body.
func take[T any](n *Network, mux *http.ServeMux, verb string, do func(context.Context, identity.ID, T) error) {
	mux.Handle("POST /player/"+verb, n.trusted(func(w http.ResponseWriter, r *http.Request) error {
		var in T
		if err := ipc.ReadJSON(w, r, &in); err != nil {
			return err
		}
		if err := do(r.Context(), peerlink.Peer(r), in); err != nil {
			return err
		}
		w.WriteHeader(http.StatusNoContent)
		return nil
	}))
}

// trusted lets only those in whom the owner trusts to play here, and ends what they do when that ends.
func (n *Network) trusted(f func(http.ResponseWriter, *http.Request) error) http.Handler {
	return ipc.Handler(func(w http.ResponseWriter, r *http.Request) error {
		id := peerlink.Peer(r)
		n.mu.Lock()
		var trust context.Context
		if d := n.devices[id]; d != nil {
			trust = d.trust
		}
		n.mu.Unlock()
		switch {
		case trust == nil || !n.Trusted.May(id, identity.Play):
			w.Header().Set("Connection", "close")
			return &media.Error{Op: "answer", Path: id.Short(), Err: media.ErrDenied, Hint: "Trust it on both devices."}
		case !n.calls.Allow(string(id), time.Now()):
			return errTooOften()
		}
		ctx, cancel := context.WithCancel(r.Context())
		defer cancel()
		defer context.AfterFunc(trust, cancel)()
		// Whoever is trusted no more gets no more of an answer either, and nothing waits for the rest of its request.
		defer context.AfterFunc(ctx, func() { peerlink.CutOff(w) })()
		r.Body = http.MaxBytesReader(w, r.Body, maxBody)
		return f(w, r.WithContext(ctx))
	})
}

func errTooOften() error {
	return &media.Error{Op: "answer", Err: media.ErrBusy, Hint: "Wait a moment."}
}

// maxHello bounds what a stranger may send, in bytes.
const maxHello = 1 << 10

// postHello learns who is there, and whether it asks to be trusted.
func (n *Network) postHello(w http.ResponseWriter, r *http.Request) error {
	id := peerlink.Peer(r)
	_, known := n.Trusted.Get(id)
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return err
	}
	if !known && !n.asked.Allow(host, time.Now()) {
		return errTooOften()
	}
	r.Body = http.MaxBytesReader(w, r.Body, maxHello)
	var in Hello
	if err := ipc.ReadJSON(w, r, &in); err != nil {
		return err
	}
	if err := in.check(); err != nil {
		return err
	}
	n.met(id, in, host)
	ipc.WriteJSON(w, Hello{Name: n.ownName(), Trusts: known})
	return nil
}

// met takes in who has said hello, from an address. Of strangers it remembers a few.
func (n *Network) met(id identity.ID, h Hello, host string) {
	now := time.Now()
	n.mu.Lock()
	d := n.devices[id]
	if d == nil {
		if n.strangers() >= maxDevices || id == n.Holder.ID {
			n.mu.Unlock()
			return
		}
		d = n.device(id)
	}
	news := false
	if d.trust == nil {
		name := peerlink.CleanName(h.Name)
		news = h.Asks && now.Sub(d.asks) > asksFor || d.name != name
		if d.name = name; h.Asks {
			d.asks = now
		}
	}
	d.found = now
	if h.Port != 0 {
		d.addresses = addresses(net.JoinHostPort(host, strconv.Itoa(h.Port)), d.addresses)
	}
	wake := d.trust != nil && (!d.here || !d.trusts)
	n.mu.Unlock()
	if news {
		n.Changed()
	}
	if wake {
		tell(d.wake) // it may trust us by now
	}
}

func (n *Network) getClock(w http.ResponseWriter, _ *http.Request) error {
	received := n.clock.At(time.Now())
	ipc.WriteJSON(w, Time{int64(received), int64(n.clock.At(time.Now()))})
	return nil
}

// mark begins the keys of what a device has our player play, so that they are nobody else's.
func mark(id identity.ID) string { return "@" + string(id[:16]) + "/" }

// accept makes an item that a device wants played one of ours: its bytes come through our door.
func (n *Network) accept(from identity.ID, it playerapi.Item) (playerapi.Item, error) {
	switch {
	case it.Path != "" || it.URL != "" || it.Cover != nil && it.Cover.Path != "":
		return it, fmt.Errorf("%w: an item has neither path nor address", media.ErrInvalid)
	case it.Cover != nil && len(it.Cover.Inline) > maxCover:
		return it, fmt.Errorf("%w: the picture is too large", media.ErrInvalid)
	case it.Key == "" || strings.ContainsAny(it.Key, "/?#%@"):
		return it, fmt.Errorf("%w: not a key", media.ErrInvalid)
	}
	it.URL = n.door.address(from, it.Key)
	it.Key = mark(from) + it.Key
	return it, nil
}

// other stands for the key of what somebody else has our player play.
const other = "other"

// strip returns a key as the device knows it.
func strip(from identity.ID, key string) string {
	if key == "" {
		return ""
	}
	if own, ok := strings.CutPrefix(key, mark(from)); ok {
		return own
	}
	return other
}

// tellStatus is what a device is told of our player.
func (n *Network) tellStatus(from identity.ID, s playerapi.Status) playerapi.Status {
	now := time.Now()
	age := now.Sub(s.At)
	if age < 0 || age > time.Minute { // the time of day was set in between
		age = 0
	}
	s.At = onWire(n.clock.At(now.Add(-age)))
	s.Settings = playerapi.Settings{}
	if s.Sound != nil {
		s.Sound = &playerapi.Sound{Card: s.Sound.Card, Cards: []playerapi.Card{}}
	}
	s.Next = strip(from, s.Next)
	if it := s.Item; it != nil {
		key := strip(from, it.Key)
		s.Item = &playerapi.Item{Key: key}
		if key == other {
			s.Streams, s.Chapters, s.Problem = nil, nil, nil
		} else {
			s.Item.Title, s.Item.Kind, s.Item.Duration = it.Title, it.Kind, it.Duration
		}
	}
	if p := s.Problem; p != nil {
		told := *p
		if told.Key = strip(from, p.Key); told.Key == other {
			s.Problem = nil
		} else {
			s.Problem = &told
		}
	}
	return s
}

func (n *Network) getStatus(w http.ResponseWriter, r *http.Request) error {
	s, err := n.Player.Status(r.Context())
	if err != nil {
		return err
	}
	ipc.WriteJSON(w, n.tellStatus(peerlink.Peer(r), s))
	return nil
}

// getEvents streams the player's, until that is restarted or the device is trusted no more.
func (n *Network) getEvents(w http.ResponseWriter, r *http.Request) error {
	ctx, cancel := context.WithCancel(r.Context())
	events, err := n.Player.Follow(ctx)
	if err != nil {
		cancel()
		return err
	}
	from := peerlink.Peer(r)
	var out ipc.Events
	done := make(chan struct{})
	begin := func() []ipc.Event {
		go func() {
			defer close(done)
			defer cancel()
			ours := false
			for ev, err := range events {
				if err != nil {
					return
				}
				if told, ok := n.tellEvent(from, ev, &ours); ok {
					out.Send(told)
				}
			}
		}()
		return nil
	}
	out.ServeFrom(w, r.WithContext(ctx), begin)
	cancel()
	<-done
	return nil
}

// tellEvent is what a device is told of an event; false: nothing. ours is whether the player has an item of the device.
func (n *Network) tellEvent(from identity.ID, ev ipc.Event, ours *bool) (ipc.Event, bool) {
	switch ev.Kind {
	case "status":
		var s playerapi.Status
		if json.Unmarshal(ev.Data, &s) != nil {
			return ev, false
		}
		s = n.tellStatus(from, s)
		*ours = s.Item != nil && s.Item.Key != other
		return encoded(ev.Kind, s)
	case "ended":
		var e playerapi.Ended
		if json.Unmarshal(ev.Data, &e) != nil {
			return ev, false
		}
		if e.Key = strip(from, e.Key); e.Key == other {
			return ev, false
		}
		return encoded(ev.Kind, e)
	}
	return ev, ev.Kind == "key" && *ours
}

func encoded(kind string, v any) (ipc.Event, bool) {
	data, err := json.Marshal(v)
	return ipc.Event{Kind: kind, Data: data}, err == nil
}
