package networkmanager

import (
	nm "github.com/Wifx/gonetworkmanager/v2"
	"github.com/godbus/dbus/v5"
)

// caller sends requests to NetworkManager. What comes back is given to then, later, by the goroutine that called;
// nothing is given to it once the connection to the bus has broken. A nil then does not care.
type caller interface {
	call(path dbus.ObjectPath, method string, then func(answer []any, err error), args ...any)
}

// activation is one connection of ours, from the request on.
type activation struct {
	path   dbus.ObjectPath // of the active connection; empty: not answered yet
	held   bool            // the device was its own
	pushed bool            // and is being taken from it
	failed nm.NmDeviceStateReason
	over   bool // it ended, or was told to
}

// phase is how far an activation has come.
type phase int

const (
	starting phase = iota // asked for, or on its way
	linked                // the link is secured
	ready                 // there is an address too, or the access point is heard
	failed                // it ended; activation.failed says why
	taken                 // somebody else's connection has the device now
)

// activate asks NetworkManager to activate a connection of ours on a device. It stays in memory only, and goes with our
// connection to the bus.
func activate(c caller, device, specific dbus.ObjectPath, s settings, done func(*activation, error)) *activation {
	a := &activation{}
	options := map[string]dbus.Variant{
		"persist":         dbus.MakeVariant("volatile"),
		"bind-activation": dbus.MakeVariant("dbus-client"),
	}
	c.call(nm.NetworkManagerObjectPath, nm.NetworkManagerAddAndActivateConnection2, func(answer []any, err error) {
		if err == nil && len(answer) >= 2 {
			a.path, _ = answer[1].(dbus.ObjectPath)
		}
		if a.over { // meanwhile it is not wanted any more
			a.over = false
			a.deactivate(c)
			return
		}
		done(a, err)
	}, s, device, specific, options)
	return a
}

// deactivate ends an activation. That it is gone already is no failure.
func (a *activation) deactivate(c caller) {
	if a == nil || a.over {
		return
	}
	a.over = true
	if a.path != "" {
		c.call(nm.NetworkManagerObjectPath, nm.NetworkManagerDeactivateConnection, nil, a.path)
	}
}

// look says how far it has come, by how the device is now.
func (a *activation) look(m *mirror, d *device) phase {
	if a.path == "" {
		return starting
	}
	current := m.actives[a.path]
	mine := d.active == a.path
	a.held = a.held || mine
	gone := current == nil || current.state == nm.NmActiveConnectionStateDeactivated
	switch {
	case a.held && !mine && d.active != "" && d.active != "/", gone && a.pushed:
		return taken
	case mine && d.state == nm.NmDeviceStateDeactivating && d.reason == nm.NmDeviceStateReasonNewActivation:
		a.pushed = true
		return starting
	case mine && (d.state == nm.NmDeviceStateFailed || d.state == nm.NmDeviceStateDeactivating):
		a.failed = d.reason
		return failed
	case gone:
		return failed
	case mine && d.state == nm.NmDeviceStateActivated:
		return ready
	case mine && d.state >= nm.NmDeviceStateIpConfig:
		return linked
	}
	return starting
}
