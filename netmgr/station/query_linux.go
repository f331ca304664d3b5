package station

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"time"

	"manofwar/netmgr/ieee80211"
	"manofwar/netmgr/nl80211"
)

// query is a security association query (clauses 11.13 and 9.6.9), with which a station whose management frames are protected
// finds out what to make of an unprotected farewell: anybody can send one, but so does an access point that has
// restarted and knows no keys any more. One that has them answers.
type query struct {
	id    [2]byte
	tries int
	begun time.Time
	again <-chan time.Time // nil: no query is under way
}

// Bodies of action frames: category, action, identifier.
const (
	categorySAQuery = 8
	actionRequest   = 0
	actionResponse  = 1
)

const (
	queryTries = 4
	queryEvery = 250 * time.Millisecond // after 1 s it is unanswered (dot11AssociationSAQueryMaximumTimeout)
)

// registerQuery asks for the answers. A driver that does not give them answers for itself.
func (a *attempt) registerQuery(ctx context.Context) {
	if !a.choice.MFP || !a.radio.Commands.Frame {
		return
	}
	if err := a.register(ctx, ieee80211.Action, []byte{categorySAQuery, actionResponse}); err != nil {
		a.log.Debug("no security association queries", "err", err)
		return
	}
	a.queries = true
}

// doubt begins a query, unless one is under way, or was a moment ago: forged farewells shall not keep the air busy.
func (a *attempt) doubt(ctx context.Context) error {
	if !a.queries || a.query.again != nil || time.Since(a.query.begun) < queryTries*queryEvery {
		return nil
	}
	a.query = query{begun: time.Now()}
	_, _ = rand.Read(a.query.id[:]) // the system's source does not fail
	return a.ask(ctx)
}

// ask sends the question, or draws the conclusion.
func (a *attempt) ask(ctx context.Context) error {
	if a.query.tries++; a.query.tries > queryTries {
		a.leave(ieee80211.ReasonInvalidAuth)
		return &leftError{a.network.silent(errors.New("security association query"))}
	}
	a.query.again = time.After(queryEvery)
	return a.sendFrame(ctx, ieee80211.Action, append([]byte{categorySAQuery, actionRequest}, a.query.id[:]...))
}

// answered ends the query at its answer.
func (a *attempt) answered(ev nl80211.FrameReceived) {
	f, ok := a.received(ev, ieee80211.Action)
	if ok && a.query.again != nil && bytes.Equal(f.Body, append([]byte{categorySAQuery, actionResponse}, a.query.id[:]...)) {
		a.query.again = nil
	}
}
