package ssdp

import (
	"bytes"
	"errors"
	"strconv"
	"strings"
	"time"
)

// search is what somebody looks for.
type search struct {
	target string
	wait   time.Duration // within which answers are to come
}

// maxMessage bounds a message, in bytes: searches have some two hundred.
const maxMessage = 2048

var errNoSearch = errors.New("not a search")

// parseSearch reads an M-SEARCH (section 1.3.2). All else is an error.
func parseSearch(data []byte) (s search, err error) {
	if len(data) > maxMessage {
		return s, errNoSearch
	}
	head, _, _ := bytes.Cut(data, []byte("\r\n\r\n"))
	first, rest, _ := strings.Cut(string(head), "\r\n")
	if first != "M-SEARCH * HTTP/1.1" {
		return s, errNoSearch
	}
	discover := false
	s.wait = -1
	for line := range strings.SplitSeq(rest, "\r\n") {
		name, value, _ := strings.Cut(line, ":")
		value = strings.TrimSpace(value)
		switch strings.ToUpper(strings.TrimSpace(name)) {
		case "MAN":
			discover = value == `"ssdp:discover"`
		case "ST":
			s.target = value
		case "MX":
			n, err := strconv.Atoi(value)
			if err != nil || n < 0 {
				return s, errNoSearch
			}
			s.wait = time.Duration(min(n, 120)) * time.Second
		}
	}
	if !discover || s.target == "" || s.wait < 0 {
		return s, errNoSearch
	}
	return s, nil
}
