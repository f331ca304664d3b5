//go:build vm

package vm

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"manofwar/internal/lab/peers"
	netapi "manofwar/netmgr/api"
)

// TestTwoRadios is a dongle with a stick beside its own radio. One is in the home's network, the other makes a network that is
// there always, and a phone goes out through both. Whichever is pulled out, the other does the work of both until it is back.
func TestTwoRadios(t *testing.T) {
	ctx := t.Context()
	const ssid, passphrase = "On the mast", "always up there"
	w := world(t, peers.Config{Radios: 4, Dongle: 2, Prepare: peers.WithSetup(ctx, known)})
	_, err := w.NewRouter(ctx, home)
	must(t, err)
	phone, err := w.NewPhone(ctx, "phone")
	must(t, err)
	settled(t, w, home.SSID, time.Minute)
	must(t, w.Ask(ctx, http.MethodPut, "/api/v1/network/settings", netapi.Settings{
		AccessPoint: &netapi.AccessPointSettings{SSID: ssid, Passphrase: passphrase, Permanent: true},
	}, nil))
	r := settles(t, w, "one radio is at home, the other makes the dongle's own network", func(r roles) bool { return r.home != r.own })
	must(t, phone.Join(ctx, ssid, passphrase))
	out := func(when string) {
		t.Helper()
		page, err := phone.Get(ctx, "http://"+peers.InternetAddress+"/any")
		if err != nil || !strings.Contains(page, home.Name) {
			t.Errorf("%s the phone gets %q from the internet, %v", when, page, err)
		}
		gateway, err := phone.Gateway(ctx)
		must(t, err)
		if page, err := phone.Get(ctx, "http://"+gateway+"/healthz"); err != nil || !strings.Contains(page, "200 OK") {
			t.Errorf("%s the phone gets %q from the dongle, %v", when, page, err)
		}
	}
	out("with both radios")

	for _, pull := range []struct {
		what   string
		radio  func(roles) int
		rejoin bool // the phone has to join again: its network went with the radio
	}{
		{"the home's", func(r roles) int { return r.home }, false},
		{"its own network's", func(r roles) int { return r.own }, true},
	} {
		t.Run("without the radio in "+pull.what, func(t *testing.T) {
			radio, lost, began := pull.radio(r), phone.Disconnects(), time.Now()
			must(t, w.UnplugRadio(ctx, radio))
			settles(t, w, "the other radio does everything", func(r roles) bool { return r.home == 1-radio && r.own == 1-radio })
			t.Logf("the other radio does everything after %.1f s", time.Since(began).Seconds())
			if pull.rejoin {
				must(t, phone.Join(ctx, ssid, passphrase))
			} else if n := phone.Disconnects() - lost; n > 0 {
				t.Errorf("the phone lost the dongle's network %d times", n)
			}
			out("with one radio")
			must(t, w.PlugRadio(ctx, radio))
			_, err := w.AwaitNetwork(ctx, "the radio is there again", time.Minute, func(s netapi.Status) bool {
				return len(slices.DeleteFunc(s.Links, func(l netapi.Link) bool { return l.Kind != "wifi" })) == 2
			})
			must(t, err)
			r = settles(t, w, "all is well", func(roles) bool { return true })
			out("with the other radio back")
		})
	}
}

// roles says which radio does what.
type roles struct {
	home int // in the home's network
	own  int // makes the dongle's own
}

// settles waits until the dongle says that it is at home with the internet and that its own network is up, and its kernel that the
// radios share this as wanted.
func settles(t *testing.T, w *peers.World, what string, want func(roles) bool) (r roles) {
	t.Helper()
	_, err := w.AwaitNetwork(t.Context(), what, time.Minute, func(s netapi.Status) bool {
		if !peers.In(home.SSID, netapi.Good)(s) || s.AccessPoint == nil || !s.AccessPoint.Up {
			return false
		}
		out, err := w.Dongle().Run(t.Context(), "iw", "dev")
		must(t, err)
		r = rolesIn(out)
		return r.home >= 0 && r.own >= 0 && want(r)
	})
	if err != nil {
		out, _ := w.Dongle().Run(t.Context(), "iw", "dev") // it is told as it is
		t.Fatalf("%v\n%s", err, out)
	}
	return r
}

// rolesIn reads what "iw dev" prints: -1 for a part that no radio has.
func rolesIn(out string) roles {
	r, phy, kind := roles{-1, -1}, -1, ""
	for line := range strings.Lines(out) {
		switch fields := strings.Fields(line); {
		case strings.HasPrefix(line, "phy#"):
			phy, _ = strconv.Atoi(strings.TrimSpace(line[len("phy#"):])) // iw wrote it
		case len(fields) == 2 && fields[0] == "type":
			kind = fields[1]
		case len(fields) > 1 && fields[0] == "channel" && kind == "AP": // it is on one while it is up, or in a network
			r.own = phy
		case len(fields) > 1 && fields[0] == "channel" && kind == "managed":
			r.home = phy
		}
	}
	return r
}
