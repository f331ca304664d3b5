package portal

import (
	"net/http"
	"strings"
	"time"
)

// validators are what a client's earlier copy is compared with (RFC 9110, section 8.8).
type validators struct {
	etag     string    // with its quotes; empty: none
	modified time.Time // zero: unknown
}

// set writes the header fields that tell the client its validators.
func (v validators) set(h http.Header) {
	if v.etag != "" {
		h.Set("ETag", v.etag)
	}
	if v.known() {
		h.Set("Last-Modified", v.modified.UTC().Format(http.TimeFormat))
	}
}

func (v validators) known() bool { return !v.modified.IsZero() && !v.modified.Equal(time.Unix(0, 0)) }

// check evaluates the preconditions of a request in the order of RFC 9110, section 13.2.2. It returns 0 to go on, or
// the status to answer: 304 or 412.
func (v validators) check(r *http.Request) int {
	h := r.Header
	if match := h.Get("If-Match"); match != "" {
		if !listed(match, v.etag, strongEqual) {
			return http.StatusPreconditionFailed
		}
	} else if since, ok := date(h, "If-Unmodified-Since"); ok && v.known() && v.after(since) {
		return http.StatusPreconditionFailed
	}
	read := r.Method == http.MethodGet || r.Method == http.MethodHead
	if match := h.Get("If-None-Match"); match != "" {
		switch {
		case !listed(match, v.etag, weakEqual):
		case read:
			return http.StatusNotModified
		default:
			return http.StatusPreconditionFailed
		}
	} else if since, ok := date(h, "If-Modified-Since"); ok && read && v.known() && !v.after(since) {
		return http.StatusNotModified
	}
	return 0
}

// wantsRange reports whether the request's Range field counts: RFC 9110 defines it for GET alone, and If-Range
// (section 13.1.5) withdraws it when the client's part is of another version of the body.
func (v validators) wantsRange(r *http.Request) bool {
	cond := r.Header.Get("If-Range")
	switch {
	case r.Method != http.MethodGet || r.Header.Get("Range") == "":
		return false
	case cond == "":
		return true
	case strings.HasPrefix(cond, `"`) || strings.HasPrefix(cond, "W/"):
		tag, _ := cutTag(cond)
		return strongEqual(tag, v.etag)
	}
	t, ok := date(r.Header, "If-Range")
	return ok && v.known() && v.modified.Unix() == t.Unix()
}

// after reports whether the body has changed after t, at the resolution of HTTP: a second.
func (v validators) after(t time.Time) bool { return v.modified.Unix() > t.Unix() }

func date(h http.Header, field string) (time.Time, bool) {
	value := h.Get(field)
	if value == "" {
		return time.Time{}, false
	}
	t, err := http.ParseTime(value)
	return t, err == nil
}

// listed reports whether a list of entity tags, or "*", holds one equal to etag. What follows a malformed tag is ignored.
func listed(list, etag string, equal func(a, b string) bool) bool {
	for {
		list = strings.TrimLeft(list, " \t,")
		if strings.HasPrefix(list, "*") {
			return true
		}
		var tag string
		if tag, list = cutTag(list); tag == "" {
			return false
		}
		if equal(tag, etag) {
			return true
		}
	}
}

// cutTag splits the entity tag (RFC 9110, section 8.8.3) that s begins with from what follows; none: it is empty.
func cutTag(s string) (tag, rest string) {
	start := 0
	if strings.HasPrefix(s, "W/") {
		start = 2
	}
	if len(s) <= start || s[start] != '"' {
		return "", ""
	}
	for i := start + 1; i < len(s); i++ {
		switch c := s[i]; {
		case c == '"':
			return s[:i+1], s[i+1:]
		case c == 0x21 || c >= 0x23 && c <= 0x7E || c >= 0x80:
		default:
			return "", ""
		}
	}
	return "", ""
}

func strongEqual(a, b string) bool { return a == b && strings.HasPrefix(a, `"`) }

func weakEqual(a, b string) bool {
	a = strings.TrimPrefix(a, "W/")
	return a != "" && a == strings.TrimPrefix(b, "W/")
}
