package portal

import (
	"net/http"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestWords holds both languages to be complete and to name what the other names.
func TestWords(t *testing.T) {
	for reason, want := range map[string]string{
		"Wrong password for Home.":     "Falsches Passwort für Home.",
		"No WiFi is set up.":           "Es ist kein WLAN eingerichtet.",
		"No WiFi is set up. Or is it?": "No WiFi is set up. Or is it?",
		"it uses Enhanced Open (OWE)":  "Es benutzt Enhanced Open (OWE).",
		"it is new":                    "It is new",
		"":                             "",
		"A and B are not in reach.":    "A and B sind nicht in Reichweite.",
	} {
		if got, _ := german.reason(reason); got != want {
			t.Errorf("%q: %q; want %q", reason, got, want)
		}
	}
	en, de := reflect.ValueOf(english), reflect.ValueOf(german)
	slot := regexp.MustCompile(`\{\w+\}`)
	for i := range en.NumField() {
		a, b := en.Field(i).String(), de.Field(i).String()
		if a == "" || b == "" || !slices.Equal(slot.FindAllString(a, -1), slot.FindAllString(b, -1)) {
			t.Errorf("%s: %q, %q", en.Type().Field(i).Name, a, b)
		}
	}
	page, err := os.ReadFile("ui/src/i18n/de/reasons.ts")
	if err != nil {
		t.Fatal(err)
	}
	text := strings.ReplaceAll(string(page), `\`, "")
	for _, r := range reasons {
		if !strings.Contains(text, "reason."+r.english) || !strings.Contains(text, r.german) {
			t.Errorf("the page does not say %q, %q", r.english, r.german)
		}
	}
	code := func(c country) string { return c.Code }
	list := func(lang string) (codes []string) {
		for _, c := range countries(lang) {
			codes = append(codes, code(c))
		}
		slices.Sort(codes)
		return codes
	}
	script, err := os.ReadFile("ui/src/lib/countries.ts")
	if err != nil {
		t.Fatal(err)
	}
	if of := regexp.MustCompile(`\b[A-Z]{2}\b`).FindAllString(string(script), -1); !slices.Equal(list("en"), list("de")) || !slices.Equal(list("en"), of) {
		t.Errorf("the countries differ: %d in English, %d in German, %d on the page", len(list("en")), len(list("de")), len(of))
	}
}

func FuzzAcceptLanguage(f *testing.F) {
	f.Add("de-DE,de;q=0.9,en;q=0.8")
	f.Add(";q==,;")
	f.Fuzz(func(t *testing.T, field string) {
		if w := wordsFor(&http.Request{Header: http.Header{"Accept-Language": {field}}}); w != &english && w != &german {
			t.Error("no words")
		}
	})
}
