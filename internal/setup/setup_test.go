package setup_test

import (
	"reflect"
	"regexp"
	"strings"
	"testing"

	"manofwar/internal/setup"
)

func TestRoundTrip(t *testing.T) {
	want := setup.Setup{
		WiFi:        []setup.WiFi{{SSID: "Home & Garden", Passphrase: "correct horse"}, {SSID: "Café", Hidden: true}},
		Country:     "DE",
		AccessPoint: &setup.AccessPoint{Passphrase: "abcd-efgh-jkmn"},
		ClaimCode:   "042137",
	}
	text, err := want.JSON()
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(text), "Home & Garden") {
		t.Errorf("not for people to read: %s", text)
	}
	got, err := setup.Parse(text)
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, %v", got, err)
	}
}

func TestParseSaysWhatIsWrong(t *testing.T) {
	tests := []struct{ text, want string }{
		{`{"wifi": [{"ssid": ""}]}`, "setup.json: wifi[0].ssid: 0 bytes, want 1 to 32"},
		{`{"wifi": [{"ssid": "a"}, {"ssid": "b", "passphrase": "short"}]}`, "wifi[1].passphrase: 5 characters, want 8 to 63"},
		{`{"wifi": [{"ssid": "a", "passphrase": "geheimes Wörtchen"}]}`, "plain ASCII"},
		{`{"wifi": [{"ssid": "a", "password": "correct horse"}]}`, "setup.json:1:25: wifi[0].password: no such field, want one of hidden, passphrase, ssid"},
		{`{"access_point": {}}`, "access_point.passphrase: 0 characters"},
		{`{"country": "de"}`, `country: "de", want two capital letters`},
		{`{"claim_code": "12345"}`, "claim_code: want six digits"},
		{`{"claim_code": 123456}`, "a JSON number, want a string"},
		{`{"wifi": {"ssid": "a"}}`, "a JSON object, want a list"},
		{strings.Repeat(" ", setup.MaxSize+1), "want at most"},
	}
	for _, tt := range tests {
		if _, err := setup.Parse([]byte(tt.text)); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%.80s: %v; want %q", tt.text, err, tt.want)
		}
	}
	for _, good := range []string{`{}`, `{"wifi": [{"ssid": "open"}]}`, `{"wifi": [{"ssid": "raw", "passphrase": "` + strings.Repeat("0a", 32) + `"}]}`} {
		if _, err := setup.Parse([]byte(good)); err != nil {
			t.Errorf("%s: %v", good, err)
		}
	}
}

func TestHeadless(t *testing.T) {
	shape := regexp.MustCompile(`^[a-hj-km-np-z2-9]{4}-[a-hj-km-np-z2-9]{4}-[a-hj-km-np-z2-9]{4}$`)
	seen := map[string]bool{}
	for range 20 {
		var s setup.Setup
		if err := s.Headless(); err != nil {
			t.Fatal(err)
		}
		if err := s.Check(); err != nil || !shape.MatchString(s.AccessPoint.Passphrase) || seen[s.AccessPoint.Passphrase] {
			t.Errorf("%+v, %v", s, err)
		}
		seen[s.AccessPoint.Passphrase] = true
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(`{"wifi": [{"ssid": "a", "passphrase": "correct horse"}], "claim_code": "123456"}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		s, err := setup.Parse(data)
		if err != nil {
			return
		}
		text, err := s.JSON()
		if err != nil {
			t.Fatal(err)
		}
		back, err := setup.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		if again, err := back.JSON(); err != nil || string(again) != string(text) {
			t.Errorf("%s reads back as %s, %v", text, again, err)
		}
	})
}
