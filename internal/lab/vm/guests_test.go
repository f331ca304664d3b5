//go:build vm

package vm

import (
	"net/http"
	"strings"
	"testing"

	"manofwar/internal/lab"
)

// admitGuests turns on what comes in without a password: the portal must be able to open those sockets from within its sandbox.
func admitGuests(t *testing.T, m *lab.Machine) {
	choose := func(choices string) {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPut, "http://"+m.Addr(page)+"/api/v1/guests", strings.NewReader(choices))
		must(t, err)
		req.Header.Set("Content-Type", "application/json")
		resp, err := http.DefaultClient.Do(req)
		must(t, err)
		must(t, resp.Body.Close())
		if resp.StatusCode != http.StatusOK {
			t.Fatalf("%s: %s", choices, resp.Status)
		}
	}
	choose(`{"renderer":{"on":true},"server":{"on":true}}`)
	must(t, m.Await(t.Context(), "guests can come", func() bool {
		var log struct{ Lines []struct{ Text string } }
		var now struct{ Problems map[string]string }
		if m.JSON(t.Context(), page, "/api/v1/services/portal/log", &log) != nil || m.JSON(t.Context(), page, "/api/v1/guests", &now) != nil {
			return false
		}
		for protocol, problem := range now.Problems {
			t.Errorf("%s: %s", protocol, problem)
		}
		come := 0
		for _, l := range log.Lines {
			if strings.Contains(l.Text, "guests can come") {
				come++
			}
		}
		return come >= 2 || len(now.Problems) > 0
	}))
	choose(`{"renderer":{"on":false},"server":{"on":false}}`)
}
