//go:build vm

package vm

import (
	"net/http"
	"strings"
	"testing"

	"manofwar/internal/lab/peers"
)

// world boots a dongle among radios. A failed test shows its console.
func world(t *testing.T, cfg peers.Config) *peers.World {
	t.Helper()
	cfg.Image = imageFor(t, peers.Board)
	w, err := peers.Start(t.Context(), t.TempDir(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		w.Close()
		if t.Failed() {
			t.Logf("console:\n%s", w.Console)
		}
	})
	return w
}

// TestDongleKnowsItsRadio looks at a dongle without any network from the outside.
func TestDongleKnowsItsRadio(t *testing.T) {
	w := world(t, peers.Config{Radios: 3, Dongle: 1})
	out, err := w.Dongle().Run(t.Context(), "iw", "dev")
	must(t, err)
	if n := strings.Count(out, "Interface "); n != 1 || !strings.Contains(out, "Interface wlan0") {
		t.Errorf("interfaces of the dongle:\n%s", out)
	}
	if _, err := w.Dongle().Run(t.Context(), "iw", "reg", "set", "DE"); err != nil {
		t.Error(err)
	}
	must(t, w.Await(t.Context(), "the kernel knows Germany's rules", func() bool {
		out, err := w.Dongle().Run(t.Context(), "iw", "reg", "get")
		return err == nil && strings.Contains(out, "country DE: DFS-ETSI")
	}))
	_, err = w.Expect(t.Context(), 0, `ready\.all_s`)
	must(t, err)
	resp, err := w.Dongle().Client().Get("http://127.0.0.1/healthz")
	must(t, err)
	must(t, resp.Body.Close())
	if resp.StatusCode != http.StatusOK {
		t.Error(resp.Status)
	}
}
