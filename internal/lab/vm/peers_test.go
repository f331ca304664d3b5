//go:build vm

package vm

import (
	"strings"
	"testing"

	"manofwar/internal/lab/peers"
)

// TestPeersAmongThemselves holds the lab to what the tests of the dongle take for granted: its routers, phones and computers
// work together without a dongle.
func TestPeersAmongThemselves(t *testing.T) {
	ctx := t.Context()
	w := world(t, peers.Config{Alone: true, Radios: 3})
	router, err := w.NewRouter(ctx, home)
	must(t, err)
	phone, err := w.NewPhone(ctx, "phone")
	must(t, err)
	_, err = phone.Find(ctx, "Home")
	must(t, err)
	must(t, phone.Join(ctx, "Home", home.Passphrase))
	for url, want := range map[string]string{
		"http://example.org/":                      "home",
		"http://cp.cloudflare.com/generate_204":    "204 No Content",
		"http://" + peers.InternetAddress + "/any": "home",
	} {
		if page, err := phone.Get(ctx, url); err != nil || !strings.Contains(page, want) {
			t.Errorf("%s: %q, %v; want %s", url, page, err, want)
		}
	}
	must(t, router.Captivate(ctx))
	if page, err := phone.Get(ctx, "http://example.org/"); err != nil || !strings.Contains(page, "Location: http://portal.hotel.example/sign-in") {
		t.Errorf("a captive network answers %q, %v", page, err)
	}
	conn, err := phone.Dial(ctx, router.Address()+":80")
	must(t, err)
	must(t, conn.Close())

	computer, err := w.NewComputer(ctx, "computer")
	must(t, err)
	must(t, computer.Know(ctx, "Home", home.Passphrase, 0))
	must(t, w.Await(ctx, "the computer reaches the router", func() bool {
		_, err := computer.Run(ctx, "ping", "-c", "1", "-W", "1", router.Address())
		return err == nil
	}))
}
