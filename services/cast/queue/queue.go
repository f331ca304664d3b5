// Package queue is the list of a session: its entries, the order in which they play, and the place in it. It shuffles and
// goes back to the order things were put in, it repeats, and it is edited by key, because several people do so at once.
//
// It knows nothing of what the entries are, nor of time; nothing here blocks. A queue is of one goroutine at a time.
package queue

import (
	"math/rand/v2"
	"slices"
	"strconv"

	"manofwar/internal/media"
	"manofwar/services/cast/api"
)

// Key names an entry for as long as it is in the queue. It is never used again.
type Key uint32

func (k Key) String() string { return strconv.FormatUint(uint64(k), 36) }

// ParseKey reads what [Key.String] wrote. No entry has the key 0, which stands for whatever cannot be read.
func ParseKey(s string) Key {
	n, err := strconv.ParseUint(s, 36, 32)
	if err != nil {
		return 0
	}
	return Key(n)
}

// Entry is one place in a queue. The same item may be in it several times.
type Entry struct {
	Key Key
	ID  media.ID
}

// Queue is the list. [New] makes one.
type Queue struct {
	plain    []Entry // in the order in which they were put in
	order    []Entry // in the order in which they play; shares plain's memory unless shuffled
	shuffled bool
	repeat   api.Repeat
	at       int     // the current one's place in order; -1: there is none
	round    []Entry // the order of the next round, once somebody has looked ahead to it
	last     Key
	revision uint64
	random   *rand.Rand
}

// New returns an empty queue that takes its chances from random.
func New(random *rand.Rand) *Queue {
	return &Queue{at: -1, repeat: api.RepeatOff, random: random}
}

// Fill replaces everything by ids and begins with the one at first, or with any of them if first is not among them and
// the queue is shuffled. It takes no more than [api.MaxQueue].
func (q *Queue) Fill(ids []media.ID, first int, shuffle bool) {
	q.plain = q.entries(ids[:min(len(ids), api.MaxQueue)])
	q.order, q.shuffled, q.at = q.plain, false, -1
	if len(q.plain) > 0 {
		q.at = 0
		if first >= 0 && first < len(q.plain) {
			q.at = first
		} else if shuffle {
			q.at = q.random.IntN(len(q.plain))
		}
	}
	q.changed()
	if shuffle {
		q.Shuffle(true)
	}
}

// entries gives ids their keys.
func (q *Queue) entries(ids []media.ID) []Entry {
	list := make([]Entry, len(ids))
	for i, id := range ids {
		q.last++
		list[i] = Entry{q.last, id}
	}
	return list
}

// changed notes that entries or their order are others.
func (q *Queue) changed() {
	q.revision++
	q.round = nil
}

// Len returns the number of entries, Index the current one's place or -1, Revision a number that rises with every change.
func (q *Queue) Len() int         { return len(q.order) }
func (q *Queue) Index() int       { return q.at }
func (q *Queue) Revision() uint64 { return q.revision }

// Shuffled and Repeat say how it plays.
func (q *Queue) Shuffled() bool     { return q.shuffled }
func (q *Queue) Repeat() api.Repeat { return q.repeat }

// Current returns the current entry; false: the queue is empty.
func (q *Queue) Current() (Entry, bool) {
	if q.at < 0 {
		return Entry{}, false
	}
	return q.order[q.at], true
}

// Page returns a copy of up to limit entries from offset on, in the order in which they play.
func (q *Queue) Page(offset, limit int) []Entry {
	offset = min(max(offset, 0), len(q.order))
	return slices.Clone(q.order[offset:min(offset+max(limit, 0), len(q.order))])
}

// find returns the place of a key in list, or -1.
func find(list []Entry, k Key) int {
	return slices.IndexFunc(list, func(e Entry) bool { return e.Key == k })
}

// Has reports whether there is an entry of that key.
func (q *Queue) Has(k Key) bool { return find(q.order, k) >= 0 }

// Jump makes the entry of that key the current one, and reports whether there is one.
func (q *Queue) Jump(k Key) bool {
	i := find(q.order, k)
	if i >= 0 {
		q.at = i
	}
	return i >= 0
}

// Step is a way from the current entry to another. It holds until the queue changes.
type Step struct {
	Entry
	place int
	wraps bool // the order begins again
}

// Next returns the step to what follows the current entry when it is over, or, if skip is not nil, to the first after it
// that skip does not report. False: nothing does.
func (q *Queue) Next(skip func(Key) bool) (Step, bool) {
	if current, ok := q.Current(); ok && q.repeat == api.RepeatOne && (skip == nil || !skip(current.Key)) {
		return Step{current, q.at, false}, true
	}
	return q.Following(skip)
}

// Following is [Queue.Next] for who wants another entry: one that is repeated does not count.
func (q *Queue) Following(skip func(Key) bool) (Step, bool) {
	if q.at < 0 {
		return Step{}, false
	}
	wanted := func(e Entry) bool { return skip == nil || !skip(e.Key) }
	if i := slices.IndexFunc(q.order[q.at+1:], wanted); i >= 0 {
		i += q.at + 1
		return Step{q.order[i], i, false}, true
	}
	if q.repeat == api.RepeatOff {
		return Step{}, false
	}
	if i := slices.IndexFunc(q.ahead(), wanted); i >= 0 {
		return Step{q.round[i], i, true}, true
	}
	return Step{}, false
}

// ahead returns the order of the next round. A shuffled queue is shuffled anew, and does not begin with what was last.
func (q *Queue) ahead() []Entry {
	if q.round != nil {
		return q.round
	}
	q.round = q.order
	if q.shuffled {
		q.round = slices.Clone(q.order)
		q.shuffle(q.round)
		if n := len(q.round); n > 1 && q.round[0].Key == q.order[n-1].Key {
			other := 1 + q.random.IntN(n-1)
			q.round[0], q.round[other] = q.round[other], q.round[0]
		}
	}
	return q.round
}

// Take goes a step that was got since the queue last changed.
func (q *Queue) Take(s Step) {
	if s.wraps && q.shuffled {
		q.order = q.round
		q.changed() // its order is another
	}
	q.at = s.place
}

// Previous goes back by one, from the first to the last if everything is repeated, and reports whether it could.
func (q *Queue) Previous() bool {
	switch {
	case q.at > 0:
		q.at--
	case q.at == 0 && q.repeat != api.RepeatOff && !q.shuffled:
		q.at = len(q.order) - 1
	default:
		return false
	}
	return true
}

// Rewind makes the first entry the current one.
func (q *Queue) Rewind() { q.at = min(0, len(q.order)-1) }

// SetRepeat says what follows the last entry.
func (q *Queue) SetRepeat(r api.Repeat) { q.repeat = r }

// Shuffle plays in an order of chance, the current entry first, or again in that in which things were put in, going on
// after the current one.
func (q *Queue) Shuffle(on bool) {
	if on == q.shuffled {
		return
	}
	current, some := q.Current()
	q.shuffled, q.order = on, q.plain
	if on {
		q.order = slices.Clone(q.plain)
		q.shuffle(q.order)
	}
	if some {
		q.at = find(q.order, current.Key)
		if on {
			q.order[0], q.order[q.at] = q.order[q.at], q.order[0]
			q.at = 0
		}
	}
	q.changed()
}

func (q *Queue) shuffle(list []Entry) {
	q.random.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
}
