package portal

import (
	"cmp"
	"context"
	"errors"
	"html"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"syscall"
	"testing"
	"time"

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

// rename says what the device is called now, and waits until its pages do.
func (b *boat) rename(t *testing.T, name, hostname string) {
	t.Helper()
	b.air.set(t, func(s *netapi.Status) { s.Name, s.Hostname = name, hostname })
	title := "– " + html.EscapeString(cmp.Or(name, hostname)) + "</title>"
	for end := time.Now().Add(10 * time.Second); !strings.Contains(b.from(t, phone, "GET", "/setup/add?kind=phone", "", nil).body, title); {
		if time.Now().After(end) {
			t.Fatalf("the pages do not say %q", title)
		}
	}
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
