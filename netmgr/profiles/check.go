package profiles

import (
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"manofwar/internal/ipc"
	"manofwar/internal/setup"
	"manofwar/netmgr/api"
	"manofwar/netmgr/judge"
)

// maxSSID and maxName bound names, in bytes and characters. The former is IEEE 802.11's (clause 9.4.2.2).
const (
	maxSSID       = 32
	maxName       = 64
	maxDeviceName = 63
)

// invalid says which field of a request is wrong, how, and what to do.
func invalid(field, message, hint string) error {
	return &ipc.Error{Status: http.StatusBadRequest, Code: "invalid", Field: field, Message: message, Hint: hint}
}

// ssidOf returns the SSID that was asked for; nil: none.
func ssidOf(n api.NewProfile) []byte {
	if len(n.Raw) > 0 {
		return n.Raw
	}
	return []byte(n.SSID)
}

func checkSSID(ssid []byte) error {
	if len(ssid) == 0 {
		return invalid("ssid", "The network's name is missing.", "Choose a network, or type its name as the router has it.")
	}
	if len(ssid) > maxSSID {
		return invalid("ssid", fmt.Sprintf("The network's name has %d bytes. Names of WiFi networks have 1 to %d.", len(ssid), maxSSID), "Type it as the router has it.")
	}
	return nil
}

func checkName(name string) error {
	if utf8.RuneCountInString(name) > maxName || !utf8.ValidString(name) || strings.ContainsFunc(name, unicode.IsControl) {
		return invalid("name", fmt.Sprintf("This name is too long or cannot be shown. Names have up to %d characters.", maxName), "Choose a shorter one.")
	}
	return nil
}

// checkDeviceName holds the rule for what the owner calls the device, and returns it without the blanks around it.
func checkDeviceName(name string) (string, error) {
	name = strings.TrimSpace(name)
	switch n := utf8.RuneCountInString(name); {
	case n == 0:
		return "", invalid("name", "The name is missing.", `Give one, as in "Living room".`)
	case n > maxDeviceName:
		return "", invalid("name", fmt.Sprintf("The name has %d characters. It can have up to %d.", n, maxDeviceName), "Choose a shorter one.")
	case !utf8.ValidString(name) || strings.ContainsFunc(name, func(r rune) bool { return !unicode.IsPrint(r) && !unicode.Is(unicode.Cf, r) }):
		return "", invalid("name", "This name cannot be shown.", "Choose another one.")
	}
	return name, nil
}

var rawKey = regexp.MustCompile(`^[0-9a-fA-F]{64}$`)

// checkPassword holds the rule for a network's password; empty: it is open.
func checkPassword(password string) error {
	if password == "" || rawKey.MatchString(password) {
		return nil
	}
	return checkPassphrase("passphrase", password)
}

func checkPassphrase(field, p string) error {
	err := setup.CheckPassphrase(p)
	switch {
	case err == nil:
		return nil
	case len(p) < 8 || len(p) > 63:
		return invalid(field, fmt.Sprintf("The password has %d characters. WiFi passwords have 8 to 63.", utf8.RuneCountInString(p)), "Type it as it is on the router.")
	default:
		return invalid(field, "The password has a character that WiFi passwords cannot have.", "Use letters, digits and signs without accents.")
	}
}

var country = regexp.MustCompile(`^([A-Z]{2})?$`)

func checkCountry(c string) error {
	if !country.MatchString(c) {
		return invalid("country", "The country is not one.", `Give two capital letters, as in "DE".`)
	}
	return nil
}

func checkJudge(j api.JudgeSettings) error {
	if err := judge.CheckOperators(j.Operators); err != nil {
		return invalid("judge.operators", "These addresses cannot tell whether the internet is there: "+err.Error()+".",
			"Give two addresses of different operators that begin with http:// and answer 204, or none for the usual ones.")
	}
	return nil
}

// check holds the rules of a network to know, given the SSID and password that it will have.
func check(n api.NewProfile, ssid []byte, password string) error {
	for _, err := range []error{checkSSID(ssid), checkName(n.Name), checkPassword(password)} {
		if err != nil {
			return err
		}
	}
	return nil
}

// readable makes text of an SSID, which may be any bytes.
func readable(ssid []byte) string { return strings.ToValidUTF8(string(ssid), "\uFFFD") }

// defaultName calls a network as it calls itself, without what cannot be shown.
func defaultName(ssid []byte) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return '\uFFFD'
		}
		return r
	}, readable(ssid))
}

// readAll reads r, which must end within limit bytes.
func readAll(r io.Reader, limit int64) ([]byte, error) {
	data, err := io.ReadAll(io.LimitReader(r, limit+1))
	if err == nil && int64(len(data)) > limit {
		err = fmt.Errorf("more than %d bytes", limit)
	}
	return data, err
}
