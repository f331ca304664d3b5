// Package sntp keeps the host's clock near the network's time (RFC 4330; RFC 5905 for the sanity checks): it asks one
// server at a time, steps the clock when it is far off and slews it when it is near.
//
// A media player needs the clock for certificates, timetables and log lines, not for microseconds: there is no filtering
// of many servers and no discipline of the frequency. Any network that the host joins may name its servers, so none is
// believed about a time before the program was built. The packets are those of github.com/beevik/ntp.
package sntp

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/netip"
	"slices"
	"time"

	"github.com/beevik/ntp"
)

// Sources is where to ask.
type Sources struct {
	Servers []string     // host names or addresses, with a port where it is not 123; the best first
	DNS     []netip.Addr // the name servers of the network; none: the host's
}

func (s Sources) equal(o Sources) bool {
	return slices.Equal(s.Servers, o.Servers) && slices.Equal(s.DNS, o.DNS)
}

// Client keeps the clock. All fields are set before [Client.Run] and not changed after.
type Client struct {
	Sources   <-chan Sources                        // whenever they change; none without a network
	NotBefore time.Time                             // no earlier time is believed
	Query     func(context.Context, Query) Response // nil: [Ask]
	Adjust    func(offset time.Duration) error      // nil: [Adjust], which needs CAP_SYS_TIME
	Tell      func(time.Time)                       // the clock was set, to this; must not block
	Log       *slog.Logger

	refused map[string]bool // servers that want to be left alone
}

// Query is one question.
type Query struct {
	Server string
	DNS    []netip.Addr
}

// Response is what came of it. Without an error, Offset is what to add to the clock.
type Response struct {
	Offset time.Duration
	Err    error // wraps [ErrRefused] where the server wants to be left alone
}

// ErrRefused is a server's wish to be left alone (RFC 4330, section 8: kiss-o'-death).
var ErrRefused = errors.New("server refuses")

// The pace of asking.
const (
	firstRetry = time.Second // after all servers have failed; doubles
	lastRetry  = 15 * time.Minute
	firstPoll  = time.Minute // after the clock was set; doubles
	lastPoll   = 68 * time.Minute
)

// Run asks until ctx ends: at once when there are new sources, then at growing intervals.
func (c *Client) Run(ctx context.Context) {
	if c.Query == nil {
		c.Query = Ask
	}
	if c.Adjust == nil {
		c.Adjust = Adjust
	}
	var (
		sources Sources
		poll    = firstPoll
		retry   = firstRetry
		timer   = time.NewTimer(time.Hour)
	)
	defer timer.Stop()
	timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case s := <-c.Sources:
			if s.equal(sources) {
				continue
			}
			sources, retry, c.refused = s, firstRetry, make(map[string]bool)
		case <-timer.C:
		}
		timer.Stop()
		if len(sources.Servers) == 0 {
			continue
		}
		if c.sync(ctx, sources) {
			timer.Reset(spread(poll))
			poll, retry = min(2*poll, lastPoll), firstRetry
		} else {
			timer.Reset(spread(retry))
			retry, poll = min(2*retry, lastRetry), firstPoll
		}
	}
}

// spread varies a wait by a tenth, so that a street full of dongles does not ask at once after a power cut.
func spread(d time.Duration) time.Duration { return d - d/10 + rand.N(d/5) }

// sync asks one server after the other and sets the clock by the first that can be believed. It reports whether one could.
func (c *Client) sync(ctx context.Context, s Sources) bool {
	for _, server := range s.Servers {
		if c.refused[server] || ctx.Err() != nil {
			continue
		}
		r := c.Query(ctx, Query{Server: server, DNS: s.DNS})
		if r.Err == nil {
			r.Err = c.set(r.Offset)
		}
		if r.Err == nil {
			return true
		}
		c.refused[server] = errors.Is(r.Err, ErrRefused)
		c.Log.Debug("time server not used", "server", server, "err", r.Err)
	}
	return false
}

// set moves the clock by offset, unless that cannot be right.
func (c *Client) set(offset time.Duration) error {
	now := time.Now().Add(offset).Round(0)
	if now.Before(c.NotBefore) {
		return fmt.Errorf("it says %s, before this program was made", now.Format(time.RFC3339))
	}
	if err := c.Adjust(offset); err != nil {
		return fmt.Errorf("set the clock: %w", err)
	}
	c.Tell(now)
	return nil
}

// timeout is how long one server may take.
const timeout = 2 * time.Second

// Ask asks one server. Its answer is checked: it belongs to the question, the server is itself synchronized, its stratum,
// age and dispersion are sane.
func Ask(ctx context.Context, q Query) Response {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	d := dialer{dns: q.DNS}
	r, err := ntp.QueryWithOptions(q.Server, ntp.QueryOptions{Timeout: timeout, Dialer: func(_, remote string) (net.Conn, error) {
		conn, err := d.dial(ctx, remote)
		if err == nil {
			context.AfterFunc(ctx, func() { _ = conn.Close() }) // ends a read under way
		}
		return conn, err
	}})
	if err == nil {
		err = r.Validate()
	}
	switch {
	case errors.Is(err, ntp.ErrKissOfDeath):
		return Response{Err: fmt.Errorf("%w: %s", ErrRefused, r.KissCode)}
	case err != nil:
		return Response{Err: err}
	}
	return Response{Offset: r.ClockOffset}
}
