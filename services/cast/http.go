package cast

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"time"

	"manofwar/internal/ipc"
	"manofwar/internal/media"
	"manofwar/services/cast/api"
)

// handler answers what package api documents.
func (c *Service) handler() http.Handler {
	mux := http.NewServeMux()
	for pattern, f := range map[string]func(w http.ResponseWriter, r *http.Request) error{
		"GET /renderers":              c.getRenderers,
		"GET /sessions":               c.getSessions,
		"GET /sessions/{id}":          c.getSession,
		"GET /sessions/{id}/queue":    c.getQueue,
		"GET /sessions/{id}/keys":     c.getKeys,
		"POST /play":                  c.postPlay,
		"POST /open":                  c.postOpen,
		"POST /sessions/{id}/control": c.postControl,
		"POST /sessions/{id}/queue":   c.postEdit,
		"POST /sessions/{id}/change":  c.postChange,
		"POST /sessions/{id}/move":    c.postMove,
		"POST /sessions/{id}/with":    c.postWith,
		"DELETE /sessions/{id}":       c.deleteSession,
		"GET /browsers/{id}/events":   c.pages.Offer,
		"POST /browsers/{id}/status":  c.pages.Report,
		"GET /devices":                c.getDevices,
		"POST /devices/{id}/trust":    c.postTrust,
		"DELETE /devices/{id}":        c.deleteDevice,
		"GET /settings":               c.getSettings,
		"PUT /settings":               c.putSettings,
	} {
		mux.Handle(pattern, ipc.Handler(f))
	}
	mux.HandleFunc("GET /events", c.getEvents)
	return mux
}

func (c *Service) getRenderers(w http.ResponseWriter, _ *http.Request) error {
	c.mu.Lock()
	list := c.renderers()
	c.mu.Unlock()
	ipc.WriteJSON(w, list)
	return nil
}

func (c *Service) getSessions(w http.ResponseWriter, _ *http.Request) error {
	c.mu.Lock()
	list := c.list(time.Now())
	c.mu.Unlock()
	ipc.WriteJSON(w, list)
	return nil
}

func (c *Service) getSession(w http.ResponseWriter, r *http.Request) error {
	return c.with(w, r, func(*session, time.Time) error { return nil })
}

// with does something to the session that the path names, and answers with it.
func (c *Service) with(w http.ResponseWriter, r *http.Request, do func(*session, time.Time) error) error {
	out, err := c.withSession(r.PathValue("id"), do)
	if err != nil {
		return err
	}
	ipc.WriteJSON(w, out)
	return nil
}

func (c *Service) withSession(id string, do func(*session, time.Time) error) (api.Session, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := c.sessions[id]
	if s == nil {
		return api.Session{}, errNoSession(id)
	}
	now := time.Now()
	if err := do(s, now); err != nil {
		return api.Session{}, err
	}
	return c.snapshot(s, now), nil
}

func errNoSession(id string) error {
	return &media.Error{Op: "find session", Path: fmt.Sprintf("%.64q", id), Err: media.ErrNotFound, Hint: "Somebody has stopped it."}
}

// wish is [Service.with] for what somebody wants: done once if it has a name, and followed by the renderer.
func (c *Service) wish(w http.ResponseWriter, r *http.Request, once string, do func(*session, time.Time) error) error {
	if len(once) > api.MaxOnce {
		return invalid("once", fmt.Sprintf("expected at most %d bytes", api.MaxOnce))
	}
	id := r.PathValue("id")
	_, err := c.withSession(id, func(s *session, now time.Time) error {
		if _, done := c.once.done(once); done {
			return nil
		}
		if err := do(s, now); err != nil {
			return err
		}
		c.once.add(once, s.id)
		s.used = now
		c.settle(s, now)
		return nil
	})
	if err != nil {
		return err
	}
	out, err := c.answer(r.Context(), id)
	if err != nil {
		return err
	}
	ipc.WriteJSON(w, out)
	return nil
}

// defaultPage is how many entries are answered with when the client does not say.
const defaultPage = 100

func (c *Service) getQueue(w http.ResponseWriter, r *http.Request) error {
	offset, err := parameter(r, "offset", 0, api.MaxQueue, 0)
	if err != nil {
		return err
	}
	limit, err := parameter(r, "limit", 1, api.MaxPage, defaultPage)
	if err != nil {
		return err
	}
	q, err := c.page(r.Context(), r.PathValue("id"), offset, limit)
	if err != nil {
		return err
	}
	ipc.WriteJSON(w, q)
	return nil
}

func (c *Service) getKeys(w http.ResponseWriter, r *http.Request) error {
	c.mu.Lock()
	s := c.sessions[r.PathValue("id")]
	if s == nil {
		c.mu.Unlock()
		return errNoSession(r.PathValue("id"))
	}
	entries := s.queue.Page(0, api.MaxQueue)
	out := api.Keys{Revision: s.queue.Revision(), Keys: make([]string, len(entries)), Items: make([]media.ID, len(entries)), Links: maps.Clone(s.links)}
	c.mu.Unlock()
	for i, e := range entries {
		out.Keys[i], out.Items[i] = e.Key.String(), e.ID
	}
	ipc.WriteJSON(w, out)
	return nil
}

// page returns a run of a session's queue with its items.
func (c *Service) page(ctx context.Context, id string, offset, limit int) (q api.Queue, err error) {
	c.mu.Lock()
	s := c.sessions[id]
	if s == nil {
		c.mu.Unlock()
		return q, errNoSession(id)
	}
	entries := s.queue.Page(offset, limit)
	q = api.Queue{Revision: s.queue.Revision(), Total: s.queue.Len(), Offset: offset, Entries: make([]api.Entry, len(entries))}
	links := maps.Clone(s.links)
	c.mu.Unlock()
	ids := make([]media.ID, len(entries))
	for i, e := range entries {
		ids[i] = e.ID
	}
	found, err := c.library.Lookup(ctx, ids)
	if err != nil {
		return q, err
	}
	byID := make(map[media.ID]media.Item, len(found))
	for _, it := range found {
		byID[it.ID] = it
	}
	for i, e := range entries {
		if link, ok := links[e.ID]; ok {
			q.Entries[i] = api.Entry{Key: e.Key.String(), Item: itemOf(link), Link: &link}
			continue
		}
		it, ok := byID[e.ID]
		if !ok {
			it = media.Item{ID: e.ID, Problem: "It is no longer in the library."}
		}
		q.Entries[i] = api.Entry{Key: e.Key.String(), Item: it}
	}
	return q, nil
}

func parameter(r *http.Request, name string, least, most, otherwise int) (int, error) {
	text := r.URL.Query().Get(name)
	if text == "" {
		return otherwise, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < least || n > most {
		return 0, invalid(name, fmt.Sprintf("expected a number from %d to %d", least, most))
	}
	return n, nil
}

func (c *Service) postControl(w http.ResponseWriter, r *http.Request) error {
	var in api.Control
	if err := ipc.ReadJSON(w, r, &in); err != nil {
		return err
	}
	return c.wish(w, r, in.Once, func(s *session, now time.Time) error { return s.control(in, now) })
}

func (c *Service) postEdit(w http.ResponseWriter, r *http.Request) error {
	var in api.Edit
	if err := ipc.ReadJSON(w, r, &in); err != nil {
		return err
	}
	if len(in.Keys) > api.MaxItems {
		return invalid("keys", fmt.Sprintf("expected at most %d", api.MaxItems))
	}
	var ids []media.ID
	if in.Do == "add" || in.Do == "next" {
		var err error
		if ids, err = c.find(r.Context(), in.What); err != nil {
			return err
		}
	}
	return c.wish(w, r, in.Once, func(s *session, now time.Time) error { return s.edit(in, ids, now) })
}

func (c *Service) postChange(w http.ResponseWriter, r *http.Request) error {
	var in api.Change
	if err := ipc.ReadJSON(w, r, &in); err != nil {
		return err
	}
	return c.wish(w, r, "", func(s *session, now time.Time) error {
		if in.Room != "" && in.Room != s.place && !slices.Contains(s.with, in.Room) {
			return invalid("room", "it does not play there")
		}
		if err := s.change(in, now); err != nil {
			return err
		}
		p := c.place(cmp.Or(in.Room, s.place))
		if !p.info.Volume {
			return nil
		}
		if in.Volume != nil {
			p.level.Volume, p.level.Known = *in.Volume, true
		}
		if in.Muted != nil {
			p.level.Muted = *in.Muted
		}
		return nil
	})
}

func (c *Service) postMove(w http.ResponseWriter, r *http.Request) error {
	var in api.Move
	if err := ipc.ReadJSON(w, r, &in); err != nil {
		return err
	}
	return c.wish(w, r, "", func(s *session, now time.Time) error {
		p, err := c.open(in.Renderer)
		if err == nil {
			c.move(s, p, now)
		}
		return err
	})
}

func (c *Service) postWith(w http.ResponseWriter, r *http.Request) error {
	var in api.With
	if err := ipc.ReadJSON(w, r, &in); err != nil {
		return err
	}
	return c.wish(w, r, "", func(s *session, _ time.Time) error { return c.gather(s, in.Renderers) })
}

// open returns a place where something can play now. The caller holds mu.
func (c *Service) open(id string) (*place, error) {
	p := c.places[id]
	if p == nil || !p.there || p.to == nil {
		return nil, &media.Error{Op: "play on", Path: fmt.Sprintf("%.64q", id), Err: media.ErrNotFound, Hint: "It is no longer there. Choose another place."}
	}
	return p, nil
}

func (c *Service) deleteSession(w http.ResponseWriter, r *http.Request) error {
	_, err := c.withSession(r.PathValue("id"), func(s *session, _ time.Time) error {
		c.end(s)
		c.stale.renderers()
		return nil
	})
	if err == nil {
		w.WriteHeader(http.StatusNoContent)
	}
	return err
}

func (c *Service) getSettings(w http.ResponseWriter, _ *http.Request) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	ipc.WriteJSON(w, c.settings)
	return nil
}

func (c *Service) putSettings(w http.ResponseWriter, r *http.Request) error {
	var in api.Settings
	if err := ipc.ReadJSON(w, r, &in); err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.settings = in
	c.devices.Set(in.DLNA)
	tell(c.stale.keep)
	ipc.WriteJSON(w, in)
	return nil
}

// postOpen returns the session at a renderer, a new one where there is none. It plays nothing and is at its end.
func (c *Service) postOpen(w http.ResponseWriter, r *http.Request) error {
	var in api.Open
	if err := ipc.ReadJSON(w, r, &in); err != nil {
		return err
	}
	id, err := c.openAt(in.Renderer, time.Now())
	if err != nil {
		return err
	}
	out, err := c.answer(r.Context(), id)
	if err != nil {
		return err
	}
	ipc.WriteJSON(w, out)
	return nil
}

func (c *Service) openAt(renderer string, now time.Time) (id string, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	p, err := c.open(renderer)
	if err != nil {
		return "", err
	}
	if c.sessions[p.session] != nil {
		return p.session, nil
	}
	s, err := c.begin(p)
	if err != nil {
		return "", err
	}
	s.over, s.used = true, now
	c.settle(s, now)
	return s.id, nil
}

// postPlay replaces what a renderer plays.
func (c *Service) postPlay(w http.ResponseWriter, r *http.Request) error {
	var in api.Play
	if err := ipc.ReadJSON(w, r, &in); err != nil {
		return err
	}
	switch {
	case len(in.Once) > api.MaxOnce:
		return invalid("once", fmt.Sprintf("expected at most %d bytes", api.MaxOnce))
	case in.Position < 0 || in.Position > maxPosition:
		return invalid("position", "not a place in anything")
	case in.Index != nil && *in.Index < 0:
		return invalid("index", "expected 0 or more")
	}
	ids, err := c.find(r.Context(), in.What)
	if err != nil {
		return err
	}
	id, err := c.play(in, ids, time.Now())
	if err != nil {
		return err
	}
	out, err := c.answer(r.Context(), id)
	if err != nil {
		return err
	}
	ipc.WriteJSON(w, out)
	return nil
}

// play begins ids as in says, and returns the session's ID.
func (c *Service) play(in api.Play, ids []media.ID, now time.Time) (id string, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if id, done := c.once.done(in.Once); done && c.sessions[id] != nil {
		return id, nil
	}
	p, err := c.open(in.Renderer)
	if err != nil {
		return "", err
	}
	s, err := c.begin(p)
	if err != nil {
		return "", err
	}
	c.once.add(in.Once, s.id)
	s.start(in, c.sample(ids, in), now)
	c.settle(s, now)
	return s.id, nil
}

// sample takes what fits into a queue; if it is to be shuffled, of all of it.
func (c *Service) sample(ids []media.ID, in api.Play) []media.ID {
	if len(ids) > api.MaxQueue && in.Shuffle && in.Index == nil {
		c.random.Shuffle(len(ids), func(i, j int) { ids[i], ids[j] = ids[j], ids[i] })
	}
	return ids[:min(len(ids), api.MaxQueue)]
}

// start fills the queue and begins it.
func (s *session) start(in api.Play, ids []media.ID, now time.Time) {
	first := -1
	if in.Index != nil {
		first = *in.Index
	}
	s.links = nil
	_ = s.adopt(in.Links) // of an empty queue, and no more than fit
	s.queue.Fill(ids, first, in.Shuffle)
	e, _ := s.queue.Current()
	s.begin(e, time.Duration(in.Position), now)
	s.want, s.over, s.parked, s.used = !in.Paused, false, false, now
	s.speed, s.sleep.end = 1, false
	s.clear()
}
