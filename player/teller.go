package player

import "sync"

// teller calls the options' functions in order, without holding up the engine.
type teller struct {
	wake chan struct{}
	mu   sync.Mutex
	todo []func()
	over bool
}

func newTeller() *teller { return &teller{wake: make(chan struct{}, 1)} }

func (t *teller) tell(f func()) {
	t.mu.Lock()
	t.todo = append(t.todo, f)
	t.mu.Unlock()
	t.poke()
}

func (t *teller) poke() {
	select {
	case t.wake <- struct{}{}:
	default:
	}
}

func (t *teller) close() {
	t.mu.Lock()
	t.over = true
	t.mu.Unlock()
	t.poke()
}

func (t *teller) run() {
	for range t.wake {
		t.mu.Lock()
		todo, over := t.todo, t.over
		t.todo = nil
		t.mu.Unlock()
		for _, f := range todo {
			f()
		}
		if over {
			return
		}
	}
}
