package stream

import (
	"container/list"
	"context"
	"errors"
	"sync"
)

// cache keeps the presentations of the films that were played last, up to a bound of memory. A film is indexed by one
// request while others for it wait.
type cache struct {
	limit int // in bytes
	make  func(context.Context, *source) (*presentation, error)

	mu    sync.Mutex // guards what follows
	used  int
	films map[key]*list.Element
	order list.List // of *entry, the last used in front
}

// entry is a presentation that is there or on its way.
type entry struct {
	key   key
	ready chan struct{} // closed once p or err is set
	p     *presentation
	err   error
	size  int
}

func newCache(limit int, make func(context.Context, *source) (*presentation, error)) *cache {
	return &cache{limit: limit, make: make, films: map[key]*list.Element{}}
}

// presentation returns the film in src cut for streaming. A failure is not remembered.
func (c *cache) presentation(ctx context.Context, src *source) (*presentation, error) {
	k := src.key()
	c.mu.Lock()
	if e, ok := c.films[k]; ok {
		c.order.MoveToFront(e)
		c.mu.Unlock()
		film := e.Value.(*entry)
		select {
		case <-film.ready:
			return film.p, film.err
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	film := &entry{key: k, ready: make(chan struct{}), err: errUnfinished}
	c.films[k] = c.order.PushFront(film)
	c.mu.Unlock()
	defer c.settle(film) // even if an index panics: others wait for it
	film.p, film.err = c.make(ctx, src)
	return film.p, film.err
}

// errUnfinished is what others get if the request that indexes a film panics.
var errUnfinished = errors.New("the film's index was not finished")

// settle lets those who wait for an entry have it, and keeps the cache within its bound.
func (c *cache) settle(film *entry) {
	close(film.ready)
	c.mu.Lock()
	defer c.mu.Unlock()
	if film.err != nil {
		c.remove(c.films[film.key])
		return
	}
	film.size = film.p.memory()
	c.used += film.size
	for e := c.order.Back(); e != nil && c.used > c.limit; {
		older := e.Prev()
		if f := e.Value.(*entry); f != film && f.size > 0 {
			c.remove(e)
		}
		e = older
	}
}

// remove forgets an entry. c.mu is held.
func (c *cache) remove(e *list.Element) {
	film := c.order.Remove(e).(*entry)
	c.used -= film.size
	delete(c.films, film.key)
}
