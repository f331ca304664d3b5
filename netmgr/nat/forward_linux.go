package nat

import (
	"errors"
	"fmt"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"
)

// The attributes below IFLA_AF_SPEC and AF_INET (linux/if_link.h, linux/ip.h).
const (
	inetConf         = 1 // IFLA_INET_CONF: settings by their number
	devconfForwarded = 1 // IPV4_DEVCONF_FORWARDING
)

// forward switches on or off that the kernel forwards IPv4 packets that arrive on an interface, as net.ipv4.conf.X.forwarding
// does. An interface that has gone forwards nothing.
func forward(name string, on bool) error {
	l, err := netlink.LinkByName(name)
	if errors.As(err, new(netlink.LinkNotFoundError)) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("forward from %s: %w", name, err)
	}
	req := nl.NewNetlinkRequest(unix.RTM_SETLINK, unix.NLM_F_ACK)
	msg := nl.NewIfInfomsg(unix.AF_UNSPEC)
	msg.Index = int32(l.Attrs().Index)
	req.AddData(msg)
	spec := nl.NewRtAttr(unix.IFLA_AF_SPEC, nil)
	conf := spec.AddRtAttr(unix.AF_INET, nil).AddRtAttr(inetConf, nil)
	value := uint32(0)
	if on {
		value = 1
	}
	conf.AddRtAttr(devconfForwarded, nl.Uint32Attr(value))
	req.AddData(spec)
	if _, err := req.Execute(unix.NETLINK_ROUTE, 0); err != nil && !errors.Is(err, unix.ENODEV) {
		return fmt.Errorf("forward from %s: %w", name, err)
	}
	return nil
}
