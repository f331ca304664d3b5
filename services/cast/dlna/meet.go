package dlna

import (
	"context"
	"sync"
	"time"

	"manofwar/services/cast/api"
	"manofwar/services/cast/renderer"
)

// atOnce is how many new devices are read at the same time: each may take [callTimeout] and more, and the others need not wait for
// one that does not answer.
const atOnce = 8

// meetings are the readings of devices that are not followed yet. They are of Run's goroutine, which takes what they come to.
type meetings struct {
	results chan met
	turns   chan struct{}                 // holds those that read
	pending map[string]context.CancelFunc // by the location of the description
	all     sync.WaitGroup
}

func newMeetings() *meetings {
	return &meetings{results: make(chan met), turns: make(chan struct{}, atOnce), pending: make(map[string]context.CancelFunc)}
}

// met is what a meeting has come to.
type met struct {
	location string
	device   *device // nil: it was not understood
	report   renderer.Report
}

// begin has a device read, unless it is being read or too many others wait to be: it is found again.
func (m *meetings) begin(ctx context.Context, location string, read func(context.Context, string) met) {
	if m.pending[location] != nil || len(m.pending) >= maxAnswers {
		return
	}
	ctx, cancel := context.WithCancel(ctx)
	m.pending[location] = cancel
	m.all.Go(func() {
		select {
		case m.turns <- struct{}{}:
		case <-ctx.Done():
			return
		}
		result := read(ctx, location)
		<-m.turns
		select {
		case m.results <- result:
		case <-ctx.Done():
		}
	})
}

// end forgets a meeting whose result was taken.
func (m *meetings) end(location string) {
	m.pending[location]()
	delete(m.pending, location)
}

// cancel ends all meetings, and waits until they have.
func (m *meetings) cancel() {
	for location := range m.pending {
		m.end(location)
	}
	m.all.Wait()
}

// read reads the device whose description is there.
func (n *Network) read(ctx context.Context, location string) met {
	c, info, err := describe(ctx, n.http, location)
	if err != nil {
		n.log.Debug("device not understood", "location", location, "err", err)
		return met{location: location}
	}
	d := newDevice(n, c, info)
	d.base, err = baseFor(location, n.port)
	if err != nil {
		n.log.Debug("device not reached", "location", location, "err", err)
		return met{location: location}
	}
	r := renderer.Report{State: api.Stopped}
	if c.HasVolume() {
		d.hear(ctx, &r)
	}
	return met{location, d, r}
}

// add follows a device that was read, unless it is one that is followed under another address.
func (n *Network) add(ctx context.Context, m met) {
	if m.device == nil || len(n.devices) >= maxDevices {
		return
	}
	id := m.device.info.ID
	for other, d := range n.devices {
		if d.info.ID != id {
			continue
		}
		if !d.seen.Before(n.searched) {
			return // it has two addresses, and answers at both
		}
		n.lose(other, d) // it has restarted
	}
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	n.devices[m.location] = &running{m.device, func() { cancel(); <-done }, time.Now()}
	m.report.At = time.Now()
	n.listener.Found(m.device.info, m.device)
	n.listener.Reported(id, m.report)
	go func() {
		defer close(done)
		m.device.run(ctx)
	}()
}
