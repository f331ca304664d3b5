// Package peerlink is how devices that know each other by their keys speak: HTTP/1.1 over TLS 1.3, in which both ends show a
// certificate made from their device key ([identity.Holder]). No authority vouches for anybody and no name or date in a
// certificate counts: the key's hash is the device's ID, the dialler says whom it wants ([Dial]), the listener learns who
// came ([Peer]), and the TLS handshake proves that they hold the key (RFC 8446, section 4.4.3).
//
// Anybody may connect. What they may do is for the handler to say, by the list of package identity; the listener bounds how
// many come and how often ([Limiter]). [Announce] and [Browse] let devices of one network find each other by DNS-SD
// (RFC 6763), which proves nothing: it only says where to knock. [Clock] and [Offset] relate the clocks of two devices.
//
// Links through routers and the internet are not here yet.
package peerlink

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"math/big"
	"net"
	"net/http"
	"time"

	"manofwar/internal/identity"
	"manofwar/internal/media"
)

// Port is the TCP port on which devices listen. Where it is taken they listen on another: [Announce] says which.
const Port = 16690

const (
	dialTimeout = 5 * time.Second
	protocol    = "http/1.1"
)

// certificate makes one from the device's key. Its dates say nothing: a dongle has no clock until it is in a network.
func certificate(h identity.Holder) (tls.Certificate, error) {
	template := x509.Certificate{
		SerialNumber: big.NewInt(1),
		Subject:      pkix.Name{CommonName: string(h.ID)},
		NotBefore:    time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC),
		NotAfter:     time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC), // "no well-defined expiration" (RFC 5280, section 4.1.2.5)
	}
	der, err := x509.CreateCertificate(rand.Reader, &template, &template, h.Signer.Public(), h.Signer)
	if err != nil {
		return tls.Certificate{}, fmt.Errorf("certificate: %w", err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: h.Signer}, nil
}

// config is what both ends have in common. A connection stands only if verify accepts the other's ID.
func config(h identity.Holder, verify func(identity.ID) error) (*tls.Config, error) {
	own, err := certificate(h)
	if err != nil {
		return nil, err
	}
	return &tls.Config{
		Certificates:           []tls.Certificate{own},
		MinVersion:             tls.VersionTLS13,
		NextProtos:             []string{protocol},
		ClientAuth:             tls.RequireAnyClientCert,
		InsecureSkipVerify:     true, // there are no names and no authorities: VerifyConnection holds the other to its key
		SessionTicketsDisabled: true, // each connection proves its key anew
		VerifyConnection: func(s tls.ConnectionState) error {
			id, err := peerID(s)
			if err != nil {
				return err
			}
			return verify(id)
		},
	}, nil
}

// peerID returns the ID of the other end of a connection.
func peerID(s tls.ConnectionState) (identity.ID, error) {
	if len(s.PeerCertificates) != 1 {
		return "", fmt.Errorf("%d certificates instead of one", len(s.PeerCertificates))
	}
	key, ok := s.PeerCertificates[0].PublicKey.(ed25519.PublicKey)
	if !ok {
		return "", fmt.Errorf("a key of the kind %T", s.PeerCertificates[0].PublicKey)
	}
	return identity.IDOf(key), nil
}

// errOther is what the dialler sees when somebody else is at the address.
var errOther = errors.New("another device answers there")

// Dial returns a way to send HTTP requests to the device of that ID, wherever address says it is at the time. Connections are
// made when they are needed and kept; CloseIdleConnections ends those that are not in use. The scheme and host of a request
// do not matter. Errors wrap [media.ErrDenied] where somebody else answers.
func Dial(h identity.Holder, id identity.ID, address func() string) (*http.Transport, error) {
	cfg, err := config(h, func(got identity.ID) error {
		if got != id {
			return &media.Error{Op: "reach device", Path: id.Short(), Err: errors.Join(media.ErrDenied, errOther)}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			ctx, cancel := context.WithTimeout(ctx, dialTimeout)
			defer cancel()
			d := tls.Dialer{Config: cfg}
			return d.DialContext(ctx, "tcp", address())
		},
		MaxIdleConnsPerHost:    4,
		MaxConnsPerHost:        maxPerAddress,
		IdleConnTimeout:        time.Minute,
		ResponseHeaderTimeout:  15 * time.Second,
		MaxResponseHeaderBytes: 16 << 10,
		DisableCompression:     true,
	}, nil
}
