package stream

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"strings"
	"sync"
	"time"

	"manofwar/internal/container"
)

// engine is the codec engine: ffmpeg, where there is one. Each run is short and answers one request.
type engine struct {
	program string
	slots   chan struct{} // one for each run under way

	mu    sync.Mutex // guards what follows
	asked bool
	text  string
}

const (
	// versionTimeout is far more than ffmpeg takes to say its version on the slowest board.
	versionTimeout = 10 * time.Second
	// runTimeout bounds a run: a few seconds of sound take a fraction of a second.
	runTimeout = 30 * time.Second
	// runs is how many may go on at a time.
	runs = 2
)

func newEngine(program string) *engine {
	return &engine{program: program, slots: make(chan struct{}, runs)}
}

// version returns the engine's version, empty where there is none. It is found out once.
func (e *engine) version(ctx context.Context) string {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.asked {
		return e.text
	}
	ctx, cancel := context.WithTimeout(ctx, versionTimeout)
	defer cancel()
	out, err := exec.CommandContext(ctx, e.program, "-hide_banner", "-version").Output()
	if ctx.Err() != nil {
		return "" // says nothing about the engine: ask again next time
	}
	e.asked = true
	if fields := strings.Fields(string(out)); err == nil && len(fields) >= 3 && fields[1] == "version" {
		e.text = fields[2]
	}
	return e.text
}

// run runs the engine on what data holds, if anything, and returns what it writes, up to limit bytes. Its error wraps [media.ErrCorrupt] where the engine
// refuses its input.
func (e *engine) run(ctx context.Context, limit int64, data io.Reader, args ...string) ([]byte, error) {
	select {
	case e.slots <- struct{}{}:
		defer func() { <-e.slots }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	ctx, cancel := context.WithTimeout(ctx, runTimeout)
	defer cancel()
	cmd := exec.CommandContext(ctx, e.program, append([]string{"-nostdin", "-hide_banner", "-loglevel", "error"}, args...)...)
	cmd.Stdin = data
	var complaint strings.Builder
	cmd.Stderr = &limited{&complaint, 1 << 10}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, fmt.Errorf("start ffmpeg: %w", err)
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start ffmpeg: %w", err)
	}
	result, readErr := io.ReadAll(io.LimitReader(out, limit))
	if int64(len(result)) == limit {
		cancel()
	}
	err = cmd.Wait()
	switch {
	case ctx.Err() != nil && int64(len(result)) < limit:
		return nil, fmt.Errorf("ffmpeg: %w", ctx.Err())
	case readErr != nil:
		return nil, fmt.Errorf("read from ffmpeg: %w", readErr)
	}
	if exit, ok := errors.AsType[*exec.ExitError](err); ok && exit.ExitCode() > 0 && len(result) == 0 {
		return nil, container.Corrupt("ffmpeg says: %s", strings.TrimSpace(complaint.String()))
	}
	return result, nil
}

// limited passes on the first bytes and swallows the rest.
type limited struct {
	w    io.Writer
	left int
}

func (l *limited) Write(p []byte) (int, error) {
	n := min(len(p), l.left)
	l.left -= n
	if _, err := l.w.Write(p[:n]); err != nil {
		return 0, err
	}
	return len(p), nil
}
