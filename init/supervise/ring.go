package supervise

import (
	"bytes"
	"context"
	"strings"
	"sync"
	"time"

	"manofwar/init/api"
)

// Bounds of one service's log.
const (
	ringBytes = 64 << 10 // of text kept
	maxLine   = 2 << 10  // longer lines are cut into several
)

// Ring keeps the last lines of a service's output, bounded by bytes. It is an [io.Writer] that splits what it gets into
// lines, and safe for concurrent use.
type Ring struct {
	mu      sync.Mutex // guards all below
	lines   []api.Line
	size    int    // bytes of text in lines
	next    uint64 // Seq of the next line; the first is 1
	partial []byte // an unfinished line
	changed chan struct{}
}

// Write adds p. It never fails.
func (r *Ring) Write(p []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	n := len(p)
	for len(p) > 0 {
		line, rest, ended := bytes.Cut(p, []byte{'\n'})
		room := maxLine - len(r.partial)
		if len(line) > room {
			r.partial = append(r.partial, line[:room]...)
			p = p[room:]
			r.flush()
			continue
		}
		r.partial = append(r.partial, line...)
		p = rest
		if ended {
			r.flush()
		}
	}
	return n, nil
}

// EndLine ends an unfinished line: its writer is gone.
func (r *Ring) EndLine() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.partial) > 0 {
		r.flush()
	}
}

// flush makes the unfinished line one of the lines, and drops the oldest beyond the bound.
func (r *Ring) flush() {
	r.next++
	text := strings.ToValidUTF8(strings.TrimSuffix(string(r.partial), "\r"), "\uFFFD")
	r.partial = r.partial[:0]
	r.lines = append(r.lines, api.Line{Seq: r.next, Time: time.Now(), Text: text})
	r.size += len(text) + 1
	drop := 0
	for r.size > ringBytes {
		r.size -= len(r.lines[drop].Text) + 1
		drop++
	}
	clear(r.lines[:drop]) // their text is garbage now; moving the rest at each line would cost its writer's weight in PID 1
	r.lines = r.lines[drop:]
	if r.changed != nil {
		close(r.changed)
		r.changed = nil
	}
}

// After returns the lines kept whose Seq is greater than seq.
func (r *Ring) After(seq uint64) []api.Line {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.after(seq)
}

func (r *Ring) after(seq uint64) []api.Line {
	for i, l := range r.lines {
		if l.Seq > seq {
			return append([]api.Line(nil), r.lines[i:]...)
		}
	}
	return nil
}

// Tail returns the last n lines.
func (r *Ring) Tail(n int) []api.Line {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]api.Line(nil), r.lines[max(0, len(r.lines)-n):]...)
}

// Wait is [Ring.After], but blocks until there is a line to return. It returns nil once ctx ends.
func (r *Ring) Wait(ctx context.Context, seq uint64) []api.Line {
	for {
		r.mu.Lock()
		lines := r.after(seq)
		if r.changed == nil {
			r.changed = make(chan struct{})
		}
		changed := r.changed
		r.mu.Unlock()
		if lines != nil {
			return lines
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return nil
		}
	}
}
