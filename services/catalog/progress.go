package catalog

import (
	"context"
	"sync"
	"time"

	"manofwar/internal/media"
	"manofwar/services/catalog/api"
)

// scans is the queue of libraries to scan, and how far the scan under way is.
type scans struct {
	ended chan struct{} // a scan has ended
	asked chan struct{} // all libraries are to be scanned

	mu        sync.Mutex // guards all that follows
	queue     []media.ID
	wake      chan struct{} // the queue is no longer empty
	current   media.ID
	cancel    context.CancelFunc // of the current one
	pass      uint32
	state     api.Scan
	unchanged int
	toRead    int       // found and changed
	readSince time.Time // when the first file that had to be read was found
}

func newScans() *scans {
	return &scans{
		ended: make(chan struct{}, 1),
		asked: make(chan struct{}, 1),
		wake:  make(chan struct{}, 1),
		pass:  uint32(time.Now().Unix()), // another than in the last life, though nothing keeps it
	}
}

// add queues a library, unless it waits already. One that is being scanned is scanned again afterwards only if it has
// been removed in between.
func (q *scans) add(id media.ID) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.current == id && q.cancel != nil {
		return
	}
	for _, waiting := range q.queue {
		if waiting == id {
			return
		}
	}
	q.queue = append(q.queue, id)
	select {
	case q.wake <- struct{}{}:
	default:
	}
}

// remove takes a library out of the queue, and ends the scan of it.
func (q *scans) remove(id media.ID) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for i, waiting := range q.queue {
		if waiting == id {
			q.queue = append(q.queue[:i], q.queue[i+1:]...)
			break
		}
	}
	if q.current == id && q.cancel != nil {
		q.cancel()
		q.cancel = nil
	}
}

// next waits for a library to scan. Its context ends when the library is removed; done must be called after the scan.
func (q *scans) next(ctx context.Context) (media.ID, context.Context, func()) {
	for {
		q.mu.Lock()
		if len(q.queue) > 0 {
			id := q.queue[0]
			q.queue = q.queue[1:]
			rootCtx, cancel := context.WithCancel(ctx)
			q.current, q.cancel = id, cancel
			q.mu.Unlock()
			return id, rootCtx, func() { cancel(); q.end() }
		}
		q.mu.Unlock()
		select {
		case <-ctx.Done():
			return "", ctx, func() {}
		case <-q.wake:
		}
	}
}

// begin starts to count a pass and returns its number.
func (q *scans) begin(root string) uint32 {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.pass++
	q.state = api.Scan{Running: true, Root: root, Started: time.Now()}
	q.unchanged, q.toRead, q.readSince = 0, 0, time.Time{}
	return q.pass
}

func (q *scans) end() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.current, q.cancel = "", nil
	q.state.Running, q.state.Finished = false, time.Now()
	select {
	case q.ended <- struct{}{}:
	default:
	}
}

// found counts a file, which has to be read if it has changed.
func (q *scans) found(changed bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.state.Found++
	if !changed {
		q.unchanged++
		q.state.Done++
		return
	}
	if q.toRead++; q.toRead == 1 {
		q.readSince = time.Now()
	}
}

// read counts a file that has been read.
func (q *scans) read() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.state.Done++
}

func (q *scans) running() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.state.Running
}

// idle reports whether no library waits or is being scanned.
func (q *scans) idle() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(q.queue) == 0 && q.current == ""
}

// counts returns how many files the scan has found, and how many of them it read.
func (q *scans) counts() (files, read int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.state.Found, q.state.Done - q.unchanged
}

// progress returns the state of the scan, with an estimate of the time left: what is found and not read, at the rate so far.
func (q *scans) progress() api.Scan {
	q.mu.Lock()
	defer q.mu.Unlock()
	p := q.state
	if done := p.Done - q.unchanged; p.Running && done > 0 {
		each := time.Since(q.readSince) / time.Duration(done)
		p.Left = media.Duration((each * time.Duration(p.Found-p.Done)).Round(time.Second))
	}
	return p
}
