package index

import (
	"math/bits"
	"slices"
	"sort"
	"strings"
)

// wordIndex finds the rows that have words with given beginnings. Rows are numbered in the order they are shown in, so
// that what is found is sorted already.
type wordIndex struct {
	n        int
	text     string   // all words, sorted, one behind the other
	starts   []uint32 // where each begins in text, and where the last ends
	postings []uint32 // the rows of each word
	spans    []uint32 // where each word's rows begin in postings, and where the last's end
}

func (w *wordIndex) word(i int) string { return w.text[w.starts[i]:w.starts[i+1]] }

func (w *wordIndex) len() int { return max(len(w.starts)-1, 0) }

// match returns the rows that have, for every word of text, a word that begins with it; nil: all rows match.
func (w *wordIndex) match(text string) bitset {
	var all bitset
	for prefix := range words(fold(text)) {
		rows := make(bitset, (w.n+63)/64)
		first := sort.Search(w.len(), func(i int) bool { return w.word(i) >= prefix })
		for i := first; i < w.len() && strings.HasPrefix(w.word(i), prefix); i++ {
			for _, row := range w.postings[w.spans[i]:w.spans[i+1]] {
				rows[row/64] |= 1 << (row % 64)
			}
		}
		if all == nil {
			all = rows
			continue
		}
		for i := range all {
			all[i] &= rows[i]
		}
	}
	return all
}

// page returns the rows of r that q's text matches, q.Limit of them from q.Offset on, and how many there are.
func (w *wordIndex) page(q Query, r run) (total int, rows []int) {
	found := w.match(q.Text)
	if found == nil && r.keep == nil {
		total = r.to - r.from
		first := min(r.from+q.Offset, r.to)
		for i := first; i < min(first+q.Limit, r.to); i++ {
			rows = append(rows, i)
		}
		return total, rows
	}
	for i := range r.all(found) {
		if total >= q.Offset && len(rows) < q.Limit {
			rows = append(rows, i)
		}
		total++
	}
	return total, rows
}

// all yields the rows of r that are kept and found; nil: all are found.
func (r run) all(found bitset) func(yield func(int) bool) {
	return func(yield func(int) bool) {
		if found == nil {
			for i := r.from; i < r.to; i++ {
				if r.keep(i) && !yield(i) {
					return
				}
			}
			return
		}
		for i := range found.all(r.from, r.to) {
			if (r.keep == nil || r.keep(i)) && !yield(i) {
				return
			}
		}
	}
}

// bitset is a set of rows.
type bitset []uint64

// all yields the members in [from, to).
func (b bitset) all(from, to int) func(yield func(int) bool) {
	return func(yield func(int) bool) {
		for i := from / 64; i < len(b) && i*64 < to; i++ {
			for rest := b[i]; rest != 0; rest &= rest - 1 {
				row := i*64 + bits.TrailingZeros64(rest)
				if row >= from && row < to && !yield(row) {
					return
				}
			}
		}
	}
}

// wordBuilder collects the words of rows.
type wordBuilder struct {
	ids   map[string]uint32
	list  []string
	pairs []posting
	known map[string][]uint32 // the words of texts that come many times
}

type posting struct{ word, row uint32 }

func newWordBuilder() *wordBuilder {
	return &wordBuilder{ids: map[string]uint32{}, known: map[string][]uint32{}}
}

// add gives a row the words of a folded text.
func (b *wordBuilder) add(row int, text string) {
	for s := range words(text) {
		b.pairs = append(b.pairs, posting{b.id(s), uint32(row)})
	}
}

// addAgain is [wordBuilder.add] for a text that other rows have as well.
func (b *wordBuilder) addAgain(row int, text string) {
	ids, ok := b.known[text]
	if !ok {
		for s := range words(text) {
			ids = append(ids, b.id(s))
		}
		b.known[text] = ids
	}
	for _, id := range ids {
		b.pairs = append(b.pairs, posting{id, uint32(row)})
	}
}

func (b *wordBuilder) id(s string) uint32 {
	id, ok := b.ids[s]
	if !ok {
		id = uint32(len(b.list))
		b.ids[s] = id
		b.list = append(b.list, s)
	}
	return id
}

func (b *wordBuilder) build(n int) wordIndex {
	order := make([]uint32, len(b.list)) // word IDs in the order of the words
	for i := range order {
		order[i] = uint32(i)
	}
	slices.SortFunc(order, func(x, y uint32) int { return strings.Compare(b.list[x], b.list[y]) })
	rank := make([]uint32, len(order))
	w := wordIndex{n: n, starts: make([]uint32, 1, len(order)+1), spans: make([]uint32, len(order)+1)}
	var text strings.Builder
	for i, id := range order {
		rank[id] = uint32(i)
		text.WriteString(b.list[id])
		w.starts = append(w.starts, uint32(text.Len()))
	}
	w.text = strings.Clone(text.String())
	for _, p := range b.pairs {
		w.spans[rank[p.word]+1]++
	}
	for i := range order {
		w.spans[i+1] += w.spans[i]
	}
	w.postings = make([]uint32, len(b.pairs))
	fill := slices.Clone(w.spans)
	for _, p := range b.pairs {
		at := &fill[rank[p.word]]
		w.postings[*at] = p.row
		*at++
	}
	return w
}
