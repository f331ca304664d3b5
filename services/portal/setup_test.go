package portal

import (
	"context"
	"errors"
	"flag"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"manofwar/internal/ipc"
	netapi "manofwar/netmgr/api"
)

var testDay = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

func prefixes(list ...string) (out []netip.Prefix) {
	for _, s := range list {
		out = append(out, netip.MustParsePrefix(s))
	}
	return out
}

// The clients of the tests: of our own access point, another of them, and one from elsewhere.
const phone, tablet, stranger = "127.0.0.7", "127.0.0.8", "127.9.0.1"

// ashore starts a portal on a dongle that nobody has set up, whose access point is the network that phone is in.
func ashore(t *testing.T) *boat {
	t.Helper()
	b := launch(t, Options{})
	b.air.mu.Lock()
	b.air.around = []netapi.Network{
		{SSID: "Home", Raw: []byte("Home"), Signal: -50, Security: "WPA2", Bands: []string{"2.4 GHz", "5 GHz"}, Join: true},
		{SSID: "Café <b>", Raw: []byte("Café <b>"), Signal: -70, Security: "open", Bands: []string{"2.4 GHz"}, Join: true},
		{SSID: "Office", Raw: []byte("Office"), Signal: -40, Security: "enterprise", Reason: "it wants a user account (WPA-Enterprise), not a password"},
		{SSID: "\uFFFD", Raw: []byte{0xff}, Signal: -80, Security: "WPA3", Bands: []string{"5 GHz"}, Join: true, Profile: "p9"},
		{SSID: "", Raw: nil, Signal: -30, Security: "WPA2", Join: true},
	}
	b.air.passwords = map[string]string{"Home": "correct horse", "Café <b>": "", "Attic": "under the roof"}
	b.air.mu.Unlock()
	b.capture(t, "probes")
	return b
}

// capture says which names the access point's clients are told to be ours, and waits until the portal knows.
func (b *boat) capture(t *testing.T, kind string) {
	t.Helper()
	b.air.set(t, func(s *netapi.Status) {
		s.Setup, s.Links = true, nil
		s.AccessPoint = &netapi.AccessPoint{
			Up: true, SSID: "manofwar", Passphrase: "secret-of-the-boat", Address: netip.MustParsePrefix("127.0.0.1/24"), Capture: kind,
		}
	})
	for end := time.Now().Add(10 * time.Second); ; {
		got := b.from(t, phone, "GET", "/setup-"+kind, "other.example", nil)
		location := got.Header.Get("Location")
		if (kind == "all") == (got.StatusCode == 302 && location != "") && b.from(t, phone, "GET", "/generate_204", "connectivitycheck.gstatic.com", nil).StatusCode != 421 {
			return
		}
		if time.Now().After(end) {
			t.Fatal("the portal does not hear of the access point")
		}
	}
}

// from sends a request from an address of its own, for the given Host or the portal's; a form makes its body.
func (b *boat) from(t *testing.T, addr, method, path, host string, form url.Values, header ...string) reply {
	t.Helper()
	dialer := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(addr)}}
	transport := &http.Transport{DisableCompression: true, DisableKeepAlives: true, DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
		return dialer.DialContext(ctx, network, b.addr)
	}}
	if host == "" {
		host = b.addr
	}
	var body io.Reader
	if form != nil {
		body = strings.NewReader(form.Encode())
	}
	req, err := http.NewRequestWithContext(t.Context(), method, "http://"+b.addr+path, body)
	if err != nil {
		t.Fatal(err)
	}
	req.Host = host
	if form != nil {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		req.Header.Set("Origin", "http://"+host)
	}
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	resp, err := transport.RoundTrip(req)
	if errors.Is(err, syscall.EADDRNOTAVAIL) {
		t.Skip("this system's loopback has one address only: " + addr + " is not there")
	}
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	if resp.Header.Get("Set-Cookie") != "" {
		t.Errorf("%s %s sets a cookie", method, path)
	}
	return reply{resp, string(text)}
}

// systems are the requests by which each looks for a sign-in page, and what it then takes for none, byte by byte.
var systems = []struct {
	system, host, path, kind, body string
	status                         int
	all                            bool // its host serves more: it leads here only when all names do
}{
	{"iOS, macOS", "captive.apple.com", "/hotspot-detect.html", "text/html", "<HTML><HEAD><TITLE>Success</TITLE></HEAD><BODY>Success</BODY></HTML>", 200, false},
	{"iOS, any page", "captive.apple.com", "/Ab3/xyz.html", "text/html", "<HTML><HEAD><TITLE>Success</TITLE></HEAD><BODY>Success</BODY></HTML>", 200, false},
	{"macOS", "www.apple.com", "/library/test/success.html", "text/html", "<HTML><HEAD><TITLE>Success</TITLE></HEAD><BODY>Success</BODY></HTML>", 200, true},
	{"Android", "connectivitycheck.gstatic.com", "/generate_204", "", "", 204, false},
	{"Android", "connectivitycheck.android.com", "/generate_204", "", "", 204, false},
	{"Android", "clients3.google.com", "/generate_204", "", "", 204, false},
	{"Android", "www.google.com", "/gen_204", "", "", 204, true},
	{"Android", "play.googleapis.com", "/generate_204", "", "", 204, true},
	{"ChromeOS", "www.gstatic.com", "/generate_204", "", "", 204, true},
	{"Windows", "www.msftconnecttest.com", "/connecttest.txt", "text/plain", "Microsoft Connect Test", 200, false},
	{"Windows", "ipv6.msftconnecttest.com", "/connecttest.txt", "text/plain", "Microsoft Connect Test", 200, false},
	{"Windows 7", "www.msftncsi.com", "/ncsi.txt", "text/plain", "Microsoft NCSI", 200, false},
	{"Firefox", "detectportal.firefox.com", "/success.txt?ipv4", "text/plain", "success\n", 200, false},
	{"Firefox", "detectportal.firefox.com", "/canonical.html", "text/html", `<meta http-equiv="refresh" content="0;url=https://support.mozilla.org/kb/captive-portal"/>`, 200, false},
	{"Ubuntu", "connectivity-check.ubuntu.com", "/", "", "", 204, false},
	{"Debian", "network-test.debian.org", "/nm", "text/plain", "NetworkManager is online\n", 200, false},
	{"GNOME", "nmcheck.gnome.org", "/check_network_status.txt", "text/plain", "NetworkManager is online\n", 200, false},
}

func TestProbes(t *testing.T) {
	b := ashore(t)
	for _, method := range []string{"GET", "HEAD"} {
		for _, s := range systems {
			for _, host := range []string{s.host, s.host + ":80", strings.ToUpper(s.host), s.host + ".", strings.ToUpper(s.host) + ".:80"} {
				got := b.from(t, phone, method, s.path, host, nil)
				if got.StatusCode != 302 || got.Header.Get("Location") != "http://"+b.addr+"/setup" || strings.Contains(got.body, "Success") {
					t.Errorf("%s, %s %s%s before: %s to %q", s.system, method, host, s.path, got.Status, got.Header.Get("Location"))
				}
			}
			for host, path := range map[string]string{s.host: s.path, strings.ToUpper(s.host) + ".:80": s.path} {
				if got := b.from(t, stranger, method, path, host, nil); got.StatusCode != 421 {
					t.Errorf("%s, %s %s%s from elsewhere: %s", s.system, method, host, path, got.Status)
				}
			}
		}
	}
	if got := b.from(t, phone, "GET", "/redirect", "www.msftconnecttest.com", nil); got.Header.Get("Location") != "http://"+b.addr+"/setup" {
		t.Errorf("Windows' redirect before: %s to %q", got.Status, got.Header.Get("Location"))
	}
	if got := b.from(t, phone, "POST", "/setup/offline", "", url.Values{}); got.StatusCode != 303 {
		t.Fatalf("without internet: %s", got.Status)
	}
	for _, s := range systems {
		got := b.from(t, phone, "GET", s.path, s.host, nil)
		if got.StatusCode != s.status || got.body != s.body || got.Header.Get("Content-Type") != s.kind {
			t.Errorf("%s, %s%s after: %s %q, %q", s.system, s.host, s.path, got.Status, got.Header.Get("Content-Type"), got.body)
		}
		if got := b.from(t, phone, "HEAD", s.path, s.host, nil); got.StatusCode != s.status || got.body != "" {
			t.Errorf("%s, HEAD after: %s %q", s.system, got.Status, got.body)
		}
		if got := b.from(t, tablet, "GET", s.path, s.host, nil); got.StatusCode != 302 {
			t.Errorf("%s, another client: %s", s.system, got.Status)
		}
	}
	if got := b.from(t, phone, "GET", "/redirect", "www.msftconnecttest.com", nil); got.Header.Get("Location") != "http://"+b.addr+"/" {
		t.Errorf("Windows' redirect after: %s to %q", got.Status, got.Header.Get("Location"))
	}
}

// TestProbesAreNoWayIn holds that another's name opens nothing but the fixed answers, whoever asks.
func TestProbesAreNoWayIn(t *testing.T) {
	b := ashore(t)
	for _, kind := range []string{"probes", "all"} {
		b.capture(t, kind)
		for _, s := range systems {
			for _, path := range []string{"/api/v1/status", "/api/v1/network/access-point", "/media/i1/file", "/api/../api/v1/status"} {
				got := b.from(t, phone, "GET", path, s.host, nil)
				if want := s.host == "captive.apple.com"; (got.StatusCode == 302) != want || !want && got.StatusCode != 421 {
					t.Errorf("%s%s: %s", s.host, path, got.Status)
				}
				if strings.Contains(got.body, "secret-of-the-boat") || strings.Contains(got.body, "manofwar-2") && got.StatusCode == 200 {
					t.Errorf("%s%s tells of the device: %s", s.host, path, got.body)
				}
			}
			for _, method := range []string{"POST", "PUT", "DELETE", "OPTIONS", "CONNECT"} {
				if got := b.from(t, phone, method, strings.TrimSuffix(s.path, "?ipv4"), s.host, nil); got.StatusCode != 421 {
					t.Errorf("%s %s%s: %s", method, s.host, s.path, got.Status)
				}
			}
			if got := b.from(t, phone, "POST", "/setup/join", s.host, url.Values{"ssid": {"Evil"}}); got.StatusCode != 421 {
				t.Errorf("a form under %s: %s", s.host, got.Status)
			}
		}
		for _, host := range []string{"captive.apple.com.evil.example", "evil-captive.apple.com", "captive.apple.com:http", "captive.apple.com:80:80", "captive.apple.com\x00", "captive.apple.com@evil.example"} {
			got := b.from(t, phone, "GET", "/hotspot-detect.html", host, nil)
			if want := map[string]int{"probes": 421, "all": 302}[kind]; got.StatusCode != want && got.StatusCode != 421 && got.StatusCode != 400 {
				t.Errorf("%q, %s: %s; want %d", host, kind, got.Status, want)
			}
			if strings.Contains(got.body, "Success") {
				t.Errorf("%q succeeds", host)
			}
		}
		other := b.from(t, phone, "GET", "/news", "other.example", nil)
		if kind == "all" && (other.StatusCode != 302 || other.Header.Get("Location") != "http://"+b.addr+"/") || kind == "probes" && other.StatusCode != 421 {
			t.Errorf("another site, %s: %s to %q", kind, other.Status, other.Header.Get("Location"))
		}
		if got := b.from(t, stranger, "GET", "/news", "other.example", nil); got.StatusCode != 421 {
			t.Errorf("another site from elsewhere, %s: %s", kind, got.Status)
		}
	}
	b.air.mu.Lock()
	defer b.air.mu.Unlock()
	if len(b.air.asked) > 0 {
		t.Errorf("something was tried: %+v", b.air.asked)
	}
}

func TestProbesWithInternetSucceed(t *testing.T) {
	b := ashore(t)
	b.air.set(t, func(s *netapi.Status) { ap := *s.AccessPoint; ap.Capture = ""; s.AccessPoint = &ap })
	for end := time.Now().Add(10 * time.Second); ; {
		if got := b.from(t, phone, "GET", "/generate_204", "connectivitycheck.gstatic.com", nil); got.StatusCode == 204 {
			break
		} else if time.Now().After(end) {
			t.Fatalf("a probe of a phone that remembers our address: %s", got.Status)
		}
	}
}

func TestProbeTables(t *testing.T) {
	for _, host := range netapi.ProbeHosts {
		if probes[host] == nil {
			t.Errorf("netmgr captures %s, which is not answered", host)
		}
	}
	for _, s := range systems {
		if slices.Contains(netapi.ProbeHosts, s.host) == s.all {
			t.Errorf("%s: it serves more is %v, but netmgr captures it always is %v", s.host, s.all, !s.all)
		}
	}
}

func TestGuestsAreForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var g guests
		first := netip.MustParseAddr("10.0.0.1")
		g.finish(first)
		time.Sleep(time.Minute)
		a := first
		for range maxGuests {
			a = a.Next()
			g.finish(a)
		}
		if g.done(first) || !g.done(a) || len(g.until) != maxGuests {
			t.Errorf("the first is done: %v, the last: %v, %d are remembered", g.done(first), g.done(a), len(g.until))
		}
		time.Sleep(doneFor)
		if g.done(a) {
			t.Error("remembered for ever")
		}
	})
}

func TestSetup(t *testing.T) {
	b := ashore(t)
	if got := b.from(t, phone, "GET", "/", "", nil); got.StatusCode != 303 || got.Header.Get("Location") != "/setup" {
		t.Errorf("/ of a guest: %s to %q", got.Status, got.Header.Get("Location"))
	}
	if got := b.from(t, stranger, "GET", "/", "", nil); got.StatusCode != 200 {
		t.Errorf("/ of another: %s", got.Status)
	}
	page := b.from(t, phone, "GET", "/setup", "", nil).body
	for _, want := range []string{"Choose your WiFi", "Home", "Café &lt;b&gt;", "It wants a user account", "known", "Use without internet", "\uFFFD"} {
		if !strings.Contains(page, want) {
			t.Errorf("the list lacks %q", want)
		}
	}
	if home, office := strings.Index(page, ">Home<"), strings.Index(page, ">Office<"); home > office || strings.Contains(page, "secret-of-the-boat") {
		t.Error("what cannot be joined comes last, and no password is shown")
	}
	form := b.from(t, phone, "GET", "/setup/join?n="+key([]byte("Home")), "", nil).body
	if !strings.Contains(form, "Password for <bdi>Home</bdi>") {
		t.Errorf("the form: %s", form)
	}
	for _, short := range []string{"", "1234567"} {
		got := b.from(t, phone, "POST", "/setup/join", "", url.Values{"n": {key([]byte("Home"))}, "passphrase": {short}})
		if got.StatusCode != 200 || !strings.Contains(got.body, "at least 8 characters") {
			t.Errorf("a short password: %s %s", got.Status, got.body)
		}
	}
	try := b.join(t, url.Values{"n": {key([]byte("Home"))}, "passphrase": {"correct hose"}, "metered": {"1"}})
	if got := b.from(t, phone, "GET", try, "", nil); !strings.Contains(got.body, `http-equiv="refresh"`) || !strings.Contains(got.body, "Connecting to <bdi>Home</bdi>") {
		t.Errorf("while it tries: %s", got.body)
	}
	if got := b.from(t, phone, "GET", "/setup", "", nil); got.Header.Get("Location") != try {
		t.Errorf("the sheet opened again: %s to %q", got.Status, got.Header.Get("Location"))
	}
	b.air.proceed(t)
	got := b.from(t, phone, "GET", try, "", nil)
	if !strings.Contains(got.body, "Wrong password for <bdi>Home</bdi>") || !strings.Contains(got.body, `value="correct hose"`) || !strings.Contains(got.body, `name="metered" value="1" checked`) {
		t.Errorf("wrong password: %s", got.body)
	}
	if got := b.from(t, tablet, "GET", try, "", nil); strings.Contains(got.body, "correct hose") || got.StatusCode != 303 {
		t.Errorf("another client is told the password: %s %s", got.Status, got.body)
	}
	if got := b.from(t, phone, "GET", "/setup", "", nil); got.StatusCode != 200 {
		t.Errorf("the list after a failure: %s", got.Status)
	}
	if got := b.from(t, phone, "GET", "/generate_204", "connectivitycheck.gstatic.com", nil); got.StatusCode != 302 {
		t.Errorf("a probe after a failure: %s", got.Status)
	}
	try = b.join(t, url.Values{"n": {key([]byte("Home"))}, "passphrase": {"correct horse"}})
	b.air.proceed(t)
	if got := b.from(t, phone, "GET", try, "", nil); !strings.Contains(got.body, `class="done"`) {
		t.Errorf("while it waits for an address: %s", got.body)
	}
	b.air.proceed(t)
	if got := b.from(t, phone, "GET", try, "", nil); got.Header.Get("Location") != "/setup/done" {
		t.Fatalf("connected: %s to %q", got.Status, got.Header.Get("Location"))
	}
	_, port, _ := net.SplitHostPort(b.addr)
	end := b.from(t, phone, "GET", "/setup/done", "", nil).body
	for _, want := range []string{"Connected to <bdi>Home</bdi>", "http://192.168.1.23:" + port, "http://manofwar-2.local:" + port, "kind=factory", "kind=phone", "You can close this page"} {
		if !strings.Contains(end, want) {
			t.Errorf("the end lacks %q: %s", want, end)
		}
	}
	if got := b.from(t, phone, "GET", "/generate_204", "connectivitycheck.gstatic.com", nil); got.StatusCode != 204 {
		t.Errorf("a probe once it is connected: %s", got.Status)
	}
	b.air.mu.Lock()
	defer b.air.mu.Unlock()
	if b.air.settings.Done == nil || !*b.air.settings.Done {
		t.Error("the device still waits to be set up")
	}
	if last := b.air.asked[len(b.air.asked)-1]; string(last.Raw) != "Home" || last.Hidden || last.Metered {
		t.Errorf("tried: %+v", last)
	}
}

// join sends the form, and returns the page that tells how it goes.
func (b *boat) join(t *testing.T, form url.Values) string {
	t.Helper()
	got := b.from(t, phone, "POST", "/setup/join", "", form)
	to := got.Header.Get("Location")
	if got.StatusCode != 303 || !strings.HasPrefix(to, "/setup/try/") {
		t.Fatalf("join %v: %s to %q: %s", form, got.Status, to, got.body)
	}
	return to
}

func TestSetupOtherNetworks(t *testing.T) {
	b := ashore(t)
	for _, tt := range []struct {
		form       url.Values
		want       netapi.NewProfile
		passphrase any // nil: the one that is known
	}{
		{url.Values{"ssid": {"Attic"}, "passphrase": {"under the roof"}}, netapi.NewProfile{Raw: []byte("Attic"), Hidden: true}, "under the roof"},
		{url.Values{"ssid": {"Open hidden"}, "metered": {"1"}}, netapi.NewProfile{Raw: []byte("Open hidden"), Hidden: true, Metered: true}, ""},
		{url.Values{"n": {key([]byte("Café <b>"))}, "open": {"1"}}, netapi.NewProfile{Raw: []byte("Café <b>")}, ""},
		{url.Values{"n": {key([]byte{0xff})}, "known": {"1"}}, netapi.NewProfile{Raw: []byte{0xff}}, nil},
	} {
		b.join(t, tt.form)
		b.air.mu.Lock()
		got := b.air.asked[len(b.air.asked)-1]
		b.air.mu.Unlock()
		if tt.passphrase == nil && got.Passphrase != nil || tt.passphrase != nil && (got.Passphrase == nil || *got.Passphrase != tt.passphrase) {
			t.Errorf("%v: passphrase %v; want %v", tt.form, got.Passphrase, tt.passphrase)
		}
		if got.Passphrase = nil; !reflect.DeepEqual(got, tt.want) {
			t.Errorf("%v: %+v; want %+v", tt.form, got, tt.want)
		}
	}
	for _, form := range []url.Values{
		{},
		{"ssid": {strings.Repeat("x", 33)}, "passphrase": {"12345678"}},
		{"ssid": {"x"}, "passphrase": {strings.Repeat("x", 64)}},
		{"n": {"!"}, "passphrase": {"12345678"}},
		{"n": {key([]byte("Home"))}},
	} {
		if got := b.from(t, phone, "POST", "/setup/join", "", form); got.StatusCode != 200 || !strings.Contains(got.body, `role="alert"`) {
			t.Errorf("%v: %s", form, got.Status)
		}
	}
	b.from(t, phone, "POST", "/setup/country", "", url.Values{"country": {"DE"}})
	if got := b.from(t, phone, "POST", "/setup/scan", "", url.Values{}); got.StatusCode != 303 {
		t.Errorf("look again: %s", got.Status)
	}
	if got := b.from(t, phone, "POST", "/setup/add", "", url.Values{"kind": {"factory"}, "ssid": {"ROUTER-77"}, "passphrase": {"from the sticker"}}); got.Header.Get("Location") != "/setup/done?added=factory" {
		t.Errorf("the router's other name: %s %s", got.Status, got.body)
	}
	b.air.mu.Lock()
	defer b.air.mu.Unlock()
	if b.air.settings.Country == nil || *b.air.settings.Country != "DE" {
		t.Errorf("country: %v", b.air.settings.Country)
	}
	if p := b.air.profiles[0]; !p.Factory || p.Hidden || p.SSID != "ROUTER-77" || p.Name != english.AfterReset {
		t.Errorf("the router's other name: %+v", p)
	}
}

func TestSetupWithoutManager(t *testing.T) {
	b := &boat{runDir: t.TempDir()}
	b.portal(t, Options{})
	for _, path := range []string{"/setup", "/setup/done", "/setup/try/t1"} {
		got := b.do(t, "GET", path, nil)
		if got.StatusCode != 200 || !strings.Contains(got.body, "One moment") || !strings.Contains(got.body, `content="2;url=/setup?list"`) {
			t.Errorf("%s while it starts: %s %s", path, got.Status, got.body)
		}
	}
	hosted := &boat{runDir: t.TempDir()}
	hosted.portal(t, Options{Hosted: true})
	if got := hosted.do(t, "GET", "/setup", nil); !strings.Contains(got.body, "Nothing to set up") || strings.Contains(got.body, "refresh") {
		t.Errorf("on a computer: %s %s", got.Status, got.body)
	}
	refuses := &boat{runDir: t.TempDir()}
	fake(t, refuses.runDir, netapi.Name, map[string]any{
		"GET /status": testNetwork,
		"GET /networks": func(http.ResponseWriter, *http.Request) error {
			return &ipc.Error{Status: 422, Code: "unsupported", Message: "This computer manages its network itself."}
		},
	})
	refuses.portal(t, Options{Hosted: true})
	if got := refuses.do(t, "GET", "/setup", nil); !strings.Contains(got.body, "Nothing to set up") {
		t.Errorf("where the network is the computer's: %s %s", got.Status, got.body)
	}
}

func TestSetupRefusesOtherSites(t *testing.T) {
	b := ashore(t)
	for _, path := range []string{"/setup/join", "/setup/add", "/setup/country", "/setup/offline", "/setup/scan"} {
		for _, header := range [][]string{{"Origin", "http://evil.example"}, {"Origin", "null"}, {"Sec-Fetch-Site", "cross-site"}} {
			if got := b.from(t, phone, "POST", path, "", url.Values{"ssid": {"Evil"}}, header...); got.StatusCode != 403 {
				t.Errorf("%s, %v: %s", path, header, got.Status)
			}
		}
		if got := b.from(t, phone, "POST", path, "", url.Values{"ssid": {"Evil"}}, "Content-Type", "text/plain"); got.StatusCode != 415 {
			t.Errorf("%s as text: %s", path, got.Status)
		}
	}
	if got := b.from(t, phone, "POST", "/api/v1/scan", "", url.Values{"a": {"b"}}); got.StatusCode != 415 {
		t.Errorf("a form for the API: %s", got.Status)
	}
}

func TestSetupInGermanAndSmall(t *testing.T) {
	b := ashore(t)
	b.air.mu.Lock()
	for i := range 40 {
		name := strings.Repeat("n", 25) + string(rune('a'+i%26))
		b.air.around = append(b.air.around, netapi.Network{SSID: name, Raw: []byte(name), Signal: -60, Security: "WPA2", Bands: []string{"5 GHz"}, Join: true})
	}
	b.air.mu.Unlock()
	style := b.from(t, phone, "GET", "/setup/style.css", "", nil)
	for language, want := range map[string]string{"de-DE,de;q=0.9,en;q=0.8": "Wähle dein WLAN", "fr, en;q=0.5, de;q=0.4": "Choose your WiFi", "": "Choose your WiFi", "de;q=0": "Choose your WiFi", "EN-us;q=0.2,DE-AT;q=0.3": "Wähle"} {
		got := b.from(t, phone, "GET", "/setup", "", nil, "Accept-Language", language)
		if !strings.Contains(got.body, want) {
			t.Errorf("%q: no %q", language, want)
		}
		if all := len(got.body) + len(style.body); all > 40_000 {
			t.Errorf("%q: %d bytes in all", language, all)
		}
		for _, outside := range []string{"<script", "style=", "://", "onclick", "target="} {
			if body := strings.ReplaceAll(got.body, "http://www.w3.org/2000/svg", ""); strings.Contains(body, outside) {
				t.Errorf("%q: the page has %q", language, outside)
			}
		}
	}
	z := b.from(t, phone, "GET", "/setup", "", nil, "Accept-Encoding", "gzip")
	t.Logf("setup page: %d bytes compressed, style %d plain", len(z.body), len(style.body))
}

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
	page, err := os.ReadFile("ui/src/i18n/de.ts")
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

var update = flag.Bool("update", false, "write testdata/setup anew")

// TestSetupPages holds the pages to be what somebody has looked at. ui/test/setup.test.mjs shows the same files to axe.
func TestSetupPages(t *testing.T) {
	b := ashore(t)
	_, port, _ := net.SplitHostPort(b.addr)
	look := func(name, path string) {
		t.Helper()
		_, lang, _ := strings.Cut(name, ".")
		got := b.from(t, phone, "GET", path, "", nil, "Accept-Language", lang)
		if got.StatusCode != 200 {
			t.Fatalf("%s: %s", name, got.Status)
		}
		page := strings.ReplaceAll(got.body, ":"+port, "")
		file := filepath.Join("testdata", "setup", name+".html")
		if *update {
			if err := os.WriteFile(file, []byte(page), 0o644); err != nil {
				t.Fatal(err)
			}
			return
		}
		want, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if page != string(want) {
			t.Errorf("%s differs; look at it, then run with -update:\n%s", file, page)
		}
	}
	home := key([]byte("Home"))
	look("list.en", "/setup")
	look("list.de", "/setup")
	look("form.en", "/setup/join?n="+home)
	look("known.de", "/setup/join?n="+key([]byte{0xff}))
	look("open.en", "/setup/join?n="+key([]byte("Café <b>")))
	look("hidden.de", "/setup/join")
	try := b.join(t, url.Values{"n": {home}, "passphrase": {"correct hose"}})
	look("trying.en", try)
	b.air.proceed(t)
	look("wrong.en", try)
	look("wrong.de", try)
	try = b.join(t, url.Values{"ssid": {"Nowhere"}, "passphrase": {"correct hose"}})
	b.air.proceed(t)
	look("notfound.en", try)
	try = b.join(t, url.Values{"n": {home}, "passphrase": {"correct horse"}})
	b.air.proceed(t)
	look("address.de", try)
	b.air.proceed(t)
	if got := b.from(t, phone, "GET", try, "", nil); got.StatusCode != 303 {
		t.Fatalf("connected: %s", got.Status)
	}
	look("done.en", "/setup/done")
	look("done.de", "/setup/done?added=phone")
	look("factory.en", "/setup/add?kind=factory")
	look("phone.de", "/setup/add?kind=phone")
	b.air.set(t, func(s *netapi.Status) {
		s.Links[0].State, s.Links[0].Login = netapi.Captive, "http://login.example/?a=1&b=2"
	})
	look("captive.en", "/setup/done")
	b.air.set(t, func(s *netapi.Status) { s.Links[0].State, s.Links[0].Login = netapi.Captive, "javascript:alert(1)" })
	if got := b.from(t, phone, "GET", "/setup/done", "", nil); strings.Contains(got.body, "javascript") {
		t.Error("a login address that is a script is a link")
	}
	b.air.set(t, func(s *netapi.Status) { s.Links[0].State, s.Links[0].Since = netapi.LANOnly, time.Now() })
	look("judging.en", "/setup/done")
	b.air.set(t, func(s *netapi.Status) {
		s.Links[0].Since, s.Links[0].Reason = time.Time{}, "The router answers, the internet behind it does not."
	})
	look("nointernet.de", "/setup/done")
	b.air.set(t, func(s *netapi.Status) { s.Links = nil })
	look("offline.de", "/setup/done")
	look("lost.en", "/setup?list")
	b.air.set(t, func(s *netapi.Status) {
		s.Setup, s.Links = true, []netapi.Link{{Name: "eth0", Kind: "ethernet", State: netapi.Good, Addresses: prefixes("192.168.1.23/24")}}
	})
	look("cabled.de", "/setup?list")
}
