package networkmanager

import (
	"math"
	"strings"

	nm "github.com/Wifx/gonetworkmanager/v2"

	"manofwar/netmgr"
	"manofwar/netmgr/ieee80211"
)

// prefix begins the names of the connections that are ours.
const prefix = "manofwar-"

// accessPointID is the connection of our own access point.
const accessPointID = prefix + "access-point"

// isOurs reports whether a connection with that name may be ours.
func isOurs(id string) bool { return strings.HasPrefix(id, prefix) }

// infinite is the time-out that NetworkManager takes for none.
const infinite = int32(math.MaxInt32)

// settings are the content of a connection (nm-settings-dbus(5)).
type settings = nm.ConnectionSettings

// base returns what all of our connections have in common. user is whom one belongs to; empty: to everybody, which only
// root may create without asking.
func base(id, name, user string) settings {
	connection := map[string]any{
		"id":             id,
		"type":           "802-11-wireless",
		"interface-name": name,
		"autoconnect":    false,
		"auth-retries":   int32(1),
	}
	if user != "" {
		connection["permissions"] = []string{"user:" + user + ":"}
	}
	return settings{"connection": connection}
}

// joinSettings are for a network to be in. An address is NetworkManager's business: that none comes is judged by the
// policy, so it never gives up.
func joinSettings(j netmgr.Join, password string, sae bool, name, user string) settings {
	s := base(prefix+j.Profile, name, user)
	s["802-11-wireless"] = map[string]any{
		"ssid":   []byte(j.SSID),
		"mode":   "infrastructure",
		"hidden": j.Hidden,
	}
	if !j.Open {
		way := "wpa-psk" // of a network of WPA2 and WPA3 that takes the better one
		if sae {
			way = "sae"
		}
		s["802-11-wireless-security"] = map[string]any{"key-mgmt": way, "psk": password}
	}
	s["ipv4"] = map[string]any{"method": "auto", "may-fail": true, "dhcp-timeout": infinite}
	s["ipv6"] = map[string]any{"method": "auto", "may-fail": true}
	return s
}

// accessPointSettings are for our own access point, whose clients NetworkManager gives addresses, names and a way out.
func accessPointSettings(p netmgr.AccessPointPlan, password, name, user string) settings {
	s := base(accessPointID, name, user)
	wireless := map[string]any{"ssid": []byte(p.SSID), "mode": "ap"}
	if channel := ieee80211.Channel(p.MHz); channel != 0 {
		wireless["channel"], wireless["band"] = uint32(channel), band(p.MHz)
	} else {
		wireless["band"] = "bg"
	}
	s["802-11-wireless"] = wireless
	if !p.Open {
		s["802-11-wireless-security"] = map[string]any{
			"key-mgmt": "wpa-psk", "psk": password,
			"proto": []string{"rsn"}, "pairwise": []string{"ccmp"}, "group": []string{"ccmp"},
		}
	}
	shared := map[string]any{"method": "shared"}
	if p.Address.IsValid() {
		shared["address-data"] = []map[string]any{{
			"address": p.Address.Addr().String(), "prefix": uint32(p.Address.Bits()),
		}}
	}
	s["ipv4"] = shared
	s["ipv6"] = map[string]any{"method": "link-local"}
	return s
}

// band is NetworkManager's name of one.
func band(mhz int) string {
	if mhz < 5000 {
		return "bg"
	}
	return "a"
}
