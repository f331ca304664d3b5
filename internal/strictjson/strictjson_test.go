package strictjson_test

import (
	"strings"
	"testing"

	"manofwar/internal/strictjson"
)

type inner struct {
	Flag bool              `json:"flag,omitempty"`
	Map  map[string]string `json:"map"`
}

type outer struct {
	Name    string
	Numbers []int
	Inner   *inner
	More    map[string]inner
	Hidden  string `json:"-"`
}

func TestUnmarshal(t *testing.T) {
	tests := []struct{ text, want string }{
		{`{"Name": "x", "inner": {"flag": true, "map": {"any": "key"}}, "More": {"a": {"flag": false}}}`, ""},
		{"\xef\xbb\xbf{\"Name\": \"from Windows\"}", ""},
		{"{\n  \"Name\": \"x\",\n  \"Nmae\": 1\n}", "f.json:3:3: Nmae: no such field, want one of Inner, More, Name, Numbers"},
		{"{\n  \"Name\": 5\n}", "f.json:2:12: Name: a JSON number, want a string"},
		{"{\n  \"Numbers\": [1, \"2\"]\n}", "want a number"},
		{"{\n  \"Name\": \"x\"\n  \"Inner\": {}\n}", "f.json:3:3: invalid character"},
		{`{"Inner": {"flag": "yes"}}`, "want true or false"},
		{`{"More": {"a": {"flap": 1}}}`, `f.json:1:17: More["a"].flap: no such field, want one of flag, map`},
		{`{"Hidden": "x"}`, "no such field"},
		{`{"Name": "x"`, "unexpected end"},
		{``, "unexpected end"},
		{`{} {}`, "f.json:1:4"},
	}
	for _, tt := range tests {
		var o outer
		err := strictjson.Unmarshal("f.json", []byte(tt.text), &o)
		if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v; want %q", tt.text, err, tt.want)
		}
	}
}

func FuzzUnmarshal(f *testing.F) {
	f.Add([]byte(`{"Name": "x", "Inner": {"flag": true}, "More": {"a": {"map": {}}}, "Numbers": [1]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		var o outer
		if err := strictjson.Unmarshal("f.json", data, &o); err != nil && !strings.HasPrefix(err.Error(), "f.json:") {
			t.Errorf("error without a position: %v", err)
		}
	})
}
