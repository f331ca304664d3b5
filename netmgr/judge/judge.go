// Package judge finds out what a link with an address is worth: whether its router answers, whether the internet is behind it, or
// a page that wants a sign-in first.
//
// Two independent operators are asked over HTTP for a page that is known to be empty (status 204). One answer suffices, because
// one of the two may be blocked or altered; both must be altered for a network to be called captive. Name servers are the link's own, and
// every socket is bound to the link (socket(7), SO_BINDTODEVICE), so that each link is judged by itself whatever the routes say.
// The router is asked by ARP or neighbour discovery, through the kernel's neighbour table, only when nothing else answers.
//
// [Course] decides, without I/O and clock: what to look at when, and what follows from what was seen. [Judge] carries it out. Which
// link is used then is the policy's business.
//
// Not covered: how fast a link is, and portals that let these two operators through. Operators are asked by plain HTTP, since the
// point is to notice who alters it: nothing is sent but a path and a fixed User-Agent.
package judge

import (
	"context"
	"log/slog"
	"net/netip"
	"sync"
	"time"

	"manofwar/netmgr"
	"manofwar/netmgr/api"
)

// DefaultOperators are asked where the owner names none. Both answer 204 to anybody: Google's is what Android and
// ChromeOS ask, Cloudflare's is for this purpose too.
var DefaultOperators = []string{
	"http://connectivitycheck.gstatic.com/generate_204",
	"http://cp.cloudflare.com/generate_204",
}

// Link is what there is to judge.
type Link struct {
	Index      int    // of the interface
	Name       string // the kernel's
	Generation int    // of the plan; told back
	Gateways   []netip.Addr
	DNS        []netip.Addr // the link's own name servers
}

// Options are what a Judge is told.
type Options struct {
	Link      Link
	Operators []string    // nil: [DefaultOperators]
	Off       bool        // ask nobody: a link whose router answers counts as good
	Pace      netmgr.Pace // empty: [netmgr.InUse]
	Log       *slog.Logger

	// Tell is told whenever the verdict is another one, from the goroutine of [Judge.Run].
	Tell func(context.Context, netmgr.Judged)

	look looker // nil: the network
}

// Judge watches one link.
type Judge struct {
	options Options
	nudges  chan struct{}
	paces   chan netmgr.Pace
}

// looker looks at the network. Its errors are findings.
type looker interface {
	// gateways reports whether one of the link's routers answers, within patience.
	gateways(ctx context.Context, patience time.Duration) bool
	// operator asks one for its page, within patience.
	operator(ctx context.Context, o operator, patience time.Duration) answer
	// connect looks up one operator and opens a connection to it, within patience.
	connect(ctx context.Context, o operator, patience time.Duration) answer
}

// New returns a judge of the link. Operators that [CheckOperators] refuses are left out.
func New(o Options) *Judge {
	if o.Pace == "" {
		o.Pace = netmgr.InUse
	}
	return &Judge{options: o, nudges: make(chan struct{}, 1), paces: make(chan netmgr.Pace, 1)}
}

// Nudge asks for a look at once, because something has happened to the link: it roamed, or somebody has signed in.
func (j *Judge) Nudge() {
	select {
	case j.nudges <- struct{}{}:
	default:
	}
}

// SetPace changes how closely the link is watched. It is for one goroutine.
func (j *Judge) SetPace(p netmgr.Pace) {
	select {
	case <-j.paces:
	default:
	}
	j.paces <- p
}

// Run judges until ctx ends: at once, and then again and again.
func (j *Judge) Run(ctx context.Context) {
	o := j.options
	operators := parseOperators(o.Operators)
	if o.Off {
		operators = nil
	}
	look := o.look
	if look == nil {
		network := newProber(o.Link)
		defer network.close()
		look = network
	}
	course := Course{Operators: len(operators), Gateways: len(o.Link.Gateways), Pace: o.Pace}
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
		case <-j.nudges:
			course.Doubt()
		case p := <-j.paces:
			course.Watch(time.Now(), p)
			timer.Reset(time.Until(course.Next()))
			continue
		}
		began := time.Now()
		seen := inspect(ctx, look, operators, course.Look())
		if ctx.Err() != nil {
			return
		}
		if v, news := course.Took(began, time.Now(), seen); news {
			o.Log.Info("link judged", "link", o.Link.Name, "state", v.State, "reason", v.Reason)
			o.Tell(ctx, netmgr.Judged{Index: o.Link.Index, Generation: o.Link.Generation, State: v.State, Reason: v.Reason, Login: v.Login})
		}
		timer.Reset(time.Until(course.Next()))
	}
}

// inspect looks as it is asked to. Whoever looks at all operators is content with the first that answers as it should.
func inspect(ctx context.Context, look looker, operators []operator, l Look) Seen {
	switch l.Kind {
	case LookConnect:
		return Seen{Kind: l.Kind, answers: []answer{look.connect(ctx, operators[l.Operator], l.Patience)}}
	case LookOne:
		return Seen{Kind: l.Kind, answers: []answer{look.operator(ctx, operators[l.Operator], l.Patience)}}
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	seen := Seen{Kind: l.Kind, answers: make([]answer, len(operators))}
	var running sync.WaitGroup
	for i, o := range operators {
		running.Go(func() {
			if seen.answers[i] = look.operator(ctx, o, l.Patience); seen.answers[i].good() {
				cancel()
			}
		})
	}
	running.Go(func() {
		if seen.gateway = look.gateways(ctx, l.Patience); seen.gateway && len(operators) == 0 {
			cancel()
		}
	})
	running.Wait()
	return seen
}

// Verdict is what a link is worth.
type Verdict struct {
	State  api.State
	Reason string // in words for a person; empty: all is well
	Login  string // URL of the page that wants a sign-in
}
