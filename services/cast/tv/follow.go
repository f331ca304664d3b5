package tv

import (
	"context"
	"errors"
	"strings"
	"time"

	"manofwar/internal/ipc"
	"manofwar/internal/media"
	playerapi "manofwar/player/api"
	"manofwar/services/cast/api"
	"manofwar/services/cast/renderer"
)

// follow does what the last order says and the player does not. An error means that the connection is of no use.
func (l *link) follow(ctx context.Context) error {
	o := l.tv.wanted()
	if o == nil {
		return nil
	}
	if o.Entry == nil {
		if err := l.silence(ctx); err != nil {
			return err
		}
		return l.followLevel(ctx, o.Level)
	}
	steps := []func(context.Context, *renderer.Order) error{l.followEntry, l.followNext, l.followSeek}
	// Louder only once it plays, quieter before: whoever falls asleep to a fade is not woken by its end.
	if o.Play {
		steps = append(steps, l.followTracks, l.followPlay)
	} else {
		steps = append(steps, l.followPlay, l.followTracks)
	}
	for _, step := range steps {
		if err := step(ctx, o); err != nil {
			return err
		}
	}
	return l.followLevel(ctx, o.Level)
}

// call does one thing within its time. What the player refuses is logged: it would refuse it again.
func (l *link) call(ctx context.Context, what string, do func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	err := do(ctx)
	if _, refused := errors.AsType[*ipc.Error](err); refused {
		l.tv.log.Warn("player refused", "what", what, "err", err)
		return nil
	}
	return err
}

// silence stops what cast has begun.
func (l *link) silence(ctx context.Context) error {
	if l.loaded == "" && !ours(l.key()) {
		return nil
	}
	if l.loaded == "" && time.Since(l.loading) < settle {
		return nil // it was told to stop
	}
	l.loaded, l.next, l.loading, l.idle = "", "", time.Now(), time.Time{}
	l.again(settle)
	return l.call(ctx, "stop", l.player.Stop)
}

// followEntry loads the entry, unless it is there already or about to be.
func (l *link) followEntry(ctx context.Context, o *renderer.Order) error {
	now := time.Now()
	switch {
	case o.Entry.Key != l.loaded:
		if o.Entry.Key == l.next && now.Sub(l.over) < joint {
			l.again(joint - now.Sub(l.over)) // it goes on by itself
			return nil
		}
		if o.Next != nil && o.Next.Key == l.loaded && now.Sub(l.over) < joint {
			l.again(joint - now.Sub(l.over)) // it was the first of several to go on
			return nil
		}
		if o.Flows && o.Entry.Key == l.next && l.key() == l.loaded {
			if l.flows != o.Entry.Key {
				l.flows, l.flowing = o.Entry.Key, now
			}
			if left := joint - now.Sub(l.flowing); left > 0 {
				l.again(left) // it is about to
				return nil
			}
		}
	case l.key() != "" || now.Sub(l.loading) < settle:
		return nil
	case l.idle.IsZero():
		l.idle = now
		l.again(joint)
		return nil
	case now.Sub(l.idle) < joint:
		l.again(joint - now.Sub(l.idle))
		return nil
	}
	return l.load(ctx, o)
}

// load has the entry played from where it should be: where the player was when it was last heard of it, if it was.
func (l *link) load(ctx context.Context, o *renderer.Order) error {
	last, now := &l.tv.last, time.Now()
	start := time.Duration(o.Seek.To)
	if last.key == o.Entry.Key {
		last.stand(now)
		if last.seek == o.Seek.Number {
			start = last.position
		}
		if last.tries++; last.tries > maxTries {
			l.fail(o.Entry, "The player stopped in the middle of it, again and again.")
			return nil
		}
	} else {
		*last = last.of(o.Entry.Key)
	}
	last.from = start
	in := playerapi.Load{Item: item(o.Entry), Paused: !o.Play}
	in.Item.Start = media.Duration(start)
	l.loaded, l.loading, l.next, l.followed = o.Entry.Key, now, "", o.Seek.Number
	l.idle, l.sought = time.Time{}, target{}
	l.play = asked[bool]{o.Play, now, true}
	if o.Next != nil {
		next := item(o.Next)
		in.Next, l.next = &next, o.Next.Key
	}
	l.again(settle)
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	err := l.player.Load(ctx, in)
	if refused, ok := errors.AsType[*ipc.Error](err); ok {
		l.fail(o.Entry, refused.Message)
		return nil
	}
	return err
}

// of returns what is remembered of a key before anything was heard of it.
func (last) of(key string) last { return last{key: key} }

func (l *link) fail(it *renderer.Item, why string) {
	l.tv.listener.Reported(l.tv.base.ID, renderer.Report{Ended: &renderer.Ended{
		Key: it.Key, Problem: &api.Problem{Title: renderer.Title(it.Media), Code: "internal", Text: why},
	}})
}

// followNext says early what comes next, so that there is no gap. It is said again if it has got lost.
func (l *link) followNext(ctx context.Context, o *renderer.Order) error {
	if o.Entry.Key != l.loaded {
		return nil
	}
	key := ""
	if o.Next != nil {
		key = o.Next.Key
	}
	lost := l.key() == l.loaded && l.status.Next != key && time.Since(l.setting) > settle && time.Since(l.loading) > settle
	if key == l.next && !lost {
		return nil
	}
	l.next, l.setting = key, time.Now()
	l.again(settle + settle/4)
	return l.call(ctx, "next", func(ctx context.Context) error {
		if o.Next == nil {
			return l.player.SetNext(ctx, nil)
		}
		next := item(o.Next)
		return l.player.SetNext(ctx, &next)
	})
}

func (l *link) followSeek(ctx context.Context, o *renderer.Order) error {
	if o.Entry.Key != l.loaded || o.Seek.Number <= l.followed || l.followed == 0 {
		return nil
	}
	l.followed = o.Seek.Number
	l.sought = target{time.Duration(o.Seek.To), time.Now()}
	l.again(settle)
	return l.call(ctx, "seek", func(ctx context.Context) error { return l.player.Seek(ctx, playerapi.Seek{To: &o.Seek.To}) })
}

func (l *link) followPlay(ctx context.Context, o *renderer.Order) error {
	if o.Entry.Key != l.loaded || l.play.known && o.Play == l.play.value {
		return nil
	}
	l.play = asked[bool]{o.Play, time.Now(), true}
	l.again(settle)
	if o.Play {
		return l.call(ctx, "play", l.player.Play)
	}
	return l.call(ctx, "pause", l.player.Pause)
}

func (l *link) followLevel(ctx context.Context, want renderer.Level) error {
	if !want.Known || l.level.known && want == l.level.value {
		return nil
	}
	l.level = asked[renderer.Level]{want, time.Now(), true}
	l.again(settle)
	return l.call(ctx, "volume", func(ctx context.Context) error {
		return l.player.Change(ctx, playerapi.Change{Volume: &want.Volume, Muted: &want.Muted})
	})
}

// followTracks asks for the speed, and once for each choice of a track: what there is not stays what it is.
func (l *link) followTracks(ctx context.Context, o *renderer.Order) error {
	if o.Entry.Key != l.loaded || l.key() != l.loaded {
		return nil
	}
	var ch playerapi.Change
	any := false
	if o.Speed != l.status.Speed && time.Since(l.speed) > settle {
		ch.Speed, any, l.speed = &o.Speed, true, time.Now()
		l.again(settle)
	}
	if len(l.status.Streams) > 0 {
		for _, c := range []struct {
			kind media.StreamKind
			want *int
			is   int
			ask  **int
		}{{media.Audio, o.Audio, l.status.Audio, &ch.Audio}, {media.Subtitle, o.Subtitle, l.status.Subtitle, &ch.Subtitle}} {
			if c.want == nil || *c.want == c.is || l.tracks[c.kind] == (track{l.loaded, *c.want}) {
				continue
			}
			l.tracks[c.kind] = track{l.loaded, *c.want}
			*c.ask, any = c.want, true
		}
	}
	if !any {
		return nil
	}
	return l.call(ctx, "change", func(ctx context.Context) error { return l.player.Change(ctx, ch) })
}

// maxText bounds what the player shows of an item, in bytes.
const maxText = 1000

// item is an entry as the player has it.
func item(it *renderer.Item) playerapi.Item {
	m := it.Media
	out := playerapi.Item{
		Key: it.Key, ID: m.ID, Kind: m.Kind, Path: it.Path, Title: clip(renderer.Title(m)), Artist: clip(strings.Join(m.Artists, ", ")),
		Album: clip(m.Album), Year: m.Year, Duration: m.Duration, Cover: it.Cover,
	}
	if it.Link != nil {
		out.URL = it.Link.URL
	}
	return out
}

func clip(s string) string { return strings.ToValidUTF8(s[:min(len(s), maxText)], "") }
