package cast

import (
	"cmp"
	"context"
	"slices"
	"time"

	"manofwar/internal/media"
	"manofwar/services/cast/api"
	"manofwar/services/cast/renderer"
)

// A session plays at one place, which leads, and may have others follow it: they get the same orders, and are told every so
// often where the first one is. What is heard there is what counts; whose clock is whose is for the places to know.

const (
	// alignEvery is how often those who follow are told where the first one is.
	alignEvery = time.Second
	// alignWithin is how long telling may take.
	alignWithin = 2 * time.Second
)

// gather has the session play at exactly these places besides its own. The caller settles it afterwards.
func (c *Service) gather(s *session, ids []string) error {
	if len(ids) > api.MaxWith {
		return invalid("renderers", "too many rooms at once")
	}
	if len(ids) > 0 {
		if err := c.canStep(s.place); err != nil {
			return err
		}
	}
	for i, id := range ids {
		if id == s.place || slices.Contains(ids[:i], id) {
			return invalid("renderers", "one of them is named twice")
		}
		if err := c.canStep(id); err != nil {
			return err
		}
	}
	for _, id := range slices.Clone(s.with) {
		if !slices.Contains(ids, id) {
			c.leave(s, id)
		}
	}
	for _, id := range ids {
		c.join(s, id)
	}
	tell(c.stepping)
	return nil
}

// canStep returns why a place cannot play in step with others.
func (c *Service) canStep(id string) error {
	p, err := c.open(id)
	if err != nil {
		return err
	}
	if _, ok := p.to.(renderer.InStep); !ok || !p.info.Exact {
		return &media.Error{
			Op: "play in step on", Path: p.info.Name, Err: media.ErrUnsupported,
			Hint: "Only televisions and loudspeakers of a dongle can play at exactly the same time.",
		}
	}
	return nil
}

// join has a place follow a session, in place of what played there.
func (c *Service) join(s *session, id string) {
	if slices.Contains(s.with, id) {
		return
	}
	p := c.place(id)
	c.vacate(p)
	p.follows, p.room = s.id, room{}
	s.with = append(s.with, id)
	c.stale.renderers()
}

// vacate ends what plays at a place or takes it out of a group, so that something else can play there.
func (c *Service) vacate(p *place) {
	if s := c.sessions[p.session]; s != nil {
		c.end(s)
	}
	if s := c.sessions[p.follows]; s != nil {
		c.leave(s, p.info.ID)
		c.stale.session(s.id)
	}
}

// leave has a place follow a session no more: it falls silent.
func (c *Service) leave(s *session, id string) {
	p := c.place(id)
	c.part(s, p)
	if p.to != nil {
		p.to.Order(renderer.Order{Level: p.level, Speed: 1})
	}
}

// part takes a place out of a session's group, and leaves it as it is.
func (c *Service) part(s *session, p *place) {
	s.with = slices.DeleteFunc(s.with, func(id string) bool { return id == p.info.ID })
	p.follows, p.room = "", room{}
	c.stale.renderers()
	if !p.there && p.session == "" && p.info.ID != api.TV {
		delete(c.places, p.info.ID)
	}
}

// disband lets all go who follow a session.
func (c *Service) disband(s *session) {
	for _, id := range slices.Clone(s.with) {
		c.leave(s, id)
	}
}

// instruct gives those who follow a session the order of its own place, each at its own loudness.
func (c *Service) instruct(s *session, now time.Time) {
	for _, id := range s.with {
		p := c.place(id)
		o, ok := s.order(p.level, now)
		if !ok || p.to == nil {
			continue
		}
		o.Flows = s.flows
		p.to.Order(o)
	}
}

// succeed makes one of those who follow the session's own place, because that has gone, and reports whether there was one.
func (c *Service) succeed(s *session) bool {
	for _, id := range s.with {
		p := c.place(id)
		if p.to == nil || p.info.Problem != "" {
			continue
		}
		c.part(s, p)
		c.place(s.place).session = ""
		s.place, p.session = id, s.id
		return true
	}
	return false
}

// room is how a place that follows gets on.
type room struct {
	state   api.State
	seen    api.State // Playing or Paused, whichever it was last; empty: neither since it came
	problem string
}

// pressed reports whether somebody has pressed play or pause in a room that was like that and now reports r. One that has just
// come is as it was left, and one that goes on as it was may have missed an order: nobody has pressed anything there.
func (was room) pressed(r renderer.Report, want bool) bool {
	return r.Play != nil && *r.Play != want && was.seen != "" && was.seen != r.State
}

// followed takes in what a place does that follows a session. People may press its buttons as well; what it plays and where
// it is there is not asked.
func (c *Service) followed(s *session, p *place, r renderer.Report, now time.Time) {
	was := p.room
	if e := r.Ended; e != nil {
		switch {
		case e.Problem != nil:
			p.room.problem = e.Problem.Text
		case e.Stopped:
			c.part(s, p)
		}
		c.settle(s, now)
		return
	}
	switch {
	case r.Taken: // somebody wants to hear something else there
		c.part(s, p)
	case r.Pressed != "":
		s.reported(renderer.Report{Pressed: r.Pressed}, now)
	default:
		p.room.state = api.Stopped
		if r.Key == s.now.key || s.next != nil && r.Key == s.next.key { // it may be the first one to go on
			p.room.state = r.State
			if r.State == api.Playing {
				p.room.problem = ""
			}
			if r.State == api.Playing || r.State == api.Paused {
				p.room.seen = r.State
			}
			if was.pressed(r, s.want) && !s.parked && !s.over {
				if s.want {
					s.pause(now)
				} else {
					s.play(now)
				}
				break
			}
		}
		if p.room == was {
			c.instruct(s, now) // it may have missed the last one
			c.stale.session(s.id)
			return
		}
	}
	c.settle(s, now)
}

// rooms are those who follow, as everybody sees them.
func (c *Service) rooms(s *session) (all []api.Room) {
	for _, id := range s.with {
		p := c.place(id)
		r := api.Room{Renderer: id, Volume: p.level.Volume, Muted: p.level.Muted, State: p.room.state, Problem: p.room.problem}
		if r.State == "" {
			r.State = api.Loading
		}
		if !p.there {
			r.State, r.Problem = api.Stopped, cmp.Or(p.info.Name, "It")+" is no longer there."
		} else if p.info.Problem != "" {
			r.Problem = p.info.Problem
		}
		all = append(all, r)
	}
	return all
}

// keepStep tells those who follow where the first one is, until ctx ends. While nobody follows it sleeps.
func (c *Service) keepStep(ctx context.Context) {
	t := time.NewTicker(alignEvery)
	defer t.Stop()
	for {
		if !c.align() {
			t.Stop()
			select {
			case <-ctx.Done():
				return
			case <-c.stepping:
			}
			t.Reset(alignEvery)
		}
		select {
		case <-ctx.Done():
			return
		case <-t.C:
		}
	}
}

// align begins to tell, and reports whether there is anybody to tell.
func (c *Service) align() (some bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, s := range c.sessions {
		if len(s.with) == 0 {
			continue
		}
		some = true
		first, ok := c.place(s.place).to.(renderer.InStep)
		if !ok || s.state() != api.Playing || s.aligning {
			continue
		}
		var others []renderer.InStep
		for _, id := range s.with {
			if other, ok := c.place(id).to.(renderer.InStep); ok {
				others = append(others, other)
			}
		}
		s.aligning = true
		c.work.start(func(ctx context.Context) {
			c.alignTo(ctx, first, others)
			c.mu.Lock()
			s.aligning = false
			c.mu.Unlock()
		})
	}
	return some
}

// alignTo tells others where the first one is, all at the same time: one that is slow to answer holds up nobody.
func (c *Service) alignTo(ctx context.Context, first renderer.InStep, others []renderer.InStep) {
	ctx, cancel := context.WithTimeout(ctx, alignWithin)
	defer cancel()
	m, err := first.Where(ctx)
	if err != nil || !m.Playing {
		return // it is asked again
	}
	told := make(chan error, len(others))
	for _, other := range others {
		go func() { told <- other.Align(ctx, m) }()
	}
	for range others {
		if err := <-told; err != nil && ctx.Err() == nil {
			c.log.Debug("room not kept in step", "err", err)
		}
	}
}
