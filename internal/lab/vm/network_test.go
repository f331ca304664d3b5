//go:build vm

package vm

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"manofwar/internal/lab/peers"
	"manofwar/internal/setup"
	netapi "manofwar/netmgr/api"
)

// world boots a dongle among radios. A failed test shows its console.
func world(t *testing.T, cfg peers.Config) *peers.World {
	t.Helper()
	cfg.Image = imageFor(t, peers.Board)
	if cfg.Limit == 0 {
		cfg.Limit = 10 * time.Minute
	}
	w, err := peers.Start(context.WithoutCancel(t.Context()), t.TempDir(), cfg) // a failed test still asks it what happened
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if t.Failed() && !cfg.Alone {
			t.Logf("console:\n%s\nnetwork manager:\n%s", w.Console, journal(w, "netmgr"))
			if cfg.Screen != nil {
				t.Logf("player:\n%s", journal(w, "player"))
			}
		}
		w.Close()
	})
	return w
}

// journal is what a service of the dongle has written.
func journal(w *peers.World, service string) string {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second) // the test's own is over
	defer cancel()
	var log struct{ Lines []json.RawMessage }
	if err := w.Ask(ctx, http.MethodGet, "/api/v1/services/"+service+"/log?tail=150", nil, &log); err != nil {
		return err.Error()
	}
	var b strings.Builder
	for _, line := range log.Lines {
		b.Write(line)
		b.WriteByte('\n')
	}
	return b.String()
}

// The networks of the tests.
var (
	home    = peers.RouterConfig{Name: "home", SSID: "Home", Passphrase: "correct horse", Security: peers.WPA2, Channel: 6}
	hotspot = peers.RouterConfig{Name: "hotspot", SSID: "Name’s iPhone", Passphrase: "battery staple", Security: peers.WPA2, Channel: 1}
	sticker = setup.WiFi{SSID: "FRITZ!Box 7590 AB", Passphrase: "12345678901234567890"} // what home's router falls back to
	known   = setup.Setup{Country: "DE", WiFi: []setup.WiFi{wifi(home), sticker, wifi(hotspot)}}
)

func wifi(r peers.RouterConfig) setup.WiFi {
	return setup.WiFi{SSID: r.SSID, Passphrase: r.Passphrase}
}

// settled waits until the dongle is in a network with the internet.
func settled(t *testing.T, w *peers.World, ssid string, limit time.Duration) netapi.Status {
	t.Helper()
	s, err := w.AwaitNetwork(t.Context(), "the dongle is in "+ssid, limit, peers.In(ssid, netapi.Good))
	must(t, err)
	return s
}

// steady waits until the dongle has been well in a network for more than a minute: sooner it neither leaves it by choice nor
// trusts it as before.
func steady(t *testing.T, w *peers.World, ssid string) {
	t.Helper()
	const minute = 65 * time.Second
	since := time.Now()
	_, err := w.AwaitNetwork(t.Context(), "the dongle has been in "+ssid+" for a minute", 2*minute, func(s netapi.Status) bool {
		if !peers.In(ssid, netapi.Good)(s) {
			since = time.Now()
		}
		return time.Since(since) > minute
	})
	must(t, err)
}

// TestAloneAndBack is one dongle from its first boot, without any network that it knows, through the death of its network
// manager in every state, to the loss of its network and its return.
func TestAloneAndBack(t *testing.T) {
	ctx := t.Context()
	w := world(t, peers.Config{Radios: 3, Dongle: 1, Prepare: peers.WithSetup(ctx, known)})
	phone, err := w.NewPhone(ctx, "phone")
	must(t, err)
	own := appears(t, phone)
	t.Logf("%s seen %.1f s after power-on", own, time.Since(w.Boots()[0].Began).Seconds())
	if took := time.Since(w.Boots()[0].Began); took > appearLimit {
		t.Errorf("the dongle's network was seen %v after power-on; want at most %v", took, appearLimit)
	}
	t.Run("one radio and a country", func(t *testing.T) { oneRadio(t, w) })
	t.Run("own network, manager killed", func(t *testing.T) {
		must(t, w.Kill(ctx, netapi.Name))
		if again := appears(t, phone); again != own {
			t.Errorf("the dongle's network is now called %q; want %q", again, own)
		}
	})
	router, err := w.NewRouter(ctx, home)
	must(t, err)
	settled(t, w, home.SSID, time.Minute)
	t.Run("home network, manager killed", func(t *testing.T) {
		for range 3 {
			killManager(t, w)
		}
	})
	t.Run("home network lost", func(t *testing.T) {
		began := time.Now()
		_, err = router.PowerCut(ctx)
		must(t, err)
		appears(t, phone)
		t.Logf("the dongle's network seen %.1f s after the power cut", time.Since(began).Seconds())
		must(t, router.PowerOn(ctx))
		settled(t, w, home.SSID, time.Minute)
	})
}

// appearLimit is how long the dongle's own network may take to be seen.
const appearLimit = 45 * time.Second

// appears waits until the phone sees the dongle's own network, and returns its name.
func appears(t *testing.T, phone *peers.Phone) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), appearLimit)
	defer cancel()
	ssid, err := phone.Find(ctx, "manofwar")
	must(t, err)
	return ssid
}

// oneRadio looks at the dongle's WiFi as the kernel has it: the other radios are not the dongle's, and the database of
// what is allowed where was there in time.
func oneRadio(t *testing.T, w *peers.World) {
	out, err := w.Dongle().Run(t.Context(), "sh", "-c", "ls /sys/class/ieee80211; iw reg get")
	must(t, err)
	if lines := peers.Lines(out); lines[0] != "phy0" || lines[1] != "global" {
		t.Errorf("the dongle has other radios than phy0:\n%s", out)
	}
	if !strings.Contains(out, "country DE: DFS-ETSI") {
		t.Errorf("the country is not the one of setup.json:\n%s", out)
	}
}

// killManager kills the network manager of a dongle that is at home, and waits until it is so again.
func killManager(t *testing.T, w *peers.World) {
	t.Helper()
	must(t, w.Kill(t.Context(), netapi.Name))
	began := time.Now()
	must(t, w.Await(t.Context(), "it has been started again", func() bool {
		var s status
		return w.Ask(t.Context(), http.MethodGet, "/api/v1/status", nil, &s) == nil && s.service(netapi.Name).Ready
	}))
	settled(t, w, home.SSID, time.Minute)
	t.Logf("in the network again %.1f s after a kill", time.Since(began).Seconds())
}

// TestJoinsWhatSetupSays boots with a setup.json that knows networks of all kinds of protection, and one that does not say
// its name. They are there one after the other.
func TestJoinsWhatSetupSays(t *testing.T) {
	ctx := t.Context()
	networks := []struct {
		router peers.RouterConfig
		hidden bool
	}{
		{peers.RouterConfig{Name: "wpa2", SSID: "Home", Passphrase: "correct horse", Security: peers.WPA2, Channel: 6}, false},
		{peers.RouterConfig{Name: "wpa3", SSID: "Home 3", Passphrase: "battery staple", Security: peers.WPA3, Channel: 11}, false},
		{peers.RouterConfig{Name: "mixed", SSID: "浜辺", Passphrase: "correct battery", Security: peers.Mixed, Channel: 1}, false},
		{peers.RouterConfig{Name: "open", SSID: "Open Café", Security: peers.Open, Channel: 6}, false},
		{peers.RouterConfig{
			Name: "hidden", SSID: "Nobody’s", Passphrase: "horse staple", Security: peers.WPA3, Channel: 36,
			Lines: []string{"country_code=DE", "ieee80211d=1", "ignore_broadcast_ssid=1"},
		}, true},
	}
	s := setup.Setup{Country: "DE"}
	for _, n := range networks {
		s.WiFi = append(s.WiFi, setup.WiFi{SSID: n.router.SSID, Passphrase: n.router.Passphrase, Hidden: n.hidden})
	}
	w := world(t, peers.Config{Radios: 1 + len(networks), Dongle: 1, Prepare: peers.WithSetup(ctx, s)})
	for _, n := range networks {
		t.Run(n.router.Name, func(t *testing.T) {
			router, err := w.NewRouter(ctx, n.router)
			must(t, err)
			began := time.Now()
			reachable(t, w, router.Place, settled(t, w, n.router.SSID, time.Minute))
			t.Logf("the internet is judged to be there %.1f s after the router was switched on", time.Since(began).Seconds())
			_, err = router.PowerCut(ctx)
			must(t, err)
		})
	}
}

// reachable opens the dongle's page from somebody else's computer in its network.
func reachable(t *testing.T, w *peers.World, from *peers.Place, s netapi.Status) {
	t.Helper()
	for _, l := range s.Links {
		if l.WiFi == nil || len(l.Addresses) == 0 {
			continue
		}
		resp, err := from.Client().Get("http://" + l.Addresses[0].Addr().String() + "/healthz")
		must(t, err)
		must(t, resp.Body.Close())
		if resp.StatusCode != http.StatusOK {
			t.Errorf("the page in %s: %s", l.WiFi.SSID, resp.Status)
		}
		return
	}
	t.Errorf("no WiFi link has an address: %+v", s)
}

// TestRouterTrouble plays a week of a bad router: its plug is pulled, it comes back as it left the factory, the phone's
// hotspot steps in, and in the end all is as before.
func TestRouterTrouble(t *testing.T) {
	ctx := t.Context()
	w := world(t, peers.Config{Radios: 3, Dongle: 1, Prepare: peers.WithSetup(ctx, known)})
	router, err := w.NewRouter(ctx, home)
	must(t, err)
	settled(t, w, home.SSID, time.Minute)
	watching, err := w.Dongle().Watch(ctx)
	must(t, err)

	must(t, router.Reset(ctx, sticker.SSID, sticker.Passphrase))
	settled(t, w, sticker.SSID, time.Minute)
	phone, err := w.NewRouter(ctx, hotspot)
	must(t, err)
	cut, err := router.PowerCut(ctx)
	must(t, err)
	at, err := watching.Until(ctx, hotspot.Name, cut)
	must(t, err)
	t.Logf("the hotspot serves %.2f s after the power cut", (at - cut).Seconds())
	settled(t, w, hotspot.SSID, 30*time.Second)

	must(t, router.Reset(ctx, home.SSID, home.Passphrase))
	settled(t, w, home.SSID, 3*time.Minute) // it must have been well for a minute
	_, err = phone.PowerCut(ctx)
	must(t, err)
	settled(t, w, home.SSID, time.Second)

	// It comes up once more, and lends no addresses. Nobody can use it then, so the phone is better.
	_, err = router.PowerCut(ctx)
	must(t, err)
	router.StallDHCP()
	must(t, router.PowerOn(ctx))
	_, err = w.AwaitNetwork(ctx, "the dongle waits for an address", time.Minute, peers.In(home.SSID, netapi.Associated))
	must(t, err)
	must(t, phone.PowerOn(ctx))
	settled(t, w, hotspot.SSID, time.Minute)
}

// TestInternetTrouble breaks the internet behind routers that are well: the dongle stays where it is if there is nothing
// better, and goes to the other network if there is, whatever it is that is broken.
func TestInternetTrouble(t *testing.T) {
	ctx := t.Context()
	w := world(t, peers.Config{Radios: 3, Dongle: 1, Prepare: peers.WithSetup(ctx, known)})
	router, err := w.NewRouter(ctx, home)
	must(t, err)
	settled(t, w, home.SSID, time.Minute)
	_, err = router.BlackHole(ctx, true)
	must(t, err)
	_, err = w.AwaitNetwork(ctx, "the dongle knows that only the home is left", 30*time.Second, peers.In(home.SSID, netapi.LANOnly))
	must(t, err)
	phone, err := w.NewRouter(ctx, hotspot)
	must(t, err)
	settled(t, w, hotspot.SSID, time.Minute)
	_, err = router.BlackHole(ctx, false)
	must(t, err)

	for _, trouble := range []struct {
		name    string
		at      *peers.Router
		on, off func(*peers.Router) error
		next    *peers.Router
	}{
		{
			"names", phone,
			func(r *peers.Router) error { return r.Serve(ctx, false) },
			func(r *peers.Router) error { return r.Serve(ctx, true) },
			router,
		},
		{
			"HTTP", router,
			func(r *peers.Router) error { r.RefuseHTTP(); return nil },
			func(r *peers.Router) error { return r.Online(ctx) },
			phone,
		},
		{
			"answers that are nobody's but a portal's", phone,
			func(r *peers.Router) error { return r.Captivate(ctx) },
			func(r *peers.Router) error { _, err := r.PowerCut(ctx); return err },
			router,
		},
	} {
		steady(t, w, trouble.at.Config.SSID)
		began := time.Now()
		must(t, trouble.on(trouble.at))
		settled(t, w, trouble.next.Config.SSID, time.Minute)
		t.Logf("without %s: in the other network after %.1f s", trouble.name, time.Since(began).Seconds())
		must(t, trouble.off(trouble.at))
	}
	must(t, router.Captivate(ctx))
	s, err := w.AwaitNetwork(ctx, "the dongle knows that somebody wants it to sign in", time.Minute, peers.In(home.SSID, netapi.Captive))
	must(t, err)
	if s.Links[0].Login != "http://portal.hotel.example/sign-in" {
		t.Errorf("where to sign in: %q", s.Links[0].Login)
	}
}

// TestPhoneSetsUp is the first evening: a phone joins the dongle's network, its system finds the sign-in page, its owner
// mistypes the home's password and then types it right, and the phone stays connected all the while.
func TestPhoneSetsUp(t *testing.T) {
	ctx := t.Context()
	const passphrase = "from-the-screen"
	w := world(t, peers.Config{Radios: 3, Dongle: 1, Prepare: peers.WithSetup(ctx, setup.Setup{AccessPoint: &setup.AccessPoint{Passphrase: passphrase}})})
	_, err := w.NewRouter(ctx, home)
	must(t, err)
	phone, err := w.NewPhone(ctx, "phone")
	must(t, err)
	ssid, err := phone.Find(ctx, "manofwar")
	must(t, err)
	must(t, phone.Join(ctx, ssid, passphrase))
	own, err := phone.Gateway(ctx)
	must(t, err)
	page, err := phone.Get(ctx, "http://captive.apple.com/hotspot-detect.html")
	if err != nil || !strings.Contains(page, "Location: http://"+own+"/setup") {
		t.Fatalf("what Apple's phones look for: %q, %v; want them led to the setup page", page, err)
	}

	wrong := submit(t, phone, own, "wrong horse")
	if !strings.Contains(wrong, "assword") || strings.Contains(wrong, "Connected") {
		t.Errorf("after a wrong password the page says:\n%s", wrong)
	}
	began := time.Now()
	submit(t, phone, own, home.Passphrase)
	settled(t, w, home.SSID, time.Minute)
	t.Logf("in the home's network %.1f s after its password was sent", time.Since(began).Seconds())
	if n := phone.Disconnects(); n != 0 {
		t.Errorf("the phone lost the dongle's network %d times", n)
	}
	if _, err := phone.Get(ctx, "http://"+own+"/healthz"); err != nil {
		t.Errorf("the phone has lost the page: %v", err)
	}
	page, err = phone.Get(ctx, "http://captive.apple.com/hotspot-detect.html")
	if err != nil || !strings.Contains(page, "<BODY>Success</BODY>") {
		t.Errorf("what keeps the phone in the network: %q, %v; want what Apple has on the internet", page, err)
	}
	t.Run("and gives it a name", func(t *testing.T) { name(t, w, phone, own) })
}

// name gives the dongle a name by the setup page: it is found by it, and whoever is in its own network stays there.
func name(t *testing.T, w *peers.World, phone *peers.Phone, own string) {
	ctx := t.Context()
	began := time.Now()
	page, err := phone.Run(ctx, "curl", "-s", "-S", "-i", "--max-time", "20", "--data", url.Values{"name": {"Küche TV"}}.Encode(), "http://"+own+"/setup/name")
	if err != nil || !strings.Contains(page, "Location: /setup/done?named") {
		t.Fatalf("the setup page answers %q, %v", page, err)
	}
	must(t, phone.Until(ctx, func() bool {
		page, err = phone.Get(ctx, "http://"+own+"/setup/done?named=9")
		return err == nil && strings.Contains(page, `"http://kueche-tv.local"`)
	}))
	t.Logf("found by its new name after %.1f s", time.Since(began).Seconds())
	if page, err = phone.Get(ctx, "http://kueche-tv.local/healthz"); err != nil || !strings.Contains(page, "200 OK") {
		t.Errorf("by its new name: %q, %v", page, err)
	}
	if n := phone.Disconnects(); n != 0 {
		t.Errorf("the phone lost the dongle's network %d times", n)
	}
	s, err := w.AwaitNetwork(ctx, "the dongle tells its name", 10*time.Second, func(s netapi.Status) bool { return s.Name == "Küche TV" })
	must(t, err)
	if s.AccessPoint == nil || !strings.HasPrefix(s.AccessPoint.SSID, "manofwar ") {
		t.Errorf("its own network, which the phone is in, is now %+v", s.AccessPoint)
	}
}

// submit types the home's password into the setup page, and returns the page that says what came of it.
func submit(t *testing.T, phone *peers.Phone, own, passphrase string) string {
	t.Helper()
	ctx := t.Context()
	form := url.Values{"n": {"SG9tZQ"}, "passphrase": {passphrase}} // the name in base64, as the list has it
	page, err := phone.Run(ctx, "curl", "-s", "-S", "-i", "--max-time", "20", "--data", form.Encode(), "http://"+own+"/setup/join")
	must(t, err)
	where := regexp.MustCompile(`(?m)^Location: (\S+)`).FindStringSubmatch(page)
	if where == nil {
		t.Fatalf("the setup page answers:\n%s", page)
	}
	must(t, phone.Until(ctx, func() bool {
		page, err = phone.Get(ctx, "http://"+own+where[1])
		return err == nil && !strings.Contains(page, `http-equiv="refresh"`)
	}))
	return page
}
