package cue

import (
	"bufio"
	"errors"
	"html"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"
)

const (
	maxLine = 16 << 10 // bytes of a line
	maxText = 16 << 10 // bytes of one subtitle
)

// SRT reads SubRip. Subtitles come in the order of the file.
type SRT struct {
	lines *bufio.Reader
	shift time.Duration
	next  string // a line that was read too far, which is the next subtitle's times
	err   error
}

// NewSRT returns a reader of r that adds shift to every time.
func NewSRT(r io.Reader, shift time.Duration) *SRT {
	return &SRT{lines: bufio.NewReaderSize(r, maxLine), shift: shift}
}

// Next returns the next subtitle that has text; its error is the source's, [io.EOF] at the end. A subtitle ends at an
// empty line after which a number and times follow, because text may have empty lines.
func (s *SRT) Next() (Cue, error) {
	for {
		from, to, err := s.times()
		if err != nil {
			return Cue{}, err
		}
		text := Clean(s.text())
		if text != "" && to > from {
			return Cue{From: from + s.shift, To: to + s.shift, Text: text}, nil
		}
	}
}

// times goes to the next line of times.
func (s *SRT) times() (from, to time.Duration, err error) {
	for {
		line := s.next
		if s.next = ""; line == "" {
			if line, err = s.line(); err != nil {
				return 0, 0, err
			}
		}
		if from, to, ok := parseTimes(line); ok {
			return from, to, nil
		}
	}
}

// text reads up to the next line of times, before which a number stands. What cannot be read is the next call's matter.
//
// Text is complete at an empty line already: the one after it may be minutes away.
func (s *SRT) text() string {
	var lines []string
	size := 0
	for {
		line, err := s.line()
		if err != nil {
			s.err = err
			break
		}
		if strings.TrimSpace(line) == "" {
			break
		}
		if _, _, ok := parseTimes(line); ok { // the empty line is missing
			s.next = line
			if n := len(lines); n > 0 && number(lines[n-1]) {
				lines = lines[:n-1]
			}
			break
		}
		if size += len(line) + 1; size <= maxText {
			lines = append(lines, line)
		}
	}
	return strings.Join(lines, "\n")
}

func number(line string) bool {
	_, err := strconv.Atoi(strings.TrimSpace(line))
	return err == nil
}

// line returns a line without its end. Of one that is too long the rest is left out.
func (s *SRT) line() (string, error) {
	if s.err != nil {
		return "", s.err
	}
	line, err := s.lines.ReadSlice('\n')
	text := string(line)
	for errors.Is(err, bufio.ErrBufferFull) {
		_, err = s.lines.ReadSlice('\n')
	}
	if err != nil {
		s.err = err
		if text == "" {
			return "", err
		}
	}
	return strings.TrimPrefix(strings.TrimRight(text, "\r\n"), "\uFEFF"), nil
}

// parseTimes reads "00:01:02,345 --> 00:01:04,000"; a point for the comma, a missing hour and what follows are allowed.
func parseTimes(line string) (from, to time.Duration, ok bool) {
	a, b, found := strings.Cut(line, "-->")
	if !found {
		return 0, 0, false
	}
	if b = strings.TrimSpace(b); strings.ContainsAny(b, " \t") {
		b = b[:strings.IndexAny(b, " \t")]
	}
	from, ok1 := parseTime(strings.TrimSpace(a))
	to, ok2 := parseTime(b)
	return from, to, ok1 && ok2
}

func parseTime(s string) (time.Duration, bool) {
	clock, fraction, _ := strings.Cut(strings.Replace(s, ".", ",", 1), ",")
	negative := strings.HasPrefix(clock, "-")
	parts := strings.Split(strings.TrimPrefix(clock, "-"), ":")
	if len(parts) < 2 || len(parts) > 3 {
		return 0, false
	}
	total := 0
	for _, p := range parts {
		n, err := strconv.Atoi(strings.TrimSpace(p))
		if err != nil || n < 0 || n > 9999 {
			return 0, false
		}
		total = 60*total + n
	}
	ms, err := strconv.Atoi((strings.TrimSpace(fraction) + "000")[:3])
	if err != nil || ms < 0 {
		return 0, false
	}
	d := time.Duration(total)*time.Second + time.Duration(ms)*time.Millisecond
	if negative {
		d = -d
	}
	return d, true
}

// Clean returns the text of a subtitle with no markup but balanced <i>, <b> and <u>. Entities are undone, so that what is left
// in angle brackets is markup or was meant as it stands; overrides in braces, as Advanced SubStation has them, go.
func Clean(s string) string {
	s = strings.ToValidUTF8(strings.NewReplacer("\r", "", "\x00", "").Replace(s), "\uFFFD")
	var b strings.Builder
	var open []string
	for s != "" {
		i := strings.IndexAny(s, "<{")
		if i < 0 {
			b.WriteString(html.UnescapeString(s))
			break
		}
		b.WriteString(html.UnescapeString(s[:i]))
		end := strings.IndexByte(s[i:], map[byte]byte{'<': '>', '{': '}'}[s[i]])
		if inside := s[i+1 : max(i+1, i+end)]; end > 0 && isMarkup(s[i], inside) {
			if s[i] == '<' {
				open = writeTag(&b, open, strings.ToLower(inside))
			}
			s = s[i+end+1:]
			continue
		}
		b.WriteByte(s[i])
		s = s[i+1:]
	}
	for _, tag := range slices.Backward(open) {
		b.WriteString("</" + tag + ">")
	}
	return trimLines(b.String())
}

// isMarkup tells whether what stands in brackets is a tag, or in braces an override.
func isMarkup(bracket byte, inside string) bool {
	if bracket == '{' {
		return strings.HasPrefix(inside, `\`)
	}
	inside = strings.TrimPrefix(inside, "/")
	return inside != "" && (inside[0]|0x20 >= 'a' && inside[0]|0x20 <= 'z') && !strings.ContainsAny(inside, "<\n")
}

// writeTag writes the tags that are kept, and returns which are open after it.
func writeTag(b *strings.Builder, open []string, tag string) []string {
	name, closes := strings.CutPrefix(tag, "/")
	name = strings.TrimSpace(name)
	if name != "i" && name != "b" && name != "u" {
		return open
	}
	i := slices.Index(open, name)
	switch {
	case !closes && i < 0:
		b.WriteString("<" + name + ">")
		return append(open, name)
	case closes && i >= 0:
		for _, t := range slices.Backward(open[i:]) { // those within it end with it
			b.WriteString("</" + t + ">")
		}
		return open[:i]
	}
	return open
}

func trimLines(s string) string {
	var lines []string
	for line := range strings.SplitSeq(s, "\n") {
		if line = strings.TrimSpace(line); line != "" {
			lines = append(lines, line)
		}
	}
	return strings.Join(lines, "\n")
}
