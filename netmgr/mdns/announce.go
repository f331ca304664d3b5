package mdns

import (
	"fmt"
	"net"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/grandcat/zeroconf"
	"github.com/miekg/dns"

	"manofwar/netmgr"
)

// Service is a service as DNS-SD announces it (RFC 6763).
type Service struct {
	Instance string   // as people read it; what is longer than a label is cut off
	Type     string   // "_http._tcp"
	Port     int      // of the host that the [Responder] names
	Text     []string // "key=value"
}

// Announce announces a service of the host, under the name that was won, on the links that are ready. It holds until the
// returned function is called; it does not follow changes of the links. Instance names are not probed: give one that
// goes with the name that was won, which is.
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
	server, err := zeroconf.RegisterProxy(instanceLabel(s.Instance), s.Type, "local.", s.Port, hostname, nil, text, ifaces)
	if err != nil {
		return nil, fmt.Errorf("announce %s: %w", s.Type, err)
	}
	return server.Shutdown, nil
}

// instanceLabel writes an instance's name, which may have any characters (RFC 6763, section 4.1.1), as one label in the form that
// dns makes of messages: zeroconf compares what it is asked for with it, byte by byte.
func instanceLabel(name string) string {
	for len(name) > netmgr.MaxLabel {
		_, size := utf8.DecodeLastRuneInString(name)
		name = name[:len(name)-size]
	}
	name = strings.Trim(name, ".") // as zeroconf does, which sees no escape before the last
	label, _, err := dns.UnpackDomainName(append([]byte{byte(len(name))}, name+"\x00"...), 0)
	if err != nil {
		return name // it is no longer than a label: it does not happen
	}
	return strings.TrimSuffix(label, ".")
}
