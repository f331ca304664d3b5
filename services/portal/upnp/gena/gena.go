// Package gena tells subscribers what has changed at a UPnP service (UPnP Device Architecture 1.1, section 4): the General
// Event Notification Architecture.
//
// A subscriber names the address that it wants to be told at. Since nobody proves who they are, that may only be at the
// very host that subscribes: else a stranger had this device talk to others in its place. There are few subscribers at a
// time, each with one message on its way; of what changes meanwhile the last is told.
package gena

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

const (
	// MaxSubscribers bounds those of one service.
	MaxSubscribers = 24
	// longest and shortest are how long a subscription holds, whatever is asked for.
	longest  = 30 * time.Minute
	shortest = time.Minute
	// Moderation is the least time between two messages to a subscriber (AVTransport:1, section 2.3.1).
	Moderation = 200 * time.Millisecond
	// tellWithin is how long a subscriber may take to hear a message, and maxDeaf how many it may miss in a row.
	tellWithin = 5 * time.Second
	maxDeaf    = 3
	maxURL     = 1024
)

// Property is one variable of an event.
type Property struct{ Name, Value string }

// Publisher tells the subscribers of one service.
type Publisher struct {
	state func() []Property // as it is now: what a new subscriber is told
	log   *slog.Logger
	life  context.Context
	http  *http.Client

	mu   sync.Mutex // guards the rest
	subs map[string]*subscription
	over bool
	busy sync.WaitGroup
}

// subscription is one subscriber.
type subscription struct {
	callback string
	until    time.Time
	wake     chan struct{} // there is news; holds one
	stop     context.CancelFunc
}

// New returns a publisher that lives until ctx ends.
func New(ctx context.Context, state func() []Property, log *slog.Logger) *Publisher {
	return &Publisher{
		state: state, log: log, life: ctx, subs: make(map[string]*subscription),
		http: &http.Client{
			Transport: &http.Transport{DisableKeepAlives: true, DialContext: (&net.Dialer{Timeout: tellWithin}).DialContext, MaxResponseHeaderBytes: 4 << 10},
			CheckRedirect: func(*http.Request, []*http.Request) error {
				return http.ErrUseLastResponse
			},
			Timeout: tellWithin,
		},
	}
}

// Wait returns when nothing is told any more, after the publisher's life has ended.
func (p *Publisher) Wait() {
	p.mu.Lock()
	p.over = true
	p.mu.Unlock()
	p.busy.Wait()
}

// Changed has the subscribers told how things are now.
func (p *Publisher) Changed() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.expire()
	for _, s := range p.subs {
		tell(s.wake)
	}
}

func tell(ch chan<- struct{}) {
	select {
	case ch <- struct{}{}:
	default:
	}
}

// ServeHTTP answers SUBSCRIBE and UNSUBSCRIBE.
func (p *Publisher) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var status int
	switch r.Method {
	case "SUBSCRIBE":
		status = p.subscribe(w, r)
	case "UNSUBSCRIBE":
		status = p.unsubscribe(r)
	default:
		w.Header().Set("Allow", "SUBSCRIBE, UNSUBSCRIBE")
		status = http.StatusMethodNotAllowed
	}
	w.Header().Set("Content-Length", "0")
	w.WriteHeader(status)
}

// subscribe begins a subscription or renews one (section 4.1).
func (p *Publisher) subscribe(w http.ResponseWriter, r *http.Request) int {
	sid, callback, nt := r.Header.Get("SID"), r.Header.Get("Callback"), r.Header.Get("NT")
	hold := holding(r.Header.Get("Timeout"))
	if sid != "" {
		if callback != "" || nt != "" {
			return http.StatusBadRequest
		}
		if !p.renew(sid, hold) {
			return http.StatusPreconditionFailed
		}
	} else {
		if nt != "upnp:event" {
			return http.StatusPreconditionFailed
		}
		from, err := netip.ParseAddrPort(r.RemoteAddr)
		if err != nil {
			return http.StatusPreconditionFailed
		}
		address, ok := pick(callback, from.Addr())
		if !ok {
			return http.StatusPreconditionFailed
		}
		if sid, ok = p.begin(address, hold); !ok {
			return http.StatusServiceUnavailable
		}
	}
	w.Header()["SID"] = []string{sid} // as old control points look for it
	w.Header()["TIMEOUT"] = []string{"Second-" + strconv.Itoa(int(hold.Seconds()))}
	return http.StatusOK
}

// holding reads the field TIMEOUT: "Second-1800" or "infinite".
func holding(field string) time.Duration {
	n, err := strconv.Atoi(strings.TrimPrefix(strings.ToLower(strings.TrimSpace(field)), "second-"))
	if err != nil || n > int(longest.Seconds()) {
		return longest
	}
	return max(shortest, time.Duration(n)*time.Second)
}

// pick returns the first of the addresses in a field CALLBACK, "<http://…><http://…>", that is at the host that asks.
func pick(field string, from netip.Addr) (string, bool) {
	if len(field) > 4*maxURL {
		return "", false
	}
	for part := range strings.SplitSeq(field, "<") {
		text, _, ok := strings.Cut(part, ">")
		if !ok || len(text) > maxURL {
			continue
		}
		u, err := url.Parse(text)
		if err != nil || u.Scheme != "http" || u.User != nil {
			continue
		}
		host, err := netip.ParseAddr(u.Hostname())
		if err == nil && host.Unmap().WithZone("") == from.Unmap().WithZone("") {
			return u.String(), true
		}
	}
	return "", false
}

// begin makes a subscription, and has the subscriber told how things are. False: there are enough.
func (p *Publisher) begin(callback string, hold time.Duration) (sid string, ok bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.expire()
	if p.over || len(p.subs) >= MaxSubscribers {
		return "", false
	}
	sid = newSID()
	ctx, cancel := context.WithCancel(p.life)
	s := &subscription{callback: callback, until: time.Now().Add(hold), wake: make(chan struct{}, 1), stop: cancel}
	p.subs[sid] = s
	tell(s.wake)
	p.busy.Go(func() {
		defer cancel()
		p.serve(ctx, sid, s)
	})
	return sid, true
}

// expire forgets subscriptions that were not renewed. The caller holds mu.
func (p *Publisher) expire() {
	now := time.Now()
	for sid, s := range p.subs {
		if now.After(s.until) {
			s.stop()
			delete(p.subs, sid)
		}
	}
}

func (p *Publisher) renew(sid string, hold time.Duration) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.expire()
	s := p.subs[sid]
	if s != nil {
		s.until = time.Now().Add(hold)
	}
	return s != nil
}

// unsubscribe ends a subscription (section 4.1.3).
func (p *Publisher) unsubscribe(r *http.Request) int {
	if r.Header.Get("Callback") != "" || r.Header.Get("NT") != "" {
		return http.StatusBadRequest
	}
	if !p.drop(r.Header.Get("SID")) {
		return http.StatusPreconditionFailed
	}
	return http.StatusOK
}

func (p *Publisher) drop(sid string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	s := p.subs[sid]
	if s != nil {
		s.stop()
		delete(p.subs, sid)
	}
	return s != nil
}

// serve tells one subscriber until its subscription ends or it has gone.
func (p *Publisher) serve(ctx context.Context, sid string, s *subscription) {
	seq, deaf := uint32(0), 0
	var last []Property
	for {
		select {
		case <-ctx.Done():
			return
		case <-s.wake:
		}
		if now := p.state(); seq == 0 || !slices.Equal(now, last) {
			last = now
			deaf++
			if err := p.notify(ctx, sid, s.callback, seq, now); err == nil {
				deaf = 0
			} else if ctx.Err() == nil {
				p.log.Debug("subscriber not told", "at", s.callback, "err", err)
			}
			if deaf == maxDeaf {
				p.drop(sid)
				return
			}
			if seq++; seq == 0 {
				seq = 1 // 0 is the first message alone
			}
		}
		t := time.NewTimer(Moderation)
		select {
		case <-ctx.Done():
		case <-t.C:
		}
		t.Stop()
	}
}

// notify tells a subscriber (section 4.3.2).
func (p *Publisher) notify(ctx context.Context, sid, callback string, seq uint32, all []Property) error {
	req, err := http.NewRequestWithContext(ctx, "NOTIFY", callback, bytes.NewReader(encode(all)))
	if err != nil {
		return err
	}
	maps.Copy(req.Header, http.Header{
		"Content-Type": {`text/xml; charset="utf-8"`}, "NT": {"upnp:event"}, "NTS": {"upnp:propchange"},
		"SID": {sid}, "SEQ": {strconv.FormatUint(uint64(seq), 10)},
	})
	resp, err := p.http.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	_, _ = io.Copy(io.Discard, io.LimitReader(resp.Body, 4<<10)) // it has nothing to say
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("answered %s", resp.Status)
	}
	return nil
}

func newSID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // it never fails
	b[6], b[8] = b[6]&0x0F|0x40, b[8]&0x3F|0x80
	h := hex.EncodeToString(b[:])
	return "uuid:" + h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]
}
