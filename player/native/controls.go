package native

import (
	"context"
	"log/slog"
	"slices"
	"time"

	"manofwar/internal/media"
	"manofwar/player/api"
	"manofwar/player/cec"
)

// television is the other end of the wire: its remote control, and its switch.
type television interface {
	Keys() <-chan cec.Key
	WakeTV()
	Standby()
	SetName(string) error
}

// engine is what keys move.
type engine interface {
	Status() api.Status
	Play()
	Pause()
	Stop()
	Seek(api.Seek)
	Change(api.Change)
}

// controls lets the television's remote control play, and turns the television on and off.
type controls struct {
	tv     television
	engine engine
	ask    func(api.Key) // has the queue answer
	touch  func()        // shows where the film is
	news   chan api.Status
	names  chan string
	log    *slog.Logger
}

func newControls(tv television, e engine, ask func(api.Key), touch func(), log *slog.Logger) *controls {
	return &controls{tv: tv, engine: e, ask: ask, touch: touch, news: make(chan api.Status, 1), names: make(chan string, 1), log: log}
}

// tell takes note of what is played, name of what the dongle is called. Of several the last one counts.
func (c *controls) tell(s api.Status) { replace(c.news, s) }

func (c *controls) name(s string) { replace(c.names, s) }

// replace puts v into a channel that holds one, in the place of what is in it.
func replace[T any](ch chan T, v T) {
	for {
		select {
		case ch <- v:
			return
		default:
		}
		select {
		case <-ch:
		default:
		}
	}
}

// idleFor is how long nothing plays before a television that is to be turned off is.
const idleFor = 15 * time.Minute

// run listens until ctx ends.
func (c *controls) run(ctx context.Context) {
	var last api.Status
	sleep := time.NewTimer(idleFor)
	sleep.Stop()
	defer sleep.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case k := <-c.tv.Keys():
			c.press(k)
		case <-sleep.C:
			c.tv.Standby()
		case name := <-c.names:
			if name == "" {
				continue
			}
			if err := c.tv.SetName(name); err != nil {
				c.log.Info("the television does not know our name", "err", err)
			}
		case now := <-c.news:
			if wakes(last, now) {
				c.tv.WakeTV()
			}
			switch {
			case now.State != api.Idle || !now.Settings.CEC || !now.Settings.Standby:
				sleep.Stop()
			case last.State != api.Idle:
				sleep.Reset(idleFor)
			}
			last = now
		}
	}
}

// wakes reports whether what begins now, or goes on after it was paused, is for the television. What goes on by itself wakes
// nobody, such as the next item of a queue: somebody may have turned the television off.
func wakes(last, now api.Status) bool {
	if !now.Settings.CEC || !forTelevision(now) || forTelevision(last) && (last.State == api.Playing || last.State == api.Loading) {
		return false
	}
	another := keyOf(last.Item) != keyOf(now.Item)
	switch now.State {
	case api.Loading:
		return another // else it is sought in a film that waits
	case api.Playing:
		return another || last.State == api.Paused
	}
	return false
}

// forTelevision reports whether what is loaded is a film, or music that the television's loudspeakers play.
func forTelevision(s api.Status) bool {
	if s.Item == nil {
		return false
	}
	return s.Item.Kind == media.Film || s.Sound != nil && slices.ContainsFunc(s.Sound.Cards, func(card api.Card) bool {
		return card.HDMI && card.ID == s.Sound.Card
	})
}

// How far keys move.
const (
	keySeek = media.Duration(10 * time.Second)
	keyStep = 4 // of the volume
)

// press does what a key says.
func (c *controls) press(k cec.Key) {
	now := c.engine.Status()
	if k.Held && !repeats(k.Name) {
		return
	}
	switch k.Name {
	case cec.Play:
		c.engine.Play()
	case cec.Pause:
		c.engine.Pause()
	case cec.PlayPause, cec.OK:
		if now.State == api.Paused {
			c.engine.Play()
		} else {
			c.engine.Pause()
		}
	case cec.Stop:
		c.engine.Stop()
	case cec.Next, cec.Previous:
		c.ask(api.Key{Name: k.Name})
	case cec.Forward, cec.Right:
		c.engine.Seek(api.Seek{By: keySeek})
	case cec.Rewind, cec.Left:
		c.engine.Seek(api.Seek{By: -keySeek})
	case cec.Louder, cec.Softer, cec.Mute:
		c.loudness(k.Name, now)
	case cec.Audio:
		c.engine.Change(api.Change{Audio: another(now.Streams, media.Audio, now.Audio, false)})
	case cec.Subtitle:
		c.engine.Change(api.Change{Subtitle: another(now.Streams, media.Subtitle, now.Subtitle, true)})
	case cec.Off:
		if now.Item != nil && now.Item.Kind == media.Film {
			c.engine.Pause()
		}
	}
	if k.Name != cec.Off {
		c.touch()
	}
}

// repeats reports whether a key does its work again while it is held.
func repeats(name string) bool {
	switch name {
	case cec.Forward, cec.Rewind, cec.Left, cec.Right, cec.Louder, cec.Softer:
		return true
	}
	return false
}

func (c *controls) loudness(key string, now api.Status) {
	muted, volume := false, now.Volume
	switch key {
	case cec.Mute:
		muted = !now.Muted
	case cec.Louder:
		volume = min(volume+keyStep, 100)
	case cec.Softer:
		volume = max(volume-keyStep, 0)
	}
	c.engine.Change(api.Change{Volume: &volume, Muted: &muted})
}

// another returns the stream of that kind after the one in use, in a circle, with a place for none if that is wanted; nil:
// there is no other.
func another(streams []media.Stream, kind media.StreamKind, current int, none bool) *int {
	var list []int
	if none {
		list = append(list, -1)
	}
	for i, s := range streams {
		if s.Kind == kind {
			list = append(list, i)
		}
	}
	if len(list) < 2 {
		return nil
	}
	next := list[(slices.Index(list, current)+1)%len(list)]
	return &next
}
