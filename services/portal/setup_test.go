package portal

import (
	"flag"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"manofwar/internal/ipc"
	netapi "manofwar/netmgr/api"
)

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
	if got := b.from(t, tablet, "GET", "/generate_204", "connectivitycheck.gstatic.com", nil); got.StatusCode != 302 {
		t.Errorf("a probe of another client: %s", got.Status)
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
	for _, path := range []string{"/setup/join", "/setup/add", "/setup/name", "/setup/country", "/setup/offline", "/setup/scan"} {
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

var update = flag.Bool("update", false, "write testdata/setup anew")

// TestSetupPages holds the pages to be what somebody has looked at. ui/test/setup.test.mjs shows the same files to axe.
func TestSetupPages(t *testing.T) {
	b := ashore(t)
	_, port, _ := net.SplitHostPort(b.addr)
	show := func(name, method, path string, form url.Values) {
		t.Helper()
		_, lang, _ := strings.Cut(name, ".")
		got := b.from(t, phone, method, path, "", form, "Accept-Language", lang)
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
	look := func(name, path string) { t.Helper(); show(name, "GET", path, nil) }
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
	for name, want := range map[string]string{" ": "NameMissing", strings.Repeat("ä", 64): "NameLong"} {
		got := b.from(t, phone, "POST", "/setup/name", "", url.Values{"name": {name}})
		if problem := reflect.ValueOf(english).FieldByName(want).String(); got.StatusCode != 200 || !strings.Contains(got.body, problem) {
			t.Errorf("the name %q: %s, want %q: %s", name, got.Status, problem, got.body)
		}
	}
	show("badname.de", "POST", "/setup/name", url.Values{"name": {strings.Repeat("Wohnzimmer ", 6)}})
	got := b.from(t, phone, "POST", "/setup/name", "", url.Values{"name": {" Wohnzimmer <TV> "}})
	if got.Header.Get("Location") != "/setup/done?named" {
		t.Fatalf("a name: %s to %q: %s", got.Status, got.Header.Get("Location"), got.body)
	}
	look("naming.en", got.Header.Get("Location"))
	b.rename(t, "Wohnzimmer <TV> (2)", "wohnzimmer-tv-2")
	look("named.de", "/setup/done?named=1")
	b.air.mu.Lock()
	b.air.settings.Name = nil
	b.air.mu.Unlock()
	b.rename(t, "", "manofwar-2")
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
