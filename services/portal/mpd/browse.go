package mpd

import (
	"context"
	"path"
	"strconv"
)

// where finds what the first argument names; the root where there is none.
func (c *client) where(ctx context.Context, args []string) (*directory, *song, error) {
	t, err := c.server.database.read(ctx)
	if err != nil {
		return nil, nil, err
	}
	uri := ""
	if len(args) > 0 {
		uri = args[0]
	}
	d, s := t.find(uri)
	if d == nil && s == nil {
		return nil, nil, fail(codeNoExist, "No such directory")
	}
	return d, s, nil
}

// browse writes what is in a directory, or the one song that is named.
func (c *client) browse(ctx context.Context, args []string) error {
	d, s, err := c.where(ctx, args)
	switch {
	case err != nil:
		return err
	case s != nil:
		c.song(s)
		return nil
	}
	for _, sub := range d.dirs {
		c.pair("directory", sub.path)
	}
	for _, s := range d.songs {
		c.song(s)
	}
	return nil
}

// all writes what is below a directory: the names, or whole.
func (c *client) all(ctx context.Context, args []string, whole bool) error {
	d, s, err := c.where(ctx, args)
	if err != nil {
		return err
	}
	tell := func(s *song) { c.pair("file", s.uri) }
	if whole {
		tell = c.song
	}
	if s != nil {
		tell(s)
		return nil
	}
	d.each(func(d *directory) { c.pair("directory", d.path) }, tell)
	return nil
}

// files writes the files in a directory, as far as they are music.
func (c *client) files(ctx context.Context, args []string) error {
	d, s, err := c.where(ctx, args)
	switch {
	case err != nil:
		return err
	case s != nil:
		return fail(codeNoExist, "Not a directory")
	}
	for _, sub := range d.dirs {
		c.pair("directory", path.Base(sub.path))
	}
	for _, s := range d.songs {
		c.pair("file", path.Base(s.uri))
		c.pair("size", strconv.FormatInt(s.size, 10))
		c.pair("Last-Modified", stamp(s.modified))
	}
	return nil
}

// resolve returns the songs that a URI names: one, or all that is in a directory.
func (c *client) resolve(ctx context.Context, uri string) ([]*song, error) {
	t, err := c.server.database.read(ctx)
	if err != nil {
		return nil, err
	}
	d, s := t.find(uri)
	switch {
	case s != nil:
		return []*song{s}, nil
	case d == nil:
		return nil, fail(codeNoExist, "No such directory")
	}
	return d.below(), nil
}

// one returns the song that a URI names.
func (c *client) oneSong(ctx context.Context, uri string) (*song, error) {
	t, err := c.server.database.read(ctx)
	if err != nil {
		return nil, err
	}
	_, s := t.find(uri)
	if s == nil {
		return nil, fail(codeNoExist, "No such song")
	}
	return s, nil
}

// update has the library scanned, all of it.
func (c *client) update(ctx context.Context, args []string) error {
	if _, _, err := c.where(ctx, args); err != nil {
		return err
	}
	job, err := c.server.scan(ctx)
	if err == nil {
		c.number("updating_db", job)
	}
	return err
}
