package judge

import (
	"net/http"
	"strings"
	"testing"

	"manofwar/netmgr/api"
)

// TestVerdict is the table of what a look at everything means.
func TestVerdict(t *testing.T) {
	dead := answer{outcome: unreachable}
	for _, c := range []struct {
		name     string
		gateways int
		gateway  bool
		answers  []answer
		want     Verdict
	}{
		{"nothing answers", 1, false, []answer{{outcome: unresolved}, {outcome: unresolved}}, Verdict{api.Associated, reasonSilent, ""}},
		{"a name server elsewhere on the LAN, and a dead router", 1, false, []answer{{outcome: unnamed}, dead}, Verdict{api.Associated, reasonSilent, ""}},
		{"no router", 0, false, []answer{{outcome: unresolved}, {outcome: unresolved}}, Verdict{api.LANOnly, reasonNoGateway, ""}},
		{"no name servers", 1, true, []answer{{outcome: nameless}, {outcome: nameless}}, Verdict{api.LANOnly, reasonNoDNS, ""}},
		{"name server silent", 1, true, []answer{{outcome: unresolved}, {outcome: unresolved}}, Verdict{api.LANOnly, reasonUnresolved, ""}},
		{"name server silent, internet there", 1, true, []answer{{outcome: right, deaf: true}, {outcome: unresolved}}, Verdict{api.LANOnly, reasonDeaf, ""}},
		{"name server refuses", 1, true, []answer{{outcome: unnamed}, {outcome: unnamed}}, Verdict{api.LANOnly, reasonDead, ""}},
		{"black hole", 1, true, []answer{dead, dead}, Verdict{api.LANOnly, reasonDead, ""}},
		{"black hole behind a router that answers in its place", 1, true, []answer{{outcome: silent, internal: true}, dead}, Verdict{api.LANOnly, reasonInternal, ""}},
		{"HTTP only", 1, true, []answer{{outcome: silent}, dead}, Verdict{api.LANOnly, reasonMute, ""}},
		{"errors", 1, true, []answer{{outcome: broken}, {outcome: silent}}, Verdict{api.LANOnly, reasonBroken, ""}},
		{"one altered, one silent", 1, true, []answer{{outcome: altered, login: "http://x/"}, {outcome: silent}}, Verdict{api.LANOnly, reasonAltered, ""}},
		{"captive", 1, true, []answer{{outcome: altered}, {outcome: altered, login: "http://x/"}}, Verdict{api.Captive, reasonCaptive, "http://x/"}},
		{"captive, router silent to ARP", 1, false, []answer{{outcome: altered}, {outcome: altered, login: "http://x/"}}, Verdict{api.Captive, reasonCaptive, "http://x/"}},
		{"off", 1, true, nil, Verdict{State: api.Good}},
		{"off, router silent", 1, false, nil, Verdict{api.Associated, reasonSilent, ""}},
		{"off, no router", 0, false, nil, Verdict{api.LANOnly, reasonNoGateway, ""}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := judge(c.gateways, Seen{Kind: LookAll, gateway: c.gateway, answers: c.answers}); got != c.want {
				t.Errorf("%+v, want %+v", got, c.want)
			}
		})
	}
}

// TestClassify is the table of what an operator's answer is.
func TestClassify(t *testing.T) {
	o, err := parseOperator("http://one.example/generate_204")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, head, body string
		code             int
		want             outcome
		login            string
	}{
		{"operator", "", "", 204, right, ""},
		{"empty page of a proxy", "Content-Length: 0", "", 200, right, ""},
		{"redirect", "Location: https://login.example/?to=x", "", 302, altered, "https://login.example/?to=x"},
		{"required (RFC 6585)", "", "<p>", 511, altered, o.url},
		{"redirect to nowhere", "Location: /login", "", 302, altered, o.url},
		{"redirect to a script", "Location: javascript:alert(1)", "", 302, altered, o.url},
		{"page", "", "<html>Welcome", 200, altered, o.url},
		{"page that sends on", "", `<META content="x" http-equiv=Refresh content="0; URL=http://login.example/a?b&amp;c">`, 200, altered, "http://login.example/a?b&c"},
		{"page far down", "", strings.Repeat(" ", maxAnswer) + `<meta http-equiv="refresh" content="0;url=http://login.example/">`, 200, altered, o.url},
		{"busy operator", "", "", 503, broken, ""},
		{"too many", "", "", 429, broken, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			resp := &http.Response{StatusCode: c.code, Header: http.Header{}, Body: http.NoBody, ContentLength: -1}
			if k, v, ok := strings.Cut(c.head, ": "); ok {
				resp.Header.Set(k, v)
				if k == "Content-Length" {
					resp.ContentLength = 0
				}
			}
			if c.body != "" {
				resp.Body = body{strings.NewReader(c.body)}
			}
			if got, login := classify(resp, o); got != c.want || login != c.login {
				t.Errorf("%v, %q; want %v, %q", got, login, c.want, c.login)
			}
		})
	}
}

type body struct{ *strings.Reader }

func (body) Close() error { return nil }

func TestOperators(t *testing.T) {
	for _, c := range []struct {
		urls []string
		ok   bool
	}{
		{nil, true},
		{DefaultOperators, true},
		{[]string{"http://192.0.2.1:8080/x", "http://[2001:db8::1]/"}, true},
		{[]string{"http://one.example/"}, false},
		{[]string{"http://one.example/", "http://ONE.example/other"}, false},
		{[]string{"http://one.example/", "https://two.example/"}, false},
		{[]string{"http://one.example/", "http://user@two.example/"}, false},
		{[]string{"http://one.example/", "http://two.example:0/"}, false},
		{[]string{"http://one.example/", "http:///x"}, false},
		{[]string{"http://one.example/", "http://two example/"}, false},
		{[]string{"http://one.example/", "http://two.example/" + strings.Repeat("x", maxURL)}, false},
	} {
		if err := CheckOperators(c.urls); (err == nil) != c.ok {
			t.Errorf("%.99q: %v", c.urls, err)
		}
	}
	if got := parseOperators([]string{"bad"}); len(got) != 2 || got[0].name != "connectivitycheck.gstatic.com" || got[0].path != "/generate_204" {
		t.Errorf("%+v", got)
	}
}

func FuzzLogin(f *testing.F) {
	for _, s := range []string{"https://login.example/?a=b", "javascript:1", "http://[::1]/\x00", `<meta http-equiv=refresh content="0;url=http://x/">`, "//x", "http://a@b/", "http://0\"0", `http://x/?"'<>`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		for _, s := range []string{loginURL(string(b)), loginIn(b)} {
			if s == "" {
				continue
			}
			if !strings.HasPrefix(s, "http://") && !strings.HasPrefix(s, "https://") || strings.ContainsAny(s, "\"'<>` \n\x00") || len(s) > 3*maxURL {
				t.Errorf("%q", s)
			}
			if again := loginURL(s); len(s) <= maxURL && again == "" {
				t.Errorf("%q is not accepted a second time", s)
			}
		}
	})
}

func FuzzReply(f *testing.F) {
	f.Add([]byte("\x12\x34\x81\x80\x00\x01\x00\x01\x00\x00\x00\x00\x03one\x07example\x00\x00\x01\x00\x01\xc0\x0c\x00\x01\x00\x01\x00\x00\x00\x3c\x00\x04\xcb\x00\x71\x01"))
	f.Fuzz(func(t *testing.T, b []byte) {
		_, addresses, ok := parseReply(b, "one.example")
		if len(addresses) > maxKnown || !ok && addresses != nil {
			t.Errorf("%v, %v", addresses, ok)
		}
	})
}
