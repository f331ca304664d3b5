package netmgr

import (
	"testing"

	"manofwar/netmgr/api"
)

// TestGuest decides about radios on a computer whose own system configures the links.
func TestGuest(t *testing.T) {
	p := NewGuestPolicy("laptop")
	var s Settings
	s.Profiles = []Profile{{ID: "home", SSID: "Home"}}
	wlan := Link{Index: 3, Name: "wlan0", Kind: WiFi, Up: true, Carrier: true}
	for _, ev := range []Event{
		Configured{s},
		RadioChanged{Radio{Phy: 0, Station: 3, Channels: []Channel{{MHz: 2412}}}},
		LinkChanged{wlan},
	} {
		p.Handle(epoch, ev)
	}
	look := p.Plan().Radios[0].Scan
	p.Handle(epoch, Scanned{Number: look.Number, MHz: look.MHz, Networks: []Sighting{
		{SSID: "Home", BSSID: MAC{2, 1}, MHz: 2412, Signal: -50, Join: true, Security: "WPA2"},
	}})
	join := p.Plan().Radios[0].Join
	if join.Profile != "home" {
		t.Fatalf("plan %+v; want to join Home", p.Plan())
	}
	p.Handle(epoch, Joined{Number: join.Number, BSSID: MAC{2, 1}, MHz: 2412})
	wlan.Addresses, wlan.Gateways = append(wlan.Addresses, prefix("192.0.2.50/24")), addrs("192.0.2.1")
	p.Handle(epoch, LinkChanged{wlan})
	plan := p.Plan()
	if len(plan.Links) != 0 {
		t.Errorf("links are planned: %+v", plan.Links)
	}
	if len(plan.Judge) != 1 || plan.Judge[0].Index != 3 {
		t.Errorf("to be judged: %+v; want wlan0", plan.Judge)
	}
	p.Handle(epoch, Judged{Index: 3, Generation: plan.Judge[0].Generation, State: api.Good})
	if got := p.Status(epoch); got.State != api.Good || got.Links[0].WiFi == nil || got.Links[0].WiFi.SSID != "Home" {
		t.Errorf("status %+v", got)
	}
}
