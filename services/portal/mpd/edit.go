package mpd

import (
	"context"
	"math/rand/v2"
	"slices"

	"manofwar/internal/media"
	castapi "manofwar/services/cast/api"
)

// add puts items into the queue, at the end or where at says, and returns the places that they have then, if at or a place is
// wanted.
func (h *house) add(ctx context.Context, items []media.ID, at string) (added []int32, err error) {
	if len(items) == 0 {
		return nil, nil
	}
	if at == "" {
		return nil, h.edit(ctx, castapi.Edit{Do: "add", What: castapi.What{Items: items}})
	}
	s, was, err := h.read(ctx)
	if err != nil {
		return nil, err
	}
	to, err := target(at, len(was.ids), s.Index)
	if err != nil {
		return nil, err
	}
	q, places, err := h.append(ctx, was, items)
	if err != nil || to == len(was.ids) || len(places) == 0 {
		return q.at(places), err
	}
	return q.at(places), h.edit(ctx, castapi.Edit{Do: "move", Keys: q.keysAt(places), Before: was.keys[to]})
}

// append puts items at the end and returns where they have come: in a shuffled queue that is anywhere.
func (h *house) append(ctx context.Context, was *entries, items []media.ID) (*entries, []int, error) {
	if err := h.edit(ctx, castapi.Edit{Do: "add", What: castapi.What{Items: items}}); err != nil {
		return was, nil, err
	}
	_, q, err := h.read(ctx)
	if err != nil {
		return was, nil, err
	}
	known := make(map[int32]bool, len(was.ids))
	for _, id := range was.ids {
		known[id] = true
	}
	wanted := make(map[media.ID]int, len(items))
	for i, id := range items {
		wanted[id] = i
	}
	places := make([]int, 0, len(items))
	for i, id := range q.ids {
		if _, mine := wanted[q.items[i]]; mine && !known[id] { // somebody else may add too
			places = append(places, i)
		}
	}
	slices.SortStableFunc(places, func(a, b int) int { return wanted[q.items[a]] - wanted[q.items[b]] })
	return q, places, nil
}

func (q *entries) at(places []int) (ids []int32) {
	for _, i := range places {
		ids = append(ids, q.ids[i])
	}
	return ids
}

func (q *entries) keysAt(places []int) (keys []string) {
	for _, i := range places {
		keys = append(keys, q.keys[i])
	}
	return keys
}

// edit alters the queue of the session, a new one where there is none.
func (h *house) edit(ctx context.Context, e castapi.Edit) error {
	s, err := h.open(ctx)
	if err != nil {
		return err
	}
	if s, err = h.cast.Edit(ctx, s.ID, e); err != nil {
		return err
	}
	h.did(s)
	return nil
}

// remove takes a run of entries out.
func (h *house) remove(ctx context.Context, q *entries, p span) error {
	if p.first == p.end {
		return nil
	}
	return h.edit(ctx, castapi.Edit{Do: "remove", Keys: q.keys[p.first:p.end]})
}

// move puts a run of entries where to says: their first has that place then.
func (h *house) move(ctx context.Context, q *entries, p span, to int) error {
	n := p.end - p.first
	if n == 0 || to == p.first {
		return nil
	}
	if to+n > len(q.ids) {
		return fail(codeArgument, "Bad song index")
	}
	if to > p.first {
		to += n // counted with those that move away from before it
	}
	return h.edit(ctx, castapi.Edit{Do: "move", Keys: q.keys[p.first:p.end], Before: q.before(to)})
}

// before returns the key of the entry at a place; empty: the end.
func (q *entries) before(place int) string {
	if place >= len(q.keys) {
		return ""
	}
	return q.keys[place]
}

// swap exchanges two entries.
func (h *house) swap(ctx context.Context, q *entries, a, b int) error {
	if a > b {
		a, b = b, a
	}
	if a == b {
		return nil
	}
	if err := h.edit(ctx, castapi.Edit{Do: "move", Keys: q.keys[b : b+1], Before: q.keys[a]}); err != nil || b == a+1 {
		return err
	}
	return h.edit(ctx, castapi.Edit{Do: "move", Keys: q.keys[a : a+1], Before: q.before(b + 1)})
}

// shuffle puts a run of entries in an order of chance. What plays comes first.
func (h *house) shuffle(ctx context.Context, s castapi.Session, q *entries, p span) error {
	keys := slices.Clone(q.keys[p.first:p.end])
	if len(keys) < 2 {
		return nil
	}
	chance := keys
	if i := s.Index - p.first; s.State != castapi.Stopped && i >= 0 && i < len(keys) {
		keys[0], keys[i] = keys[i], keys[0]
		chance = keys[1:]
	}
	rand.Shuffle(len(chance), func(i, j int) { chance[i], chance[j] = chance[j], chance[i] })
	return h.edit(ctx, castapi.Edit{Do: "move", Keys: keys, Before: q.before(p.end)})
}
