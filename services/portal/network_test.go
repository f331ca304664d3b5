package portal

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"

	"manofwar/internal/ipc"
	netapi "manofwar/netmgr/api"
)

// send sends JSON and returns the answer.
func (b *boat) send(t *testing.T, method, path, body string) reply {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, "http://"+b.addr+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := plainTransport.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return reply{resp, string(text)}
}

func TestNetworkRoutes(t *testing.T) {
	b := ashore(t)
	if n := decode[netapi.Networks](t, b.do(t, "GET", "/api/v1/network/networks", nil)); len(n.Networks) != 5 {
		t.Errorf("networks: %+v", n)
	}
	if n := decode[netapi.Networks](t, b.do(t, "POST", "/api/v1/network/scan", nil)); len(n.Networks) != 5 || b.air.scans != 1 {
		t.Errorf("scan: %+v, %d scans", n, b.air.scans)
	}
	if h := b.do(t, "GET", "/api/v1/network/history", nil); h.body != "[]" {
		t.Errorf("history of nothing: %s", h.body)
	}
	home := decode[netapi.Profile](t, b.send(t, "POST", "/api/v1/network/profiles", `{"name":"Home","ssid":"Home","passphrase":"correct horse"}`))
	decode[netapi.Profile](t, b.send(t, "POST", "/api/v1/network/profiles", `{"name":"Phone","ssid":"Phone","passphrase":"correct horse","metered":true}`))
	if got := b.send(t, "PUT", "/api/v1/network/profiles/"+home.ID, `{"name":"My home"}`); decode[netapi.Profile](t, got).Name != "My home" {
		t.Errorf("change: %s %s", got.Status, got.body)
	}
	if got := decode[[]netapi.Profile](t, b.send(t, "PUT", "/api/v1/network/order", `["p2","p1"]`)); got[0].ID != "p2" {
		t.Errorf("order: %+v", got)
	}
	if got := b.do(t, "DELETE", "/api/v1/network/profiles/p2", nil); got.StatusCode != http.StatusNoContent {
		t.Errorf("forget: %s %s", got.Status, got.body)
	}
	if got := b.do(t, "DELETE", "/api/v1/network/profiles/p2", nil); got.StatusCode != http.StatusNotFound {
		t.Errorf("forget again: %s %s", got.Status, got.body)
	}
	if got := decode[[]netapi.Profile](t, b.do(t, "GET", "/api/v1/network/profiles", nil)); len(got) != 1 {
		t.Errorf("profiles: %+v", got)
	}
	a := decode[netapi.Attempt](t, b.send(t, "POST", "/api/v1/network/attempts", `{"ssid":"Home","passphrase":"wrong horse"}`))
	b.air.proceed(t)
	if got := decode[netapi.Attempt](t, b.do(t, "GET", "/api/v1/network/attempts/"+a.ID, nil)); got.State != netapi.WrongPassword {
		t.Errorf("attempt: %+v", got)
	}
	if got := decode[netapi.Settings](t, b.send(t, "PUT", "/api/v1/network/settings", `{"country":"DE"}`)); *got.Country != "DE" {
		t.Errorf("settings: %+v", got)
	}
	e := decode[netapi.Exported](t, b.send(t, "POST", "/api/v1/network/export", `{"passphrase":"four words and more"}`))
	in, err := json.Marshal(netapi.ImportRequest{Passphrase: "four words and more", Data: e.Data})
	if err != nil {
		t.Fatal(err)
	}
	if got := decode[netapi.Imported](t, b.send(t, "POST", "/api/v1/network/import", string(in))); got.Profiles != 2 {
		t.Errorf("import: %+v", got)
	}
	if got := b.send(t, "POST", "/api/v1/network/import", `{"passphrase":"x","data":"AAAA"}`); got.StatusCode != 400 {
		t.Errorf("import of nothing: %s", got.Status)
	}
	if got := b.send(t, "POST", "/api/v1/network/profiles", `{"sid":"Home"}`); got.StatusCode != 400 {
		t.Logf("a field that is not known: %s %s", got.Status, got.body)
	}
}

// TestPassphraseOfOurOwn holds that the access point's password is told by its own routes alone.
func TestPassphraseOfOurOwn(t *testing.T) {
	b := ashore(t)
	const secret = "secret-of-the-boat"
	for _, path := range []string{"/api/v1/status", "/api/v1/network"} {
		if got := b.do(t, "GET", path, nil); got.StatusCode != 200 || strings.Contains(got.body, secret) || !strings.Contains(got.body, `"access_point"`) {
			t.Errorf("%s: %s %s", path, got.Status, got.body)
		}
	}
	events := b.listen(t)
	for ev := range events {
		if strings.Contains(string(ev.Data), secret) {
			t.Errorf("event %s: %s", ev.Kind, ev.Data)
		}
		if ev.Kind == "notices" {
			break
		}
	}
	if key := decode[accessPointKey](t, b.do(t, "GET", "/api/v1/network/access-point", nil)); key.Passphrase != secret || key.SSID != "manofwar" {
		t.Errorf("key: %+v", key)
	}
	picture := b.do(t, "GET", "/api/v1/network/access-point/qr.svg", nil)
	if picture.Header.Get("Content-Type") != "image/svg+xml" || picture.Header.Get("Cache-Control") != "no-store" || !strings.HasPrefix(picture.body, "<svg") {
		t.Errorf("QR code: %s %v", picture.Status, picture.Header)
	}
	b.air.set(t, func(s *netapi.Status) { s.AccessPoint = nil })
	if got := b.do(t, "GET", "/api/v1/network/access-point", nil); got.StatusCode != 404 || decode[ipc.Error](t, got).Hint == "" {
		t.Errorf("where there is none: %s %s", got.Status, got.body)
	}
}

func TestAttemptsAreNews(t *testing.T) {
	b := ashore(t)
	events := b.listen(t)
	for ev := range events {
		if ev.Kind == "notices" {
			break
		}
	}
	if err := b.network.Publish("attempt", netapi.Attempt{ID: "t1", SSID: "Home", State: netapi.Addressing}); err != nil {
		t.Fatal(err)
	}
	for ev := range events {
		if ev.Kind == "attempt" {
			if !strings.Contains(string(ev.Data), `"addressing"`) {
				t.Errorf("attempt: %s", ev.Data)
			}
			return
		}
	}
	t.Error("the stream ended")
}
