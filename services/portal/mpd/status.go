package mpd

import (
	"context"
	"fmt"
	"time"

	"manofwar/internal/media"
	castapi "manofwar/services/cast/api"
)

// status writes how things are.
func (c *client) status(ctx context.Context, _ []string) error {
	h := c.server.house
	s, ok, err := h.now(ctx)
	if err != nil {
		return err
	}
	if ok {
		c.number("volume", heard(s))
	}
	m := modesOf(s)
	c.flag("repeat", ok && m.repeat)
	c.flag("random", s.Shuffle)
	c.pair("single", m.single)
	c.flag("consume", false)
	c.pair("partition", "default")
	c.number("playlist", h.version())
	c.number("playlistlength", s.Total)
	c.pair("state", stateOf(s))
	if ok && s.Entry != nil {
		c.number("song", s.Index)
		c.number("songid", int(h.idOf(s.ID, s.Entry.Key)))
		if s.State != castapi.Stopped {
			c.progress(s)
		}
		if err := c.nextSong(ctx, s); err != nil {
			return err
		}
	}
	if n := c.server.updating(); n > 0 {
		c.number("updating_db", n)
	}
	if p := h.problem(s); p != nil {
		c.pair("error", problemText(p))
	}
	return nil
}

func stateOf(s castapi.Session) string {
	switch s.State {
	case castapi.Playing, castapi.Loading:
		return "play"
	case castapi.Paused:
		return "pause"
	}
	return "stop"
}

// progress writes where in the entry it is.
func (c *client) progress(s castapi.Session) {
	at, of := time.Duration(s.Position), time.Duration(s.Duration)
	c.pair("time", fmt.Sprintf("%d:%d", at/time.Second, of.Round(time.Second)/time.Second))
	c.pair("elapsed", seconds(at))
	if of > 0 {
		c.pair("duration", seconds(of))
	}
	if s.Audio >= 0 && s.Audio < len(s.Streams) && s.Streams[s.Audio].Bitrate > 0 {
		c.number("bitrate", s.Streams[s.Audio].Bitrate/1000)
	}
}

// nextSong writes what follows. It is mostly the next in the queue, which need not be read for that.
func (c *client) nextSong(ctx context.Context, s castapi.Session) error {
	if s.Next == nil {
		return nil
	}
	h := c.server.house
	id := h.idOf(s.ID, s.Next.Key)
	_, q, err := h.read(ctx)
	if err != nil {
		return err
	}
	for place, other := range q.ids {
		if other == id {
			c.number("nextsong", place)
			c.number("nextsongid", int(id))
			break
		}
	}
	return nil
}

func problemText(p *castapi.Problem) string {
	text := p.Text
	if p.Title != "" {
		text = p.Title + ": " + text
	}
	if p.Hint != "" {
		text += " " + p.Hint
	}
	return text
}

func (c *client) clearError(ctx context.Context, _ []string) error {
	s, ok, err := c.server.house.now(ctx)
	if err == nil && ok {
		c.server.house.clear(s)
	}
	return err
}

// currentSong writes what plays.
func (c *client) currentSong(ctx context.Context, _ []string) error {
	h := c.server.house
	s, ok, err := h.now(ctx)
	if err != nil || !ok || s.Entry == nil {
		return err
	}
	now, err := c.server.database.named(ctx, []media.ID{s.Entry.Item.ID}) // cast may not know it yet
	if err != nil {
		return err
	}
	if s.Entry.Link != nil {
		now[0] = stranger(&media.Item{ID: s.Entry.Item.ID, Tags: media.Tags{Title: s.Entry.Link.Title}})
	}
	c.song(now[0])
	c.place(s.Index, h.idOf(s.ID, s.Entry.Key))
	return nil
}

// stats writes how much there is.
func (c *client) stats(ctx context.Context, _ []string) error {
	t, err := c.server.database.read(ctx)
	if err != nil {
		return err
	}
	artists, albums := &group{}, &group{}
	var length time.Duration
	for _, s := range t.songs {
		artists.add(s, []tag{artistTag})
		albums.add(s, []tag{albumTag})
		length += s.length
	}
	delete(artists.groups, "")
	delete(albums.groups, "")
	c.number("artists", len(artists.groups))
	c.number("albums", len(albums.groups))
	c.number("songs", len(t.songs))
	c.number("uptime", int(time.Since(c.server.begun)/time.Second))
	c.number("db_playtime", int(length/time.Second))
	if at := c.server.scanned(); !at.IsZero() {
		c.number("db_update", int(at.Unix()))
	}
	return nil
}
