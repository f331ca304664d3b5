package netmgr

import (
	"regexp"
	"strings"
	"testing"
)

func TestLabel(t *testing.T) {
	for _, tt := range []struct{ name, want string }{
		{"Wohnzimmer TV", "wohnzimmer-tv"},
		{"Küche", "kueche"},
		{"Ku\u0308che", "kueche"}, // as a Mac types it
		{"GÄSTEBÜRO groß", "gaestebuero-gross"},
		{"Café Zoë", "cafe-zoe"},
		{"Smørrebrød på Østerbro", "smoerrebroed-paa-oesterbro"},
		{"Łódź", "lodz"},
		{"Mara’s TV", "maras-tv"},
		{"St. John's – upstairs", "st-johns-upstairs"},
		{"№ 5 ﬁlm ２", "no-5-film-2"},
		{"a--b__c", "a-b-c"},
		{"-TV-", "tv"},
		{"🛶", "manofwar"},
		{"居間", "manofwar"},
		{"居間 TV", "tv"},
		{"", "manofwar"},
		{"manofwar", "manofwar"},
		{strings.Repeat("ä", 63), strings.Repeat("ae", 31) + "a"},
		{strings.Repeat("a", 62) + " b", strings.Repeat("a", 62)},
		{"a\xffb", "a-b"},
	} {
		if got := Label(tt.name); got != tt.want {
			t.Errorf("Label(%q) = %q, want %q", tt.name, got, tt.want)
		}
	}
}

func FuzzLabel(f *testing.F) {
	for _, s := range []string{"Wohnzimmer TV", "Ä", "\u0308", "\xff", "--"} {
		f.Add(s)
	}
	fit := regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*$`)
	f.Fuzz(func(t *testing.T, name string) {
		got := Label(name)
		if !fit.MatchString(got) || len(got) > MaxLabel {
			t.Errorf("Label(%q) = %q", name, got)
		}
		if again := Label(got); again != got {
			t.Errorf("Label(%q) = %q, of which it is %q", name, got, again)
		}
		if n := NumberedLabel(got, 10); len(n) > MaxLabel || !strings.HasSuffix(n, "-10") {
			t.Errorf("the tenth of %q is %q", got, n)
		}
	})
}
