// Package fakeplayer is a player for the tests of cast: it keeps time, goes on to the next item by itself, tells its
// events and is told what to do by the verbs of player/api, over the same socket or without one. It shows and sounds
// nothing. Faults are asked for: files that cannot be played, a television's remote control, a sudden end.
package fakeplayer

import (
	"context"
	"encoding/json"
	"errors"
	"iter"
	"net/http"
	"slices"
	"sync"
	"time"

	"manofwar/internal/ipc"
	"manofwar/internal/media"
	"manofwar/player/api"
)

// Player is the player. The zero value is not one: [New] makes it.
type Player struct {
	Length func(path string) time.Duration // of a file; 0: it cannot be played
	Delay  time.Duration                   // from a command to when it is seen

	events ipc.Events

	mu      sync.Mutex // guards the rest
	status  api.Status
	next    *api.Item
	begun   time.Time // when Position was so, if it plays
	timer   *time.Timer
	turn    uint64   // of the timer: an older one does nothing
	waiting []func() // what was told, and is not seen yet
	down    bool     // it is not there
	log     []string // the verbs, in order
	played  []string // the keys that began
}

// New returns a player whose files are all of that length.
func New(length time.Duration) *Player {
	return &Player{
		Length: func(string) time.Duration { return length },
		status: api.Status{State: api.Idle, Speed: 1, Volume: 60, Audio: -1, Subtitle: -1, Display: &api.Display{Connector: "HDMI-A-1", Name: "Test TV"}},
	}
}

// Handler answers on the player's socket.
func (p *Player) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /status", func(w http.ResponseWriter, r *http.Request) {
		s, err := p.Status(r.Context())
		if err != nil {
			ipc.WriteError(w, r, err)
			return
		}
		ipc.WriteJSON(w, s)
	})
	mux.Handle("GET /events", &p.events)
	verb(mux, "POST /load", p.Load)
	verb(mux, "POST /next", func(ctx context.Context, n api.Next) error { return p.SetNext(ctx, n.Item) })
	verb(mux, "POST /seek", p.Seek)
	verb(mux, "POST /change", p.Change)
	verb(mux, "POST /align", p.Align)
	for pattern, f := range map[string]func(context.Context) error{"POST /play": p.Play, "POST /pause": p.Pause, "POST /stop": p.Stop} {
		mux.Handle(pattern, ipc.Handler(func(w http.ResponseWriter, r *http.Request) error {
			w.WriteHeader(http.StatusNoContent)
			return f(r.Context())
		}))
	}
	return mux
}

func verb[T any](mux *http.ServeMux, pattern string, do func(context.Context, T) error) {
	mux.Handle(pattern, ipc.Handler(func(w http.ResponseWriter, r *http.Request) error {
		var v T
		if err := ipc.ReadJSON(w, r, &v); err != nil {
			return err
		}
		if err := do(r.Context(), v); err != nil {
			return err
		}
		w.WriteHeader(http.StatusNoContent)
		return nil
	}))
}

// errDown is what a caller sees while the player is not there.
var errDown = &media.Error{Op: "call player", Err: errors.Join(media.ErrBusy, errors.New("connection refused"))}

// Follow streams the events, as the client does.
func (p *Player) Follow(ctx context.Context) (iter.Seq2[ipc.Event, error], error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.down {
		return nil, errDown
	}
	events, stop := p.events.Subscribe()
	return func(yield func(ipc.Event, error) bool) {
		defer stop()
		for {
			select {
			case <-ctx.Done():
				return
			case ev, ok := <-events:
				if !ok || ev.Kind == "down" {
					yield(ipc.Event{}, errDown)
					return
				}
				if !yield(ev, nil) {
					return
				}
			}
		}
	}, nil
}

// Status returns what is played.
func (p *Player) Status(ctx context.Context) (api.Status, error) {
	if ctx.Err() != nil {
		return api.Status{}, ctx.Err()
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.down {
		return api.Status{}, errDown
	}
	return p.now(), nil
}

// now is the status at this moment.
func (p *Player) now() api.Status {
	s := p.status
	s.At, s.Position = time.Now(), media.Duration(p.position())
	s.Next = ""
	if p.next != nil {
		s.Next = p.next.Key
	}
	return s
}

func (p *Player) position() time.Duration {
	at := time.Duration(p.status.Position)
	if p.status.State == api.Playing {
		at += time.Duration(float64(time.Since(p.begun)) * p.status.Speed)
	}
	return min(at, max(time.Duration(p.status.Duration), 0))
}

// command notes a verb and, once its effect is to be seen, has it. Nothing is done for a caller who has given up, as over
// a socket.
func (p *Player) command(ctx context.Context, verb string, do func()) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.down {
		return errDown
	}
	p.log = append(p.log, verb)
	if p.Delay > 0 {
		p.waiting = append(p.waiting, do)
		time.AfterFunc(p.Delay, func() {
			p.mu.Lock()
			defer p.mu.Unlock()
			if len(p.waiting) > 0 {
				first := p.waiting[0]
				p.waiting = p.waiting[1:]
				first()
				p.tell()
			}
		})
		return nil
	}
	do()
	p.tell()
	return nil
}

// tell sends the status and sets the timer to the end of the item. The caller holds mu.
func (p *Player) tell() {
	p.arm()
	p.send("status", p.now())
}

// arm sets the timer to the end of the item.
func (p *Player) arm() {
	p.turn++
	if p.timer != nil {
		p.timer.Stop()
	}
	if p.status.State == api.Playing {
		left := time.Duration(float64(time.Duration(p.status.Duration)-p.position()) / p.status.Speed)
		turn := p.turn
		p.timer = time.AfterFunc(left, func() {
			p.mu.Lock()
			defer p.mu.Unlock()
			if turn == p.turn && !p.down {
				p.end("finished", nil)
				p.tell()
			}
		})
	}
}

func (p *Player) send(kind string, v any) {
	data, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	p.events.Send(ipc.Event{Kind: kind, Data: data})
}

// end ends the item and goes on with the next one that can be played.
func (p *Player) end(reason string, problem *api.Problem) {
	p.send("ended", api.Ended{Key: p.status.Item.Key, Reason: reason, At: media.Duration(p.position()), Problem: problem})
	p.status.Item, p.status.State, p.status.Position = nil, api.Idle, 0
	if next := p.next; next != nil && reason != "stopped" {
		p.next = nil
		p.begin(*next, api.Playing)
	}
}

// begin opens an item.
func (p *Player) begin(it api.Item, state api.State) {
	p.played = append(p.played, it.Key)
	p.status.Item, p.status.State, p.status.Position, p.begun = &it, state, it.Start, time.Now()
	p.status.Audio, p.status.Subtitle = 0, -1
	p.status.Streams = []media.Stream{{Kind: media.Audio}, {Kind: media.Audio}, {Kind: media.Subtitle}}
	length := p.Length(it.Path)
	p.status.Duration = media.Duration(length)
	if length == 0 {
		p.end("problem", &api.Problem{Key: it.Key, Code: "corrupt", Text: "The file is damaged."})
	}
}

// Load plays something else.
func (p *Player) Load(ctx context.Context, l api.Load) error {
	return p.command(ctx, "load", func() {
		if p.status.Item != nil {
			p.send("ended", api.Ended{Key: p.status.Item.Key, Reason: "replaced", At: media.Duration(p.position())})
		}
		p.next = l.Next
		state := api.Playing
		if l.Paused {
			state = api.Paused
		}
		p.begin(l.Item, state)
	})
}

// SetNext says what follows.
func (p *Player) SetNext(ctx context.Context, it *api.Item) error {
	return p.command(ctx, "next", func() { p.next = it })
}

// Play goes on.
func (p *Player) Play(ctx context.Context) error {
	return p.command(ctx, "play", func() { p.set(api.Playing) })
}

// Pause waits.
func (p *Player) Pause(ctx context.Context) error {
	return p.command(ctx, "pause", func() { p.set(api.Paused) })
}

func (p *Player) set(s api.State) {
	if p.status.Item == nil {
		return
	}
	p.status.Position, p.begun = media.Duration(p.position()), time.Now()
	p.status.State = s
}

// Stop forgets what is loaded.
func (p *Player) Stop(ctx context.Context) error {
	return p.command(ctx, "stop", func() {
		p.next = nil
		if p.status.Item != nil {
			p.end("stopped", nil)
		}
	})
}

// Seek moves in the item.
func (p *Player) Seek(ctx context.Context, s api.Seek) error {
	return p.command(ctx, "seek", func() {
		if p.status.Item == nil {
			return
		}
		to := media.Duration(p.position()) + s.By
		if s.To != nil {
			to = *s.To
		}
		p.status.Position, p.begun = min(max(to, 0), p.status.Duration), time.Now()
	})
}

// Align leaps to where the item should be, and tells nobody, as that is so of small distances.
func (p *Player) Align(ctx context.Context, a api.Align) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.down {
		return errDown
	}
	if it := p.status.Item; it == nil || it.Key != a.Key || p.status.State != api.Playing {
		return nil
	}
	now := time.Now()
	to := time.Duration(a.Position) + time.Duration(float64(now.Sub(a.At))*p.status.Speed)
	p.status.Position, p.begun = media.Duration(min(max(to, 0), time.Duration(p.status.Duration))), now
	p.log = append(p.log, "align")
	p.arm()
	return nil
}

// Change alters what is not nil.
func (p *Player) Change(ctx context.Context, c api.Change) error {
	return p.command(ctx, "change", func() {
		if c.Volume != nil {
			p.status.Volume = *c.Volume
		}
		if c.Muted != nil {
			p.status.Muted = *c.Muted
		}
		if c.Speed != nil {
			p.status.Position, p.begun = media.Duration(p.position()), time.Now()
			p.status.Speed = *c.Speed
		}
		if c.Audio != nil {
			p.status.Audio = *c.Audio
		}
		if c.Subtitle != nil {
			p.status.Subtitle = *c.Subtitle
		}
	})
}

// Remote does what the television's own remote control has it do.
func (p *Player) Remote(key string) {
	switch key {
	case "play", "pause":
		_ = p.command(context.Background(), "remote", func() { p.set(map[string]api.State{"play": api.Playing, "pause": api.Paused}[key]) })
	case "louder":
		_ = p.command(context.Background(), "remote", func() { p.status.Volume = min(100, p.status.Volume+10) })
	case "stop":
		_ = p.command(context.Background(), "remote", func() {
			p.next = nil
			if p.status.Item != nil {
				p.end("stopped", nil)
			}
		})
	default:
		p.send("key", api.Key{Name: key})
	}
}

// Lack has it play on without its picture or its sound; nil: with both again.
func (p *Player) Lack(problem *api.Problem) {
	_ = p.command(context.Background(), "lack", func() { p.status.Problem = problem })
}

// Kill ends it at once; what it had is lost. Start has a new one in its place.
func (p *Player) Kill() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.down = true
	p.turn++
	p.next, p.waiting = nil, nil
	p.status.Item, p.status.State, p.status.Position, p.status.Volume = nil, api.Idle, 0, 60
	p.events.Send(ipc.Event{Kind: "down"})
}

// Start brings it back.
func (p *Player) Start() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.down = false
}

// Verbs returns what it was told since the last call.
func (p *Player) Verbs() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	log := p.log
	p.log = nil
	return log
}

// Played returns the keys that have begun, in order.
func (p *Player) Played() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.played)
}
