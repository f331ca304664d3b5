package nl80211

import (
	"context"
	"fmt"

	"golang.org/x/sys/unix"
)

// World is the country of a device that does not know where it is: what is allowed everywhere.
const World = "00"

// Regulatory returns the country whose rules are in force, as two letters of ISO 3166, or [World]; "99" and "98" stand for a
// driver's own and an intersection of several.
func (c *Conn) Regulatory(ctx context.Context) (string, error) {
	a, err := c.get(ctx, "read the country", unix.NL80211_CMD_GET_REG, nil)
	if err != nil {
		return "", err
	}
	return a.text(unix.NL80211_ATTR_REG_ALPHA2), nil
}

// SetRegulatory asks for the rules of a country. They are in force when [RegulatoryChanged] comes, which it does not where
// they were before, or where the kernel knows no such country.
func (c *Conn) SetRegulatory(ctx context.Context, country string) error {
	if !isCountry(country) {
		return fmt.Errorf("nl80211: %q is no country", country)
	}
	var a encoder
	a.text(unix.NL80211_ATTR_REG_ALPHA2, country)
	return c.do(ctx, "set the country "+country, unix.NL80211_CMD_REQ_SET_REG, a)
}

func isCountry(s string) bool {
	if s == World {
		return true
	}
	return len(s) == 2 && s[0] >= 'A' && s[0] <= 'Z' && s[1] >= 'A' && s[1] <= 'Z'
}
