package cast

import (
	"context"
	"errors"
	"time"

	"manofwar/internal/ipc"
	"manofwar/internal/media"
	playerapi "manofwar/player/api"
	"manofwar/services/cast/api"
	"manofwar/services/cast/renderer"
)

const (
	// lookUpWithin is how long the library may take: it is asked again while it is being restarted.
	lookUpWithin = 15 * time.Second
	lookUpAgain  = 250 * time.Millisecond
	// coverWithin is how long a picture may hold up what is to play now.
	coverWithin = 300 * time.Millisecond
	// maxCover bounds a picture that travels in the order, in bytes.
	maxCover = 256 << 10
)

// resolve looks up what a session plays and what follows, unless that is under way. The caller holds mu.
func (c *Service) resolve(s *session) {
	for _, p := range []*playing{&s.now, s.next} {
		if p == nil || p.key == "" || p.item != nil || p.asked {
			continue
		}
		p.asked = true
		id, key, entry := s.id, p.key, p.entry
		look := func(ctx context.Context) (renderer.Item, error) { return c.lookUp(ctx, entry.ID) }
		if link, ok := s.links[entry.ID]; ok {
			onTV := s.place == api.TV
			look = func(ctx context.Context) (renderer.Item, error) { return c.follow(ctx, link, onTV) }
		}
		c.work.start(func(ctx context.Context) {
			item, err := look(ctx)
			if ctx.Err() == nil {
				c.resolved(id, key, item, err)
			}
		})
	}
}

// resolved takes in what was looked up, if it is still wanted.
func (c *Service) resolved(id, key string, item renderer.Item, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := c.sessions[id]
	if s == nil {
		return
	}
	now := time.Now()
	s.resolved(key, item, err)
	if err != nil && !s.over && !s.parked { // else it is enough to know once somebody wants it
		s.fail(key, problemOf(item.Media, err), now)
	}
	c.settle(s, now)
}

// resolved gives a playing its item, as far as one was found.
func (s *session) resolved(key string, item renderer.Item, err error) {
	p := &s.now
	if s.next != nil && s.next.key == key {
		p = s.next
	}
	if p.key != key {
		return
	}
	if item.Media.ID != "" {
		p.media = &item.Media
	}
	if item.Key = key; err == nil {
		p.item = &item
	}
	close(p.known)
}

// knownWithin is how long an answer waits for what it names: it has mostly been looked up by then, and nobody has to see
// a song without its name.
const knownWithin = 40 * time.Millisecond

// answer returns a session for whoever has changed it.
func (c *Service) answer(ctx context.Context, id string) (api.Session, error) {
	c.mu.Lock()
	s := c.sessions[id]
	var known chan struct{}
	if s != nil && s.queue.Len() > 0 {
		known = s.now.known
	}
	c.mu.Unlock()
	if known != nil {
		t := time.NewTimer(knownWithin)
		defer t.Stop()
		select {
		case <-known:
		case <-t.C:
		case <-ctx.Done():
		}
	}
	return c.withSession(id, func(*session, time.Time) error { return nil })
}

// lookUp finds an item's file and its picture. A library that is being restarted is waited for.
func (c *Service) lookUp(ctx context.Context, id media.ID) (item renderer.Item, err error) {
	deadline := time.Now().Add(lookUpWithin)
	for {
		f, err := c.library.File(ctx, id)
		if err == nil {
			item.Media, item.Path = f.Item, f.Path
			item.Cover = c.cover(ctx, f.Item)
			return item, nil
		}
		if !errors.Is(err, media.ErrBusy) || time.Now().After(deadline) || !pause(ctx, lookUpAgain) {
			if found, err := c.library.Lookup(ctx, []media.ID{id}); err == nil && len(found) == 1 {
				item.Media = found[0] // for its title
			}
			return item, err
		}
	}
}

// cover finds where an item's picture is; nil: it has none, or it takes too long.
func (c *Service) cover(ctx context.Context, it media.Item) *playerapi.Cover {
	ctx, cancel := context.WithTimeout(ctx, coverWithin)
	defer cancel()
	plan, err := c.planner.Plan(ctx, it.ID, "cover", nil)
	if err != nil || len(plan.Parts) != 1 {
		return nil
	}
	p := plan.Parts[0]
	if len(p.Inline) > maxCover {
		return nil
	}
	return &playerapi.Cover{Path: p.Path, Offset: p.Offset, Length: p.Length, Inline: p.Inline}
}

// problemOf says to a person why an item was left out.
func problemOf(it media.Item, err error) api.Problem {
	e := ipc.AsError(err)
	p := api.Problem{Title: renderer.Title(it), Code: e.Code, Hint: e.Hint}
	switch {
	case errors.Is(err, media.ErrAway):
		p.Text = "Its disk is not connected."
	case errors.Is(err, media.ErrNotFound):
		p.Text = "It is no longer in the library."
	case errors.Is(err, media.ErrBusy):
		p.Text = "The library does not answer."
	default:
		p.Text = e.Message
	}
	return p
}
