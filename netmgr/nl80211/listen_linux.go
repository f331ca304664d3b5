package nl80211

// Listener hears events from when it was made.
type Listener struct {
	conn   *Conn
	about  int
	events chan Event
}

const (
	waiting       = 256         // events that may wait for a listener
	waitingFrames = waiting / 2 // of which what anybody nearby can cause any number of
)

// Listen returns a listener to the events of an interface, by its index, and to those that are of none; 0: to all.
func (c *Conn) Listen(index int) *Listener {
	l := &Listener{conn: c, about: index, events: make(chan Event, waiting)}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err != nil {
		close(l.events)
		return l
	}
	c.listeners[l] = struct{}{}
	return l
}

// Events is closed when the listener or the socket is, or when the listener did not keep up: then it knows nothing
// for certain any more, and whoever listens has to begin anew.
func (l *Listener) Events() <-chan Event { return l.events }

// Close ends the listener.
func (l *Listener) Close() {
	l.conn.mu.Lock()
	defer l.conn.mu.Unlock()
	l.drop()
}

// drop ends the listener. The connection's lock is the caller's.
func (l *Listener) drop() {
	if _, ok := l.conn.listeners[l]; ok {
		delete(l.conn.listeners, l)
		close(l.events)
	}
}

// give never waits: the answers that a listener may be waiting for come on the same socket. The lock is the caller's.
func (l *Listener) give(ev Event) {
	if index := ev.of(); l.about != 0 && index != 0 && index != l.about {
		return
	}
	switch ev.(type) {
	case FrameReceived, ControlPort, Stray, Unprotected:
		if len(l.events) >= waitingFrames {
			return // as if it were lost in the air
		}
	}
	select {
	case l.events <- ev:
	default:
		l.drop()
	}
}

// tell decodes an event for those who listen. The lock is the caller's.
func (c *Conn) tell(command uint8, b []byte) {
	if len(c.listeners) == 0 {
		return
	}
	ev := decodeEvent(command, append([]byte(nil), b...))
	if ev == nil {
		return
	}
	for l := range c.listeners {
		l.give(ev)
	}
}
