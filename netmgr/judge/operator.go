package judge

import (
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
)

// operator is one whose page is asked for.
type operator struct {
	host    string     // as in the Host header
	name    string     // to look up
	address netip.Addr // instead of a name
	port    uint16
	path    string
	url     string
}

// CheckOperators holds the rules of a list of operators: none, which stands for the default ones, or two of different hosts, as
// URLs of plain HTTP.
func CheckOperators(urls []string) error {
	if len(urls) == 0 {
		return nil
	}
	if len(urls) != 2 {
		return fmt.Errorf("there are %d, want two", len(urls))
	}
	var list [2]operator
	for i, u := range urls {
		o, err := parseOperator(u)
		if err != nil {
			return err
		}
		list[i] = o
	}
	if strings.EqualFold(list[0].name, list[1].name) {
		return errors.New("both are of the same host")
	}
	return nil
}

// parseOperators reads the URLs, or the default ones where they are not fit.
func parseOperators(urls []string) []operator {
	if len(urls) == 0 || CheckOperators(urls) != nil {
		urls = DefaultOperators
	}
	var out []operator
	for _, u := range urls {
		if o, err := parseOperator(u); err == nil {
			out = append(out, o)
		}
	}
	return out
}

func parseOperator(s string) (operator, error) {
	u, err := url.Parse(s)
	switch {
	case len(s) > maxURL || err != nil:
		return operator{}, errors.New("one is no address of a page")
	case u.Scheme != "http" || u.User != nil || u.Fragment != "":
		return operator{}, errors.New("one does not begin with http:// or has more than a host and a path")
	case u.Hostname() == "" || len(u.Hostname()) > 253 || strings.Trim(u.Hostname(), hostCharacters) != "":
		return operator{}, errors.New("the name of a host is missing or wrong")
	}
	o := operator{host: u.Host, name: u.Hostname(), port: 80, path: u.RequestURI(), url: s}
	if p := u.Port(); p != "" {
		n, err := strconv.ParseUint(p, 10, 16)
		if err != nil || n == 0 {
			return operator{}, errors.New("the port of one is wrong")
		}
		o.port = uint16(n)
	}
	if a, err := netip.ParseAddr(o.name); err == nil && a.Zone() == "" {
		o.address = a
	}
	return o, nil
}

// hostCharacters are what names and addresses of hosts are made of.
const hostCharacters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._:"
