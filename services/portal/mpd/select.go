package mpd

import (
	"context"
	"math"
	"slices"
	"strconv"
	"strings"
)

// selection is what find, search and their like ask for.
type selection struct {
	is     filter
	sort   string // a tag's name, in lower case; empty: as the library has it
	down   bool   // sorted descending
	window span
	at     string // where in the queue to put them; empty: at the end
}

// span is a run of places: from the first, up to and without the end.
type span struct{ first, end int }

var everything = span{0, math.MaxInt}

// of cuts the span down to what n places have.
func (p span) of(n int) span {
	p.end = min(p.end, n)
	p.first = min(p.first, p.end)
	return p
}

// parseSpan reads "START:END", "START:" or, if one will do, "START".
func parseSpan(arg string, one bool) (p span, err error) {
	first, end, ranged := strings.Cut(arg, ":")
	if p.first, err = strconv.Atoi(first); err != nil || p.first < 0 {
		return p, errArgument("an integer or a range", arg)
	}
	switch {
	case ranged && end == "":
		p.end = math.MaxInt
	case ranged:
		if p.end, err = strconv.Atoi(end); err != nil || p.end < p.first {
			return p, errArgument("a range", arg)
		}
	case one && p.first < math.MaxInt:
		p.end = p.first + 1
	default:
		return p, errArgument("a range", arg)
	}
	return p, nil
}

// parseSelection reads a filter and what may follow it: sort, window, and, where songs are added, position.
func parseSelection(args []string, fold, adding bool) (sel selection, err error) {
	sel.window = everything
	if value, rest, ok := option(args, "position"); ok && adding {
		sel.at, args = value, rest
	}
	if value, rest, ok := option(args, "window"); ok {
		if sel.window, err = parseSpan(value, true); err != nil {
			return sel, err
		}
		args = rest
	}
	if value, rest, ok := option(args, "sort"); ok {
		sel.sort, sel.down = strings.CutPrefix(value, "-")
		if !sel.down {
			sel.sort = value
		}
		sel.sort = strings.ToLower(sel.sort)
		if _, _, ok := parseTag(sel.sort); !ok && sel.sort != "last-modified" && sel.sort != "added" {
			return sel, fail(codeArgument, "unknown sort tag: %.40s", value)
		}
		args = rest
	}
	if len(args) == 0 {
		return sel, fail(codeArgument, "too few arguments: a filter is missing")
	}
	sel.is, err = parseFilter(args, fold)
	return sel, err
}

// option takes the last two arguments off, if they are a name and its value.
func option(args []string, name string) (value string, rest []string, ok bool) {
	if n := len(args); n >= 2 && strings.EqualFold(args[n-2], name) {
		return args[n-1], args[:n-2], true
	}
	return "", args, false
}

// of returns the songs that are meant, in order. The error is that of ctx.
func (sel selection) of(ctx context.Context, songs []*song) (found []*song, err error) {
	enough := math.MaxInt
	if sel.sort == "" {
		enough = sel.window.end
	}
	err = sel.is.each(ctx, songs, func(s *song) bool {
		if len(found) < enough {
			found = append(found, s)
		}
		return len(found) < enough
	})
	sel.order(found)
	w := sel.window.of(len(found))
	return found[w.first:w.end], err
}

// order sorts what was found.
func (sel selection) order(songs []*song) {
	if sel.sort == "" {
		return
	}
	by := comparison(sel.sort)
	slices.SortStableFunc(songs, func(a, b *song) int {
		if sel.down {
			return by(b, a)
		}
		return by(a, b)
	})
}

// comparison returns how songs are sorted by what has that name. What says nothing comes first.
func comparison(name string) func(a, b *song) int {
	t, _, _ := parseTag(name)
	switch {
	case name == "last-modified":
		return func(a, b *song) int { return a.modified.Compare(b.modified) }
	case name == "added":
		return func(a, b *song) int { return a.added.Compare(b.added) }
	case t == trackTag:
		return func(a, b *song) int { return a.track - b.track }
	case t == discTag:
		return func(a, b *song) int { return a.disc - b.disc }
	}
	first := func(s *song) string {
		var buf [8]string
		if v := s.meant(t, buf[:0]); len(v) > 0 {
			return strings.ToLower(v[0])
		}
		return ""
	}
	return func(a, b *song) int { return strings.Compare(first(a), first(b)) }
}

// find writes the songs that are meant.
func (c *client) find(ctx context.Context, args []string, fold bool) error {
	sel, err := parseSelection(args, fold, false)
	if err != nil {
		return err
	}
	t, err := c.server.database.read(ctx)
	if err != nil {
		return err
	}
	found, err := sel.of(ctx, t.songs)
	for _, s := range found {
		c.song(s)
	}
	return err
}

// findAdd puts the songs that are meant into the queue.
func (c *client) findAdd(ctx context.Context, args []string, fold bool) error {
	sel, err := parseSelection(args, fold, true)
	if err != nil {
		return err
	}
	t, err := c.server.database.read(ctx)
	if err != nil {
		return err
	}
	found, err := sel.of(ctx, t.songs)
	if err != nil {
		return err
	}
	_, err = c.server.house.add(ctx, idsOf(found), sel.at)
	return err
}
