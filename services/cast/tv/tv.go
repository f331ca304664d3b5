// Package tv is the renderer that is a dongle's screen and sound: it makes a player do what the orders say, be it this device's
// own or, over a link, another's (package dongle).
//
// The player goes on to what follows by itself, is driven by the television's own remote control besides, and may be
// restarted at any time. So nothing is assumed of a command but that its effect is seen in the player's status within a
// moment ([settle]); what is seen later and was not asked for is somebody's wish at the television.
package tv

import (
	"context"
	"iter"
	"log/slog"
	"sync"
	"time"

	"manofwar/internal/ipc"
	playerapi "manofwar/player/api"
	"manofwar/services/cast/api"
	"manofwar/services/cast/renderer"
)

// player is what is asked of it.
type player interface {
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

// TV is the renderer.
type TV struct {
	player   player
	base     api.Renderer // what is always so
	listener renderer.Listener
	log      *slog.Logger
	wake     chan struct{} // there is a new order; holds one

	mu    sync.Mutex // guards order
	order *renderer.Order

	info api.Renderer // what was told of it last; empty: the player has never answered
	last last
}

// last is where the player was when it was last heard of, for when it has to be told again.
type last struct {
	key      string
	seek     uint64
	position time.Duration
	at       time.Time
	rate     float64       // 0: it stood
	from     time.Duration // where it was loaded
	tries    int           // how often the key was loaded again
}

// New returns this device's own, which tells the listener.
func New(p player, l renderer.Listener, log *slog.Logger) *TV {
	return At(p, api.Renderer{ID: api.TV, Kind: api.OwnTV, Name: "TV"}, l, log)
}

// At returns the renderer that a player is: its ID, kind and name are base's.
func At(p player, base api.Renderer, l renderer.Listener, log *slog.Logger) *TV {
	base.Volume, base.Exact = true, true
	return &TV{player: p, base: base, listener: l, log: log, wake: make(chan struct{}, 1)}
}

// Order implements [renderer.Renderer].
func (t *TV) Order(o renderer.Order) {
	t.mu.Lock()
	t.order = &o
	t.mu.Unlock()
	select {
	case t.wake <- struct{}{}:
	default:
	}
}

// wanted returns the last order; nil: there is none yet.
func (t *TV) wanted() *renderer.Order {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.order
}

const (
	firstBackoff = 50 * time.Millisecond
	lastBackoff  = 2 * time.Second
	// missedAfter is how long the player may be away before people are told.
	missedAfter = 4 * time.Second
)

// Run follows the orders until ctx ends. The player plays on.
func (t *TV) Run(ctx context.Context) {
	backoff, missed := firstBackoff, time.Time{}
	for ctx.Err() == nil {
		connected, err := t.Connect(ctx)
		if ctx.Err() != nil {
			return
		}
		now := time.Now()
		if connected {
			t.log.Debug("player left", "err", err)
			backoff, missed = firstBackoff, now
		} else if !missed.IsZero() && now.Sub(missed) > missedAfter {
			t.found(playerapi.Status{}, "The player is being restarted.")
			missed = time.Time{}
		}
		select {
		case <-ctx.Done():
		case <-time.After(backoff):
		}
		backoff = min(2*backoff, lastBackoff)
	}
}

// stand notes that whatever played stopped now.
func (l *last) stand(now time.Time) {
	if l.rate > 0 {
		l.position += time.Duration(float64(now.Sub(l.at)) * l.rate)
	}
	l.at, l.rate = now, 0
}

// Connect holds one connection to the player until it breaks. It reports whether there was one.
func (t *TV) Connect(ctx context.Context) (connected bool, err error) {
	ctx, cancel := context.WithCancel(ctx)
	events, err := t.player.Follow(ctx)
	if err != nil {
		cancel()
		return false, err
	}
	news := make(chan ipc.Event, 16)
	var reading sync.WaitGroup
	reading.Go(func() {
		defer close(news)
		for ev, err := range events {
			if err != nil {
				return
			}
			select {
			case news <- ev:
			case <-ctx.Done():
				return
			}
		}
	})
	defer reading.Wait()
	defer cancel()
	l := &link{tv: t, player: t.player}
	err = l.run(ctx, news)
	t.last.stand(time.Now())
	return true, err
}

// Forget has the listener told anew that it is there, once it is: the listener was told that it has gone.
func (t *TV) Forget() { t.info = api.Renderer{} }

// found tells of the TV if that is new.
func (t *TV) found(s playerapi.Status, problem string) {
	info := t.base
	info.Problem = problem
	switch {
	case problem != "":
		info.Name, info.Detail, info.Films = t.info.Name, t.info.Detail, t.info.Films
	case s.Display != nil:
		info.Films = true
		if s.Display.Name != "" {
			info.Name, info.Detail = s.Display.Name, s.Display.Connector
		}
	case s.Sound != nil:
		info.Name = "Loudspeakers"
	default:
		info.Problem = "No screen and no loudspeaker is connected."
	}
	if t.base.Kind == api.Another && info.Name != t.base.Name { // its owner has given it a name
		info.Name, info.Detail = t.base.Name, info.Name
	}
	if t.info != info {
		t.info = info
		t.listener.Found(info, t)
	}
}
