package gokrazy

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"manofwar/internal/atomicfile"
)

// DeveloperKeyName is the name of a key that someone made to build images at home. An image signed by it trusts
// [manofwar/internal/slot.KeysDir]/developer.pub, its version starts with "dev-", and its status says "developer build".
const DeveloperKeyName = "developer"

// DeveloperKeyPath returns where the developer's key belongs: outside the source tree, so that it cannot be committed.
func DeveloperKeyPath() (string, error) {
	dir, err := os.UserConfigDir()
	if err != nil {
		return "", fmt.Errorf("no place for the developer key: %w", err)
	}
	return filepath.Join(dir, "manofwar", "developer.key"), nil
}

// DeveloperKey reads the key from the file, and makes it on first use. made tells that it did. The file holds the
// base64 of the ed25519 seed and a newline, and nobody else may read it.
func DeveloperKey(file string) (key ed25519.PrivateKey, made bool, err error) {
	data, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		key, err = makeKey(file)
		return key, err == nil, err
	}
	if err != nil {
		return nil, false, err
	}
	seed, err := base64.StdEncoding.DecodeString(strings.TrimSpace(string(data)))
	if err != nil || len(seed) != ed25519.SeedSize {
		return nil, false, fmt.Errorf("%s: not a developer key: want the base64 of %d bytes; move it away to get a new one", file, ed25519.SeedSize)
	}
	return ed25519.NewKeyFromSeed(seed), false, nil
}

func makeKey(file string) (ed25519.PrivateKey, error) {
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		return nil, err
	}
	return key, atomicfile.Write(file, []byte(base64.StdEncoding.EncodeToString(key.Seed())+"\n"), 0o600)
}
