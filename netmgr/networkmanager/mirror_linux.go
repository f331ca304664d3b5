package networkmanager

import (
	"maps"
	"slices"

	nm "github.com/Wifx/gonetworkmanager/v2"
	"github.com/godbus/dbus/v5"
)

// mirror is what NetworkManager has said of itself. It holds WiFi devices, what they hear, and what is active on them;
// all else that it is told is dropped.
type mirror struct {
	version string
	devices map[dbus.ObjectPath]*device
	points  map[dbus.ObjectPath]*point
	actives map[dbus.ObjectPath]*active
}

// device is a WiFi device.
type device struct {
	name   string // of the interface
	kind   nm.NmDeviceType
	state  nm.NmDeviceState
	reason nm.NmDeviceStateReason // why it came into the state
	active dbus.ObjectPath        // "/": nothing
	flags  uint32                 // interfaceUp and so on; zero where NetworkManager is too old to tell
	can    uint32                 // canBeAccessPoint and so on
	point  dbus.ObjectPath        // the access point it is at; "/": none
	points []dbus.ObjectPath      // those it hears
}

// Flags of a device (NMDeviceInterfaceFlags and NMDeviceWifiCapabilities), which the library does not name.
const (
	interfaceCarrier = 0x10000
	canBeAccessPoint = 0x40
)

// point is an access point that is heard.
type point struct {
	ssid     string
	bssid    string
	mhz      uint32
	strength uint8 // percent
}

// active is a connection that is active, or about to be.
type active struct {
	id         string
	connection dbus.ObjectPath
	state      nm.NmActiveConnectionState
}

func newMirror() *mirror {
	return &mirror{
		devices: make(map[dbus.ObjectPath]*device),
		points:  make(map[dbus.ObjectPath]*point),
		actives: make(map[dbus.ObjectPath]*active),
	}
}

// interfaces are the properties of an object, by interface and name, as org.freedesktop.DBus.ObjectManager has them.
type interfaces = map[string]map[string]dbus.Variant

// add takes over an object.
func (m *mirror) add(path dbus.ObjectPath, of interfaces) {
	for _, name := range slices.Sorted(maps.Keys(of)) { // a device before its part that is wireless
		m.set(path, name, of[name])
	}
}

// remove forgets an object that has lost interfaces.
func (m *mirror) remove(path dbus.ObjectPath, gone []string) {
	for _, name := range gone {
		switch name {
		case nm.DeviceInterface, nm.DeviceWirelessInterface:
			delete(m.devices, path)
		case nm.AccessPointInterface:
			delete(m.points, path)
		case nm.ActiveConnectionInterface:
			delete(m.actives, path)
		}
	}
}

// set takes over properties of an object. Properties of another type than documented are left as they were.
func (m *mirror) set(path dbus.ObjectPath, of string, properties map[string]dbus.Variant) {
	switch of {
	case nm.NetworkManagerInterface:
		take(properties, "Version", &m.version)
	case nm.DeviceInterface:
		m.setDevice(path, properties)
	case nm.DeviceWirelessInterface:
		if d := m.devices[path]; d != nil {
			d.setWireless(properties)
		}
	case nm.AccessPointInterface:
		if m.points[path] == nil {
			m.points[path] = &point{}
		}
		m.points[path].set(properties)
	case nm.ActiveConnectionInterface:
		if m.actives[path] == nil {
			m.actives[path] = &active{}
		}
		a := m.actives[path]
		take(properties, "Id", &a.id)
		take(properties, "Connection", &a.connection)
		a.state = number(properties, "State", a.state)
	}
}

func (m *mirror) setDevice(path dbus.ObjectPath, properties map[string]dbus.Variant) {
	d := m.devices[path]
	if d == nil {
		if d = (&device{}); number(properties, "DeviceType", d.kind) != nm.NmDeviceTypeWifi {
			return
		}
		m.devices[path] = d
	}
	d.kind = number(properties, "DeviceType", d.kind)
	take(properties, "Interface", &d.name)
	take(properties, "ActiveConnection", &d.active)
	d.flags = number(properties, "InterfaceFlags", d.flags)
	// The state comes once by itself and once with its reason: the latter is whole.
	var pair []any
	if take(properties, "StateReason", &pair); len(pair) == 2 {
		state, isState := pair[0].(uint32)
		reason, isReason := pair[1].(uint32)
		if isState && isReason {
			d.state, d.reason = nm.NmDeviceState(state), nm.NmDeviceStateReason(reason)
		}
	}
}

func (d *device) setWireless(properties map[string]dbus.Variant) {
	take(properties, "ActiveAccessPoint", &d.point)
	take(properties, "AccessPoints", &d.points)
	d.can = number(properties, "WirelessCapabilities", d.can)
}

func (p *point) set(properties map[string]dbus.Variant) {
	var ssid []byte
	if take(properties, "Ssid", &ssid) {
		p.ssid = string(ssid)
	}
	take(properties, "HwAddress", &p.bssid)
	take(properties, "Strength", &p.strength)
	p.mhz = number(properties, "Frequency", p.mhz)
}

// take reads a property into to, if it is there and of that type, and reports whether it was.
func take[T any](properties map[string]dbus.Variant, name string, to *T) bool {
	value, ok := properties[name].Value().(T)
	if ok {
		*to = value
	}
	return ok
}

// number returns a property that is a number of 32 bits, or what it was.
func number[T ~uint32](properties map[string]dbus.Variant, name string, was T) T {
	if value, ok := properties[name].Value().(uint32); ok {
		return T(value)
	}
	return was
}
