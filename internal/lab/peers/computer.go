package peers

import (
	"context"
	"fmt"
	"strings"
)

// Computer is a client that runs NetworkManager with wpa_supplicant, as an ordinary Linux does.
type Computer struct{ *Place }

// managerConfig is NetworkManager's configuration: Debian's own, but for what expects a whole system around it.
const managerConfig = `[main]
plugins=keyfile
dhcp=internal
rc-manager=unmanaged

[logging]
level=WARN
`

// NewComputer makes a computer that knows no network. A guest has room for one: D-Bus is the guest's.
func (w *World) NewComputer(ctx context.Context, name string) (*Computer, error) {
	place, err := w.NewPlace(ctx, name)
	if err != nil {
		return nil, err
	}
	c := &Computer{place}
	if err := c.Write(ctx, "/etc/NetworkManager/NetworkManager.conf", 0o644, strings.NewReader(managerConfig)); err != nil {
		return nil, err
	}
	if _, err := c.Run(ctx, "sh", "-ec", "mkdir -p /run/dbus; dbus-uuidgen >/etc/machine-id; dbus-daemon --system --fork --nopidfile"); err != nil {
		return nil, err
	}
	if _, err := c.Start(ctx, "wpa_supplicant", "-u"); err != nil {
		return nil, err
	}
	// Without udev, it takes devices for its own only where it cannot expect udev: where /sys is read-only.
	if _, err := c.Start(ctx, "sh", "-ec", "mount -o remount,ro /sys; exec NetworkManager --no-daemon"); err != nil {
		return nil, err
	}
	return c, w.Await(ctx, "NetworkManager answers", func() bool {
		out, err := c.Run(ctx, "nmcli", "-t", "-f", "DEVICE,STATE", "device")
		return err == nil && strings.Contains(out, c.Radio+":disconnected")
	})
}

// Know tells the computer a WPA2 network. The one with the highest priority is joined first.
func (c *Computer) Know(ctx context.Context, ssid, passphrase string, priority int) error {
	_, err := c.Run(ctx, "nmcli", "connection", "add", "type", "wifi", "con-name", ssid, "ifname", c.Radio, "ssid", ssid,
		"wifi-sec.key-mgmt", "wpa-psk", "wifi-sec.psk", passphrase, "connection.autoconnect", "yes",
		"connection.autoconnect-priority", fmt.Sprint(priority))
	return err
}

// Forget has the computer know no network any more.
func (c *Computer) Forget(ctx context.Context, ssid string) error {
	_, err := c.Run(ctx, "nmcli", "connection", "delete", ssid)
	return err
}
