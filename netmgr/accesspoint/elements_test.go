package accesspoint

import (
	"encoding/hex"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"manofwar/netmgr/ieee80211"
)

var updateGolden = flag.Bool("update", false, "write the golden files anew")

// TestBeacon keeps the bytes that are on the air.
func TestBeacon(t *testing.T) {
	for _, test := range []struct {
		name string
		bss  bss
	}{
		{"2ghz-wpa2", bss{ssid: "Boat", mac: self, mhz: 2437, ht: radio, rsn: offer(true)}},
		{"2ghz-open-legacy", bss{ssid: "Boat", mac: self, mhz: 2412, protection: protection{nonERP: true, longSlot: true}}},
		{"5ghz-wpa2-without-mfp", bss{ssid: "Boat", mac: self, mhz: 5180, ht: radio, rsn: offer(false)}},
	} {
		t.Run(test.name, func(t *testing.T) {
			b := &test.bss
			tail, _ := b.beaconTail(nil)
			lines := []string{
				"beacon", hex.EncodeToString(b.beaconHead()), hex.EncodeToString(tail),
				"probe response", hex.EncodeToString(b.probeResponse(ieee80211.MAC{2, 0, 0, 0, 0, 9}).Append(nil)),
				"association response", hex.EncodeToString(b.responseElements()), "",
			}
			got := strings.Join(lines, "\n")
			file := filepath.Join("testdata", test.name+".txt")
			if *updateGolden {
				if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if got != string(want) {
				t.Errorf("got\n%s\nwant\n%s", got, want)
			}
		})
	}
}

// TestAnnouncedSwitch checks that the count of beacons is where it is said to be.
func TestAnnouncedSwitch(t *testing.T) {
	_, b := home(key)
	sw := ieee80211.ChannelSwitch{Channel: 11, Beacons: 5}
	tail, at := b.beaconTail(&sw)
	if tail[at] != 5 {
		t.Errorf("beacon: %d at %d of %x", tail[at], at, tail)
	}
	f, at := b.probeResponseWith(ieee80211.Broadcast, &sw)
	whole := f.Append(nil)
	if whole[at] != 5 {
		t.Errorf("probe response: %d at %d of %x", whole[at], at, whole)
	}
	parsed, err := ieee80211.ParseBeacon(f.Body)
	if err != nil || parsed.Switch == nil || *parsed.Switch != sw || !parsed.HT || parsed.RSN == nil {
		t.Errorf("%+v, %v", parsed, err)
	}
}

func TestProbeRequest(t *testing.T) {
	for _, test := range []struct {
		name      string
		ssid      string
		to, bssid ieee80211.MAC
		answered  bool
	}{
		{"anybody", "", ieee80211.Broadcast, ieee80211.Broadcast, true},
		{"by name", "Boat", ieee80211.Broadcast, ieee80211.Broadcast, true},
		{"another name", "Boot", ieee80211.Broadcast, ieee80211.Broadcast, false},
		{"by address", "Boat", self, self, true},
		{"another address", "Boat", ieee80211.MAC{2}, ieee80211.MAC{2}, false},
		{"another network", "", ieee80211.Broadcast, ieee80211.MAC{2}, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			a := newAir(t, key)
			body := ieee80211.Element{ID: ieee80211.ElementSSID, Data: []byte(test.ssid)}.Append(nil)
			out := a.receive(a.now, ieee80211.Frame{Kind: ieee80211.ProbeRequest, To: test.to, From: ieee80211.MAC{2, 9}, BSSID: test.bssid, Body: body})
			if (len(out) == 1) != test.answered {
				t.Errorf("answered with %v", out)
			}
		})
	}
}

func TestOwnAddress(t *testing.T) {
	for station, want := range map[ieee80211.MAC]ieee80211.MAC{
		{0xb8, 0x27, 0xeb, 1, 2, 3}: {0xba, 0x27, 0xeb, 1, 2, 3}, // a Pi's
		{0x02, 0, 0, 0, 0, 0}:       {0x42, 0, 0, 0, 0, 0},       // administered locally already
	} {
		if got := own(station); got != want {
			t.Errorf("%v: %v, want %v", station, got, want)
		}
	}
}
