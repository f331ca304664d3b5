//go:build vm

package vm

import (
	"fmt"
	"io"
	"net/http"
	"testing"
	"time"

	"manofwar/internal/lab"
)

// openMedia begins to read an item, and leaves most of it for later.
func openMedia(t *testing.T, m *lab.Machine, id string) io.ReadCloser {
	t.Helper()
	req, err := http.NewRequestWithContext(within(t, time.Minute), http.MethodGet, fmt.Sprintf("http://%s/media/%s/file", m.Addr(page), id), nil)
	must(t, err)
	resp, err := http.DefaultClient.Do(req)
	must(t, err)
	t.Cleanup(func() { _ = resp.Body.Close() })
	if _, err := io.ReadFull(resp.Body, make([]byte, 64<<10)); err != nil {
		t.Fatal(err)
	}
	return resp.Body
}

// readUntilItBreaks reads on. What the page cache still holds may arrive, but a short answer must not look whole.
func readUntilItBreaks(t *testing.T, body io.Reader) {
	t.Helper()
	n, err := io.Copy(io.Discard, body)
	t.Logf("after the disk was pulled: %d more bytes, then %v", n, err)
}
