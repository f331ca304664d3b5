package networkmanager

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"manofwar/netmgr"
	"manofwar/netmgr/ieee80211"
	"manofwar/netmgr/nl80211"
)

// kernel is what NetworkManager does not tell, asked of the kernel. Looking needs no rights.
type kernel struct {
	ctx      context.Context
	conn     *nl80211.Conn
	listener *nl80211.Listener
}

// ears are how a session hears the kernel: a [kernel], or a test's.
type ears interface {
	senses
	radio(name string) (netmgr.Radio, error)
	events() <-chan nl80211.Event
	close() error
}

// askLimit is how long the kernel may take for an answer.
const askLimit = 2 * time.Second

func openKernel(ctx context.Context) (ears, error) {
	conn, err := nl80211.Dial(nl80211.GroupMLME, nl80211.GroupScan, nl80211.GroupRegulatory)
	if err != nil {
		return nil, err
	}
	return &kernel{ctx, conn, conn.Listen(0)}, nil
}

func (k *kernel) events() <-chan nl80211.Event { return k.listener.Events() }

func (k *kernel) close() error {
	k.listener.Close()
	return k.conn.Close()
}

var errNoRadio = errors.New("it is no interface of a WiFi radio")

// radio returns the radio of an interface, as a plan may use it: without what NetworkManager cannot do.
func (k *kernel) radio(name string) (netmgr.Radio, error) {
	ctx, cancel := context.WithTimeout(k.ctx, askLimit)
	defer cancel()
	interfaces, err := k.conn.Interfaces(ctx)
	if err != nil {
		return netmgr.Radio{}, err
	}
	radios, err := k.conn.Radios(ctx)
	if err != nil {
		return netmgr.Radio{}, err
	}
	for _, i := range interfaces {
		for _, r := range radios {
			if i.Name == name && i.Phy == r.Phy {
				return netmgr.Radio{Phy: r.Phy, Station: i.Index, Channels: channels(r)}, nil
			}
		}
	}
	return netmgr.Radio{}, fmt.Errorf("%s: %w", name, errNoRadio)
}

// channels are those that the country leaves to a radio.
func channels(r nl80211.Radio) []netmgr.Channel {
	var out []netmgr.Channel
	for _, c := range r.Channels {
		if !c.Disabled {
			out = append(out, netmgr.Channel{MHz: c.MHz, NoBeacon: c.NoIR || c.Radar})
		}
	}
	return out
}

// clients returns how many stations are in an access point of ours.
func (k *kernel) clients(index int) (int, error) {
	ctx, cancel := context.WithTimeout(k.ctx, askLimit)
	defer cancel()
	list, err := k.conn.Clients(ctx, index)
	return len(list), err
}

// heard returns what a radio has heard within the last half minute.
func (k *kernel) heard(index int) ([]netmgr.Sighting, error) {
	ctx, cancel := context.WithTimeout(k.ctx, askLimit)
	defer cancel()
	results, err := k.conn.Results(ctx, index)
	if err != nil {
		return nil, err
	}
	now := time.Now()
	out := make([]netmgr.Sighting, 0, len(results))
	for _, b := range results {
		out = append(out, sighting(b, now))
	}
	return out, nil
}

// joined returns the access point that a station is at. It reports false where it is in no network.
func (k *kernel) joined(index int) (netmgr.Sighting, bool) {
	ctx, cancel := context.WithTimeout(k.ctx, askLimit)
	defer cancel()
	results, err := k.conn.Results(ctx, index)
	if err != nil {
		return netmgr.Sighting{}, false
	}
	i := slices.IndexFunc(results, func(b nl80211.BSS) bool { return b.Associated })
	if i < 0 {
		return netmgr.Sighting{}, false
	}
	return sighting(results[i], time.Now()), true
}

// sighting returns an access point in the policy's words.
func sighting(b nl80211.BSS, now time.Time) netmgr.Sighting {
	security := b.Security()
	s := netmgr.Sighting{
		BSSID: netmgr.MAC(b.BSSID), MHz: b.MHz, Signal: b.Signal, At: now.Add(-b.Age),
		Join:     security.Protection == ieee80211.Open || security.Personal(),
		Open:     security.Protection == ieee80211.Open,
		Security: security.Protection.String(),
	}
	if !b.SSID.Hidden() {
		s.SSID = string(b.SSID)
	}
	if !s.Join {
		s.Reason = security.Reason
	}
	return s
}

// wrongPassword reports whether an event means that the network took our password for a wrong one. NetworkManager tells
// that of WPA2 after some tries, and of WPA3 never: it says that the network could not be found.
func wrongPassword(ev nl80211.Event) (index int, is bool) {
	a, ok := ev.(nl80211.Authenticated)
	if !ok || a.TimedOut || a.Auth.Algorithm != ieee80211.AuthSAE {
		return 0, false
	}
	switch a.Auth.Status {
	case ieee80211.StatusSuccess, ieee80211.StatusAntiClogging, ieee80211.StatusUnsupportedGroup, ieee80211.StatusHashToElement:
		return a.Index, false
	case ieee80211.StatusChallenge, ieee80211.StatusUnspecified, ieee80211.StatusUnknownIdentifier:
		return a.Index, true
	}
	return a.Index, false
}
