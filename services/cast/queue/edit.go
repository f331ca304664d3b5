package queue

import (
	"slices"

	"manofwar/internal/media"
	"manofwar/services/cast/api"
)

// Room returns how many entries more there is room for.
func (q *Queue) Room() int { return api.MaxQueue - len(q.plain) }

// Add puts ids at the end, as far as there is room. In a shuffled queue they come by chance among what has not played yet.
func (q *Queue) Add(ids []media.ID) {
	added := q.entries(ids[:min(len(ids), q.Room())])
	if len(added) == 0 {
		return
	}
	q.edit(func(order []Entry) []Entry {
		if !q.shuffled {
			return append(order, added...)
		}
		return append(order[:q.at+1], q.mingle(order[q.at+1:], added)...)
	}, func(plain []Entry) []Entry { return append(plain, added...) })
}

// mingle returns a list of old, in its order, with the others at places of chance in between.
func (q *Queue) mingle(old, others []Entry) []Entry {
	others = slices.Clone(others)
	q.shuffle(others)
	list := make([]Entry, 0, len(old)+len(others))
	for len(old)+len(others) > 0 {
		from := &old
		if q.random.IntN(len(old)+len(others)) >= len(old) {
			from = &others
		}
		list = append(list, (*from)[0])
		*from = (*from)[1:]
	}
	return list
}

// Insert puts ids after the current entry, as far as there is room.
func (q *Queue) Insert(ids []media.ID) {
	added := q.entries(ids[:min(len(ids), q.Room())])
	if len(added) == 0 {
		return
	}
	current, _ := q.Current()
	q.edit(func(order []Entry) []Entry {
		return slices.Insert(order, q.at+1, added...)
	}, func(plain []Entry) []Entry {
		return slices.Insert(plain, find(plain, current.Key)+1, added...)
	})
}

// Move puts the entries of those keys, in the order in which they are named, before another; at the end where that is
// not in the queue. In a shuffled queue this changes the order in which they play and no other.
func (q *Queue) Move(keys []Key, before Key) {
	named := make(map[Key]bool, len(keys))
	for _, k := range keys {
		named[k] = true
	}
	byKey := make(map[Key]Entry, len(keys))
	for _, e := range q.order {
		if named[e.Key] {
			byKey[e.Key] = e
		}
	}
	if len(byKey) == 0 {
		return
	}
	moved := make([]Entry, 0, len(byKey))
	for _, k := range keys {
		if e, ok := byKey[k]; ok {
			moved = append(moved, e)
			delete(byKey, k) // named twice, it moves once
		}
	}
	place := func(list []Entry) []Entry {
		to := find(list, before)
		if to < 0 {
			to = len(list)
		}
		for to < len(list) && named[list[to].Key] {
			to++ // before one that moves itself: before what comes after it
		}
		var stays Entry
		if to < len(list) {
			stays = list[to]
		}
		list = slices.DeleteFunc(list, func(e Entry) bool { return named[e.Key] })
		if to = find(list, stays.Key); to < 0 {
			to = len(list)
		}
		return slices.Insert(list, to, moved...)
	}
	if q.shuffled {
		q.edit(place, nil)
		return
	}
	q.edit(place, place)
}

// Remove takes the entries of those keys out. If the current one is among them, the next that stays becomes current, and
// replaced is true; over is true where there was none: then the last that stays is.
func (q *Queue) Remove(keys []Key) (replaced, over bool) {
	named := make(map[Key]bool, len(keys))
	for _, k := range keys {
		named[k] = true
	}
	return q.drop(func(e Entry) bool { return named[e.Key] })
}

// Clear takes everything out but the current entry.
func (q *Queue) Clear() {
	current, _ := q.Current()
	q.drop(func(e Entry) bool { return e.Key != current.Key })
}

func (q *Queue) drop(gone func(Entry) bool) (replaced, over bool) {
	if !slices.ContainsFunc(q.order, gone) {
		return false, false
	}
	replaced = gone(q.order[q.at])
	stays := q.order[q.at:]
	if i := slices.IndexFunc(stays, func(e Entry) bool { return !gone(e) }); i >= 0 {
		q.at += i
	} else {
		over = true
		for q.at >= 0 && gone(q.order[q.at]) {
			q.at--
		}
	}
	without := func(list []Entry) []Entry { return slices.DeleteFunc(list, gone) }
	q.edit(without, without)
	return replaced, over
}

// edit changes the order and, where plain is not nil, the list that is gone back to. The current entry stays what it is.
func (q *Queue) edit(order, plain func([]Entry) []Entry) {
	current, some := q.Current()
	if q.shuffled {
		q.order = order(slices.Clone(q.order))
		if plain != nil {
			q.plain = plain(slices.Clone(q.plain))
		}
	} else {
		q.plain = order(slices.Clone(q.plain))
		q.order = q.plain
	}
	q.at = min(0, len(q.order)-1)
	if some {
		q.at = max(q.at, find(q.order, current.Key))
	}
	q.changed()
}
