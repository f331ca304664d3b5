package networkmanager

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	nm "github.com/Wifx/gonetworkmanager/v2"
	"github.com/godbus/dbus/v5"

	"manofwar/netmgr"
)

var update = flag.Bool("update", false, "write the golden files anew")

// TestSettings compares whole connections with golden files. Types matter: NetworkManager refuses others.
func TestSettings(t *testing.T) {
	home := netmgr.Join{Number: 3, Profile: "p1", SSID: "Home"}
	open := netmgr.Join{Number: 4, Profile: "p2", SSID: "Name’s \xff iPhone", Open: true, Hidden: true}
	point := netmgr.AccessPointPlan{Up: true, SSID: "manofwar", MHz: 2437, Address: netip.MustParsePrefix("10.77.0.1/24")}
	openPoint := netmgr.AccessPointPlan{Up: true, SSID: "manofwar", Open: true, MHz: 5180}
	for name, s := range map[string]settings{
		"wpa2":              joinSettings(home, "home sweet home", false, "wlan0", "alice"),
		"wpa3":              joinSettings(home, "home sweet home", true, "wlan0", ""),
		"open":              joinSettings(open, "", false, "wlan0", ""),
		"access-point":      accessPointSettings(point, "come on board", "wlan0", ""),
		"access-point-open": accessPointSettings(openPoint, "", "wlan1", "alice"),
	} {
		t.Run(name, func(t *testing.T) {
			got := typed(t, s)
			path := filepath.Join("testdata", name+".json")
			if *update {
				if err := os.WriteFile(path, got, 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if string(got) != string(want) {
				t.Errorf("is now\n%s", got)
			}
		})
	}
}

// typed writes settings with the D-Bus signature of each value.
func typed(t *testing.T, s settings) []byte {
	t.Helper()
	out := make(map[string]map[string]string)
	for name, setting := range s {
		out[name] = make(map[string]string)
		for key, value := range setting {
			if b, ok := value.([]byte); ok {
				value = fmt.Sprintf("%q", b)
				out[name][key] = "ay " + value.(string)
				continue
			}
			out[name][key] = fmt.Sprintf("%s %v", dbus.SignatureOf(value), value)
		}
	}
	data, err := json.MarshalIndent(out, "", "\t")
	if err != nil {
		t.Fatal(err)
	}
	return append(data, '\n')
}

func TestFailure(t *testing.T) {
	for _, c := range []struct {
		reason         nm.NmDeviceStateReason
		before, joined netmgr.Failure
	}{
		{nm.NmDeviceStateReasonNone, netmgr.Broken, netmgr.Lost},
		{nm.NmDeviceStateReasonNoSecrets, netmgr.WrongPassword, netmgr.WrongPassword},
		{nm.NmDeviceStateReasonSsidNotFound, netmgr.NotFound, netmgr.Lost},
		{nm.NmDeviceStateReasonSupplicantDisconnect, netmgr.Refused, netmgr.Lost},
		{nm.NmDeviceStateReasonSupplicantTimeout, netmgr.NoAnswer, netmgr.NoAnswer},
		{nm.NmDeviceStateReasonSupplicantConfigFailed, netmgr.Unsupported, netmgr.Unsupported},
		{nm.NmDeviceStateReasonSupplicantFailed, netmgr.Broken, netmgr.Broken},
		{nm.NmDeviceStateReasonIpConfigUnavailable, netmgr.NoAnswer, netmgr.NoAnswer},
		{nm.NmDeviceStateReasonDhcpFailed, netmgr.NoAnswer, netmgr.NoAnswer},
		{nm.NmDeviceStateReasonConfigFailed, netmgr.Broken, netmgr.Broken},
		{nm.NmDeviceStateReasonFirmwareMissing, netmgr.Broken, netmgr.Broken},
		{nm.NmDeviceStateReasonUserRequested, netmgr.Broken, netmgr.Lost},
		{nm.NmDeviceStateReasonSleeping, netmgr.Broken, netmgr.Lost},
		{nm.NmDeviceStateReasonRemoved, netmgr.Broken, netmgr.Lost},
		{9999, netmgr.Broken, netmgr.Lost},
	} {
		if got := failure(c.reason, false); got != c.before {
			t.Errorf("reason %d before joined: %s, not %s", c.reason, got, c.before)
		}
		if got := failure(c.reason, true); got != c.joined {
			t.Errorf("reason %d when joined: %s, not %s", c.reason, got, c.joined)
		}
	}
}

// TestWords looks at every sentence that a person may get to read.
func TestWords(t *testing.T) {
	sentences := map[string]bool{advice(errors.New("broken pipe")): true, together: true}
	for name := range denied {
		sentences[advice(dbus.Error{Name: name})] = true
	}
	sentences[advice(dbus.Error{Name: errorUnknown})] = true
	for reason := range nm.NmDeviceStateReason(70) {
		for _, joined := range []bool{false, true} {
			sentences[explain(failure(reason, joined), reason, "Home")] = true
		}
		sentences[explainAccessPoint(reason)] = true
	}
	for s := range sentences {
		if !strings.HasSuffix(s, ".") || strings.HasSuffix(s, "..") || strings.Contains(s, "%!") || s[:1] != strings.ToUpper(s[:1]) {
			t.Errorf("no sentence: %q", s)
		}
	}
}
