package wpa

import (
	"bytes"
	"crypto/hmac"
	"crypto/pbkdf2"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"

	"manofwar/netmgr/ieee80211"
)

// PMKSize is the length of a pairwise master key, in bytes.
const PMKSize = 32

// ErrPassphrase says that no network can have such a passphrase.
var ErrPassphrase = errors.New("a WiFi password has 8 to 63 characters, or is a key of 64 hexadecimal digits")

// PSK returns the pairwise master key of a network with WPA2-Personal. Sixty-four hexadecimal digits are that key itself; 8
// to 63 bytes are a passphrase (clause J.4), which costs tens of milliseconds: keep the result. Others give [ErrPassphrase].
func PSK(ssid ieee80211.SSID, password string) ([]byte, error) {
	if len(password) == 2*PMKSize {
		key, err := hex.DecodeString(password)
		if err != nil {
			return nil, ErrPassphrase
		}
		return key, nil
	}
	if len(password) < 8 || len(password) > 63 {
		return nil, ErrPassphrase
	}
	return pbkdf2.Key(sha1.New, password, []byte(ssid), 4096, PMKSize)
}

// suite is what an AKM uses (table 12-10).
type suite struct {
	version uint16 // of the key descriptor, in its information
	derive  func(key []byte, label string, context []byte, bits int) []byte
	mic     func(key, message []byte) [micSize]byte
	pmkid   func() hash.Hash
}

// micSize is the length of a message integrity code with all supported AKMs, in bytes.
const micSize = 16

func suiteOf(akm ieee80211.Suite) (suite, error) {
	switch akm {
	case ieee80211.AKMPSK:
		return suite{version: 2, derive: PRF, mic: hmacSHA1, pmkid: sha1.New}, nil
	case ieee80211.AKMPSKSHA256:
		return suite{version: 3, derive: KDF, mic: cmac, pmkid: sha256.New}, nil
	case ieee80211.AKMSAE:
		return suite{version: 0, derive: KDF, mic: cmac, pmkid: sha256.New}, nil
	default:
		return suite{}, fmt.Errorf("authentication and key management %s is not supported", akm)
	}
}

// PMKID names the key of a link with a pre-shared key (clause 12.7.1.3). That of SAE comes from its exchange.
func PMKID(l Link) (ieee80211.PMKID, error) {
	s, err := suiteOf(l.AKM)
	if err != nil {
		return ieee80211.PMKID{}, err
	}
	h := hmac.New(s.pmkid, l.PMK)
	h.Write([]byte("PMK Name"))
	h.Write(l.AccessPoint[:])
	h.Write(l.Station[:])
	return ieee80211.PMKID(h.Sum(nil)[:16]), nil
}

// pairwise is a pairwise transient key in its parts (clause 12.7.1.3), each of 16 bytes: to confirm, to encrypt keys, and
// the temporal key that encrypts traffic.
type pairwise struct{ kck, kek, tk []byte }

const nonceSize = 32

type nonce [nonceSize]byte

// pairwise derives the key from both sides' nonces.
func (s suite) pairwise(l Link, ap, station nonce) *pairwise {
	context := ordered(l.AccessPoint[:], l.Station[:])
	context = append(context, ordered(ap[:], station[:])...)
	k := s.derive(l.PMK, "Pairwise key expansion", context, 384)
	return &pairwise{kck: k[:16:16], kek: k[16:32:32], tk: k[32:48:48]}
}

// ordered returns both, the lesser first.
func ordered(a, b []byte) []byte {
	if bytes.Compare(a, b) > 0 {
		a, b = b, a
	}
	return append(append(make([]byte, 0, 2*len(a)), a...), b...)
}

// PRF is the function PRF-bits with HMAC-SHA-1 (clause 12.7.1.2).
func PRF(key []byte, label string, context []byte, bits int) []byte {
	var out []byte
	for i := byte(0); len(out)*8 < bits; i++ {
		h := hmac.New(sha1.New, key)
		h.Write([]byte(label))
		h.Write([]byte{0})
		h.Write(context)
		h.Write([]byte{i})
		out = h.Sum(out)
	}
	return out[:bits/8]
}

// KDF is the function KDF-SHA-256-bits (clause 12.7.1.7.2). The length is of whole bytes.
func KDF(key []byte, label string, context []byte, bits int) []byte {
	var out []byte
	for i := uint16(1); len(out)*8 < bits; i++ {
		h := hmac.New(sha256.New, key)
		h.Write(binary.LittleEndian.AppendUint16(nil, i))
		h.Write([]byte(label))
		h.Write(context)
		h.Write(binary.LittleEndian.AppendUint16(nil, uint16(bits)))
		out = h.Sum(out)
	}
	return out[:bits/8]
}

func hmacSHA1(key, message []byte) [micSize]byte {
	h := hmac.New(sha1.New, key)
	h.Write(message)
	return [micSize]byte(h.Sum(nil))
}
