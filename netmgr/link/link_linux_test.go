package link

import (
	"testing"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"
)

// TestOfRadio tells what the kernel says of a scan from what it says of the link itself, as both are on the wire.
func TestOfRadio(t *testing.T) {
	const wireless = 11 // IFLA_WIRELESS (linux/if_link.h)
	name := nl.NewRtAttr(unix.IFLA_IFNAME, nl.ZeroTerminated("wlan0"))
	address := nl.NewRtAttr(unix.IFLA_ADDRESS, []byte{2, 0, 0, 0, 0, 1})
	state := nl.NewRtAttr(unix.IFLA_OPERSTATE, []byte{netlink.OperUp})
	for _, c := range []struct {
		what   string
		kind   uint16
		change uint32
		list   []*nl.RtAttr
		want   bool
	}{
		{"a scan is done", unix.RTM_NEWLINK, 0, []*nl.RtAttr{name, nl.NewRtAttr(wireless, make([]byte, 16))}, true},
		{"it is authorized", unix.RTM_NEWLINK, 0, []*nl.RtAttr{name, address, state}, false},
		{"its cable is out", unix.RTM_NEWLINK, unix.IFF_LOWER_UP, []*nl.RtAttr{name, address, state}, false},
		{"it has gone", unix.RTM_DELLINK, 0xffffffff, []*nl.RtAttr{name, address, state}, false},
	} {
		t.Run(c.what, func(t *testing.T) {
			info := nl.NewIfInfomsg(unix.AF_UNSPEC)
			info.Index, info.Change = 3, c.change
			b := info.Serialize()
			for _, a := range c.list {
				b = append(b, a.Serialize()...)
			}
			header := unix.NlMsghdr{Type: c.kind}
			l, err := netlink.LinkDeserialize(&header, b)
			if err != nil {
				t.Fatal(err)
			}
			if got := ofRadio(netlink.LinkUpdate{IfInfomsg: *info, Header: header, Link: l}); got != c.want {
				t.Errorf("of the radio: %v", got)
			}
		})
	}
}
