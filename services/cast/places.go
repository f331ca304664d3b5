package cast

import (
	"cmp"
	"slices"
	"time"

	"manofwar/services/cast/api"
	"manofwar/services/cast/renderer"
)

// Found implements [renderer.Listener].
func (c *Service) Found(info api.Renderer, to renderer.Renderer) {
	c.mu.Lock()
	defer c.mu.Unlock()
	p := c.place(info.ID)
	arrived := !p.there || p.to != to
	p.info, p.to, p.there = info, to, true
	if !info.Volume || info.Kind == api.InPage && !p.level.Known {
		p.level = renderer.Level{Volume: 100, Known: true}
	}
	c.stale.renderers()
	if !arrived && info.Kind != api.InPage { // a page that listens again may have been loaded anew
		return
	}
	if s := c.sessions[p.session]; s != nil {
		c.settle(s, time.Now())
	} else if s := c.sessions[p.follows]; s != nil {
		c.settle(s, time.Now())
	} else {
		to.Order(renderer.Order{Level: p.level, Speed: 1})
	}
}

// Lost implements [renderer.Listener].
func (c *Service) Lost(id string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if p := c.places[id]; p != nil {
		p.there, p.to = false, nil
		c.lost(p)
	}
}

// codeGone is that of the problem that a session's place is not there.
const codeGone = "gone"

// lost has the session of a place that has gone wait. Without one the place is forgotten. The caller holds mu.
func (c *Service) lost(p *place) {
	c.stale.renderers()
	now := time.Now()
	if s := c.sessions[p.follows]; s != nil { // it plays along again once it is back
		p.room = room{}
		c.stale.session(s.id)
		return
	}
	s := c.sessions[p.session]
	if s == nil {
		delete(c.places, p.info.ID)
		return
	}
	if c.succeed(s) {
		delete(c.places, p.info.ID)
		c.settle(s, now)
		return
	}
	wanted := s.want
	s.park(now)
	if wanted || s.problem == nil {
		name := cmp.Or(p.info.Name, "What it played on")
		s.problem = &api.Problem{Code: codeGone, Text: name + " is no longer there.", Hint: "Choose where to go on.", At: now}
	}
	c.settle(s, now)
}

// Reported implements [renderer.Listener].
func (c *Service) Reported(id string, r renderer.Report) {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := time.Now()
	p := c.places[id]
	if p == nil {
		return // it has gone meanwhile
	}
	s := c.sessions[cmp.Or(p.session, p.follows)]
	if r.Level.Known && p.info.Volume && r.Level != p.level && (s == nil || s.sleep.fade(now) == 1) {
		p.level = r.Level
		if s != nil {
			c.stale.session(s.id)
		}
	}
	switch {
	case s == nil:
	case p.follows != "":
		c.followed(s, p, r, now)
	default:
		s.reported(r, now)
		c.settle(s, now)
	}
}

// renderers lists the places that are there, the TV first, then by name. The caller holds mu.
func (c *Service) renderers() api.Renderers {
	list := []api.Renderer{}
	for _, p := range c.places {
		if p.there {
			r := p.info
			r.Session = cmp.Or(p.session, p.follows)
			list = append(list, r)
		}
	}
	kinds := []api.RendererKind{api.OwnTV, api.Another, api.DLNA, api.InPage}
	slices.SortFunc(list, func(a, b api.Renderer) int {
		return cmp.Or(
			cmp.Compare(slices.Index(kinds, a.Kind), slices.Index(kinds, b.Kind)),
			cmp.Compare(a.Name, b.Name), cmp.Compare(a.ID, b.ID),
		)
	})
	return api.Renderers{Renderers: list}
}

// list returns all sessions, the one used last first. The caller holds mu.
func (c *Service) list(now time.Time) api.Sessions {
	all := make([]*session, 0, len(c.sessions))
	for _, s := range c.sessions {
		all = append(all, s)
	}
	slices.SortFunc(all, func(a, b *session) int { return cmp.Or(b.used.Compare(a.used), cmp.Compare(a.id, b.id)) })
	out := api.Sessions{Sessions: make([]api.Session, len(all))}
	for i, s := range all {
		out.Sessions[i] = c.snapshot(s, now)
	}
	out.Stamp = c.stamp()
	return out
}
