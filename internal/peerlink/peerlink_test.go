package peerlink

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"testing"

	"manofwar/internal/identity"
	"manofwar/internal/media"
)

func newHolder(t *testing.T) identity.Holder {
	t.Helper()
	h, err := identity.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// serve answers everybody with the ID that the listener learnt, and returns the address.
func serve(t *testing.T, h identity.Holder) string {
	t.Helper()
	var l net.ListenConfig
	ln, err := l.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() {
		done <- Serve(ctx, ln, h, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.WriteString(w, string(Peer(r))+" "+r.URL.Path)
		}), slog.New(slog.DiscardHandler))
	}()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return ln.Addr().String()
}

func get(t *testing.T, tr *http.Transport, path string) (string, error) {
	t.Helper()
	defer tr.CloseIdleConnections()
	c := http.Client{Transport: tr}
	req, err := http.NewRequestWithContext(t.Context(), "GET", "http://device"+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := c.Do(req)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	return string(body), err
}

func TestBothLearnWhoTheOtherIs(t *testing.T) {
	a, b := newHolder(t), newHolder(t)
	address := serve(t, b)
	tr, err := Dial(a, b.ID, func() string { return address })
	if err != nil {
		t.Fatal(err)
	}
	if got, err := get(t, tr, "/hello"); err != nil || got != string(a.ID)+" /hello" {
		t.Errorf("got %q, %v", got, err)
	}
	other, err := Dial(a, newHolder(t).ID, func() string { return address })
	if err != nil {
		t.Fatal(err)
	}
	if got, err := get(t, other, "/"); !errors.Is(err, media.ErrDenied) {
		t.Errorf("somebody else answered: %q, %v", got, err)
	}
}

// TestWhoHasNoKeyIsNotServed tries what others would: no certificate, an older TLS, another kind of key, another's certificate.
func TestWhoHasNoKeyIsNotServed(t *testing.T) {
	b := newHolder(t)
	address := serve(t, b)
	mine, theirs := newHolder(t), newHolder(t)
	good, err := certificate(mine)
	if err != nil {
		t.Fatal(err)
	}
	stolen, err := certificate(theirs)
	if err != nil {
		t.Fatal(err)
	}
	stolen.PrivateKey = mine.Signer
	for _, c := range []struct {
		name  string
		certs []tls.Certificate
		max   uint16
		ok    bool
	}{
		{"a device", []tls.Certificate{good}, 0, true},
		{"nobody", nil, 0, false},
		{"an older TLS", []tls.Certificate{good}, tls.VersionTLS12, false},
		{"another's certificate", []tls.Certificate{stolen}, 0, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := tls.Dialer{Config: &tls.Config{Certificates: c.certs, InsecureSkipVerify: true, MaxVersion: c.max}}
			conn, err := d.DialContext(t.Context(), "tcp", address)
			if err == nil {
				defer conn.Close()
				_, err = io.WriteString(conn, "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
				if err == nil {
					var answer []byte
					if answer, err = io.ReadAll(conn); err == nil && !strings.Contains(string(answer), string(mine.ID)) {
						err = errors.New("no answer")
					}
				}
			}
			if (err == nil) != c.ok {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestConnectionsAreBounded(t *testing.T) {
	b := bounded{from: make(map[string]int)}
	for i := range maxPerAddress + 5 {
		if got := b.enter("one"); got != (i < maxPerAddress) {
			t.Errorf("connection %d of one: %v", i, got)
		}
	}
	for range maxPerAddress {
		b.leave("one")
	}
	if b.all != 0 || len(b.from) != 0 {
		t.Errorf("%d left, of %v", b.all, b.from)
	}
	for i := range maxConnections + 5 {
		if got := b.enter(string(rune('a' + i))); got != (i < maxConnections) {
			t.Errorf("connection %d of all: %v", i, got)
		}
	}
}
