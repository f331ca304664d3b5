package upnp_test

import (
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"testing"

	"github.com/huin/goupnp"
	"github.com/huin/goupnp/scpd"

	"manofwar/services/portal/upnp"
	"manofwar/services/portal/upnp/gena"
	"manofwar/services/portal/upnp/soap"
	"manofwar/services/portal/upnp/ssdp"
)

// lamp is a device with one variable.
func lamp() *upnp.Device {
	light := &upnp.Service{
		Name: "light", Type: "urn:x:service:Light:1", ID: "urn:x:serviceId:Light",
		State:     func() []gena.Property { return []gena.Property{{Name: "On", Value: "1"}} },
		Variables: []upnp.Variable{{Name: "On", Type: "boolean", Evented: true}, {Name: "Level", Type: "ui2", Max: 100}, {Name: "Mode", Type: "string", Allowed: []string{"day", "night"}}},
		Actions: []upnp.Action{{
			Name: "Set", In: []upnp.Argument{{Name: "On", Variable: "On"}, {Name: "Level", Variable: "Level"}, {Name: "Mode", Variable: "Mode"}},
			Out: []upnp.Argument{{Name: "Was", Variable: "On"}},
			Do: func(ctx context.Context, in map[string]string) (map[string]string, error) {
				if in["Mode"] == "night" {
					return nil, errors.New("the night is <over>")
				}
				return map[string]string{"Was": in["On"] + " " + in["Level"] + " " + upnp.Host(ctx)}, nil
			},
		}},
	}
	return &upnp.Device{
		Kind: "Lamp", DLNA: "DMR-1.50", UUID: "00000000-0000-4000-8000-000000000001", Name: func() string { return "Küche & <Bad> " + strings.Repeat("ü", 60) }, Version: "1.0 (x)",
		Services: []*upnp.Service{light, upnp.ConnectionManager("a", "b", nil)},
		Server:   func(_ context.Context, h http.Handler) *http.Server { return &http.Server{Handler: h} },
		Announce: func(ctx context.Context, _ ssdp.Device) error { <-ctx.Done(); return nil },
		Log:      slog.New(slog.DiscardHandler),
	}
}

// lit runs the lamp and returns the address of its description.
func lit(t *testing.T) (base string, stop func()) {
	t.Helper()
	d := lamp()
	at := make(chan string, 1)
	announce := d.Announce
	d.Announce = func(ctx context.Context, a ssdp.Device) error {
		at <- a.Location(netip.MustParseAddr("127.0.0.1"))
		return announce(ctx, a)
	}
	followed := false
	d.Follow = func(ctx context.Context) { <-ctx.Done(); followed = true }
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- d.Run(ctx, func() {}) }()
	stop = func() {
		cancel()
		if err := <-done; err != nil || !followed {
			t.Errorf("%v; followed to the end: %v", err, followed)
		}
	}
	return strings.TrimSuffix(<-at, "/description.xml"), stop
}

func do(t *testing.T, method, url, body string, field ...string) (int, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i+1 < len(field); i += 2 {
		if field[i] == "Host" {
			req.Host = field[i+1]
		}
		req.Header.Set(field[i], field[i+1])
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(data)
}

func set(on, level, mode string) string {
	return `<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body><u:Set xmlns:u="urn:x:service:Light:1"><On>` + on + `</On><Level>` + level + `</Level><Mode>` + mode + `</Mode></u:Set></s:Body></s:Envelope>`
}

func TestControl(t *testing.T) {
	base, stop := lit(t)
	defer stop()
	host := strings.TrimPrefix(base, "http://")
	for _, tt := range []struct {
		body string
		code int
		want string
	}{
		{set("true", " 40 ", "day"), 200, "<Was>1 40 " + host + "</Was>"},
		{set("maybe", "40", "day"), 500, "<errorCode>402<"},
		{set("1", "101", "day"), 500, "<errorCode>600<"},
		{set("1", "-1", "day"), 500, "<errorCode>402<"},
		{set("1", "1", "noon"), 500, "<errorCode>600<"},
		{set("1", "1", "night"), 500, "<errorCode>501</errorCode><errorDescription>the night is &lt;over&gt;<"},
		{strings.ReplaceAll(set("1", "1", "day"), "u:Set", "u:Get"), 500, "<errorCode>401<"},
		{strings.ReplaceAll(set("1", "1", "day"), "Light:1", "Other:1"), 500, "<errorCode>401<"},
		{strings.ReplaceAll(set("1", "1", "day"), "<Level>1</Level>", ""), 500, "<errorCode>402<"},
		{set("1", strings.Repeat("1", soap.MaxBody), "day"), 500, "<errorCode>401<"},
		{"", 500, "<errorCode>401<"},
	} {
		if code, body := do(t, "POST", base+"/light/control", tt.body); code != tt.code || !strings.Contains(body, tt.want) {
			t.Errorf("%.300s: %d %s; want %s", tt.body, code, body, tt.want)
		}
	}
}

// TestOthersPages cannot have a browser call the device in their place.
func TestOthersPages(t *testing.T) {
	base, stop := lit(t)
	defer stop()
	for _, fields := range [][]string{
		{"Host", "evil.example"}, {"Host", "evil.example:80"}, {"Origin", "http://evil.example"}, {"Origin", "null"}, {"Sec-Fetch-Site", "cross-site"},
	} {
		if code, body := do(t, "POST", base+"/light/control", set("1", "1", "day"), fields...); code != 403 || body != "" {
			t.Errorf("%v: %d %s", fields, code, body)
		}
	}
	for addr, want := range map[string]bool{"192.168.1.1": true, "fe80::1": true, "fd00::1": true, "127.0.0.1": true, "::ffff:10.0.0.1": true, "8.8.8.8": false, "2001:db8::1": false} {
		if got := upnp.Home(netip.MustParseAddr(addr)); got != want {
			t.Errorf("%s: %v", addr, got)
		}
	}
}

// TestDescriptions has a stock reader make sense of them.
func TestDescriptions(t *testing.T) {
	base, stop := lit(t)
	defer stop()
	code, text := do(t, "GET", base+"/description.xml", "")
	var root goupnp.RootDevice
	if err := xml.Unmarshal([]byte(text), &root); err != nil || code != 200 {
		t.Fatalf("%d, %v: %s", code, err, text)
	}
	d := root.Device
	if len(d.FriendlyName) > 63 || !strings.HasPrefix(d.FriendlyName, "Küche & <Bad> ü") || d.UDN != "uuid:00000000-0000-4000-8000-000000000001" || d.DeviceType != "urn:schemas-upnp-org:device:Lamp:1" {
		t.Errorf("got %+v", d)
	}
	for _, s := range d.Services {
		code, text := do(t, "GET", base+s.SCPDURL.Str, "")
		var described scpd.SCPD
		if err := xml.Unmarshal([]byte(text), &described); err != nil || code != 200 {
			t.Fatalf("%d, %v: %s", code, err, text)
		}
		for _, a := range described.Actions {
			for _, arg := range a.Arguments {
				if described.GetStateVariable(arg.RelatedStateVariable) == nil {
					t.Errorf("%s: %s of %s is of %s, which there is not", s.ServiceType, arg.Name, a.Name, arg.RelatedStateVariable)
				}
			}
		}
		if code, _ := do(t, "GET", base+s.EventSubURL.Str, ""); code != 405 {
			t.Errorf("%s: %d", s.EventSubURL.Str, code)
		}
	}
}

func TestStopsWhenItIsOver(t *testing.T) {
	base, stop := lit(t)
	stop()
	if _, err := http.Get(base + "/description.xml"); err == nil {
		t.Error("it answers still")
	}
}

// TestOldTelevisions do not say by which address they ask.
func TestOldTelevisions(t *testing.T) {
	base, stop := lit(t)
	defer stop()
	host := strings.TrimPrefix(base, "http://")
	conn, err := net.Dial("tcp", host)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	body := set("1", "1", "day")
	fmt.Fprintf(conn, "POST /light/control HTTP/1.0\r\nContent-Type: text/xml\r\nContent-Length: %d\r\n\r\n%s", len(body), body)
	answer, err := io.ReadAll(conn)
	if err != nil || !strings.Contains(string(answer), "<Was>1 1 "+host+"</Was>") {
		t.Errorf("%s, %v", answer, err)
	}
}

func TestUUID(t *testing.T) {
	a, b := upnp.UUID("seed", "renderer"), upnp.UUID("seed", "server")
	if a == b || a != upnp.UUID("seed", "renderer") || len(a) != 36 || a[14] != '8' {
		t.Errorf("%s, %s", a, b)
	}
}

func ExampleLastChange() {
	fmt.Println(upnp.LastChange("urn:x", map[string]string{"Volume": "3", "A": "<>"}, map[string]bool{"Volume": true}))
	// Output: <Event xmlns="urn:x"><InstanceID val="0"><A val="&lt;&gt;"/><Volume channel="Master" val="3"/></InstanceID></Event>
}
