// Package renderer is UPnP's MediaRenderer:1 for this device's TV: what BubbleUPnP, Home Assistant and their like send
// something to. It speaks AVTransport:1, RenderingControl:1 and ConnectionManager:1, and has cast do what they say, so
// that a guest, a phone and the TV's own remote control move one and the same session.
//
// A guest may press the buttons of whatever plays on the TV, as anybody in the room may; what it is called is told only
// where a guest has sent it.
package renderer

import (
	"context"
	"encoding/json"
	"iter"
	"log/slog"
	"sync"
	"time"

	"manofwar/internal/ipc"
	castapi "manofwar/services/cast/api"
	"manofwar/services/portal/upnp"
)

// caster is what plays where.
type caster interface {
	Play(context.Context, castapi.Play) (castapi.Session, error)
	Open(context.Context, castapi.Open) (castapi.Session, error)
	Control(ctx context.Context, id string, do castapi.Control) (castapi.Session, error)
	Edit(ctx context.Context, id string, e castapi.Edit) (castapi.Session, error)
	Change(ctx context.Context, id string, ch castapi.Change) (castapi.Session, error)
	Keys(ctx context.Context, id string) (castapi.Keys, error)
	Events(context.Context) iter.Seq2[ipc.Event, error]
}

// Options are what a renderer works with.
type Options struct {
	Cast  caster
	Level func(context.Context) (volume int, muted bool, err error) // of the TV while nothing plays
	// Local returns what an address of this device's own server is in the library; false: it is none of that server's. The
	// error is a [media.ErrNotFound] for what that server would not hand out.
	Local  func(ctx context.Context, url string) (what castapi.What, ours bool, err error)
	Device upnp.Device // without kind and services
	Log    *slog.Logger
}

// Renderer is one. It is run once.
type Renderer struct {
	opts   Options
	device upnp.Device

	transport, rendering, connection *upnp.Service

	acting sync.Mutex // held by whoever does something, so that calls take effect one by one

	mu      sync.Mutex       // guards the rest
	session *castapi.Session // at the TV; nil: there is none
	heard   time.Time        // when it was told
	current *track
	next    *track
	volume  int
	muted   bool
}

// track is what a guest has sent.
type track struct {
	uri, meta string
	what      castapi.What
	duration  time.Duration
	session   string // that plays it; empty: none yet
	key       string // of its entry there
}

// Port is the one that is tried first.
const Port = 49494

// New returns a renderer.
func New(o Options) *Renderer {
	r := &Renderer{opts: o, device: o.Device, volume: 100}
	r.transport, r.rendering, r.connection = r.newTransport(), r.newRendering(), newConnection()
	r.device.Kind, r.device.DLNA, r.device.Port = "MediaRenderer", "DMR-1.50", Port
	r.device.Services = []*upnp.Service{r.transport, r.rendering, r.connection}
	r.device.Follow = r.follow
	return r
}

// Run is there until ctx ends, and calls up once guests can come.
func (r *Renderer) Run(ctx context.Context, up func()) error { return r.device.Run(ctx, up) }

// follow keeps in step with what plays on the TV until ctx ends.
func (r *Renderer) follow(ctx context.Context) {
	ipc.Hear(ctx, r.opts.Log.With("of", castapi.Name), r.opts.Cast.Events, func(ev ipc.Event) { r.hear(ctx, ev) })
}

// hear takes in an event of cast's.
func (r *Renderer) hear(ctx context.Context, ev ipc.Event) {
	switch ev.Kind {
	case "sessions":
		var all castapi.Sessions
		if json.Unmarshal(ev.Data, &all) != nil {
			return
		}
		var at *castapi.Session
		for i := range all.Sessions {
			if all.Sessions[i].Renderer == castapi.TV {
				at = &all.Sessions[i]
			}
		}
		r.see(at)
	case "session":
		var s castapi.Session
		if json.Unmarshal(ev.Data, &s) != nil {
			return
		}
		if r.overtaken(s) {
			return
		}
		if s.Renderer == castapi.TV {
			r.see(&s)
		} else if is := r.playing(); is != nil && is.ID == s.ID {
			r.see(nil) // it has moved elsewhere
		}
	case "gone":
		var g castapi.Gone
		if json.Unmarshal(ev.Data, &g) != nil {
			return
		}
		if is := r.playing(); is != nil && is.ID == g.ID {
			r.see(nil)
		}
	default:
		return
	}
	if r.playing() == nil {
		r.level(ctx)
	}
}

// level asks how loud the TV is: no session says it.
func (r *Renderer) level(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	volume, muted, err := r.opts.Level(ctx)
	if err != nil {
		return // it is asked again
	}
	r.mu.Lock()
	r.volume, r.muted = volume, muted
	r.mu.Unlock()
	r.rendering.Changed()
}

// playing returns the session at the TV; nil: there is none.
func (r *Renderer) playing() *castapi.Session {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.session
}

// overtaken reports whether an event is of before what the answer to an action has said already: it knows nothing of what
// a guest has just put into the queue.
func (r *Renderer) overtaken(s castapi.Session) bool {
	is := r.playing()
	return is != nil && is.ID == s.ID && s.Before(is.Stamp)
}

// see takes in how the TV's session is, and has subscribers told.
func (r *Renderer) see(s *castapi.Session) {
	r.mu.Lock()
	r.session, r.heard = s, time.Now()
	if s != nil {
		r.volume, r.muted = s.Volume, s.Muted
	}
	r.keepStep()
	r.mu.Unlock()
	r.transport.Changed()
	r.rendering.Changed()
}

// keepStep notes that what comes next has come, or that something else plays than a guest has sent. The caller holds mu.
func (r *Renderer) keepStep() {
	s, c := r.session, r.current
	if c == nil || c.session == "" {
		return
	}
	entry := ""
	if s != nil && s.ID == c.session && s.Entry != nil {
		entry = s.Entry.Key
	}
	switch {
	case entry == c.key, entry != "" && s.State == castapi.Stopped: // a queue that is over stands at its beginning
	case r.next != nil && r.next.key != "" && entry == r.next.key:
		r.current, r.next = r.next, nil
	default:
		r.current, r.next = nil, nil
	}
}

// ours reports whether the TV plays what a guest has sent. The caller holds mu.
func (r *Renderer) ours() bool {
	s, c := r.session, r.current
	return s != nil && c != nil && c.session == s.ID && s.Entry != nil && (s.Entry.Key == c.key || s.State == castapi.Stopped)
}

// state is the transport's (AVTransport:1, section 2.2.1). The caller holds mu.
func (r *Renderer) state() string {
	if r.current != nil && !r.ours() {
		return "STOPPED" // until somebody says Play
	}
	if r.session == nil || r.session.Entry == nil {
		return "NO_MEDIA_PRESENT"
	}
	switch r.session.State {
	case castapi.Playing:
		return "PLAYING"
	case castapi.Paused:
		return "PAUSED_PLAYBACK"
	case castapi.Loading:
		return "TRANSITIONING"
	}
	if r.current == nil {
		return "NO_MEDIA_PRESENT" // what was played before the guest came is not theirs to begin again
	}
	return "STOPPED"
}

// position is where it is, and how long. The caller holds mu.
func (r *Renderer) position() (at, duration time.Duration) {
	s := r.session
	if s == nil || r.current != nil && !r.ours() {
		if r.current != nil {
			duration = r.current.duration
		}
		return 0, duration
	}
	at, duration = time.Duration(s.Position), time.Duration(s.Duration)
	if s.State == castapi.Playing {
		at += time.Duration(float64(time.Since(r.heard)) * s.Speed)
	}
	if duration > 0 {
		at = min(at, duration)
	}
	return at, duration
}
