package native

import (
	"cmp"
	"context"
	"log/slog"
	"reflect"
	"slices"
	"sync"

	"manofwar/internal/media"
	"manofwar/netmgr"
	"manofwar/netmgr/mdns"
)

// names answers the host's name under .local and announces under it the web page, and what other services offer.
type names struct {
	options  Options
	log      *slog.Logger
	tell     func(context.Context, netmgr.Event)
	wants    chan mdns.Want
	announce func(s mdns.Service, hostname string, links []netmgr.Announcement) (end func(), err error)

	mu        sync.Mutex // guards the rest
	under     under
	offers    []offered
	announced map[offered]announced
	over      bool
}

// under is what every announcement depends on.
type under struct {
	name, hostname string
	links          []netmgr.Announcement
}

// announced is one that was made.
type announced struct {
	under
	end func()
}

// maxOffers bounds what other services offer.
const maxOffers = 16

func newNames(o Options, log *slog.Logger, tell func(context.Context, netmgr.Event)) *names {
	n := &names{
		options: o, log: log, tell: tell, wants: make(chan mdns.Want, 1),
		announce: mdns.Announce, announced: make(map[offered]announced),
	}
	if o.WebPort != 0 {
		n.offers = []offered{n.page()}
	}
	return n
}

// page is the web page.
func (n *names) page() offered { return offered{kind: "_http._tcp", port: n.options.WebPort} }

// run answers until ctx ends. A host where that is not possible works by its IP address.
func (n *names) run(ctx context.Context) {
	socket, err := mdns.Listen()
	if err != nil {
		n.log.Warn("name not answered", "err", err)
		return
	}
	responder := mdns.Responder{
		Wants: n.wants, Transport: socket, Reverse: !n.options.Observe, Log: n.log,
		Tell: func(wanted, won string) { n.tell(ctx, netmgr.Named{Wanted: wanted, Hostname: won}) },
	}
	responder.Run(ctx)
	if err := socket.Close(); err != nil {
		n.log.Debug("mdns sockets not closed", "err", err)
	}
}

// follow answers and announces where the plan says.
func (n *names) follow(p netmgr.Plan) {
	replace(n.wants, mdns.Want{Hostname: p.Wanted, Links: p.Announce})
	n.mu.Lock()
	defer n.mu.Unlock()
	n.under = under{cmp.Or(p.Name, p.Hostname), p.Hostname, p.Announce}
	n.catchUp()
}

// offer announces a service until end is called. What is offered twice is announced until both have ended.
func (n *names) offer(o offered) (end func(), err error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if len(n.offers) >= maxOffers {
		return nil, &media.Error{Op: "announce", Path: o.kind, Err: media.ErrFull}
	}
	n.offers = append(n.offers, o)
	n.catchUp()
	return func() {
		n.mu.Lock()
		defer n.mu.Unlock()
		i := slices.Index(n.offers, o)
		n.offers = slices.Delete(n.offers, i, i+1)
		n.catchUp()
	}, nil
}

// catchUp announces what is not announced as it should be, and ends what should not be. The caller holds mu.
func (n *names) catchUp() {
	for o, a := range n.announced {
		if n.over || !slices.Contains(n.offers, o) || !reflect.DeepEqual(a.under, n.under) {
			a.end()
			delete(n.announced, o)
		}
	}
	if n.over || n.under.hostname == "" {
		return
	}
	for _, o := range n.offers {
		if _, ok := n.announced[o]; ok {
			continue
		}
		s := mdns.Service{Instance: n.under.name, Type: o.kind, Port: o.port}
		if o == n.page() {
			s.Text = []string{"path=/"}
		}
		end, err := n.announce(s, n.under.hostname, n.under.links)
		if err != nil {
			n.log.Warn("service not announced", "type", o.kind, "err", err)
			continue
		}
		n.announced[o] = announced{n.under, end}
	}
}

// stop ends the announcements.
func (n *names) stop() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.over = true
	n.catchUp()
}
