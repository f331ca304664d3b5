package mdns

import (
	"fmt"
	"net"
	"slices"

	"github.com/grandcat/zeroconf"

	"manofwar/netmgr"
)

// Service is a service as DNS-SD announces it (RFC 6763).
type Service struct {
	Instance string   // as people read it
	Type     string   // "_http._tcp"
	Port     int      // of the host that the [Responder] names
	Text     []string // "key=value"
}

// Announce announces a service of the host, under the name that was won, on the links that are ready. It holds until the
// returned function is called; it does not follow changes of the links. Instance names are not probed: give one that
// contains the name that was won, which is.
func Announce(s Service, hostname string, links []netmgr.Announcement) (end func(), err error) {
	var ifaces []net.Interface
	for _, l := range links {
		ifi, err := net.InterfaceByIndex(l.Index)
		if err != nil {
			continue // it has just gone, and the next change of links says so
		}
		ifaces = append(ifaces, *ifi)
	}
	if len(ifaces) == 0 {
		return func() {}, nil
	}
	// Without addresses given, each link is answered with its own: those that the Responder publishes too.
	text := slices.Clone(s.Text)
	server, err := zeroconf.RegisterProxy(s.Instance, s.Type, "local.", s.Port, hostname, nil, text, ifaces)
	if err != nil {
		return nil, fmt.Errorf("announce %s: %w", s.Type, err)
	}
	return server.Shutdown, nil
}
