package portal

import (
	"errors"
	"fmt"
	"math"
	"strings"
)

// span is a run of bytes of a body.
type span struct{ start, length int64 }

// contentRange returns the value of a Content-Range field (RFC 9110, section 14.4) for s in a body of size bytes.
func (s span) contentRange(size int64) string {
	return fmt.Sprintf("bytes %d-%d/%d", s.start, s.start+s.length-1, size)
}

// maxRanges is how many ranges one request may ask for. Players ask for one, PDF readers for a handful.
const maxRanges = 32

// errRange means that a Range field is malformed, or asks for nothing that the body has: status 416.
var errRange = errors.New("no such range")

// parseRange returns the spans that a Range field (RFC 9110, section 14.2) selects from a body of size bytes, in the
// order they were asked for. None means that the field is to be ignored and the whole body sent: it is in an unknown
// unit, the body is empty, or it asks for more ranges, or more bytes in all, than is sane. The error is [errRange].
func parseRange(header string, size int64) ([]span, error) {
	unit, set, ok := strings.Cut(header, "=")
	if !ok || !strings.EqualFold(unit, "bytes") || size == 0 || strings.Count(set, ",") >= maxRanges {
		return nil, nil
	}
	var spans []span
	var total int64
	asked := false
	for spec := range strings.SplitSeq(set, ",") {
		spec = strings.Trim(spec, " \t")
		if spec == "" {
			continue // RFC 9110, section 5.6.1.2: empty list elements are ignored
		}
		asked = true
		s, satisfiable, err := parseSpec(spec, size)
		if err != nil {
			return nil, err
		}
		if !satisfiable {
			continue
		}
		if total += s.length; total > size {
			return nil, nil // the ranges overlap: the whole is less work
		}
		spans = append(spans, s)
	}
	if asked && len(spans) == 0 {
		return nil, errRange
	}
	return spans, nil
}

// parseSpec parses one range: "first-last", "first-" or "-suffix". It is satisfiable if the body has any of it.
func parseSpec(spec string, size int64) (s span, satisfiable bool, err error) {
	first, last, ok := strings.Cut(spec, "-")
	first, last = strings.TrimRight(first, " \t"), strings.TrimLeft(last, " \t")
	if !ok || first == "" && last == "" {
		return s, false, errRange
	}
	if first == "" {
		n, err := parsePosition(last)
		n = min(n, size)
		return span{size - n, n}, n > 0, err
	}
	start, err := parsePosition(first)
	if err != nil || start >= size {
		return s, false, err
	}
	end := int64(math.MaxInt64)
	if last != "" {
		if end, err = parsePosition(last); err != nil || end < start {
			return s, false, errRange
		}
	}
	return span{start, min(end, size-1) - start + 1}, true, nil
}

// parsePosition parses digits, and nothing else. A number too large to hold becomes the largest: it is past every end.
func parsePosition(digits string) (n int64, err error) {
	for _, c := range []byte(digits) {
		switch d := int64(c - '0'); {
		case c < '0' || c > '9':
			return 0, errRange
		case n > (math.MaxInt64-d)/10:
			n = math.MaxInt64
		default:
			n = n*10 + d
		}
	}
	return n, nil
}
