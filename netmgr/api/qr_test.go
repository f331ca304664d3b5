package api_test

import (
	"slices"
	"strings"
	"testing"

	"manofwar/netmgr/api"
)

func TestWiFiQR(t *testing.T) {
	for _, tt := range []struct {
		ssid, passphrase string
		hidden           bool
		want             string
	}{
		{"manofwar-1a2b", "abcd-efgh-jkmn", false, "WIFI:T:WPA;S:manofwar-1a2b;P:abcd-efgh-jkmn;;"},
		{"Café", "", false, "WIFI:T:nopass;S:Café;;"},
		{"a b", "12345678", true, "WIFI:T:WPA;S:a b;P:12345678;H:true;;"},
		{`a;b:c,d"e\f`, `;;P:evil\`, false, `WIFI:T:WPA;S:a\;b\:c\,d\"e\\f;P:\;\;P\:evil\\;;`},
	} {
		if got := api.WiFiQR(tt.ssid, tt.passphrase, tt.hidden); got != tt.want {
			t.Errorf("%q, %q: %s; want %s", tt.ssid, tt.passphrase, got, tt.want)
		}
	}
}

// FuzzWiFiQR reads the code back as a phone does: whatever the owner chose comes out again, and nothing else.
func FuzzWiFiQR(f *testing.F) {
	f.Add("Home", "correct horse")
	f.Add(`;S:x`, `\;"`)
	f.Fuzz(func(t *testing.T, ssid, passphrase string) {
		fields := read(strings.TrimPrefix(api.WiFiQR(ssid, passphrase, false), "WIFI:"))
		want := []string{"T:WPA", "S:" + ssid, "P:" + passphrase, ""}
		if passphrase == "" {
			want = []string{"T:nopass", "S:" + ssid, ""}
		}
		if !slices.Equal(fields, want) {
			t.Errorf("%q, %q: read back %q", ssid, passphrase, fields)
		}
	})
}

// read splits at semicolons that are not escaped, and takes the escapes away.
func read(s string) (fields []string) {
	var field []byte
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == '\\' && i+1 < len(s):
			i++
			field = append(field, s[i])
		case s[i] == ';':
			fields, field = append(fields, string(field)), nil
		default:
			field = append(field, s[i])
		}
	}
	return fields
}

func TestProbeHosts(t *testing.T) {
	if !slices.IsSorted(api.ProbeHosts) || slices.ContainsFunc(api.ProbeHosts, func(h string) bool { return h != strings.ToLower(h) }) {
		t.Errorf("not sorted, or not in lower case: %v", api.ProbeHosts)
	}
}
