package peerlink

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/grandcat/zeroconf"

	"manofwar/internal/identity"
)

const (
	serviceType = "_manofwar._tcp"
	domain      = "local."
	maxFound    = 64 // of one search
	maxAnswers  = 512
	maxAddress  = 4 // of one device
	// MaxName bounds a device's name, in bytes: what fits into one string of a TXT record (RFC 6763, section 6.1) with each of
	// its bytes escaped.
	MaxName = 80
)

// Found is a device that says that it is there. Nothing of it is proved.
type Found struct {
	ID        identity.ID
	Name      string
	Addresses []string // with the port, to be tried in turn
}

// Announce says in the home's network that a device listens on a port, on every link that there is now, until end is called.
// It does not follow changes of the links.
func Announce(id identity.ID, name string, port int) (end func(), err error) {
	links, err := carriers()
	if err != nil || len(links) == 0 {
		return func() {}, err
	}
	host := "manofwar-" + string(id[:12]) // nobody else's: it need not be probed for
	text := []string{"id=" + string(id), "name=" + url.PathEscape(CleanName(name))}
	// Without addresses given, each link is answered with its own.
	server, err := zeroconf.RegisterProxy(host, serviceType, domain, port, host, nil, text, links)
	if err != nil {
		return nil, fmt.Errorf("announce to other devices: %w", err)
	}
	return server.Shutdown, nil
}

// Browse asks on every link which devices there are, and tells each as often as it answers until ctx ends.
func Browse(ctx context.Context, found func(Found)) error {
	links, err := carriers()
	if err != nil || len(links) == 0 {
		return err
	}
	resolver, err := zeroconf.NewResolver(zeroconf.SelectIfaces(links))
	if err != nil {
		return fmt.Errorf("look for devices: %w", err)
	}
	entries := make(chan *zeroconf.ServiceEntry, maxFound)
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	if err := resolver.Browse(ctx, serviceType, domain, entries); err != nil {
		return fmt.Errorf("look for devices: %w", err)
	}
	for range maxAnswers {
		e, ok := <-entries // closed when ctx ends
		if !ok {
			return nil
		}
		if f, err := parseEntry(e); err == nil {
			found(f)
		}
	}
	cancel()
	for range entries { // somebody floods the network
	}
	return nil
}

// carriers returns the links that carry multicast and have an address that others can be told: who browses takes the first answer,
// which must not be that of a link that has none.
func carriers() (links []net.Interface, err error) {
	all, err := net.Interfaces()
	if err != nil {
		return nil, fmt.Errorf("list links: %w", err)
	}
	const needs = net.FlagUp | net.FlagMulticast
	return slices.DeleteFunc(all, func(i net.Interface) bool {
		addrs, err := i.Addrs()
		return i.Flags&needs != needs || i.Flags&net.FlagLoopback != 0 || err != nil || !slices.ContainsFunc(addrs, reachable)
	}), nil
}

// reachable reports whether an address means something beyond its link.
func reachable(a net.Addr) bool {
	n, ok := a.(*net.IPNet)
	if !ok {
		return false
	}
	ip, ok := netip.AddrFromSlice(n.IP)
	return ok && usable(ip.Unmap())
}

func usable(a netip.Addr) bool {
	return !a.IsLinkLocalUnicast() && !a.IsLoopback() && !a.IsMulticast() && !a.IsUnspecified()
}

// Links describes the links as they are now: whoever announces does so again when it has become another.
func Links() string {
	links, err := carriers()
	if err != nil {
		return ""
	}
	var all []string
	for _, i := range links {
		addrs, _ := i.Addrs() // it has just gone
		all = append(all, fmt.Sprint(i.Index, i.Name, addrs))
	}
	return strings.Join(all, " ")
}

var errEntry = errors.New("not a device of ours")

// parseEntry reads what a device says of itself.
func parseEntry(e *zeroconf.ServiceEntry) (f Found, err error) {
	for _, text := range e.Text {
		key, value, _ := strings.Cut(text, "=")
		switch key {
		case "id":
			if f.ID, err = identity.ParseID(value); err != nil {
				return f, err
			}
		case "name":
			name, err := url.PathUnescape(value)
			if err != nil {
				return f, errEntry
			}
			f.Name = CleanName(name)
		}
	}
	for _, ip := range slices.Concat(e.AddrIPv4, e.AddrIPv6) {
		a, ok := netip.AddrFromSlice(ip)
		if a = a.Unmap(); ok && usable(a) && len(f.Addresses) < maxAddress {
			f.Addresses = append(f.Addresses, netip.AddrPortFrom(a, uint16(e.Port)).String())
		}
	}
	if f.ID == "" || len(f.Addresses) == 0 || e.Port <= 0 || e.Port > 65535 {
		return f, errEntry
	}
	return f, nil
}

// CleanName makes of a device's name, which may be foreign bytes, one line of at most [MaxName] bytes.
func CleanName(name string) string {
	name = strings.Join(strings.FieldsFunc(strings.ToValidUTF8(name, ""), func(r rune) bool {
		return unicode.IsSpace(r) || !unicode.IsPrint(r)
	}), " ")
	for len(name) > MaxName {
		_, size := utf8.DecodeLastRuneInString(name)
		name = name[:len(name)-size]
	}
	return strings.TrimSpace(name)
}
