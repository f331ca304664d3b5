package mpd

import (
	"context"
	"math"
	"slices"
	"strconv"

	"manofwar/internal/media"
)

// add puts what a URI names into the queue: a song, or all that is in a directory.
func (c *client) add(ctx context.Context, args []string) error {
	songs, err := c.resolve(ctx, args[0])
	if err != nil {
		return err
	}
	_, err = c.server.house.add(ctx, idsOf(songs), optional(args, 1))
	return err
}

func optional(args []string, i int) string {
	if i < len(args) {
		return args[i]
	}
	return ""
}

// addAll does the additions of a command list that follow each other at once. It returns how many were done, and the error
// of the one behind them, of which the client has not been told.
func (c *client) addAll(ctx context.Context, all []request) (done int, err error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	var items []media.ID
	for _, r := range all {
		songs, problem := c.resolve(ctx, r.args[0])
		if err = problem; err != nil {
			break
		}
		items = append(items, idsOf(songs)...)
		done++
	}
	if _, adding := c.server.house.add(ctx, items, ""); adding != nil {
		return 0, adding
	}
	return done, err
}

// addID adds one song, and tells its ID.
func (c *client) addID(ctx context.Context, args []string) error {
	s, err := c.oneSong(ctx, args[0])
	if err != nil {
		return err
	}
	h := c.server.house
	at := optional(args, 1)
	if at == "" {
		_, q, err := h.read(ctx)
		if err != nil {
			return err
		}
		at = strconv.Itoa(len(q.ids))
	}
	ids, err := h.add(ctx, []media.ID{s.id}, at)
	switch {
	case err != nil:
		return err
	case len(ids) == 0:
		return fail(codeNoExist, "somebody has taken it out again")
	}
	c.number("Id", int(ids[0]))
	return nil
}

func (c *client) clear(ctx context.Context, _ []string) error {
	_, q, err := c.server.house.read(ctx)
	if err != nil {
		return err
	}
	return c.server.house.remove(ctx, q, span{0, len(q.ids)})
}

func (c *client) delete(ctx context.Context, args []string) error {
	_, q, err := c.server.house.read(ctx)
	if err != nil {
		return err
	}
	p, err := q.run(args[0])
	if err != nil {
		return err
	}
	return c.server.house.remove(ctx, q, p)
}

func (c *client) deleteID(ctx context.Context, args []string) error {
	_, q, err := c.server.house.read(ctx)
	if err != nil {
		return err
	}
	i, err := q.byID(args[0])
	if err != nil {
		return err
	}
	return c.server.house.remove(ctx, q, span{i, i + 1})
}

func (c *client) move(ctx context.Context, args []string) error {
	return c.moveRun(ctx, args, (*entries).run)
}

func (c *client) moveID(ctx context.Context, args []string) error {
	return c.moveRun(ctx, args, func(q *entries, arg string) (span, error) {
		i, err := q.byID(arg)
		return span{i, i + 1}, err
	})
}

// moveRun moves what find finds.
func (c *client) moveRun(ctx context.Context, args []string, find func(*entries, string) (span, error)) error {
	s, q, err := c.server.house.read(ctx)
	if err != nil {
		return err
	}
	p, err := find(q, args[0])
	if err != nil {
		return err
	}
	to, err := target(args[1], len(q.ids), s.Index)
	if err != nil {
		return err
	}
	if sign := args[1][0]; sign == '+' || sign == '-' {
		switch {
		case s.Index >= p.first && s.Index < p.end:
			return fail(codeArgument, "the current song cannot be moved to where it is")
		case s.Index >= p.end:
			to -= p.end - p.first // those are away from before it
		}
	}
	return c.server.house.move(ctx, q, p, to)
}

func (c *client) swap(ctx context.Context, args []string) error {
	return c.swapTwo(ctx, args, (*entries).place)
}

func (c *client) swapID(ctx context.Context, args []string) error {
	return c.swapTwo(ctx, args, (*entries).byID)
}

func (c *client) swapTwo(ctx context.Context, args []string, find func(*entries, string) (int, error)) error {
	_, q, err := c.server.house.read(ctx)
	if err != nil {
		return err
	}
	a, err := find(q, args[0])
	if err != nil {
		return err
	}
	b, err := find(q, args[1])
	if err != nil {
		return err
	}
	return c.server.house.swap(ctx, q, a, b)
}

func (c *client) shuffle(ctx context.Context, args []string) error {
	s, q, err := c.server.house.read(ctx)
	if err != nil {
		return err
	}
	p := span{0, len(q.ids)}
	if len(args) > 0 {
		if p, err = q.run(args[0]); err != nil {
			return err
		}
	}
	return c.server.house.shuffle(ctx, s, q, p)
}

// someSongs is how many songs of the queue are looked up and written at once: a queue may be long.
const someSongs = 2000

// songs writes the entries at places, as far as is says; nil: all.
func (c *client) songs(ctx context.Context, q *entries, places []int, is filter, write func(place int, s *song)) error {
	for some := range slices.Chunk(places, someSongs) {
		items := make([]media.ID, len(some))
		for i, place := range some {
			items[i] = q.items[place]
		}
		songs, err := c.server.database.named(ctx, items)
		if err != nil {
			return err
		}
		for i, place := range some {
			if link, ok := q.links[items[i]]; ok {
				songs[i] = stranger(&media.Item{ID: items[i], Tags: media.Tags{Title: link.Title}})
			}
			if is == nil || is(songs[i]) {
				write(place, songs[i])
			}
		}
	}
	return nil
}

// entry writes a song and where it is.
func (c *client) entry(q *entries) func(int, *song) {
	return func(place int, s *song) {
		c.song(s)
		c.place(place, q.ids[place])
	}
}

func (p span) places() []int {
	list := make([]int, 0, p.end-p.first)
	for i := p.first; i < p.end; i++ {
		list = append(list, i)
	}
	return list
}

// queueInfo writes the queue, or what of it is asked for.
func (c *client) queueInfo(ctx context.Context, args []string) error {
	_, q, err := c.server.house.read(ctx)
	if err != nil {
		return err
	}
	p := everything.of(len(q.ids))
	if len(args) > 0 && args[0] != "-1" {
		if p, err = q.run(args[0]); err != nil {
			return err
		}
	}
	return c.songs(ctx, q, p.places(), nil, c.entry(q))
}

func (c *client) queueID(ctx context.Context, args []string) error {
	_, q, err := c.server.house.read(ctx)
	if err != nil {
		return err
	}
	p := everything.of(len(q.ids))
	if len(args) > 0 {
		i, err := q.byID(args[0])
		if err != nil {
			return err
		}
		p = span{i, i + 1}
	}
	return c.songs(ctx, q, p.places(), nil, c.entry(q))
}

// queueFiles writes the queue as clients asked for it long ago.
func (c *client) queueFiles(ctx context.Context, _ []string) error {
	_, q, err := c.server.house.read(ctx)
	if err != nil {
		return err
	}
	return c.songs(ctx, q, everything.of(len(q.ids)).places(), nil, func(place int, s *song) {
		c.pair(strconv.Itoa(place)+":file", s.uri)
	})
}

// queueSearch writes the entries that a filter means.
func (c *client) queueSearch(ctx context.Context, args []string, fold bool) error {
	is, err := parseFilter(args, fold)
	if err != nil {
		return err
	}
	_, q, err := c.server.house.read(ctx)
	if err != nil {
		return err
	}
	return c.songs(ctx, q, everything.of(len(q.ids)).places(), is, c.entry(q))
}

// changes writes what is at another place than at the version that a client knows: whole, or only the IDs.
func (c *client) changes(ctx context.Context, args []string, whole bool) error {
	version, err := strconv.ParseUint(args[0], 10, 32)
	if err != nil {
		return errArgument("a version", args[0])
	}
	_, q, err := c.server.house.read(ctx)
	if err != nil {
		return err
	}
	p := everything
	if len(args) > 1 {
		if p, err = parseSpan(args[1], true); err != nil {
			return err
		}
	}
	places := slices.DeleteFunc(c.server.house.since(q, int(min(version, math.MaxInt32))), func(i int) bool { return i < p.first || i >= p.end })
	if whole {
		return c.songs(ctx, q, places, nil, c.entry(q))
	}
	for _, i := range places {
		c.number("cpos", i)
		c.number("Id", int(q.ids[i]))
	}
	return nil
}
