package peerlink

import (
	"net"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/grandcat/zeroconf"

	"manofwar/internal/identity"
)

var someID = identity.ID(strings.Repeat("a", 52))

func entry(port int, text string, ips ...string) *zeroconf.ServiceEntry {
	e := &zeroconf.ServiceEntry{Port: port, Text: strings.Split(text, "|")}
	for _, s := range ips {
		if ip := net.ParseIP(s); ip.To4() != nil {
			e.AddrIPv4 = append(e.AddrIPv4, ip)
		} else {
			e.AddrIPv6 = append(e.AddrIPv6, ip)
		}
	}
	return e
}

func TestParseEntry(t *testing.T) {
	good := "id=" + string(someID) + "|name=K%C3%BCche"
	for _, c := range []struct {
		name  string
		entry *zeroconf.ServiceEntry
		want  []string // nil: refused
	}{
		{"both families", entry(16690, good, "192.0.2.1", "2001:db8::1"), []string{"192.0.2.1:16690", "[2001:db8::1]:16690"}},
		{"of one link only", entry(16690, good, "192.0.2.1", "fe80::1"), []string{"192.0.2.1:16690"}},
		{"ourselves", entry(16690, good, "127.0.0.1"), nil},
		{"no address", entry(16690, good), nil},
		{"no port", entry(0, good, "192.0.2.1"), nil},
		{"no ID", entry(1, "name=x", "192.0.2.1"), nil},
		{"a bad ID", entry(1, "id=short|name=x", "192.0.2.1"), nil},
		{"a bad name", entry(1, "id="+string(someID)+"|name=%zz", "192.0.2.1"), nil},
		{"many addresses", entry(1, good, "192.0.2.1", "192.0.2.2", "192.0.2.3", "192.0.2.4", "192.0.2.5"), []string{"192.0.2.1:1", "192.0.2.2:1", "192.0.2.3:1", "192.0.2.4:1"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			f, err := parseEntry(c.entry)
			if (err == nil) != (c.want != nil) {
				t.Fatalf("got %+v, %v", f, err)
			}
			if err == nil && (!slices.Equal(f.Addresses, c.want) || f.ID != someID || f.Name != "Küche") {
				t.Errorf("got %+v", f)
			}
		})
	}
}

func FuzzParseEntry(f *testing.F) {
	f.Add("id="+string(someID)+"|name=Kitchen", 16690)
	f.Add("id=|name=%00%0a", -1)
	f.Fuzz(func(t *testing.T, text string, port int) {
		e, err := parseEntry(entry(port, text, "192.0.2.1"))
		if err == nil && (len(e.Name) > MaxName || !utf8.ValidString(e.Name) || strings.ContainsAny(e.Name, "\r\n\x00")) {
			t.Errorf("%q became %+v", text, e)
		}
	})
}

func TestCleanName(t *testing.T) {
	for in, want := range map[string]string{
		"Living room": "Living room", "  Küche\n\x00 links ": "Küche links", "": "", "\xff\xfe": "",
		strings.Repeat("ü", 100): strings.Repeat("ü", MaxName/2),
	} {
		if got := CleanName(in); got != want {
			t.Errorf("%q became %q", in, got)
		}
	}
}
