// Package ieee80211 reads and writes the parts of IEEE 802.11 frames that a station and an access point need: management
// frames, their elements, and what those say of a network's security.
//
// Clauses and tables are those of IEEE Std 802.11-2020. Multi-byte fields are little-endian there, suite selectors are
// three bytes of OUI and a type. Everything read here was sent by anybody nearby: readers refer to the bytes they were
// given and allocate in proportion to them only, and what they do not understand they skip.
//
// Left out are data and control frames, encryption (the kernel's and package wpa's), everything of enterprise networks but their
// recognition, and the negotiation of rates, HT and VHT, which kernel and firmware do by themselves.
package ieee80211

import (
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// ErrMalformed is wrapped by the errors of all readers.
var ErrMalformed = errors.New("malformed")

// MAC is the 48-bit address of a station or access point (clause 9.2.4.3).
type MAC [6]byte

// Broadcast is everybody's address.
var Broadcast = MAC{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}

// String returns the address as in "02:00:00:00:00:09".
func (m MAC) String() string {
	return fmt.Sprintf("%02x:%02x:%02x:%02x:%02x:%02x", m[0], m[1], m[2], m[3], m[4], m[5])
}

// SSID is a network's name: 0 to 32 bytes (clause 9.4.2.2), which need not be text. As a string it can be compared and be
// a key, but only [SSID.String] is fit to be shown.
type SSID string

// maxSSID is the length of the longest name, in bytes.
const maxSSID = 32

// Valid reports whether a network can have that name.
func (s SSID) Valid() bool { return len(s) > 0 && len(s) <= maxSSID }

// Hidden reports whether a beacon with that name keeps it to itself: it is empty, or zeros stand in its place.
func (s SSID) Hidden() bool { return strings.Trim(string(s), "\x00") == "" }

// String returns the name for people: as it is where it is printable UTF-8, else with what is not escaped as in Go.
func (s SSID) String() string {
	if utf8.ValidString(string(s)) && strings.IndexFunc(string(s), func(r rune) bool { return !unicode.IsPrint(r) }) < 0 {
		return string(s)
	}
	q := strconv.QuoteToGraphic(string(s))
	return q[1 : len(q)-1]
}

// Hex returns the bytes in hexadecimal digits, which tell apart names that look alike.
func (s SSID) Hex() string { return hex.EncodeToString([]byte(s)) }

func malformed(what string) error { return fmt.Errorf("%s: %w", what, ErrMalformed) }
