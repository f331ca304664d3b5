package queue

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"manofwar/internal/media"
	"manofwar/services/cast/api"
)

func ids(n int) []media.ID {
	list := make([]media.ID, n)
	for i := range list {
		list[i] = media.ID(fmt.Sprint(i))
	}
	return list
}

func filled(n, first int, shuffle bool) *Queue {
	q := New(rand.New(rand.NewPCG(1, 2)))
	q.Fill(ids(n), first, shuffle)
	return q
}

// text shows the IDs in the order in which they play, the current one in brackets.
func (q *Queue) text() string {
	var b strings.Builder
	for i, e := range q.order {
		if i == q.at {
			fmt.Fprintf(&b, "[%s]", e.ID)
		} else {
			fmt.Fprintf(&b, " %s ", e.ID)
		}
	}
	return strings.ReplaceAll(strings.TrimSpace(b.String()), "  ", " ")
}

// keys returns those of the entries with these IDs.
func (q *Queue) keys(ids ...media.ID) (keys []Key) {
	for _, id := range ids {
		for _, e := range q.order {
			if e.ID == id {
				keys = append(keys, e.Key)
			}
		}
	}
	return keys
}

// check holds the queue to what is always true.
func (q *Queue) check() error {
	if len(q.plain) != len(q.order) || len(q.order) > api.MaxQueue {
		return fmt.Errorf("%d entries put in, %d in order", len(q.plain), len(q.order))
	}
	if q.at < 0 != (len(q.order) == 0) || q.at >= len(q.order) {
		return fmt.Errorf("at %d of %d", q.at, len(q.order))
	}
	seen := make(map[Entry]bool)
	keys := make(map[Key]bool)
	for _, e := range q.plain {
		if seen[e] = true; keys[e.Key] || e.Key == 0 || e.Key > q.last {
			return fmt.Errorf("key %v twice, or never given", e.Key)
		}
		keys[e.Key] = true
	}
	for i, e := range q.order {
		if !seen[e] {
			return fmt.Errorf("%v plays and was not put in, or plays twice", e)
		}
		delete(seen, e)
		if !q.shuffled && q.plain[i] != e {
			return errors.New("another order though it is not shuffled")
		}
	}
	return nil
}

func TestEdits(t *testing.T) {
	for _, c := range []struct {
		name string
		do   func(q *Queue)
		want string
	}{
		{"add", func(q *Queue) { q.Add([]media.ID{"a", "b"}) }, "0 1 [2] 3 4 a b"},
		{"insert", func(q *Queue) { q.Insert([]media.ID{"a", "b"}) }, "0 1 [2] a b 3 4"},
		{"move down", func(q *Queue) { q.Move(q.keys("0"), q.keys("4")[0]) }, "1 [2] 3 0 4"},
		{"move up", func(q *Queue) { q.Move(q.keys("4"), q.keys("0")[0]) }, "4 0 1 [2] 3"},
		{"move the current", func(q *Queue) { q.Move(q.keys("2"), q.keys("0")[0]) }, "[2] 0 1 3 4"},
		{"move to the end", func(q *Queue) { q.Move(q.keys("1", "0"), 0) }, "[2] 3 4 1 0"},
		{"move before what has gone", func(q *Queue) { q.Move(q.keys("1"), 999) }, "0 [2] 3 4 1"},
		{"move before itself", func(q *Queue) { q.Move(q.keys("1"), q.keys("1")[0]) }, "0 1 [2] 3 4"},
		{"move several, one of them the place", func(q *Queue) { q.Move(q.keys("4", "1"), q.keys("1")[0]) }, "0 4 1 [2] 3"},
		{"move what is named twice", func(q *Queue) { q.Move(append(q.keys("0"), q.keys("0")...), 0) }, "1 [2] 3 4 0"},
		{"move nothing that is there", func(q *Queue) { q.Move([]Key{77}, q.keys("0")[0]) }, "0 1 [2] 3 4"},
		{"remove", func(q *Queue) { q.Remove(q.keys("0", "3")) }, "1 [2] 4"},
		{"remove the current", func(q *Queue) { q.Remove(q.keys("2")) }, "0 1 [3] 4"},
		{"remove the current and what follows", func(q *Queue) { q.Remove(q.keys("2", "3", "4")) }, "0 [1]"},
		{"remove everything", func(q *Queue) { q.Remove(q.keys("0", "1", "2", "3", "4")) }, ""},
		{"clear", func(q *Queue) { q.Clear() }, "[2]"},
		{"jump", func(q *Queue) { q.Jump(q.keys("4")[0]) }, "0 1 2 3 [4]"},
		{"jump to what has gone", func(q *Queue) { q.Jump(99) }, "0 1 [2] 3 4"},
		{"back", func(q *Queue) { q.Previous() }, "0 [1] 2 3 4"},
		{"rewind", func(q *Queue) { q.Rewind() }, "[0] 1 2 3 4"},
		{"fill anew", func(q *Queue) { q.Fill([]media.ID{"x"}, 7, false) }, "[x]"},
	} {
		t.Run(c.name, func(t *testing.T) {
			q := filled(5, 2, false)
			c.do(q)
			if err := q.check(); err != nil || q.text() != c.want {
				t.Errorf("got %s, %v; want %s", q.text(), err, c.want)
			}
		})
	}
}

func TestEmptyQueueTakesEverything(t *testing.T) {
	for _, shuffled := range []bool{false, true} {
		q := New(rand.New(rand.NewPCG(1, 2)))
		q.Shuffle(shuffled)
		q.Move([]Key{1}, 2)
		q.Remove([]Key{1})
		q.Clear()
		q.Rewind()
		if _, ok := q.Following(nil); ok || q.Previous() || q.Jump(1) || q.Len() != 0 {
			t.Error("there is something in it")
		}
		q.Insert([]media.ID{"a", "b"})
		if err := q.check(); err != nil || q.text() != "[a] b" {
			t.Errorf("got %s, %v", q.text(), err)
		}
	}
}

// walk plays on n times as the end of an entry does.
func walk(q *Queue, n int) string {
	var heard []string
	for range n {
		s, ok := q.Next(nil)
		if !ok {
			heard = append(heard, ".")
			break
		}
		q.Take(s)
		heard = append(heard, string(s.ID))
	}
	return strings.Join(heard, " ")
}

func TestRepeat(t *testing.T) {
	for repeat, want := range map[api.Repeat]string{
		api.RepeatOff: "1 2 .",
		api.RepeatAll: "1 2 0 1 2",
		api.RepeatOne: "0 0 0 0 0",
	} {
		q := filled(3, 0, false)
		q.SetRepeat(repeat)
		if got := walk(q, 5); got != want {
			t.Errorf("%s: got %s; want %s", repeat, got, want)
		}
	}
	q := filled(3, 2, false)
	q.SetRepeat(api.RepeatOne)
	if s, ok := q.Following(nil); !ok || s.ID != "0" {
		t.Errorf("who asks for another while one repeats gets %v", s)
	}
	q.SetRepeat(api.RepeatAll)
	q.Rewind()
	if !q.Previous() || q.text() != "0 1 [2]" {
		t.Errorf("back from the first: %s", q.text())
	}
}

func TestShufflePlaysEverythingOnce(t *testing.T) {
	for first := range 10 {
		q := filled(200, first, true)
		if q.order[0].ID != media.ID(fmt.Sprint(first)) || q.at != 0 {
			t.Fatalf("begins with %v at %d", q.order[0], q.at)
		}
		q.SetRepeat(api.RepeatAll)
		for round := range 5 {
			last := q.order[q.at].ID
			seen := map[media.ID]bool{}
			if round == 0 {
				seen[last] = true
			}
			for len(seen) < 200 {
				s, _ := q.Next(nil)
				if again, _ := q.Next(nil); again != s {
					t.Fatal("looked at twice, another follows")
				}
				q.Take(s)
				if seen[s.ID] || len(seen) == 0 && s.ID == last {
					t.Fatalf("round %d: %s again after %d others", round, s.ID, len(seen))
				}
				seen[s.ID] = true
			}
			if err := q.check(); err != nil {
				t.Fatal(err)
			}
		}
		q.Shuffle(false)
		if err := q.check(); err != nil || q.order[0].ID != "0" || q.order[199].ID != "199" {
			t.Errorf("not in the old order: %v", err)
		}
	}
	if filled(200, -1, true).order[0].ID == filled(200, 0, true).order[0].ID {
		t.Error("without a first one it begins with the first")
	}
}

func TestSkippingWhatIsBad(t *testing.T) {
	q := filled(6, 1, false)
	bad := func(ids ...media.ID) func(Key) bool {
		keys := q.keys(ids...)
		return func(k Key) bool { return slices.Contains(keys, k) }
	}
	if s, ok := q.Next(bad("2", "3")); !ok || s.ID != "4" {
		t.Errorf("got %v", s)
	}
	if _, ok := q.Next(bad("2", "3", "4", "5")); ok {
		t.Error("something follows the end")
	}
	q.SetRepeat(api.RepeatAll)
	if s, ok := q.Next(bad("0", "2", "3", "4", "5")); !ok || s.ID != "1" {
		t.Errorf("got %v", s)
	}
	q.SetRepeat(api.RepeatOne)
	if s, ok := q.Next(bad("1")); !ok || s.ID != "2" {
		t.Errorf("one that is bad repeats: %v", s)
	}
}

func TestBounds(t *testing.T) {
	q := filled(api.MaxQueue+7, 0, false)
	if q.Len() != api.MaxQueue || q.Room() != 0 {
		t.Errorf("%d entries, room for %d", q.Len(), q.Room())
	}
	q.Add(ids(3))
	q.Insert(ids(3))
	if q.Len() != api.MaxQueue {
		t.Errorf("%d entries", q.Len())
	}
	if got := q.Page(api.MaxQueue-1, 5); len(got) != 1 {
		t.Errorf("last page: %v", got)
	}
	if got := q.Page(api.MaxQueue+5, 5); len(got) != 0 {
		t.Errorf("page after the last: %v", got)
	}
}

// TestAnythingGoes does what people do, in any order, and looks at what is always true after each.
func TestAnythingGoes(t *testing.T) {
	for seed := range uint64(50) {
		r := rand.New(rand.NewPCG(seed, 7))
		q := New(r)
		some := func() (keys []Key) {
			for range r.IntN(4) {
				keys = append(keys, Key(r.IntN(int(q.last)+2)))
			}
			return keys
		}
		for step := range 400 {
			before, had := q.Current()
			revision := q.revision
			what := r.IntN(13)
			switch what {
			case 0:
				q.Fill(ids(r.IntN(30)), r.IntN(40)-5, r.IntN(2) == 0)
			case 1:
				q.Add(ids(r.IntN(5)))
			case 2:
				q.Insert(ids(r.IntN(5)))
			case 3, 4:
				q.Move(some(), Key(r.IntN(int(q.last)+2)))
			case 5:
				q.Remove(some())
			case 6:
				if r.IntN(5) == 0 {
					q.Clear()
				}
			case 7:
				q.Shuffle(r.IntN(2) == 0)
			case 8:
				q.SetRepeat([]api.Repeat{api.RepeatOff, api.RepeatAll, api.RepeatOne}[r.IntN(3)])
			case 9, 10:
				if s, ok := q.Next(nil); ok {
					q.Take(s)
					if now, _ := q.Current(); now != s.Entry {
						t.Fatalf("seed %d step %d: went to %v; want %v", seed, step, now, s.Entry)
					}
				}
			case 11:
				q.Previous()
			case 12:
				q.Jump(Key(r.IntN(int(q.last) + 2)))
			}
			if err := q.check(); err != nil {
				t.Fatalf("seed %d step %d did %d: %v in %s", seed, step, what, err, q.text())
			}
			if now, _ := q.Current(); had && now != before && slices.Contains([]int{1, 2, 3, 4, 6, 7, 8}, what) {
				t.Fatalf("seed %d step %d did %d: another is current", seed, step, what)
			}
			if q.revision < revision {
				t.Fatal("the revision fell")
			}
			if step%20 == 0 {
				again(t, q)
			}
		}
	}
}

// again checks that a queue is the same after it was written and read.
func again(t *testing.T, q *Queue) {
	t.Helper()
	var b bytes.Buffer
	if err := q.Write(&b); err != nil {
		t.Fatal(err)
	}
	got, err := Read(&b, Kept{q.Index(), q.Repeat(), q.Revision()}, q.random)
	if err != nil {
		t.Fatal(err)
	}
	if err := got.check(); err != nil || got.text() != q.text() || !slices.Equal(got.plain, q.plain) || got.last != q.last || got.shuffled != q.shuffled {
		t.Fatalf("written %s\nread    %s, %v", q.text(), got.text(), err)
	}
}

func TestKeptSmall(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	list := make([]media.ID, api.MaxQueue)
	const letters = "abcdefghijklmnopqrstuvwxyz234567"
	for i := range list {
		id := make([]byte, 13) // as the catalog's
		for j := range id {
			id[j] = letters[r.IntN(len(letters))]
		}
		list[i] = media.ID(id)
	}
	q := New(r)
	q.Fill(list, 0, true)
	var b bytes.Buffer
	if err := q.Write(&b); err != nil {
		t.Fatal(err)
	}
	t.Logf("%d entries in %d bytes", q.Len(), b.Len())
	if b.Len() > 400<<10 {
		t.Errorf("%d bytes", b.Len())
	}
	for _, cut := range []int{0, 1, b.Len() / 2, b.Len() - 1} {
		if _, err := Read(bytes.NewReader(b.Bytes()[:cut]), Kept{}, r); !errors.Is(err, ErrDamaged) {
			t.Errorf("cut to %d bytes: %v", cut, err)
		}
	}
	again(t, q)
}

func FuzzRead(f *testing.F) {
	for _, shuffle := range []bool{false, true} {
		var b bytes.Buffer
		if err := filled(5, 2, shuffle).Write(&b); err != nil {
			f.Fatal(err)
		}
		f.Add(b.Bytes(), 2)
	}
	f.Fuzz(func(t *testing.T, data []byte, at int) {
		q, err := Read(bytes.NewReader(data), Kept{Index: at}, rand.New(rand.NewPCG(1, 2)))
		if err != nil {
			return
		}
		if err := q.check(); err != nil {
			t.Error(err)
		}
	})
}

func BenchmarkFill20000(b *testing.B) {
	list := ids(api.MaxQueue)
	q := New(rand.New(rand.NewPCG(1, 2)))
	for b.Loop() {
		q.Fill(list, 0, true)
	}
}
