package sae

import (
	"crypto/hmac"
	"encoding/binary"
	"errors"
	"fmt"

	"manofwar/netmgr/ieee80211"
	"manofwar/netmgr/wpa"
)

// groupP256 is the number of P-256 among cyclic groups (RFC 5903). It is the only one here: every station must have it.
const groupP256 = 19

// ErrGroup says that the other side does not want P-256.
var ErrGroup = errors.New("only the cyclic group 19 is supported")

// commit is the content of a commit (clause 9.4.1.37 and following).
type commit struct {
	token    []byte // against clogging
	scalar   number
	element  [2 * size]byte // x, y
	rejected []byte         // groups that were refused before, each two bytes
}

const commitSize = 2 + size + 2*size

// parseCommit reads the data of a commit. With hash-to-element a token comes in an element at the end, else before the scalar.
func parseCommit(b []byte, hashed bool) (commit, error) {
	if len(b) < 2 {
		return commit{}, fmt.Errorf("commit: %w", wpa.ErrMalformed)
	}
	if binary.LittleEndian.Uint16(b) != groupP256 {
		return commit{}, ErrGroup
	}
	if len(b) < commitSize {
		return commit{}, fmt.Errorf("commit of %d bytes: %w", len(b), wpa.ErrMalformed)
	}
	var c commit
	extra := len(b) - commitSize
	b = b[2:]
	if !hashed {
		c.token, b = b[:extra], b[extra:]
	}
	c.scalar, c.element = number(b[:size]), [2 * size]byte(b[size:])
	if es := ieee80211.Elements(b[3*size:]); hashed {
		c.token, _ = es.FindExtension(ieee80211.ExtensionTokenContainer)
		c.rejected, _ = es.FindExtension(ieee80211.ExtensionRejectedGroups)
	}
	return c, nil
}

// data returns the encoding.
func (c commit) data(hashed bool) []byte {
	b := binary.LittleEndian.AppendUint16(nil, groupP256)
	if !hashed {
		b = append(b, c.token...)
	}
	b = append(append(b, c.scalar[:]...), c.element[:]...)
	if hashed && len(c.rejected) > 0 {
		b = ieee80211.Extension(ieee80211.ExtensionRejectedGroups, c.rejected).Append(b)
	}
	if hashed && len(c.token) > 0 {
		b = ieee80211.Extension(ieee80211.ExtensionTokenContainer, c.token).Append(b)
	}
	return b
}

// rejects reports whether P-256 is among the groups that were refused before. As nobody refuses it, somebody lied.
func (c commit) rejects() bool {
	for b := c.rejected; len(b) >= 2; b = b[2:] {
		if binary.LittleEndian.Uint16(b) == groupP256 {
			return true
		}
	}
	return false
}

// frame returns an authentication frame's body.
func frame(transaction uint16, status ieee80211.Status, data []byte) ieee80211.Auth {
	return ieee80211.Auth{Algorithm: ieee80211.AuthSAE, Transaction: transaction, Status: status, Data: data}
}

const (
	transactionCommit  = 1
	transactionConfirm = 2
)

func isHashed(a ieee80211.Auth) bool { return a.Status == ieee80211.StatusHashToElement }

// Doorman keeps an access point from computing for stations that are not there (clause 12.4.6): they must be able to
// repeat a token. It remembers nothing about them.
type Doorman struct{ key [size]byte }

// Admit looks at a commit. It reports false where the token is missing or wrong; then the returned frame asks for it.
func (d *Doorman) Admit(from ieee80211.MAC, a ieee80211.Auth) (ieee80211.Auth, bool) {
	token := mac(d.key[:], from[:])
	hashed := isHashed(a)
	if c, err := parseCommit(a.Data, hashed); err == nil && hmac.Equal(c.token, token) {
		return ieee80211.Auth{}, true
	}
	b := binary.LittleEndian.AppendUint16(nil, groupP256)
	if hashed {
		b = ieee80211.Extension(ieee80211.ExtensionTokenContainer, token).Append(b)
	} else {
		b = append(b, token...)
	}
	return frame(transactionCommit, ieee80211.StatusAntiClogging, b), false
}

// NewDoorman returns a doorman with a key of his own. A new one now and then makes old tokens worthless.
func NewDoorman() *Doorman {
	d := &Doorman{}
	fill(d.key[:])
	return d
}

// tokenOf reads the token that an access point asks for.
func tokenOf(a ieee80211.Auth, hashed bool) ([]byte, error) {
	if len(a.Data) < 2 {
		return nil, fmt.Errorf("anti-clogging: %w", wpa.ErrMalformed)
	}
	token := a.Data[2:]
	if hashed {
		token, _ = ieee80211.Elements(token).FindExtension(ieee80211.ExtensionTokenContainer)
	}
	if len(token) == 0 || len(token) > 254 {
		return nil, fmt.Errorf("anti-clogging token: %w", wpa.ErrMalformed)
	}
	return token, nil
}
