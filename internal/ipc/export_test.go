package ipc

import "io"

// Listeners returns how many listen now.
func (e *Events) Listeners() int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return len(e.subscribers)
}

// ReadEventsForTest parses a whole stream.
func ReadEventsForTest(r io.Reader) { _ = readEvents(r, func(Event, error) bool { return true }) }
