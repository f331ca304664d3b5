package mpd

import (
	"context"
	"encoding/json"
	"maps"
	"reflect"
	"slices"
	"sync"
	"time"

	"manofwar/internal/ipc"
	"manofwar/internal/media"
	castapi "manofwar/services/cast/api"
	catalogapi "manofwar/services/catalog/api"
)

// follow tells the clients what changes, until ctx ends.
func (s *Server) follow(ctx context.Context) {
	var running sync.WaitGroup
	stage, shelf := &stage{server: s, sessions: make(map[string]castapi.Session)}, &shelf{server: s, kick: make(chan struct{}, 1)}
	running.Go(func() { ipc.Hear(ctx, s.opts.Log.With("of", castapi.Name), s.opts.Cast.Events, stage.hear) })
	running.Go(func() { ipc.Hear(ctx, s.opts.Log.With("of", catalogapi.Name), s.opts.Catalog.Events, shelf.hear) })
	running.Go(func() { shelf.run(ctx) })
	running.Wait()
}

// pause waits, and reports whether ctx is still on.
func pause(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}

// stage is what plays where as the news have it. It is its goroutine's.
type stage struct {
	server    *Server
	sessions  map[string]castapi.Session
	renderers []castapi.Renderer
	was       scene
}

// scene is what of the stage clients are told of.
type scene struct {
	session castapi.Session
	there   bool
}

// hear takes news in, and tells the clients what they mean.
func (st *stage) hear(ev ipc.Event) {
	var news subsystems
	switch ev.Kind {
	case "renderers":
		var r castapi.Renderers
		if json.Unmarshal(ev.Data, &r) != nil {
			return
		}
		if !reflect.DeepEqual(st.renderers, r.Renderers) {
			news |= outputNews
		}
		st.renderers = r.Renderers
	case "sessions":
		var all castapi.Sessions
		if json.Unmarshal(ev.Data, &all) != nil {
			return
		}
		clear(st.sessions)
		for _, s := range all.Sessions {
			st.sessions[s.ID] = s
		}
	case "session":
		var s castapi.Session
		if json.Unmarshal(ev.Data, &s) != nil {
			return
		}
		st.sessions[s.ID] = s
	case "gone":
		var g castapi.Gone
		if json.Unmarshal(ev.Data, &g) != nil {
			return
		}
		delete(st.sessions, g.ID)
	}
	now := st.server.house.scene(slices.Collect(maps.Values(st.sessions)))
	news |= st.was.differs(now)
	st.was = now
	st.server.tell(news)
}

// scene returns the session among all that were heard of. What is not the last word changes nothing else.
func (h *house) scene(all []castapi.Session) scene {
	h.mu.Lock()
	defer h.mu.Unlock()
	place := h.place
	if place == "" {
		place = castapi.TV
	}
	i := slices.IndexFunc(all, func(s castapi.Session) bool { return s.ID == h.session })
	if i < 0 {
		i = slices.IndexFunc(all, func(s castapi.Session) bool { return s.Renderer == place })
	}
	if i < 0 {
		return scene{}
	}
	return scene{all[i], true}
}

// differs returns what clients have to be told of when now follows.
func (a scene) differs(now scene) (news subsystems) {
	was, s := a.session, now.session
	if a.there != now.there || was.ID != s.ID {
		return playerNews | playlistNews | mixerNews | optionsNews | outputNews
	}
	if was.Revision != s.Revision {
		news |= playlistNews
	}
	if was.Volume != s.Volume || was.Muted != s.Muted {
		news |= mixerNews
	}
	if modesOf(was) != modesOf(s) || was.Shuffle != s.Shuffle {
		news |= optionsNews
	}
	if was.Renderer != s.Renderer || !reflect.DeepEqual(was.With, s.With) {
		news |= outputNews
	}
	if was.State != s.State || entryKey(was) != entryKey(s) || was.Duration != s.Duration || !reflect.DeepEqual(was.Problem, s.Problem) || a.jumped(s) {
		news |= playerNews
	}
	return news
}

func entryKey(s castapi.Session) string {
	if s.Entry == nil {
		return ""
	}
	return s.Entry.Key
}

// jumpOf is how far a position may be from where it was expected.
const jumpOf = media.Duration(300 * time.Millisecond)

// jumped reports whether s is elsewhere than it would be had it only gone on.
func (a scene) jumped(s castapi.Session) bool {
	expected := a.session.Position
	if a.session.State == castapi.Playing {
		expected += media.Duration(float64(s.Now.Sub(a.session.Now)) * a.session.Speed)
	}
	return s.Position < expected-jumpOf || s.Position > expected+jumpOf
}
