package queue

import (
	"bufio"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"strconv"
	"strings"

	"manofwar/internal/media"
	"manofwar/services/cast/api"
)

// A queue is kept as gzipped text, whose checksum tells a damaged one: a line with the form, the last key given, whether
// it is shuffled; a line with the ID and the key of each entry as they were put in; and, if it is shuffled, a line with
// each entry's place among these in the order in which they play. Index, repeat and revision are the session's to keep:
// they change more often than this does.
const form = "queue-1"

// maxID bounds an item's ID, in bytes.
const maxID = 128

// ErrDamaged is what is wrong with a file that no queue was written to.
var ErrDamaged = errors.New("not a queue")

// Write writes the entries and their order.
func (q *Queue) Write(w io.Writer) error {
	z, err := gzip.NewWriterLevel(w, gzip.BestSpeed)
	if err != nil {
		return err
	}
	b := bufio.NewWriter(z)
	fmt.Fprintln(b, form, uint32(q.last), len(q.plain), q.shuffled)
	places := make(map[Key]int, len(q.plain))
	for i, e := range q.plain {
		fmt.Fprintln(b, e.ID, e.Key)
		places[e.Key] = i
	}
	if q.shuffled {
		for _, e := range q.order {
			fmt.Fprintln(b, places[e.Key])
		}
	}
	return errors.Join(b.Flush(), z.Close())
}

// Kept is what a session keeps of its queue beside the entries.
type Kept struct {
	Index    int        `json:"index"`
	Repeat   api.Repeat `json:"repeat"`
	Revision uint64     `json:"revision"`
}

// Read returns the queue that was written, at the place that was kept. The error wraps [ErrDamaged] where it is none.
func Read(r io.Reader, k Kept, random *rand.Rand) (*Queue, error) {
	z, err := gzip.NewReader(r)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	lines := bufio.NewScanner(io.LimitReader(z, api.MaxQueue*(maxID+32)))
	q := New(random)
	n, err := q.readHead(lines)
	if err == nil {
		err = q.readEntries(lines, n)
	}
	if err == nil && q.shuffled {
		err = q.readOrder(lines)
	}
	if err == nil && lines.Scan() {
		err = errors.New("more than there should be")
	}
	if err = errors.Join(err, lines.Err()); err != nil { // among others, of the checksum
		return nil, fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	q.at = min(max(k.Index, 0), len(q.order)-1)
	q.revision = k.Revision
	if k.Repeat == api.RepeatAll || k.Repeat == api.RepeatOne {
		q.repeat = k.Repeat
	}
	return q, nil
}

func (q *Queue) readHead(lines *bufio.Scanner) (entries int, err error) {
	lines.Scan()
	var name string
	if _, err := fmt.Sscanln(lines.Text(), &name, (*uint32)(&q.last), &entries, &q.shuffled); err != nil {
		return 0, err
	}
	if name != form || entries < 0 || entries > api.MaxQueue {
		return 0, errors.New("of another form")
	}
	return entries, nil
}

func (q *Queue) readEntries(lines *bufio.Scanner, n int) error {
	seen := make(map[Key]bool)
	for range n {
		lines.Scan()
		id, key, _ := strings.Cut(lines.Text(), " ")
		e := Entry{ParseKey(key), media.ID(id)}
		if id == "" || len(id) > maxID || e.Key == 0 || e.Key > q.last || seen[e.Key] {
			return errors.New("a line is no entry")
		}
		seen[e.Key] = true
		q.plain = append(q.plain, e)
	}
	q.order = q.plain
	return nil
}

func (q *Queue) readOrder(lines *bufio.Scanner) error {
	seen := make([]bool, len(q.plain))
	q.order = make([]Entry, 0, len(q.plain))
	for range q.plain {
		lines.Scan()
		i, err := strconv.Atoi(lines.Text())
		if err != nil || i < 0 || i >= len(seen) || seen[i] {
			return errors.New("a line is no place")
		}
		seen[i] = true
		q.order = append(q.order, q.plain[i])
	}
	return nil
}
