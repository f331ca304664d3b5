package sae

import (
	"bytes"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"errors"
	"math/big"

	"filippo.io/nistec"

	"manofwar/netmgr/ieee80211"
	"manofwar/netmgr/wpa"
)

// Secret is what a password comes to with hash-to-element: a point that depends on it and the network's name only (PT in
// clause 12.4.4.2.3). It serves any number of exchanges.
type Secret struct{ point *nistec.P256Point }

// NewSecret derives the secret of a network. Passwords of SAE have any length.
func NewSecret(ssid ieee80211.SSID, password string) (*Secret, error) {
	seed, err := hkdf.Extract(sha256.New, []byte(password), []byte(ssid))
	if err != nil {
		return nil, err
	}
	sum := nistec.NewP256Point()
	for _, label := range []string{"SAE Hash to Element u1 P1", "SAE Hash to Element u2 P2"} {
		wide, err := hkdf.Expand(sha256.New, seed, label, size+size/2)
		if err != nil {
			return nil, err
		}
		c := p256()
		p, err := c.mapToCurve(c.p.reduce([size + size/2]byte(wide)))
		if err != nil {
			return nil, err
		}
		sum.Add(sum, p)
	}
	return &Secret{point: sum}, nil
}

// element returns the password's element for a pair of stations. What it multiplies with is known to everybody.
func (s *Secret) element(a, b ieee80211.MAC) (*nistec.P256Point, error) {
	value := new(big.Int).SetBytes(mac(make([]byte, sha256.Size), addresses(a, b)))
	order := p256().n.n
	less := new(big.Int).Sub(new(big.Int).SetBytes(order[:]), big.NewInt(1))
	value.Add(value.Mod(value, less), big.NewInt(1))
	return nistec.NewP256Point().ScalarMult(s.point, value.FillBytes(make([]byte, size)))
}

// rounds is how often hunting looks for an element, found or not: every second try finds one.
const rounds = 40

var errNoElement = errors.New("no element of the password")

// hunt returns the password's element by hunting and pecking (clause 12.4.4.2.2). Its time depends on nothing, which
// the attacks named Dragonblood need (CVE-2019-9494).
func hunt(password string, a, b ieee80211.MAC) (*nistec.P256Point, error) {
	var (
		c     = p256()
		key   = addresses(a, b)
		x     number
		odd   number // in its last bit
		found int
	)
	for counter := byte(1); counter <= rounds; counter++ {
		seed := number(mac(key, []byte(password), []byte{counter}))
		value := number(wpa.KDF(seed[:], "SAE Hunting and Pecking", c.p.n[:], 8*size))
		_, square := c.root(c.right(value))
		good := square & c.p.below(value) & (1 - found)
		x, odd = pick(good, value, x), pick(good, seed, odd)
		found |= good
	}
	if found == 0 { // once in 2^40 pairs
		return nil, errNoElement
	}
	return point(x, odd[size-1])
}

// addresses returns the greater address, then the lesser.
func addresses(a, b ieee80211.MAC) []byte {
	if bytes.Compare(a[:], b[:]) < 0 {
		a, b = b, a
	}
	return append(a[:], b[:]...)
}

// mac is HMAC-SHA-256.
func mac(key []byte, parts ...[]byte) []byte {
	h := hmac.New(sha256.New, key)
	for _, p := range parts {
		h.Write(p)
	}
	return h.Sum(nil)
}
