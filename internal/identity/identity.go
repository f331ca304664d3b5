// Package identity is who a device is, and whom its owner trusts.
//
// A device is its ed25519 key: the [ID] is the hash of the public half, and nothing else names it. One process holds the
// private half, as a [Holder]'s crypto.Signer; others may be given a signer that asks it. The [List] says which other devices
// are trusted, since when and to do what. Only the owner puts one on it, on both sides, after comparing the short IDs;
// there is no authority that vouches for anybody.
//
// How trusted devices speak to each other is package peerlink's. The owner's own claim, accounts and rights are not here.
package identity

import (
	"crypto"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base32"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"manofwar/internal/atomicfile"
	"manofwar/internal/media"
)

// ID names a device: the SHA-256 of its public key's 32 bytes, in base32 (RFC 4648) without padding, in small letters: 52
// characters. Two IDs are compared as strings.
type ID string

var encoding = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)

// idLength is that of every ID, in characters.
var idLength = encoding.EncodedLen(sha256.Size)

// IDOf returns the ID of the device with that public key.
func IDOf(key ed25519.PublicKey) ID {
	sum := sha256.Sum256(key)
	return ID(encoding.EncodeToString(sum[:]))
}

// ParseID reads an ID from foreign bytes. The error wraps [media.ErrInvalid].
func ParseID(s string) (ID, error) {
	raw, err := encoding.DecodeString(s)
	if err != nil || len(s) != idLength || encoding.EncodeToString(raw) != s { // the last letter has bits that mean nothing
		return "", fmt.Errorf("%w: not a device's ID", media.ErrInvalid)
	}
	return ID(s), nil
}

// shortGroups of shortGroup letters are what people compare: 80 bits, which nobody finds a second key for.
const (
	shortGroups = 4
	shortGroup  = 4
)

// Short is the beginning of the ID for people to compare, such as "ABCD-EFGH-2345-6PQR".
func (id ID) Short() string {
	var groups []string
	for s := strings.ToUpper(string(id)); len(s) >= shortGroup && len(groups) < shortGroups; s = s[shortGroup:] {
		groups = append(groups, s[:shortGroup])
	}
	return strings.Join(groups, "-")
}

// Holder has a device's key, and signs with it.
type Holder struct {
	ID     ID
	Signer crypto.Signer // its Public is an ed25519.PublicKey
}

// NewHolder returns the holder of a key, which must be ed25519's.
func NewHolder(s crypto.Signer) (Holder, error) {
	key, ok := s.Public().(ed25519.PublicKey)
	if !ok {
		return Holder{}, fmt.Errorf("device key: %T is not ed25519's", s.Public())
	}
	return Holder{IDOf(key), s}, nil
}

const (
	keyName = "device.key"
	keyType = "PRIVATE KEY" // PKCS #8 in PEM (RFC 5958, RFC 7468)
)

// Open returns the holder of the key that is kept in dir, which is made at the first use and can be read by its owner alone. A
// key that cannot be read is an error, not a reason to be somebody else from now on.
func Open(dir string) (Holder, error) {
	name := filepath.Join(dir, keyName)
	data, err := os.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) {
		return create(name)
	}
	if err != nil {
		return Holder{}, fmt.Errorf("device key: %w", err)
	}
	block, _ := pem.Decode(data)
	if block == nil || block.Type != keyType {
		return Holder{}, damaged(name, errors.New("no key in PEM"))
	}
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return Holder{}, damaged(name, err)
	}
	private, ok := key.(ed25519.PrivateKey)
	if !ok {
		return Holder{}, damaged(name, fmt.Errorf("%T is not ed25519's", key))
	}
	return NewHolder(private)
}

func damaged(name string, err error) error {
	return &media.Error{
		Op: "read device key", Path: name, Err: errors.Join(media.ErrCorrupt, err),
		Hint: "Remove the file to get a new key. Other devices have to be told to trust this one again.",
	}
}

// create makes a key and keeps it.
func create(name string) (Holder, error) {
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return Holder{}, fmt.Errorf("device key: %w", err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return Holder{}, fmt.Errorf("device key: %w", err)
	}
	if err := atomicfile.Write(name, pem.EncodeToMemory(&pem.Block{Type: keyType, Bytes: der}), 0o600); err != nil {
		return Holder{}, fmt.Errorf("device key: %w", err)
	}
	return NewHolder(key)
}
