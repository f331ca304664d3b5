package hwsimtest

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// Here returns the place of the test itself.
func Here(t *testing.T) *Place { return &Place{t: t, dir: t.TempDir()} }

// NetworkManager is one that runs in a place, on a message bus of its own, without polkit, and knows no connection.
type NetworkManager struct {
	Address string // of the bus (D-Bus Specification, "Server Addresses")
	*Program

	place *Place
	lines []string
}

// busConfig lets everybody say everything (dbus-daemon(1)).
const busConfig = `<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN" "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
<listen>unix:path=BUS</listen>
<auth>EXTERNAL</auth>
<policy context="default">
<allow user="*"/><allow own="*"/><allow send_destination="*"/><allow eavesdrop="true"/>
</policy>
</busconfig>`

// managerScript starts it with files of its own, and a /sys that it cannot write to, by which it knows that there is no
// udev to wait for.
const managerScript = `set -e
mount -o remount,bind,ro /sys
for d in /run/NetworkManager /var/lib/NetworkManager /etc/NetworkManager; do
	mkdir -p $d
	mount -t tmpfs none $d
done
mkdir /etc/NetworkManager/system-connections
exec NetworkManager --debug --config=$1`

var managerConfig = []string{
	"[main]", "plugins=keyfile", "auth-polkit=false", "dns=none", "rc-manager=unmanaged", "no-auto-default=*",
	"[device]", "wifi.scan-rand-mac-address=no",
	"[connectivity]", "enabled=false",
	"[logging]", "level=INFO",
}

// NetworkManager starts Debian's, with dbus-daemon and wpa_supplicant, and waits until it is on the bus. It manages all
// radios of the place. The lines are added to its configuration's section "main".
func (p *Place) NetworkManager(lines ...string) *NetworkManager {
	p.t.Helper()
	m := p.Bus()
	m.lines = lines
	p.Start("env", "DBUS_SYSTEM_BUS_ADDRESS="+m.Address, "wpa_supplicant", "-u")
	m.Restart()
	return m
}

// Bus starts a message bus without a NetworkManager, which [NetworkManager.Restart] starts.
func (p *Place) Bus() *NetworkManager {
	p.t.Helper()
	socket := filepath.Join(p.dir, "bus")
	p.Start("dbus-daemon", "--nofork", "--nopidfile", "--config-file="+p.File("bus.conf", strings.Replace(busConfig, "BUS", socket, 1)))
	for over := time.Now().Add(limit); ; {
		if _, err := os.Stat(socket); err == nil {
			return &NetworkManager{Address: "unix:path=" + socket, place: p}
		}
		if time.Now().After(over) {
			p.t.Fatal("no message bus")
		}
		<-time.After(10 * time.Millisecond)
	}
}

// Restart ends it, if it runs, as a crash would, and starts it again.
func (m *NetworkManager) Restart() {
	p := m.place
	p.t.Helper()
	if m.Program != nil {
		m.Kill()
	}
	m.Program = p.Start("env", "DBUS_SYSTEM_BUS_ADDRESS="+m.Address, "unshare", "-m", "sh", "-c", managerScript, "sh",
		p.File("NetworkManager.conf", slices.Concat(managerConfig, []string{"[main]"}, m.lines)...))
	p.t.Cleanup(m.Stop) // before it would be killed: it ends its own helpers
	m.Await("<info>", 1)
}

// Command runs nmcli and returns what it wrote.
func (m *NetworkManager) Command(args ...string) string {
	m.place.t.Helper()
	return m.place.Run(append([]string{"env", "DBUS_SYSTEM_BUS_ADDRESS=" + m.Address, "nmcli", "-t", "-c", "no"}, args...)...)
}
