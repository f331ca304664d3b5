package judge

import (
	"bytes"
	"html"
	"net/url"
	"regexp"
	"strings"
	"unicode"
)

// maxURL bounds a URL that somebody on the network names, in bytes.
const maxURL = 2048

// loginURL returns s if it is the URL of a page that a person's browser can be sent to, else nothing: absolute, of HTTP, without
// a password in it and without what could break out of the place it is shown in.
func loginURL(s string) string {
	s = strings.TrimSpace(s)
	if len(s) > maxURL || strings.ContainsFunc(s, func(r rune) bool { return unicode.IsControl(r) || unicode.IsSpace(r) || r == unicode.ReplacementChar }) {
		return ""
	}
	u, err := url.Parse(s)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.User != nil || u.Opaque != "" {
		return ""
	}
	if u.Hostname() == "" || strings.Trim(u.Hostname(), hostCharacters) != "" {
		return ""
	}
	return quotes.Replace(u.String()) // which escapes the path, but not the query
}

// quotes escapes what ends an attribute or an element of a page.
var quotes = strings.NewReplacer(`"`, "%22", "'", "%27", "<", "%3C", ">", "%3E", "`", "%60")

// refresh finds the URL in <meta http-equiv="refresh" content="0; url=…">, as portals have it that answer in the place of
// every page.
var refresh = regexp.MustCompile(`(?is)<meta[^>]*http-equiv\s*=\s*["']?refresh["']?[^>]*content\s*=\s*["'][^"'>]*?url\s*=\s*([^"'>\s]+)`)

// loginIn returns where a page sends its reader, or nothing.
func loginIn(page []byte) string {
	m := refresh.FindSubmatch(bytes.ToValidUTF8(page, nil))
	if m == nil {
		return ""
	}
	return loginURL(html.UnescapeString(string(m[1])))
}
