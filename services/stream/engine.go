package stream

import (
	"context"
	"os/exec"
	"strings"
	"sync"
	"time"
)

// engine is the codec engine: ffmpeg, where there is one.
type engine struct {
	program string

	mu    sync.Mutex // guards what follows
	asked bool
	text  string
}

// versionTimeout is far more than ffmpeg takes to say its version on the slowest board.
const versionTimeout = 10 * time.Second

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
