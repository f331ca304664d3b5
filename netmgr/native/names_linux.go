package native

import (
	"cmp"
	"context"
	"log/slog"
	"reflect"

	"manofwar/netmgr"
	"manofwar/netmgr/mdns"
)

// names answers the host's name under .local and announces the web page under it.
type names struct {
	options Options
	log     *slog.Logger
	tell    func(context.Context, netmgr.Event)
	wants   chan mdns.Want

	announced announced // for the loop's goroutine only
	end       func()    // ends the announcement
}

// announced is what the web page's announcement depends on.
type announced struct {
	name, hostname string
	links          []netmgr.Announcement
}

func newNames(o Options, log *slog.Logger, tell func(context.Context, netmgr.Event)) *names {
	return &names{options: o, log: log, tell: tell, wants: make(chan mdns.Want, 1), end: func() {}}
}

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
	want := announced{cmp.Or(p.Name, p.Hostname), p.Hostname, p.Announce}
	if n.options.WebPort == 0 || reflect.DeepEqual(want, n.announced) {
		return
	}
	n.stop()
	if p.Hostname == "" {
		return
	}
	end, err := mdns.Announce(mdns.Service{
		Instance: want.name, Type: "_http._tcp", Port: n.options.WebPort, Text: []string{"path=/"},
	}, p.Hostname, p.Announce)
	if err != nil {
		n.log.Warn("web page not announced", "err", err)
		return
	}
	n.announced, n.end = want, end
}

// stop ends the announcement.
func (n *names) stop() {
	n.end()
	n.announced, n.end = announced{}, func() {}
}
