package dongle

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/big"
	"net"
	"os"
	"testing"
	"testing/synctest"
	"time"

	"manofwar/internal/identity"
	"manofwar/internal/peerlink"
	"manofwar/services/cast/fakeplayer"
)

// pipes is a listener whose connections are pipes: their deadlines keep the time of a bubble.
type pipes struct {
	came   chan net.Conn
	closed chan struct{}
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.came:
		return c, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error {
	close(p.closed)
	return nil
}

func (p *pipes) Addr() net.Addr { return &net.TCPAddr{} }

// TestStrangersHoldNoConnection sends headers without the body that they announce, and more than one request: a connection ends
// soon, whatever the path.
func TestStrangersHoldNoConnection(t *testing.T) {
	dirs := []string{t.TempDir(), t.TempDir()}
	for _, request := range []string{"POST /hello", "POST /player/load", "PUT /hello", "POST /nowhere", "OPTIONS *", "GET /clock"} {
		for _, length := range []int{0, 10, 1 << 30} {
			synctest.Test(t, func(t *testing.T) {
				holder, stranger := open(t, dirs[0]), open(t, dirs[1])
				list, err := identity.OpenList(dirs[0])
				if err != nil {
					t.Fatal(err)
				}
				n := New(Options{Holder: holder, Trusted: list, Player: fakeplayer.New(time.Hour), Changed: func() {}, Log: slog.New(slog.DiscardHandler)})
				ctx, cancel := context.WithCancel(t.Context())
				ln, done := &pipes{make(chan net.Conn), make(chan struct{})}, make(chan error, 1)
				go func() { done <- peerlink.Serve(ctx, ln, holder, n.handler(), n.Log) }()

				near, far := net.Pipe()
				ln.came <- far
				took, err := holds(ctx, stranger, near, fmt.Sprintf("%s HTTP/1.1\r\nHost: b\r\nContent-Length: %d\r\n\r\n", request, length))
				if err != nil || took > 10*time.Second {
					t.Errorf("%s, %d bytes to come: %v, %v", request, length, took, err)
				}
				cancel()
				if err := <-done; err != nil {
					t.Error(err)
				}
			})
		}
	}
}

// holds sends a request with somebody's key, and returns how long the connection stands after that.
func holds(ctx context.Context, who identity.Holder, conn net.Conn, request string) (time.Duration, error) {
	template := x509.Certificate{SerialNumber: big.NewInt(1)}
	der, err := x509.CreateCertificate(rand.Reader, &template, &template, who.Signer.Public(), who.Signer)
	if err != nil {
		return 0, err
	}
	c := tls.Client(conn, &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: who.Signer}}, InsecureSkipVerify: true})
	defer c.Close()
	if err := c.SetDeadline(time.Now().Add(time.Hour)); err != nil {
		return 0, err
	}
	if err := c.HandshakeContext(ctx); err != nil {
		return 0, err
	}
	begun := time.Now()
	if _, err := io.WriteString(c, request); err != nil {
		return 0, err
	}
	if _, err := io.Copy(io.Discard, c); errors.Is(err, os.ErrDeadlineExceeded) {
		return 0, err
	}
	return time.Since(begun), nil
}

func open(t *testing.T, dir string) identity.Holder {
	t.Helper()
	h, err := identity.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	return h
}
