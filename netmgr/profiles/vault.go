package profiles

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"manofwar/internal/atomicfile"
	"manofwar/internal/media"
)

const (
	keyName = "key"
	keySize = 32 // bytes
)

// vault encrypts passwords: AES-256-GCM with a random nonce for each and the ID of what it belongs to as additional data,
// so that no record can stand in for another.
//
// The key is made of a file beside the records and of the board's serial number, by HKDF (RFC 5869). A copy of either file
// alone is worth nothing, and a copy of both little: whoever holds the card can try all serial numbers.
type vault struct {
	aead cipher.AEAD
	mark string // four digits that tell devices apart, and nothing about the key
}

func newVault(key []byte, serial string) (vault, error) {
	sub, err := hkdf.Key(sha256.New, key, []byte(serial), "manofwar known networks 1", keySize)
	if err != nil {
		return vault{}, err
	}
	block, err := aes.NewCipher(sub)
	if err != nil {
		return vault{}, err
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		return vault{}, err
	}
	from := []byte(serial)
	if serial == "" {
		from = key
	}
	mark, err := hkdf.Key(sha256.New, from, nil, "manofwar access point 1", 2)
	return vault{aead, strings.ToUpper(hex.EncodeToString(mark))}, err
}

// seal encrypts a password for the record with this ID. An empty one, of an open network, is nil.
func (v vault) seal(id, password string) []byte {
	if password == "" {
		return nil
	}
	return v.aead.Seal(nil, nil, []byte(password), []byte(id))
}

var errLocked = fmt.Errorf("%w, or it was made by another device", media.ErrCorrupt)

// open decrypts what seal made. The error wraps media.ErrCorrupt.
func (v vault) open(id string, sealed []byte) (string, error) {
	if len(sealed) == 0 {
		return "", nil
	}
	password, err := v.aead.Open(nil, nil, sealed, []byte(id))
	if err != nil {
		return "", errLocked
	}
	return string(password), nil
}

// openVault reads the key, or makes one at the first start and where the old one is damaged.
func (s *Store) openVault() {
	path := s.path(keyName)
	key, err := os.ReadFile(path)
	if err == nil && len(key) != keySize {
		err = fmt.Errorf("%d bytes, want %d", len(key), keySize)
	}
	if err != nil {
		if !errors.Is(err, fs.ErrNotExist) {
			s.setTrouble("key", "The key to the saved passwords was damaged. Enter the passwords of your networks again.", err)
			s.keepAside(path)
		}
		key = make([]byte, keySize)
		_, _ = rand.Read(key) // never fails (crypto/rand)
		if err := atomicfile.Write(path, key, 0o600); err != nil {
			s.setTrouble("key", "The card cannot be written: passwords are kept until the next restart only.", err)
		}
	}
	v, err := newVault(key, s.options.Serial)
	if err != nil {
		panic(err) // sizes are constants: it does not happen
	}
	s.vault = v
}
