package playertest

import (
	"errors"
	"io"
	"slices"
	"testing"
	"time"

	"manofwar/player"
)

// Film is a decoder under test, with something that it decodes.
type Film struct {
	Open  func(t *testing.T, from time.Duration) player.Stream // its pictures from a place on
	Due   []time.Duration                                      // when each of its pictures is due
	Close time.Duration                                        // timestamps may be off by less; 0: exact
	Lent  bool                                                 // whether the decoder lends them
	Frame func() *player.Frame                                 // for pictures that are not lent
}

// Stream holds the pictures of a stream to what [player.Stream] says of them and, where they are lent, to what
// [player.Lender] says.
func Stream(t *testing.T, f Film) {
	for _, c := range []struct {
		name string
		lent bool // is of pictures that are lent
		test func(*testing.T, Film)
	}{
		{"all come in order", false, allCome},
		{"from a place on", false, fromAPlace},
		{"as many are lent as may be", true, manyAreLent},
		{"Close ends a read", false, closeEndsARead},
		{"frames outlive their stream", true, framesOutlive},
		{"opened and closed", false, openedAndClosed},
	} {
		if f.Lent || !c.lent {
			t.Run(c.name, func(t *testing.T) { c.test(t, f) })
		}
	}
}

// pictures returns a function that reads a picture and is done with it.
func (f Film) pictures(s player.Stream) func() (time.Duration, error) {
	if l, ok := s.(player.Lender); ok {
		return func() (time.Duration, error) {
			fr, at, err := l.Lend()
			if err == nil {
				l.Return(fr)
			}
			return at, err
		}
	}
	fr := f.Frame()
	return func() (time.Duration, error) { return s.Picture(fr) }
}

// compare reads all pictures, and compares when they are due.
func (f Film) compare(t *testing.T, s player.Stream, want []time.Duration) {
	t.Helper()
	var got []time.Duration
	read := f.pictures(s)
	at, err := read()
	for ; err == nil; at, err = read() {
		got = append(got, at)
	}
	if !errors.Is(err, io.EOF) {
		t.Fatalf("reading ends with %v after %d pictures", err, len(got))
	}
	if !slices.EqualFunc(got, want, func(a, b time.Duration) bool { return (a - b).Abs() <= f.Close }) {
		t.Errorf("pictures are due at %v, want %v", got, want)
	}
	if _, err := read(); !errors.Is(err, io.EOF) {
		t.Errorf("after the end: %v", err)
	}
}

func (f Film) open(t *testing.T, from time.Duration) player.Stream {
	t.Helper()
	s := f.Open(t, from)
	t.Cleanup(func() { shut(t, s) })
	if _, lent := s.(player.Lender); lent != f.Lent {
		t.Fatalf("its pictures are lent: %v, want %v", lent, f.Lent)
	}
	return s
}

func shut(t *testing.T, s player.Stream) {
	t.Helper()
	if err := s.Close(); err != nil {
		t.Errorf("close: %v", err)
	}
}

func allCome(t *testing.T, f Film) { f.compare(t, f.open(t, 0), f.Due) }

func fromAPlace(t *testing.T, f Film) {
	for _, i := range []int{1, len(f.Due) / 2, len(f.Due) - 1} {
		f.compare(t, f.open(t, f.Due[i]), f.Due[i:])
	}
}

// manyAreLent takes as many frames as there may be, which all are different; another one is there when one was returned.
func manyAreLent(t *testing.T, f Film) {
	l := f.open(t, 0).(player.Lender)
	var out []*player.Frame
	for range l.Lends() {
		fr, _, err := l.Lend()
		if err != nil {
			t.Fatal(err)
		}
		if slices.Contains(out, fr) {
			t.Fatal("a frame was lent twice")
		}
		out = append(out, fr)
	}
	next := make(chan *player.Frame)
	go func() {
		fr, _, _ := l.Lend() // nil where that fails
		next <- fr
	}()
	l.Return(out[2])
	fr := <-next
	if fr == nil || fr != out[2] && slices.Contains(out, fr) {
		t.Error("a frame was lent that had not been returned")
	}
	for _, o := range append(slices.Delete(out, 2, 3), fr) {
		l.Return(o)
	}
}

// closeEndsARead closes a stream while a read waits, or would go on for ever.
func closeEndsARead(t *testing.T, f Film) {
	s := f.Open(t, 0)
	var out []*player.Frame
	done := make(chan error)
	l, lent := s.(player.Lender)
	read := func() error {
		if !lent {
			_, err := s.Picture(f.Frame())
			return err
		}
		fr, _, err := l.Lend()
		if err == nil {
			out = append(out, fr) // and never returned: the next one but a few waits
		}
		return err
	}
	if err := read(); err != nil {
		t.Fatal(err)
	}
	go func() {
		err := read()
		for err == nil {
			err = read()
		}
		done <- err
	}()
	shut(t, s)
	if err := <-done; err == nil {
		t.Error("a read goes on")
	}
	for _, fr := range out {
		l.Return(fr)
	}
	shut(t, s)
}

// framesOutlive returns frames after the stream was closed.
func framesOutlive(t *testing.T, f Film) {
	s := f.Open(t, 0)
	l := s.(player.Lender)
	var out []*player.Frame
	for range 3 {
		fr, _, err := l.Lend()
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, fr)
	}
	shut(t, s)
	for _, fr := range out {
		l.Return(fr)
	}
}

// openedAndClosed closes streams before anything was read of them, and after a picture.
func openedAndClosed(t *testing.T, f Film) {
	for i := range 8 {
		s := f.Open(t, f.Due[i%2])
		if i%3 == 1 {
			if _, err := f.pictures(s)(); err != nil {
				t.Error(err)
			}
		}
		shut(t, s)
	}
}
