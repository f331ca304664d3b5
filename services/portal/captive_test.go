package portal

import (
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	netapi "manofwar/netmgr/api"
)

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
