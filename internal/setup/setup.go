// Package setup is the codec of setup.json: what an owner wants to have set up before the first start, on the boot
// partition, which any computer can write. "manofwar flash" writes it, PID 1 hands it on once and removes it.
//
// It leaves out everything that the portal can be asked for later.
package setup

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/big"
	"regexp"
	"strings"
	"unicode/utf8"

	"manofwar/internal/strictjson"
)

// Name is the file on the boot partition.
const Name = "setup.json"

// MaxSize bounds the file, in bytes.
const MaxSize = 64 << 10

// Setup is the content of the file. Everything in it is optional.
type Setup struct {
	WiFi        []WiFi       `json:"wifi,omitempty"`         // in the order of preference
	Country     string       `json:"country,omitempty"`      // two capital letters (ISO 3166-1): which radio channels are allowed
	AccessPoint *AccessPoint `json:"access_point,omitempty"` // of the dongle itself, instead of a new passphrase at each start
	ClaimCode   string       `json:"claim_code,omitempty"`   // six digits that stand in for the code on a screen
}

// WiFi is a network to join.
type WiFi struct {
	SSID       string `json:"ssid"`                 // 1 to 32 bytes
	Passphrase string `json:"passphrase,omitempty"` // 8 to 63 characters, or the key in 64 hexadecimal digits; empty: an open network
	Hidden     bool   `json:"hidden,omitempty"`     // it does not announce its name
}

// AccessPoint is the dongle's own network.
type AccessPoint struct {
	Passphrase string `json:"passphrase"` // 8 to 63 characters
}

// Parse reads and checks the file. The error is a [*strictjson.Error] for whoever wrote the file.
func Parse(data []byte) (Setup, error) {
	var s Setup
	if len(data) > MaxSize {
		return s, &strictjson.Error{File: Name, Err: fmt.Errorf("%d bytes, want at most %d", len(data), MaxSize)}
	}
	if err := strictjson.Unmarshal(Name, data, &s); err != nil {
		return Setup{}, err
	}
	if err := s.Check(); err != nil {
		return Setup{}, err
	}
	return s, nil
}

var (
	country = regexp.MustCompile(`^[A-Z]{2}$`)
	code    = regexp.MustCompile(`^[0-9]{6}$`)
	rawKey  = regexp.MustCompile(`^[0-9a-fA-F]{64}$`)
)

// Check holds the rules of each field. The error is a [*strictjson.Error].
func (s Setup) Check() error {
	bad := func(field, format string, args ...any) error {
		return &strictjson.Error{File: Name, Field: field, Err: fmt.Errorf(format, args...)}
	}
	for i, w := range s.WiFi {
		if len(w.SSID) < 1 || len(w.SSID) > 32 || !utf8.ValidString(w.SSID) {
			return bad(fmt.Sprintf("wifi[%d].ssid", i), "%d bytes, want 1 to 32", len(w.SSID))
		}
		if w.Passphrase == "" || rawKey.MatchString(w.Passphrase) {
			continue
		}
		if err := CheckPassphrase(w.Passphrase); err != nil {
			return bad(fmt.Sprintf("wifi[%d].passphrase", i), "%w", err)
		}
	}
	if s.AccessPoint != nil {
		if err := CheckPassphrase(s.AccessPoint.Passphrase); err != nil {
			return bad("access_point.passphrase", "%w", err)
		}
	}
	if s.Country != "" && !country.MatchString(s.Country) {
		return bad("country", "%q, want two capital letters, as in \"DE\"", s.Country)
	}
	if s.ClaimCode != "" && !code.MatchString(s.ClaimCode) {
		return bad("claim_code", "want six digits")
	}
	return nil
}

// CheckPassphrase holds IEEE 802.11's rule for WPA passphrases: 8 to 63 characters of printable ASCII. The error does
// not repeat the passphrase.
func CheckPassphrase(p string) error {
	if len(p) < 8 || len(p) > 63 {
		return fmt.Errorf("%d characters, want 8 to 63", len(p))
	}
	for _, c := range []byte(p) {
		if c < 0x20 || c > 0x7e {
			return errors.New("has a character that WiFi passphrases cannot have: want letters, digits and signs of plain ASCII")
		}
	}
	return nil
}

// JSON returns the file's text, for a person to read and change too.
func (s Setup) JSON() ([]byte, error) {
	if err := s.Check(); err != nil {
		return nil, err
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(s); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

// Headless adds what a dongle without a screen cannot show: a passphrase for its access point and a claim code.
func (s *Setup) Headless() error {
	passphrase, err := NewPassphrase(rand.Reader)
	if err != nil {
		return err
	}
	claim, err := pick(rand.Reader, "0123456789", 6)
	if err != nil {
		return err
	}
	s.AccessPoint, s.ClaimCode = &AccessPoint{Passphrase: passphrase}, claim
	return nil
}

// NewPassphrase returns three groups of four characters, none of which looks like another: 59 bits, to be read from a
// screen and typed on a phone.
func NewPassphrase(random io.Reader) (string, error) {
	s, err := pick(random, "abcdefghjkmnpqrstuvwxyz23456789", 12)
	if err != nil {
		return "", err
	}
	return strings.Join([]string{s[:4], s[4:8], s[8:]}, "-"), nil
}

// pick draws n characters of the alphabet, all equally likely.
func pick(random io.Reader, alphabet string, n int) (string, error) {
	b := make([]byte, n)
	for i := range b {
		k, err := rand.Int(random, big.NewInt(int64(len(alphabet))))
		if err != nil {
			return "", err
		}
		b[i] = alphabet[k.Int64()]
	}
	return string(b), nil
}
