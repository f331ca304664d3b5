package judge

import (
	"slices"
	"time"

	"manofwar/netmgr"
	"manofwar/netmgr/api"
)

// Course is the judging of one link over time: what to look at when, and what follows from what was seen. It is told the
// time, and is for one goroutine. The zero value with its numbers set begins.
type Course struct {
	Operators int // how many there are to ask; 0: the routers only
	Gateways  int // how many routers there are
	Pace      netmgr.Pace

	verdict  Verdict
	judged   bool          // there was a verdict
	wasGood  bool          // the link was good once: it must prove itself to be so again
	failures int           // looks in a row that went wrong while good
	doubted  time.Time     // when the first of them began
	proving  time.Time     // when the first of the looks that went well, after it was not good, began
	rival    Verdict       // what the last look said instead of the verdict
	since    time.Time     // when the verdict was reached
	turn     int           // counts looks at one operator
	round    time.Duration // what asking an operator usually takes
	next     time.Time
}

// LookKind is how to look.
type LookKind string

// The kinds of looks.
const (
	LookAll     LookKind = "all"     // all operators and the routers
	LookOne     LookKind = "one"     // one operator
	LookConnect LookKind = "connect" // one operator's name and a connection to it, without asking anything
)

// Look is what to look at.
type Look struct {
	Kind     LookKind
	Operator int // which, where it is one
	Patience time.Duration
}

// Seen is what a look has found.
type Seen struct {
	Kind    LookKind
	gateway bool // a router answers; only of [LookAll]
	answers []answer
}

// The rules of time.
const (
	everyInUse   = 3 * time.Second
	everyStandby = 15 * time.Second
	everyCostly  = 30 * time.Second

	doubts     = 3               // looks in a row that must go wrong for a good link to be so no more,
	doubtful   = 3 * time.Second // and for how long: a router's name server may be starting anew
	proof      = 4 * time.Second // for how long a link that was lost must be well to be good again
	atLeast    = time.Second     // between two looks in doubt
	minGlance  = 700 * time.Millisecond
	minRound   = 1200 * time.Millisecond
	maxRound   = 4 * time.Second
	firstRound = 2500 * time.Millisecond // before anything was measured
)

// Look returns what to look at next.
func (c *Course) Look() Look {
	if c.verdict.State != api.Good || c.failures > 0 || c.Operators == 0 {
		return Look{Kind: LookAll, Patience: c.patience()}
	}
	// Each operator is connected to and asked in turn: a connection tells most of what can go wrong for a fifth of the bytes.
	l := Look{Kind: LookConnect, Operator: c.turn / 2 % c.Operators, Patience: c.glance()}
	if c.turn%2 == 1 {
		l.Kind, l.Operator = LookOne, (c.turn/2+1)%c.Operators
	}
	return l
}

// glance is how long the answer to a look at one operator is waited for. It is short: all that follows is another look.
func (c *Course) glance() time.Duration { return min(max(minGlance, 4*c.round), maxRound) }

// patience is how long the answers to a look at everything are waited for: one retransmission of the kernel's (1 s) and a multiple
// of what they usually take, so that a link by satellite is not taken for a dead one; twice that before a link is given up, which
// may only be full of what somebody sends over it.
func (c *Course) patience() time.Duration {
	if c.round == 0 {
		return firstRound
	}
	p := max(minRound, time.Second+4*c.round)
	if c.verdict.State == api.Good && c.failures >= doubts-1 {
		p *= 2
	}
	return min(p, maxRound)
}

// Doubt has everything looked at next: something happened.
func (c *Course) Doubt() { c.failures = max(c.failures, 1) }

// Watch changes how closely the link is watched from now on.
func (c *Course) Watch(now time.Time, p netmgr.Pace) {
	c.Pace = p
	if soon := now.Add(c.every()); c.next.After(soon) {
		c.next = soon
	}
}

// Next returns when to look again.
func (c *Course) Next() time.Time { return c.next }

// Took takes note of what a look that began and ended at these times has found. It returns the verdict, and whether it is news.
func (c *Course) Took(began, ended time.Time, s Seen) (Verdict, bool) {
	c.turn++
	v := c.conclude(s)
	if took := ended.Sub(began); v.State == api.Good && s.Kind != LookConnect {
		if c.round == 0 {
			c.round = took
		}
		c.round = (3*c.round + took) / 4
	}
	news := c.weigh(began, ended, v)
	if news {
		c.verdict, c.judged, c.since, c.rival = v, true, ended, Verdict{}
		c.wasGood = c.wasGood || v.State == api.Good
		c.failures, c.doubted, c.proving = 0, time.Time{}, time.Time{}
	}
	c.next = c.schedule(began, ended)
	return c.verdict, news
}

// conclude says what one look alone would mean. One that has not looked at everything can only be good or not.
func (c *Course) conclude(s Seen) Verdict {
	switch {
	case slices.ContainsFunc(s.answers, answer.good):
		return Verdict{State: api.Good}
	case s.Kind == LookConnect && s.answers[0].outcome == connected && !s.answers[0].deaf:
		return Verdict{State: api.Good}
	case s.Kind != LookAll:
		return Verdict{State: api.LANOnly}
	}
	return judge(c.Gateways, s)
}

// weigh says whether a look's conclusion becomes the verdict, or has to be seen again first.
func (c *Course) weigh(began, ended time.Time, v Verdict) bool {
	same := v == c.rival
	c.rival = v
	switch {
	case c.judged && v == c.verdict:
		c.failures, c.doubted, c.proving = 0, time.Time{}, time.Time{}
		return false
	case !c.judged:
		return true
	case c.verdict.State == api.Good:
		if c.doubted.IsZero() {
			c.doubted = began
		}
		c.failures++
		return c.failures >= doubts && ended.Sub(c.doubted) >= doubtful
	case v.State == api.Good && !c.wasGood:
		return true
	case v.State == api.Good:
		if c.proving.IsZero() {
			c.proving = began
		}
		return began.Sub(c.proving) >= proof
	}
	c.proving = time.Time{}
	return same
}

// schedule says when to look again: soon while something is in doubt, and ever less often while nothing gets better.
func (c *Course) schedule(began, ended time.Time) time.Time {
	soon := latest(began.Add(atLeast), ended)
	switch {
	case !c.proving.IsZero():
		return latest(c.proving.Add(proof), soon)
	case c.verdict.State == api.Good && c.failures == 1:
		return ended
	case c.verdict.State == api.Good && c.failures > 0:
		return soon
	case c.verdict.State == api.Good:
		return latest(began.Add(c.every()), ended)
	}
	return latest(began.Add(c.retry(ended.Sub(c.since))), soon)
}

func (c *Course) every() time.Duration {
	switch c.Pace {
	case netmgr.Standby:
		return everyStandby
	case netmgr.Costly:
		return everyCostly
	}
	return everyInUse
}

// retry is how long after a look the next one is, on a link that has not been good for a while.
func (c *Course) retry(bad time.Duration) time.Duration {
	every := 15 * time.Second
	switch {
	case bad < 10*time.Second:
		every = time.Second
	case bad < time.Minute:
		every = 2 * time.Second
	case bad < 10*time.Minute, c.verdict.State == api.Captive: // somebody may be about to sign in
		every = 5 * time.Second
	}
	if c.Pace == netmgr.Costly {
		every = max(every, 5*time.Second)
	}
	return every
}

func latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
