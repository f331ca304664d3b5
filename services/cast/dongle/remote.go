package dongle

import (
	"context"
	"encoding/json"
	"io"
	"iter"
	"os"
	"sync"
	"time"

	"manofwar/internal/ipc"
	"manofwar/internal/media"
	playerapi "manofwar/player/api"
)

// remote is a device's player, as package tv has it: times are ours, and items lose what means nothing there.
type remote struct {
	l *link

	mu    sync.Mutex // guards asked
	asked time.Time  // when the status was last asked for
}

// Status asks for it.
func (r *remote) Status(ctx context.Context) (playerapi.Status, error) {
	s, err := r.l.player.Status(ctx)
	if err == nil {
		if r.often(time.Now()) {
			r.l.matters()
		}
		s.At = r.l.ours(fromWire(s.At))
	}
	return s, err
}

// often notes that the status was asked for, and reports whether that is as often as for whom others follow.
func (r *remote) often(now time.Time) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	last := r.asked
	r.asked = now
	return now.Sub(last) < oftenFor/4
}

// Follow streams its events.
func (r *remote) Follow(ctx context.Context) (iter.Seq2[ipc.Event, error], error) {
	events, err := r.l.player.Follow(ctx)
	if err != nil {
		return nil, err
	}
	return func(yield func(ipc.Event, error) bool) {
		for ev, err := range events {
			if err == nil && ev.Kind == "status" {
				var s playerapi.Status
				if json.Unmarshal(ev.Data, &s) == nil {
					s.At = r.l.ours(fromWire(s.At))
					ev.Data, err = json.Marshal(s)
				}
			}
			if !yield(ev, err) {
				return
			}
		}
	}, nil
}

// Load plays something else.
func (r *remote) Load(ctx context.Context, in playerapi.Load) error {
	it, err := r.item(in.Item)
	if err != nil {
		return err
	}
	in.Item = it
	if in.Next != nil {
		next, err := r.item(*in.Next)
		if err != nil {
			in.Next = nil // it is said again when its turn comes, and fails then
		} else {
			in.Next = &next
		}
	}
	return r.l.player.Load(ctx, in)
}

// SetNext says what follows.
func (r *remote) SetNext(ctx context.Context, it *playerapi.Item) error {
	if it != nil {
		next, err := r.item(*it)
		if err != nil {
			return err
		}
		it = &next
	}
	return r.l.player.SetNext(ctx, it)
}

// Play, Pause, Stop, Seek and Change are the player's own.
func (r *remote) Play(ctx context.Context) error { return r.l.player.Play(ctx) }

func (r *remote) Pause(ctx context.Context) error                  { return r.l.player.Pause(ctx) }
func (r *remote) Stop(ctx context.Context) error                   { return r.l.player.Stop(ctx) }
func (r *remote) Seek(ctx context.Context, s playerapi.Seek) error { return r.l.player.Seek(ctx, s) }

func (r *remote) Change(ctx context.Context, c playerapi.Change) error {
	return r.l.player.Change(ctx, c)
}

// Align tells it by its own clock.
func (r *remote) Align(ctx context.Context, a playerapi.Align) error {
	r.l.matters()
	a.At = onWire(r.l.theirs(a.At))
	return r.l.player.Align(ctx, a)
}

// maxCover bounds a picture that travels with an item, in bytes.
const maxCover = 256 << 10

// item is what the device is told of an item: it fetches the file from us, under the key.
func (r *remote) item(it playerapi.Item) (playerapi.Item, error) {
	if it.Path == "" {
		return it, &ipc.Error{Code: "unsupported", Message: "Another dongle does not play what is not in the library."}
	}
	r.l.n.door.offer(r.l.d.id, it.Key, it.Path)
	it.Path = ""
	it.Cover = inline(it.Cover)
	return it, nil
}

// inline returns a cover with its bytes; nil: it cannot be read, or is too large.
func inline(c *playerapi.Cover) *playerapi.Cover {
	if c == nil || c.Path == "" {
		return c
	}
	f, err := os.Open(c.Path)
	if err != nil {
		return nil
	}
	defer f.Close()
	n := c.Length
	if n <= 0 || n > maxCover {
		return nil
	}
	data := make([]byte, n)
	if _, err := io.ReadFull(io.NewSectionReader(f, c.Offset, n), data); err != nil {
		return nil
	}
	return &playerapi.Cover{Inline: data}
}

// Hello is what devices say first: anybody may.
type Hello struct {
	Name   string `json:"name"`
	Port   int    `json:"port,omitempty"`   // on which the sender listens
	Asks   bool   `json:"asks,omitempty"`   // to be trusted
	Trusts bool   `json:"trusts,omitempty"` // in the answer: who has asked
}

// check refuses nonsense. The error wraps [media.ErrInvalid].
func (h Hello) check() error {
	if h.Port < 0 || h.Port > 65535 {
		return &media.Error{Op: "read", Path: "port", Err: media.ErrInvalid}
	}
	return nil
}
