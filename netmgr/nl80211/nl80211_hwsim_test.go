//go:build hwsim

package nl80211

import (
	"context"
	"testing"
	"time"

	"manofwar/netmgr/hwsimtest"
	"manofwar/netmgr/ieee80211"
	"manofwar/netmgr/link"
)

func TestRadiosAndScan(t *testing.T) {
	radios := hwsimtest.Radios(t, 2)
	home := hwsimtest.NewPlace(t, "home")
	home.Take(radios[1])
	home.Hostapd(radios[1], "ssid=Home", "hw_mode=g", "channel=6", "wpa=2", "wpa_key_mgmt=WPA-PSK", "rsn_pairwise=CCMP", "wpa_passphrase=correct horse")

	c, err := Dial(GroupConfig, GroupScan, GroupMLME, GroupRegulatory)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 60*time.Second)
	defer cancel()

	list, err := c.Radios(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if len(list) != 1 {
		t.Fatalf("%d radios, want ours only", len(list))
	}
	r := list[0]
	if r.Phy != radios[0].Phy || r.Name != radios[0].Name || !r.Commands.Authenticate || !r.Commands.Connect || !r.Commands.StartAP ||
		!r.Features.SAE || !r.Features.ControlPort || r.Features.HandshakeOffload || !r.Together() || !r.Supports(AccessPointInterface) {
		t.Errorf("radio: %+v", r)
	}

	interfaces, err := c.Interfaces(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if len(interfaces) != 1 || interfaces[0].Name != radios[0].Interface || interfaces[0].Type != StationInterface {
		t.Fatalf("interfaces: %+v", interfaces)
	}
	i := interfaces[0]
	if err := link.Up(i.Index); err != nil {
		t.Fatal(err)
	}
	if err := c.SetPowerSave(ctx, i.Index, false); err != nil {
		t.Error(err)
	}
	begin := time.Now()
	found, err := c.Scan(ctx, Scan{Index: i.Index, MHz: []int{2437}, SSIDs: []ieee80211.SSID{"Home"}})
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("scan of one channel: %v", time.Since(begin))
	if len(found) != 1 || found[0].SSID != "Home" || found[0].MHz != 2437 || found[0].Security().Protection != ieee80211.WPA2 || found[0].Signal >= 0 {
		t.Errorf("found %+v", found)
	}
	again, err := c.Results(ctx, i.Index)
	if err != nil || len(again) != 1 {
		t.Errorf("results: %+v, %v", again, err)
	}
	ap, err := c.CreateInterface(ctx, NewInterface{Phy: i.Phy, Name: "ap0", Type: AccessPointInterface, Owned: true})
	if err != nil || ap.Type != AccessPointInterface || ap.Index == 0 {
		t.Fatalf("interface: %+v, %v", ap, err)
	}
	l := c.Listen(0)
	defer l.Close()
	if err := c.SetRegulatory(ctx, "DE"); err != nil {
		t.Fatal(err)
	}
	for ev := range l.Events() {
		if r, ok := ev.(RegulatoryChanged); ok && r.Country == "DE" {
			break
		}
	}
	if country, err := c.Regulatory(ctx); err != nil || country != "DE" {
		t.Errorf("country %q, %v", country, err)
	}
}
