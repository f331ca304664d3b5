package profiles

import (
	"testing"
	"time"

	"manofwar/netmgr/api"
)

// TestExport takes everything to another device, but for what is that device's own, and is slow to guess.
func TestExport(t *testing.T) {
	s := open(t, t.TempDir(), serial)
	add(t, s, api.NewProfile{Name: "Home", SSID: "Home", Passphrase: text("correct horse"), Hidden: true})
	add(t, s, api.NewProfile{Name: "Sticker", SSID: "Factory", Passphrase: text("swordfish!"), Factory: true, Off: true})
	began := time.Now()
	data, err := s.Export("a passphrase")
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d bytes in %v", len(data), time.Since(began).Round(time.Millisecond))

	other := open(t, t.TempDir(), "2000")
	add(t, other, api.NewProfile{Name: "Mine", SSID: "Home", Passphrase: text("another one")})
	mine := other.Settings().AccessPoint.SSID
	if i, err := other.Import("a passphrase", data); err != nil || i.Profiles != 2 {
		t.Fatalf("%+v, %v", i, err)
	}
	list := other.List()
	if len(list) != 2 || password(t, other, list[0].ID) != "correct horse" || !list[0].Hidden || !list[1].Factory || !list[1].Off || list[0].Name != "Home" {
		t.Errorf("%+v", list)
	}
	if got := other.Settings().AccessPoint.SSID; got != mine {
		t.Errorf("the access point is called %q now, as the other device", got)
	}
	for name, damaged := range map[string][]byte{
		"cut short": data[:len(data)-1], "changed": append(append([]byte{}, data[:len(data)-1]...), data[len(data)-1]^1), "empty": nil,
	} {
		if _, err := other.Import("a passphrase", damaged); err == nil {
			t.Errorf("%s: taken", name)
		}
	}
}
