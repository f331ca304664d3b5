package portal

import (
	"context"
	"net/netip"
	"sync"
	"time"
)

// tries remembers what was typed for attempts that are under way, so that a wrong password can be corrected rather than
// typed again. Only the client that typed it gets it back, and not for long.
type tries struct {
	mu sync.Mutex // guards of
	of map[string]try
}

// try is one attempt at a network.
type try struct {
	client netip.Addr
	form   joinForm
	until  time.Time
	told   bool // its client has seen how it ended
}

const (
	triesFor = 10 * time.Minute
	maxTries = 32
)

func (t *tries) add(id string, a try) {
	t.mu.Lock()
	defer t.mu.Unlock()
	now := time.Now()
	for old, other := range t.of {
		if other.client == a.client || now.After(other.until) || len(t.of) >= maxTries {
			delete(t.of, old)
		}
	}
	if t.of == nil {
		t.of = make(map[string]try)
	}
	a.until = now.Add(triesFor)
	t.of[id] = a
}

// get returns what the client typed for an attempt, if it was that client.
func (t *tries) get(id string, client netip.Addr) (try, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	a, ok := t.of[id]
	if !ok || a.client != client || time.Now().After(a.until) {
		return try{}, false
	}
	return a, true
}

// open returns the attempt whose end the client has not seen yet.
func (t *tries) open(client netip.Addr) (id string, ok bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for id, a := range t.of {
		if a.client == client && !a.told && time.Now().Before(a.until) {
			return id, true
		}
	}
	return "", false
}

// seen notes that the client knows how an attempt ended.
func (t *tries) seen(id string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if a, ok := t.of[id]; ok {
		a.told = true
		t.of[id] = a
	}
}

// end forgets an attempt and its password.
func (t *tries) end(id string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.of, id)
}

// looking runs at most one look for networks, which outlives the request that asked for it but not the service.
type looking struct {
	life context.Context // of the service

	mu sync.Mutex // guards on
	on bool
	wg sync.WaitGroup
}

// start begins a look unless one is under way.
func (l *looking) start(look func(context.Context)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.on || l.life.Err() != nil {
		return
	}
	l.on = true
	l.wg.Go(func() {
		look(l.life)
		l.mu.Lock()
		defer l.mu.Unlock()
		l.on = false
	})
}

func (l *looking) now() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.on
}

func (l *looking) wait() { l.wg.Wait() }
