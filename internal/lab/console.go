package lab

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"regexp"
	"sync"
)

// Console is what the guest has printed on its serial line, from the first boot on. It is safe for concurrent use.
type Console struct {
	Copy io.Writer // also gets everything as it comes; nil: nothing does

	mu   sync.Mutex // guards all below
	text []byte
	more chan struct{} // closed and replaced whenever text grows
}

// maxConsole bounds what is kept, in bytes: a guest in a loop must not exhaust the host. What comes later is only copied.
const maxConsole = 8 << 20

// Write implements [io.Writer] for the process that runs the guest.
func (c *Console) Write(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.text)+len(p) <= maxConsole {
		c.text = append(c.text, bytes.ReplaceAll(p, []byte("\r"), nil)...)
	}
	if c.more != nil {
		close(c.more)
		c.more = nil
	}
	if c.Copy != nil {
		return c.Copy.Write(p)
	}
	return len(p), nil
}

// String returns everything so far.
func (c *Console) String() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return string(c.text)
}

// Len returns how long the text is so far: a mark to wait from.
func (c *Console) Len() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.text)
}

// Wait waits until pattern matches in what came after the mark, and returns the match and its groups.
func (c *Console) Wait(ctx context.Context, mark int, pattern string) ([]string, error) {
	re, err := regexp.Compile(pattern)
	if err != nil {
		return nil, err
	}
	for {
		match, more := c.find(mark, re)
		if match != nil {
			return match, nil
		}
		select {
		case <-more:
		case <-ctx.Done():
			return nil, fmt.Errorf("console never said %q: %w; it ends with:\n%s", pattern, context.Cause(ctx), c.Tail(30))
		}
	}
}

func (c *Console) find(mark int, re *regexp.Regexp) ([]string, <-chan struct{}) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if m := re.FindSubmatch(c.text[mark:]); m != nil {
		groups := make([]string, len(m))
		for i := range m {
			groups[i] = string(m[i])
		}
		return groups, nil
	}
	if c.more == nil {
		c.more = make(chan struct{})
	}
	return nil, c.more
}

// Tail returns the last n lines.
func (c *Console) Tail(n int) string {
	lines := bytes.Split([]byte(c.String()), []byte("\n"))
	return string(bytes.Join(lines[max(0, len(lines)-n):], []byte("\n")))
}
