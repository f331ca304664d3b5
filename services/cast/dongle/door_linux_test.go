package dongle

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net/http/httptest"
	"path/filepath"
	"syscall"
	"testing"

	"manofwar/internal/identity"
	"manofwar/internal/media"
	"manofwar/internal/peerlink"
)

// TestNoPipeIsSent has a library with a named pipe in it: nobody writes there, and nothing waits for that.
func TestNoPipeIsSent(t *testing.T) {
	a := newHome(t, "A", t.TempDir(), peerlink.Skew{})
	friend, err := identity.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	pipe := filepath.Join(t.TempDir(), "song.flac")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	a.network.door.offer(friend.ID, "s1.1.1", pipe)
	r := httptest.NewRequestWithContext(t.Context(), "GET", "/items/s1.1.1", nil)
	r.SetPathValue("key", "s1.1.1")
	r.TLS = &tls.ConnectionState{PeerCertificates: []*x509.Certificate{{PublicKey: friend.Signer.Public()}}}
	if err := a.network.getItem(httptest.NewRecorder(), r); !errors.Is(err, media.ErrUnsupported) {
		t.Errorf("sent: %v", err)
	}
}
