package nl80211

import (
	"context"

	"golang.org/x/sys/unix"

	"manofwar/netmgr/ieee80211"
)

// InterfaceType is what an interface is for.
type InterfaceType int

// The types that matter here.
const (
	StationInterface     InterfaceType = unix.NL80211_IFTYPE_STATION
	AccessPointInterface InterfaceType = unix.NL80211_IFTYPE_AP
)

// Interface is one network interface of a radio.
type Interface struct {
	Index, Phy int
	Name       string
	Type       InterfaceType
	MAC        ieee80211.MAC
	MHz        int            // the channel it is on; 0: none
	SSID       ieee80211.SSID // of an access point, or a station in a network
}

// Interfaces returns the interfaces of all radios.
func (c *Conn) Interfaces(ctx context.Context) ([]Interface, error) {
	parts, err := c.dump(ctx, "list interfaces", unix.NL80211_CMD_GET_INTERFACE, nil)
	if err != nil {
		return nil, err
	}
	var out []Interface
	for _, b := range parts {
		if i := decodeInterface(parse(b)); i.Index != 0 { // P2P devices have none
			out = append(out, i)
		}
	}
	return out, nil
}

// Interface returns the interface with an index.
func (c *Conn) Interface(ctx context.Context, index int) (Interface, error) {
	a, err := c.get(ctx, "look at interface", unix.NL80211_CMD_GET_INTERFACE, on(index))
	if err != nil {
		return Interface{}, err
	}
	return decodeInterface(a), nil
}

func decodeInterface(a attributes) Interface {
	return Interface{
		Index: a.index(), Phy: int(a.u32(unix.NL80211_ATTR_WIPHY)), Name: a.text(unix.NL80211_ATTR_IFNAME),
		Type: InterfaceType(a.u32(unix.NL80211_ATTR_IFTYPE)), MAC: a.mac(unix.NL80211_ATTR_MAC),
		MHz: int(a.u32(unix.NL80211_ATTR_WIPHY_FREQ)), SSID: ieee80211.SSID(a[unix.NL80211_ATTR_SSID]),
	}
}

// on begins a request about an interface.
func on(index int) encoder {
	var a encoder
	a.u32(unix.NL80211_ATTR_IFINDEX, uint32(index))
	return a
}

// NewInterface is an interface to be made.
type NewInterface struct {
	Phy   int
	Name  string
	Type  InterfaceType
	MAC   ieee80211.MAC // zero: the driver's choice
	Owned bool          // it goes when the connection is closed
}

// CreateInterface makes an interface. It is down.
func (c *Conn) CreateInterface(ctx context.Context, n NewInterface) (Interface, error) {
	var a encoder
	a.u32(unix.NL80211_ATTR_WIPHY, uint32(n.Phy))
	a.text(unix.NL80211_ATTR_IFNAME, n.Name)
	a.u32(unix.NL80211_ATTR_IFTYPE, uint32(n.Type))
	if n.MAC != (ieee80211.MAC{}) {
		a.mac(unix.NL80211_ATTR_MAC, n.MAC)
	}
	if n.Owned {
		a.flag(unix.NL80211_ATTR_SOCKET_OWNER)
	}
	answer, err := c.get(ctx, "create interface "+n.Name, unix.NL80211_CMD_NEW_INTERFACE, a)
	if err != nil {
		return Interface{}, err
	}
	return decodeInterface(answer), nil
}

// DeleteInterface takes an interface away.
func (c *Conn) DeleteInterface(ctx context.Context, index int) error {
	return c.do(ctx, "delete interface", unix.NL80211_CMD_DEL_INTERFACE, on(index))
}

// SetType changes what an interface is for. It has to be down.
func (c *Conn) SetType(ctx context.Context, index int, t InterfaceType) error {
	a := on(index)
	a.u32(unix.NL80211_ATTR_IFTYPE, uint32(t))
	return c.do(ctx, "change the type of interface", unix.NL80211_CMD_SET_INTERFACE, a)
}

// SetPowerSave lets a station sleep between beacons, or keeps it awake, which saves some 100 ms of latency.
func (c *Conn) SetPowerSave(ctx context.Context, index int, sleep bool) error {
	a := on(index)
	state := uint32(unix.NL80211_PS_DISABLED)
	if sleep {
		state = unix.NL80211_PS_ENABLED
	}
	a.u32(unix.NL80211_ATTR_PS_STATE, state)
	return c.do(ctx, "set power save", unix.NL80211_CMD_SET_POWER_SAVE, a)
}
