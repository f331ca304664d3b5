package tv

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"manofwar/internal/ipc"
	"manofwar/internal/media"
	playerapi "manofwar/player/api"
	"manofwar/services/cast/api"
	"manofwar/services/cast/renderer"
)

const (
	// settle is how long the player may take to show the effect of a command.
	settle = 1500 * time.Millisecond
	// joint is how long after the end of an item it may take to tell that it plays the next.
	joint = 700 * time.Millisecond
	// lookEvery is how often the position is asked for while something plays: the clocks of a sound card and of the
	// kernel are apart by up to a ten-thousandth.
	lookEvery = 10 * time.Second
	// callTimeout is how long one command may take.
	callTimeout = 5 * time.Second
	// maxTries is how often an item is loaded again that the player has let go of, or died of.
	maxTries = 3
	// proven is how far an item has to get for its next failure to be another story.
	proven = 10 * time.Second
)

// link is one connection to the player. It is of one goroutine.
type link struct {
	tv     *TV
	player player
	status playerapi.Status // as it was last seen
	begun  bool             // a status was seen

	loaded   string // the key that was loaded, or that it has gone on to
	loading  time.Time
	next     string    // the key that was set to follow
	setting  time.Time // when it was
	over     time.Time // when the last item ended
	idle     time.Time // since when it has nothing, though it should
	flows    string    // the key that follows by itself, though the order has it already
	flowing  time.Time // since when
	followed uint64    // the last number of Order.Seek
	sought   target

	play    asked[bool]
	level   asked[renderer.Level]
	speed   time.Time                  // when it was last asked for
	tracks  map[media.StreamKind]track // what was asked for last
	recheck time.Time                  // when to look again; zero: at the usual time
}

// asked is what was last asked of the player, or seen there.
type asked[T comparable] struct {
	value T
	at    time.Time // when it was asked for
	known bool
}

// open reports whether it may still take effect.
func (a asked[T]) open(now time.Time) bool { return now.Sub(a.at) < settle }

// target is where it was last told to go.
type target struct {
	to time.Duration
	at time.Time
}

// track is a choice for one playing.
type track struct {
	key   string
	index int
}

// run follows the orders until the connection breaks.
func (l *link) run(ctx context.Context, news <-chan ipc.Event) error {
	l.tracks = make(map[media.StreamKind]track)
	if err := l.look(ctx); err != nil {
		return err
	}
	timer := time.NewTimer(lookEvery)
	defer timer.Stop()
	for {
		var err error
		l.arm(timer)
		select {
		case <-ctx.Done():
			return ctx.Err()
		case ev, ok := <-news:
			if !ok {
				return errors.New("the player's events broke off")
			}
			err = l.hear(ctx, ev)
		case <-l.tv.wake:
			if l.loaded != "" && l.followed == 0 { // what was there when this connection began is now known
				err = l.see(ctx, l.status)
			} else {
				err = l.follow(ctx)
			}
		case <-timer.C:
			l.recheck = time.Time{}
			err = l.look(ctx)
		}
		if err != nil {
			return err
		}
	}
}

// arm sets the timer to when the player has to be looked at.
func (l *link) arm(t *time.Timer) {
	switch {
	case !l.recheck.IsZero():
		t.Reset(max(0, time.Until(l.recheck)))
	case l.status.State == playerapi.Playing:
		t.Reset(lookEvery)
	default:
		t.Stop()
	}
}

// again has the player looked at in a while, or earlier.
func (l *link) again(d time.Duration) {
	if at := time.Now().Add(d); l.recheck.IsZero() || at.Before(l.recheck) {
		l.recheck = at
	}
}

// look asks for the status, and does what follows from it.
func (l *link) look(ctx context.Context) error {
	asking, cancel := context.WithTimeout(ctx, callTimeout)
	s, err := l.player.Status(asking)
	cancel()
	if err != nil {
		return err
	}
	return l.see(ctx, s)
}

// hear takes in an event.
func (l *link) hear(ctx context.Context, ev ipc.Event) error {
	switch ev.Kind {
	case "status":
		var s playerapi.Status
		if err := json.Unmarshal(ev.Data, &s); err != nil {
			return fmt.Errorf("status not understood: %w", err)
		}
		return l.see(ctx, s)
	case "ended":
		var e playerapi.Ended
		if err := json.Unmarshal(ev.Data, &e); err != nil {
			return fmt.Errorf("end not understood: %w", err)
		}
		return l.ended(ctx, e)
	case "key":
		var k playerapi.Key
		if err := json.Unmarshal(ev.Data, &k); err != nil {
			return fmt.Errorf("key not understood: %w", err)
		}
		if k.Name == "next" || k.Name == "previous" {
			l.tv.listener.Reported(l.tv.base.ID, renderer.Report{Pressed: k.Name})
		}
	}
	return nil
}

// ended tells that an item is over, and sees what has come of it.
func (l *link) ended(ctx context.Context, e playerapi.Ended) error {
	out := renderer.Ended{Key: e.Key, At: time.Duration(e.At)}
	switch e.Reason {
	case "finished":
	case "problem":
		out.Problem = &api.Problem{Code: "internal", Text: "It cannot be played."}
		if p := e.Problem; p != nil {
			out.Problem = &api.Problem{Code: p.Code, Text: p.Text, Hint: p.Hint}
		}
		if it := l.status.Item; it != nil && it.Key == e.Key {
			out.Problem.Title = it.Title
		}
	case "stopped":
		if l.loaded != e.Key {
			return nil // it was asked to
		}
		l.loaded, l.next = "", ""
		out.Stopped = true
	default:
		return nil
	}
	l.over = time.Now()
	l.tv.listener.Reported(l.tv.base.ID, renderer.Report{Ended: &out})
	return l.look(ctx)
}

// see tells what the player does, and does what is missing.
func (l *link) see(ctx context.Context, s playerapi.Status) error {
	l.status = s
	l.tv.found(s, "")
	l.notice()
	l.tv.listener.Reported(l.tv.base.ID, l.report())
	l.begun = true
	return l.follow(ctx)
}

// key is that of what the player has; empty: nothing.
func (l *link) key() string {
	if l.status.Item == nil {
		return ""
	}
	return l.status.Item.Key
}

// ours reports whether cast may have given a key.
func ours(key string) bool { return strings.Count(key, ".") == 2 && strings.HasPrefix(key, "s") }

// notice learns what has been loaded: the player goes on by itself, and so it did while nobody was connected.
func (l *link) notice() {
	key := l.key()
	switch {
	case key == "" || key == l.loaded || !ours(key):
	case !l.begun:
		l.loaded, l.next, l.followed = key, l.status.Next, 0
	case time.Since(l.loading) > settle || key == l.next:
		l.over = time.Now() // its end may be told after this
		l.loaded, l.next, l.followed = key, l.status.Next, 1
	}
	if key != "" {
		l.idle = time.Time{}
	}
}

// report is what the player does, as cast has it.
func (l *link) report() renderer.Report {
	s, now := l.status, time.Now()
	r := renderer.Report{Key: l.key(), At: now, Position: time.Duration(s.Position), Duration: time.Duration(s.Duration), Speed: cmp.Or(s.Speed, 1)}
	if age := now.Sub(s.At); age > 0 && age < 24*time.Hour { // else the clock has been set
		r.At = now.Add(-age)
	}
	r.State = map[playerapi.State]api.State{playerapi.Loading: api.Loading, playerapi.Playing: api.Playing, playerapi.Paused: api.Paused}[s.State]
	if r.State == "" {
		r.State = api.Stopped
	}
	if r.Key != "" && !ours(r.Key) {
		r.Key, r.Taken = "", l.loaded != "" && now.Sub(l.loading) > settle
		if r.Taken {
			l.loaded, l.next = "", ""
		}
	}
	if r.Key != "" && r.Key == l.loaded {
		r.Seek = l.arrived(r, now)
		r.Play = l.pressed(now)
		r.Tracks = tracks(s)
		if p := s.Problem; p != nil && (p.Code == "no-display" || p.Code == "no-sound") {
			r.Lacks = &api.Problem{Code: p.Code, Text: p.Text, Hint: p.Hint, At: p.At}
		}
		l.remember(r)
	}
	r.Level = l.heard(now)
	return r
}

// arrived returns the number of the last seek that has taken effect.
func (l *link) arrived(r renderer.Report, now time.Time) uint64 {
	o := l.tv.wanted()
	if l.followed == 0 && o != nil { // of another connection, whose seeks this one knows nothing of
		l.followed = o.Seek.Number
	}
	if l.sought.at.IsZero() || r.State == api.Loading {
		return l.followed
	}
	since := now.Sub(l.sought.at)
	if (r.Position-l.sought.to).Abs() > 2*since+time.Second && since < settle {
		l.again(settle - since)
		return l.followed - 1
	}
	l.sought = target{}
	return l.followed
}

// pressed returns what somebody pressed at the television; nil: nothing.
func (l *link) pressed(now time.Time) *bool {
	if l.status.State != playerapi.Playing && l.status.State != playerapi.Paused {
		return nil
	}
	plays := l.status.State == playerapi.Playing
	switch {
	case !l.play.known:
		l.play.value, l.play.known = plays, true
		return &plays
	case plays == l.play.value:
	case l.play.open(now):
		l.again(settle - now.Sub(l.play.at))
	default:
		l.play.value = plays
		return &plays
	}
	return nil
}

// heard returns the volume if it is not the one that was asked for.
func (l *link) heard(now time.Time) renderer.Level {
	is := renderer.Level{Volume: l.status.Volume, Muted: l.status.Muted, Known: true}
	switch {
	case !l.level.known:
		if o := l.tv.wanted(); o != nil && o.Level.Known {
			return renderer.Level{} // it is about to be set: the player has been restarted
		}
	case is == l.level.value:
		return renderer.Level{}
	case l.level.open(now):
		l.again(settle - now.Sub(l.level.at))
		return renderer.Level{}
	}
	l.level.value, l.level.known = is, true
	return is
}

func tracks(s playerapi.Status) *renderer.Tracks {
	if len(s.Streams) == 0 {
		return nil
	}
	t := &renderer.Tracks{Streams: s.Streams, Audio: s.Audio, Subtitle: s.Subtitle}
	for _, c := range s.Chapters {
		t.Chapters = append(t.Chapters, api.Chapter{Start: c.Start, Title: c.Title})
	}
	return t
}

// remember keeps where it is, for when the player has to be told again.
func (l *link) remember(r renderer.Report) {
	last := &l.tv.last
	if last.key != r.Key {
		*last = last.of(r.Key)
	}
	if r.State == api.Loading || r.Seek < l.followed {
		return
	}
	last.seek, last.position, last.at, last.rate = r.Seek, r.Position, r.At, 0
	if r.Position-last.from > proven {
		last.tries = 0
	}
	if r.State == api.Playing {
		last.rate = r.Speed
	}
}
