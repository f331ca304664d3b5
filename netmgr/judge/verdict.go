package judge

import (
	"manofwar/netmgr/api"
)

// outcome is how far asking an operator went.
type outcome int

// The outcomes, the nearest to us first.
const (
	unasked     outcome = iota
	nameless            // the network has no name servers
	unresolved          // no name server answers
	unnamed             // name servers answer, but do not know the operator's name, which exists
	unreachable         // no connection
	connected           // a connection, and nothing was asked over it
	silent              // a connection, and no answer over it
	broken              // the answer says that somebody on the way failed: status 429 or 5xx, or no HTTP
	altered             // another answer than the operator's
	right               // the operator's answer
)

// answer is what came of asking an operator.
type answer struct {
	outcome  outcome
	deaf     bool   // no name server answered, and an address known from before was used
	internal bool   // the name leads to an address of the home's
	login    string // URL where an altered answer leads; empty: nowhere
}

// The reasons, in words for a person.
const (
	reasonSilent     = "The router does not answer."
	reasonNoGateway  = "The network has no router to the internet."
	reasonNoDNS      = "The network names no name server, so no address on the internet can be found."
	reasonDeaf       = "The internet is there, but the name server of this network does not answer."
	reasonUnresolved = "The router answers, its name server does not."
	reasonDead       = "The router answers, the internet behind it does not."
	reasonMute       = "Connections to the internet open, but nothing comes back over them."
	reasonBroken     = "The internet behind the router reports errors only."
	reasonInternal   = "The router has no internet and answers in its place."
	reasonAltered    = "What comes from the internet is altered or blocked."
	reasonCaptive    = "This network wants you to sign in first."
)

// good reports whether the answer is the operator's, found by the network's own means.
func (a answer) good() bool { return a.outcome == right && !a.deaf }

// judge says what a look at everything means that did not find an operator's own answer. The answer that got furthest
// tells most about where the way ends.
func judge(gateways int, s Seen) Verdict {
	if len(s.answers) == 0 {
		switch {
		case gateways == 0:
			return Verdict{State: api.LANOnly, Reason: reasonNoGateway}
		case s.gateway:
			return Verdict{State: api.Good}
		}
		return Verdict{State: api.Associated, Reason: reasonSilent}
	}
	if v, ok := captive(s.answers); ok {
		return v
	}
	best := s.answers[0]
	for _, a := range s.answers[1:] {
		if a.outcome > best.outcome {
			best = a
		}
	}
	switch {
	case gateways == 0 && best.outcome < connected:
		return Verdict{State: api.LANOnly, Reason: reasonNoGateway}
	case !s.gateway && best.outcome <= unreachable:
		return Verdict{State: api.Associated, Reason: reasonSilent}
	}
	return Verdict{State: api.LANOnly, Reason: best.reason()}
}

// captive reports whether all operators' answers were replaced, and where the replacements lead.
func captive(answers []answer) (Verdict, bool) {
	v := Verdict{State: api.Captive, Reason: reasonCaptive}
	for _, a := range answers {
		if a.outcome != altered {
			return Verdict{}, false
		}
		if v.Login == "" {
			v.Login = a.login
		}
	}
	return v, true
}

// reason says why an answer is not the operator's.
func (a answer) reason() string {
	switch {
	case a.outcome == right: // by an address known from before: no name is found any more
		return reasonDeaf
	case a.outcome == nameless:
		return reasonNoDNS
	case a.outcome == unresolved:
		return reasonUnresolved
	case a.internal && a.outcome < altered:
		return reasonInternal
	case a.outcome == silent, a.outcome == connected:
		return reasonMute
	case a.outcome == broken:
		return reasonBroken
	case a.outcome == altered:
		return reasonAltered
	}
	return reasonDead
}
