package peers

import (
	"context"
	"fmt"
	"strings"
	"time"
)

// Phone is a client as most are: wpa_supplicant, and a DHCP client.
type Phone struct {
	*Place
	supplicant *Program
}

// NewPhone makes a phone that is in no network.
func (w *World) NewPhone(ctx context.Context, name string) (*Phone, error) {
	place, err := w.NewPlace(ctx, name)
	if err != nil {
		return nil, err
	}
	p := &Phone{Place: place}
	config := "ctrl_interface=" + p.control() + "\nupdate_config=0\n"
	if err := p.Write(ctx, "/run/"+name+"/wpa_supplicant.conf", 0o600, strings.NewReader(config)); err != nil {
		return nil, err
	}
	if err := p.Write(ctx, leaseScriptPath, 0o755, strings.NewReader(leaseScript)); err != nil {
		return nil, err
	}
	// ip-netns(8) mounts a file of this name over /etc/resolv.conf for programs in the place.
	if err := p.Write(ctx, "/etc/netns/"+name+"/resolv.conf", 0o644, strings.NewReader("")); err != nil {
		return nil, err
	}
	if p.supplicant, err = p.Start(ctx, "wpa_supplicant", "-i", p.Radio, "-c", "/run/"+name+"/wpa_supplicant.conf"); err != nil {
		return nil, err
	}
	_, err = p.supplicant.Expect(ctx, 0, "Successfully initialized")
	if err != nil {
		return nil, err
	}
	return p, w.Await(ctx, "the phone's wpa_supplicant answers", func() bool {
		_, err := p.tell(ctx, "ping")
		return err == nil
	})
}

func (p *Phone) control() string { return "/run/" + p.Name + "/control" }

// tell gives wpa_supplicant a command and returns its answer.
func (p *Phone) tell(ctx context.Context, command ...string) (string, error) {
	out, err := p.Run(ctx, append([]string{"wpa_cli", "-p", p.control(), "-i", p.Radio}, command...)...)
	if err == nil && strings.Contains(out, "FAIL") {
		err = fmt.Errorf("wpa_cli %s: %s", strings.Join(command, " "), out)
	}
	return strings.TrimSpace(out), err
}

// scanScript has wpa_supplicant look around once; it says only on its control socket when it has.
const scanScript = `wpa="wpa_cli -p $0 -i $1"
$wpa bss_flush 0 >/dev/null # what was there before may be gone
until $wpa scan freq=2412,2437,2462 only_new=1 | grep -q OK; do sleep 0.2; done
sleep 0.2
while $wpa status | grep -q SCANNING; do sleep 0.2; done
$wpa scan_results`

// Scan looks for networks on the channels 1, 6 and 11, which takes half a second, and returns their names. A look at all
// channels that a simulated radio has takes a quarter of a minute.
func (p *Phone) Scan(ctx context.Context) (ssids []string, err error) {
	out, err := p.Run(ctx, "sh", "-ec", scanScript, p.control(), p.Radio)
	if err != nil {
		return nil, err
	}
	for _, line := range Lines(out)[1:] { // bssid, frequency, signal level, flags, ssid
		if fields := strings.Split(line, "\t"); len(fields) == 5 {
			ssids = append(ssids, fields[4])
		}
	}
	return ssids, nil
}

// Find scans until it finds a network whose name begins so, and returns the whole name.
func (p *Phone) Find(ctx context.Context, prefix string) (string, error) {
	var seen []string
	for ctx.Err() == nil {
		ssids, err := p.Scan(ctx)
		if err != nil {
			return "", err
		}
		for _, ssid := range ssids {
			if strings.HasPrefix(ssid, prefix) {
				return ssid, nil
			}
		}
		seen = ssids
	}
	return "", fmt.Errorf("%s saw no network %s…: %w; it saw %q", p.Name, prefix, context.Cause(ctx), seen)
}

// joinLimit is how long a phone may take to be in a network, with an address.
const joinLimit = 40 * time.Second

// Join joins a WPA2 network, or an open one without a passphrase, and gets an address there.
func (p *Phone) Join(ctx context.Context, ssid, passphrase string) error {
	ctx, cancel := context.WithTimeout(ctx, joinLimit)
	defer cancel()
	settings := [][]string{{"ssid", quoted(ssid)}, {"scan_ssid", "1"}, {"key_mgmt", "NONE"}}
	if passphrase != "" {
		settings = append(settings[:2], []string{"psk", quoted(passphrase)})
	}
	if _, err := p.tell(ctx, "remove_network", "all"); err != nil {
		return err
	}
	if _, err := p.tell(ctx, "add_network"); err != nil {
		return err
	}
	for _, s := range settings {
		if _, err := p.tell(ctx, append([]string{"set_network", "0"}, s...)...); err != nil {
			return err
		}
	}
	mark := p.supplicant.Len()
	if _, err := p.tell(ctx, "select_network", "0"); err != nil {
		return err
	}
	if _, err := p.supplicant.Expect(ctx, mark, "CTRL-EVENT-CONNECTED"); err != nil {
		return err
	}
	_, err := p.Run(ctx, "busybox", "udhcpc", "-i", p.Radio, "-n", "-q", "-t", "10", "-T", "1", "-s", leaseScriptPath)
	return err
}

func quoted(s string) string { return `"` + s + `"` }

// Disconnects counts how often the phone has lost a network.
func (p *Phone) Disconnects() int {
	return strings.Count(p.supplicant.String(), "CTRL-EVENT-DISCONNECTED")
}

// Gateway returns the router of the network that the phone is in.
func (p *Phone) Gateway(ctx context.Context) (string, error) {
	out, err := p.Run(ctx, "ip", "-4", "route", "show", "default")
	if err != nil {
		return "", err
	}
	fields := strings.Fields(out)
	if len(fields) < 3 {
		return "", fmt.Errorf("%s has no router", p.Name)
	}
	return fields[2], nil
}

// Get asks for a page as a phone's browser does, names and all, without following where it leads. The first line of what it
// returns is the status.
func (p *Phone) Get(ctx context.Context, url string) (string, error) {
	return p.Run(ctx, "curl", "-s", "-S", "-i", "--max-time", "20", url)
}

// Until waits until ok says yes, as somebody with the phone in hand does: patiently.
func (p *Phone) Until(ctx context.Context, ok func() bool) error {
	return p.world.Await(ctx, p.Name+" sees what it waits for", ok)
}

// leaseScript is what udhcpc calls with what it was lent. The name servers are those of the place: see ip-netns(8).
const (
	leaseScriptPath = "/run/lease.sh"
	leaseScript     = `#!/bin/sh
[ "$1" = bound ] || [ "$1" = renew ] || exit 0
ip address flush dev $interface
ip address add $ip/$mask dev $interface
[ -z "$router" ] || ip route replace default via ${router%% *} dev $interface
for server in $dns; do echo "nameserver $server"; done >/etc/resolv.conf
`
)
