package mpd

import (
	"context"
	"slices"
	"sync"
	"time"

	"manofwar/internal/media"
	castapi "manofwar/services/cast/api"
)

// house is the one player that clients see: the session on the renderer that is MPD's enabled output, wherever that goes.
type house struct {
	cast caster

	reading sync.Mutex // held by who reads the queue

	mu      sync.Mutex // guards the rest
	place   string     // the ID of the enabled output; empty: as it comes
	session string     // the ID of what plays there; empty: nothing
	off     bool       // the output was disabled
	resume  bool       // and played
	numbers numbers    // of the outputs
	queue   *entries   // as it was read last; nil: never
	past    []order    // those before, the last one first
	ids     map[string]int32
	lastID  int32
	counted counted
	cleared time.Time // of the problem that somebody does not want to see
}

func newHouse(cast caster) *house {
	return &house{cast: cast, numbers: numbers{ids: make(map[string]int)}, ids: make(map[string]int32)}
}

// now returns the session; false: there is none.
func (h *house) now(ctx context.Context) (castapi.Session, bool, error) {
	all, err := h.cast.Sessions(ctx)
	if err != nil {
		return castapi.Session{}, false, err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	s, ok := h.pick(all.Sessions)
	return s, ok, nil
}

// pick finds the session among all: the one it was, wherever that plays now, else the one on the enabled output. At
// first that is the TV. The caller holds mu.
func (h *house) pick(all []castapi.Session) (castapi.Session, bool) {
	i := slices.IndexFunc(all, func(s castapi.Session) bool { return s.ID == h.session })
	if i < 0 {
		place := h.place
		if place == "" {
			place = castapi.TV
		}
		i = slices.IndexFunc(all, func(s castapi.Session) bool { return s.Renderer == place })
	}
	if i < 0 {
		h.session = ""
		h.count("", 0)
		return castapi.Session{}, false
	}
	h.adopt(all[i])
	return all[i], true
}

// adopt notes that the session is this one. The caller holds mu.
func (h *house) adopt(s castapi.Session) {
	if h.session != s.ID {
		h.session, h.off, h.resume = s.ID, false, false
	}
	h.place = s.Renderer
	h.count(s.ID, s.Revision)
}

// counted makes one row of numbers of the revisions of one session after the other.
type counted struct {
	session  string
	revision uint64
	version  int
}

// maxVersion is the highest that clients can read.
const maxVersion = 1<<31 - 1

// count notes a revision that was seen. The caller holds mu.
func (h *house) count(session string, revision uint64) {
	c := &h.counted
	switch {
	case c.session != session:
		c.version++
	case revision > c.revision:
		c.version += int(min(revision-c.revision, maxVersion))
	case revision < c.revision: // an answer that was overtaken
		return
	}
	c.session, c.revision = session, revision
	if c.version > maxVersion {
		c.version = 1
	}
}

// version returns that of the queue as it was last seen.
func (h *house) version() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.counted.version
}

// open returns the session, a new one where there is none.
func (h *house) open(ctx context.Context) (castapi.Session, error) {
	s, ok, err := h.now(ctx)
	if err != nil || ok {
		return s, err
	}
	place, err := h.choose(ctx)
	if err != nil {
		return s, err
	}
	if s, err = h.cast.Open(ctx, castapi.Open{Renderer: place}); err != nil {
		return s, err
	}
	h.did(s)
	return s, nil
}

// choose returns where to play when nothing does: on the enabled output, else on the TV, else on what stands in the home.
func (h *house) choose(ctx context.Context) (string, error) {
	all, err := h.cast.Renderers(ctx)
	if err != nil {
		return "", err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	at := func(is func(castapi.Renderer) bool) int { return slices.IndexFunc(all.Renderers, is) }
	i := at(func(r castapi.Renderer) bool { return r.ID == h.place })
	if i < 0 {
		i = at(func(r castapi.Renderer) bool { return r.Kind == castapi.OwnTV })
	}
	if i < 0 {
		i = at(func(r castapi.Renderer) bool { return r.Kind != castapi.InPage })
	}
	if i < 0 {
		return "", fail(codeSystem, "there is nothing to play on: enable an output")
	}
	return all.Renderers[i].ID, nil
}

// did takes in what a session has become.
func (h *house) did(s castapi.Session) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.adopt(s)
}

// control presses a button of the session; errNotPlaying: there is none.
func (h *house) control(ctx context.Context, do castapi.Control) error {
	s, ok, err := h.now(ctx)
	if err != nil {
		return err
	}
	if !ok {
		return errNotPlaying
	}
	if s, err = h.cast.Control(ctx, s.ID, do); err != nil {
		return err
	}
	h.did(s)
	return nil
}

// errNotPlaying says that a command needs something that plays.
var errNotPlaying = &ack{codeNotPlaying, "Not playing"}

// change alters the session, a new one where there is none.
func (h *house) change(ctx context.Context, how func(castapi.Session) (castapi.Change, error)) error {
	s, err := h.open(ctx)
	if err != nil {
		return err
	}
	ch, err := how(s)
	if err != nil {
		return err
	}
	if s, err = h.cast.Change(ctx, s.ID, ch); err != nil {
		return err
	}
	h.did(s)
	return nil
}

// problem returns what a client should know has gone wrong; nil: nothing.
func (h *house) problem(s castapi.Session) *castapi.Problem {
	h.mu.Lock()
	defer h.mu.Unlock()
	if p := s.Problem; p != nil && p.At.After(h.cleared) {
		return p
	}
	return nil
}

// clear forgets what has gone wrong so far.
func (h *house) clear(s castapi.Session) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if s.Problem != nil {
		h.cleared = s.Problem.At
	}
}

// idsOf returns the items of songs.
func idsOf(songs []*song) []media.ID {
	ids := make([]media.ID, len(songs))
	for i, s := range songs {
		ids[i] = s.id
	}
	return ids
}
