package supervise

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"manofwar/init/api"
)

func texts(lines []api.Line) (all []string) {
	for _, l := range lines {
		all = append(all, l.Text)
	}
	return all
}

func TestRingSplitsLines(t *testing.T) {
	tests := []struct {
		name   string
		writes []string
		want   []string
	}{
		{"whole lines", []string{"a\nb\n"}, []string{"a", "b"}},
		{"a line in pieces", []string{"a", "b", "c\nd"}, []string{"abc", "d"}},
		{"an empty line", []string{"\n"}, []string{""}},
		{"line ends of a terminal", []string{"a\r\n"}, []string{"a"}},
		{"bytes that are no text", []string{"a\xff\n"}, []string{"a\uFFFD"}},
		{"a long line", []string{strings.Repeat("x", maxLine+1) + "\n"}, []string{strings.Repeat("x", maxLine), "x"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var r Ring
			for _, w := range tt.writes {
				if n, err := r.Write([]byte(w)); n != len(w) || err != nil {
					t.Fatalf("Write: %d, %v", n, err)
				}
			}
			r.EndLine()
			if got := texts(r.After(0)); fmt.Sprint(got) != fmt.Sprint(tt.want) {
				t.Errorf("got %q; want %q", got, tt.want)
			}
		})
	}
}

func TestRingIsBounded(t *testing.T) {
	var r Ring
	const written = 10000
	for i := range written {
		fmt.Fprintf(&r, "line %d of what a service says\n", i)
	}
	lines, size := r.After(0), 0
	for i, l := range lines {
		size += len(l.Text) + 1
		if want := uint64(written - len(lines) + i + 1); l.Seq != want {
			t.Fatalf("line %d has the number %d; want %d", i, l.Seq, want)
		}
	}
	if size > ringBytes || size < ringBytes/2 {
		t.Errorf("%d bytes kept; the bound is %d", size, ringBytes)
	}
	if got := r.Tail(2); len(got) != 2 || got[1].Seq != written {
		t.Errorf("Tail(2): %v", got)
	}
	if got := r.Tail(written); len(got) != len(lines) {
		t.Errorf("Tail of more than there is: %d lines; want %d", len(got), len(lines))
	}
}

func TestRingWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var r Ring
		fmt.Fprintln(&r, "old")
		got := make(chan []api.Line)
		go func() { got <- r.Wait(t.Context(), 1) }()
		synctest.Wait()
		fmt.Fprintln(&r, "new")
		if lines := <-got; fmt.Sprint(texts(lines)) != "[new]" {
			t.Errorf("got %v", lines)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if lines := r.Wait(ctx, 2); lines != nil {
			t.Errorf("got %v although nothing came", lines)
		}
	})
}

func FuzzRing(f *testing.F) {
	f.Add([]byte("a\nb"), uint8(1))
	f.Fuzz(func(t *testing.T, data []byte, step uint8) {
		var r Ring
		for rest := data; len(rest) > 0; {
			n := min(int(step)+1, len(rest))
			r.Write(rest[:n])
			rest = rest[n:]
		}
		r.EndLine()
		for _, l := range r.After(0) {
			if strings.Contains(l.Text, "\n") || len(l.Text) > 3*maxLine {
				t.Errorf("line %q", l.Text)
			}
		}
	})
}

// TestRingTakesFloods: who prints nothing but empty lines must not keep PID 1 busy. It is a matter of milliseconds; a ring
// that moves all its lines at each takes minutes.
func TestRingTakesFloods(t *testing.T) {
	var r Ring
	if _, err := r.Write(bytes.Repeat([]byte{'\n'}, 1<<20)); err != nil {
		t.Fatal(err)
	}
	lines := r.After(0)
	if last := lines[len(lines)-1]; len(lines) != ringBytes || last.Seq != 1<<20 {
		t.Errorf("%d lines, the last of which is %d", len(lines), last.Seq)
	}
}
