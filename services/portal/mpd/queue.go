package mpd

import (
	"context"
	"slices"
	"strconv"

	"manofwar/internal/media"
	castapi "manofwar/services/cast/api"
)

// entries is the queue at one moment, and never changes.
type entries struct {
	order
	session  string
	revision uint64
	keys     []string   // cast's, of each place
	items    []media.ID // likewise
	links    map[media.ID]castapi.Link
}

// order is the IDs of a queue's songs, by place, at a version.
type order struct {
	version int
	ids     []int32
}

// maxPast is how many orders are remembered, to tell a client what has changed since the one that it knows.
const maxPast = 16

// read returns the session and its queue. Without a session the queue is empty.
func (h *house) read(ctx context.Context) (castapi.Session, *entries, error) {
	h.reading.Lock()
	defer h.reading.Unlock()
	s, ok, err := h.now(ctx)
	if err != nil {
		return s, nil, err
	}
	h.mu.Lock()
	known := h.queue
	h.mu.Unlock()
	if known != nil && known.session == s.ID && known.revision == s.Revision {
		return s, known, nil
	}
	var keys castapi.Keys
	if ok {
		if keys, err = h.cast.Keys(ctx, s.ID); err != nil {
			return s, nil, err
		}
	}
	return s, h.learn(s, keys), nil
}

// learn takes a queue in that was read.
func (h *house) learn(s castapi.Session, keys castapi.Keys) *entries {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.count(s.ID, keys.Revision)
	q := &entries{session: s.ID, revision: keys.Revision, keys: keys.Keys, items: keys.Items, links: keys.Links}
	q.version = h.counted.version - int(h.counted.revision-keys.Revision) // somebody may have seen a later one
	q.ids = make([]int32, len(keys.Keys))
	kept := make(map[string]int32, len(keys.Keys))
	for i, key := range keys.Keys {
		q.ids[i] = h.id(s.ID, key)
		kept[s.ID+"."+key] = q.ids[i]
	}
	h.ids = kept
	if h.queue != nil {
		h.past = slices.Insert(h.past, 0, h.queue.order)
		h.past = h.past[:min(len(h.past), maxPast)]
	}
	h.queue = q
	return q
}

// id returns the number of an entry, which it keeps as long as it is in the queue and no other has ever. The caller holds
// mu.
func (h *house) id(session, key string) int32 {
	name := session + "." + key
	n, ok := h.ids[name]
	if !ok {
		h.lastID++
		n = h.lastID
		h.ids[name] = n
	}
	return n
}

// idOf returns the number of a session's entry.
func (h *house) idOf(session, key string) int32 {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.id(session, key)
}

// since returns the places at which q is not as it was at version. Of a version that nobody remembers all are.
func (h *house) since(q *entries, version int) (places []int) {
	h.mu.Lock()
	i := slices.IndexFunc(h.past, func(o order) bool { return o.version == version })
	var was []int32
	if i >= 0 {
		was = h.past[i].ids
	}
	h.mu.Unlock()
	if q.version == version {
		return nil
	}
	for place, id := range q.ids {
		if place >= len(was) || was[place] != id {
			places = append(places, place)
		}
	}
	return places
}

// place reads a place in the queue.
func (q *entries) place(arg string) (int, error) {
	n, err := strconv.Atoi(arg)
	if err != nil {
		return 0, errArgument("an integer", arg)
	}
	if n < 0 || n >= len(q.ids) {
		return 0, fail(codeArgument, "Bad song index")
	}
	return n, nil
}

// byID reads a song's ID and returns its place.
func (q *entries) byID(arg string) (int, error) {
	n, err := strconv.ParseInt(arg, 10, 32)
	if err != nil {
		return 0, errArgument("an integer", arg)
	}
	i := slices.Index(q.ids, int32(n))
	if i < 0 {
		return 0, fail(codeNoExist, "No such song")
	}
	return i, nil
}

// run reads a place or a range of places. A range may go beyond the end, but not begin there.
func (q *entries) run(arg string) (span, error) {
	p, err := parseSpan(arg, true)
	if err != nil {
		return p, err
	}
	if p.first > len(q.ids) || p.first == len(q.ids) && p.end == p.first+1 {
		return p, fail(codeArgument, "Bad song index")
	}
	return p.of(len(q.ids)), nil
}

// target reads where to put what, in a queue of n entries: a place, or one counted from behind the current entry with + and
// from before it with -.
func target(arg string, n, current int) (int, error) {
	to, err := strconv.Atoi(arg)
	if err != nil {
		return 0, errArgument("an integer", arg)
	}
	switch {
	case arg[0] != '+' && arg[0] != '-':
	case current < 0:
		return 0, fail(codeNotPlaying, "No current song")
	case arg[0] == '+':
		to += current + 1
	default:
		to += current
	}
	if to < 0 || to > n {
		return 0, fail(codeArgument, "Bad song index")
	}
	return to, nil
}
