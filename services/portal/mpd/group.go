package mpd

import (
	"context"
	"slices"
	"strings"
	"time"
)

// group is songs that say the same of a tag, or what they have in common of the next one.
type group struct {
	groups map[string]*group
	songs  int
	length time.Duration
}

// add counts a song under what it says of the tags, one below the other. What says nothing is under "".
func (g *group) add(s *song, tags []tag) {
	if len(tags) == 0 {
		g.songs++
		g.length += s.length
		return
	}
	var buf [8]string
	values := s.meant(tags[0], buf[:0])
	if len(values) == 0 {
		values = append(values, "")
	}
	for _, v := range values {
		below := g.groups[v]
		if below == nil {
			if g.groups == nil {
				g.groups = make(map[string]*group)
			}
			below = &group{}
			g.groups[v] = below
		}
		below.add(s, tags[1:])
	}
}

// each yields the groups in order: what they are called and how deep they are, outer ones first.
func (g *group) each(depth int, yield func(depth int, name string, g *group)) {
	names := make([]string, 0, len(g.groups))
	for name := range g.groups {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		yield(depth, name, g.groups[name])
		g.groups[name].each(depth+1, yield)
	}
}

// grouping takes "group TAG" off the end of args, as often as it is there. The last is the outermost.
func grouping(args []string) (tags []tag, names []string, rest []string, err error) {
	for {
		name, less, ok := option(args, "group")
		if !ok {
			return tags, names, args, nil
		}
		t, written, ok := parseTag(name)
		if !ok {
			return nil, nil, nil, fail(codeArgument, "unknown tag type: %.40s", name)
		}
		if slices.Contains(names, written) {
			return nil, nil, nil, fail(codeArgument, "conflicting group")
		}
		tags, names, args = append(tags, t), append(names, written), less
	}
}

// list writes what songs say of a tag, each once.
func (c *client) list(ctx context.Context, args []string) error {
	kind := args[0]
	grouped, names, filters, err := grouping(args[1:])
	if err != nil {
		return err
	}
	if lower := strings.ToLower(kind); lower == "file" || lower == "filename" {
		return c.listFiles(ctx, filters)
	}
	t, written, ok := parseTag(kind)
	switch {
	case !ok:
		return fail(codeArgument, "unknown tag type: %.40s", kind)
	case slices.Contains(names, written):
		return fail(codeArgument, "conflicting group")
	case len(filters) == 1 && !strings.HasPrefix(filters[0], "("):
		if t != albumTag {
			return fail(codeArgument, "should be \"Album\" for 3 arguments")
		}
		filters = []string{"artist", filters[0]} // as clients asked long ago
	}
	all, err := c.count(ctx, filters, false, append(grouped, t))
	if err != nil {
		return err
	}
	names = append(names, written)
	all.each(0, func(depth int, name string, _ *group) { c.pair(names[depth], name) })
	return nil
}

// count groups the songs that the filters mean.
func (c *client) count(ctx context.Context, filters []string, fold bool, tags []tag) (*group, error) {
	is, err := parseFilter(filters, fold)
	if err != nil {
		return nil, err
	}
	t, err := c.server.database.read(ctx)
	if err != nil {
		return nil, err
	}
	all := &group{}
	return all, is.each(ctx, t.songs, func(s *song) bool {
		all.add(s, tags)
		return true
	})
}

func (c *client) listFiles(ctx context.Context, filters []string) error {
	is, err := parseFilter(filters, false)
	if err != nil {
		return err
	}
	t, err := c.server.database.read(ctx)
	if err != nil {
		return err
	}
	return is.each(ctx, t.songs, func(s *song) bool {
		c.pair("file", s.uri)
		return true
	})
}

// counts writes how many songs are meant and how long they are together, in groups if asked for.
func (c *client) counts(ctx context.Context, args []string, fold bool) error {
	grouped, names, filters, err := grouping(args)
	switch {
	case err != nil:
		return err
	case len(grouped) > 1:
		return fail(codeArgument, "only one group can be counted by")
	case len(filters) == 0 && len(grouped) == 0:
		return fail(codeArgument, "too few arguments: a filter is missing")
	}
	all, err := c.count(ctx, filters, fold, grouped)
	if err != nil {
		return err
	}
	if len(grouped) == 0 {
		c.sum(all)
	}
	all.each(0, func(_ int, name string, g *group) {
		c.pair(names[0], name)
		c.sum(g)
	})
	return nil
}

func (c *client) sum(g *group) {
	c.number("songs", g.songs)
	c.number("playtime", int(g.length/time.Second))
}
