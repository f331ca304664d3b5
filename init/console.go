//go:build linux

package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// console is what a person at the screen or the serial line reads: few lines, each beginning with the program's name,
// and milestones of the form key=value for those who measure.
type console struct{ w io.Writer }

// patient is a writer that never makes its user wait: whoever holds the scroll lock on a keyboard, or a serial line
// that nobody reads, must not stop PID 1. What is too much at once is lost.
type patient struct {
	w     *os.File
	queue chan []byte
}

func newPatient(w *os.File) *patient { return &patient{w: w, queue: make(chan []byte, 256)} }

// Write implements [io.Writer]. It always succeeds.
func (p *patient) Write(b []byte) (int, error) {
	select {
	case p.queue <- bytes.Clone(b):
	default:
	}
	return len(b), nil
}

// run writes until ctx ends, and then what is left.
func (p *patient) run(ctx context.Context) {
	for {
		select {
		case b := <-p.queue:
			_, _ = p.w.Write(b) // a console that fails leaves nobody to tell
		case <-ctx.Done():
			for range len(p.queue) {
				_, _ = p.w.Write(<-p.queue)
			}
			return
		}
	}
}

// say prints a message for a person, every line of it marked.
func (c console) say(format string, args ...any) {
	text := strings.ReplaceAll(fmt.Sprintf(format, args...), "\n", "\nmanofwar: ")
	fmt.Fprintf(c.w, "manofwar: %s\n", text)
}

// drain waits until a serial line has sent everything: a reset would swallow the rest, and with it the reason.
func drain(f *os.File) {
	_ = unix.IoctlSetInt(int(f.Fd()), unix.TCSBRK, 1) // a screen has nothing to send
}

// mark prints a milestone.
func (c console) mark(key string, value any) { fmt.Fprintf(c.w, "manofwar: %s=%v\n", key, value) }

// markNow prints a milestone with the seconds since the kernel started.
func (c console) markNow(key string) { c.mark(key, seconds(uptime())) }

func seconds(d time.Duration) string { return fmt.Sprintf("%.3f", d.Seconds()) }

// uptime is the time since the kernel started. It goes on over exec, unlike anything of this process's own.
func uptime() time.Duration {
	var ts unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &ts); err != nil {
		return 0
	}
	return time.Duration(ts.Nano())
}

// handler logs to the console: the message, then its attributes.
type handler struct {
	c     console
	attrs []slog.Attr
}

func (h handler) Enabled(_ context.Context, level slog.Level) bool { return level >= slog.LevelInfo }

func (h handler) WithAttrs(attrs []slog.Attr) slog.Handler {
	return handler{h.c, append(append([]slog.Attr(nil), h.attrs...), attrs...)}
}

func (h handler) WithGroup(string) slog.Handler { return h } // PID 1 groups nothing

func (h handler) Handle(_ context.Context, r slog.Record) error {
	var b strings.Builder
	b.WriteString(r.Message)
	add := func(a slog.Attr) bool {
		fmt.Fprintf(&b, " %s=%v", a.Key, a.Value)
		return true
	}
	for _, a := range h.attrs {
		add(a)
	}
	r.Attrs(add)
	h.c.say("%s", b.String())
	return nil
}
