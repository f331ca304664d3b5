package mpd

import (
	"context"
	"regexp"
	"regexp/syntax"
	"slices"
	"strconv"
	"strings"
	"time"
)

// filter reports whether a song is meant.
type filter func(*song) bool

// The bounds of a filter.
const (
	maxDepth   = 16  // of expressions in each other
	maxPattern = 256 // of a regular expression, in bytes
)

// parseFilter reads the filter that args are: expressions in parentheses, and pairs of a type and a value as they were before
// MPD 0.21. Where fold is set it does not heed case, and a pair looks for a part of what is said. Without args all songs
// are meant.
func parseFilter(args []string, fold bool) (filter, error) {
	var all []filter
	for len(args) > 0 {
		if strings.HasPrefix(args[0], "(") {
			f, err := parseExpression(args[0], fold)
			if err != nil {
				return nil, err
			}
			all, args = append(all, f), args[1:]
			continue
		}
		if len(args) == 1 {
			return nil, fail(codeArgument, "incorrect number of filter arguments")
		}
		op := "=="
		if fold {
			op = "contains"
		}
		f, err := makeFilter(args[0], op, args[1], fold)
		if err != nil {
			return nil, err
		}
		all, args = append(all, f), args[2:]
	}
	return both(all), nil
}

// both means what all mean.
func both(all []filter) filter {
	if len(all) == 1 {
		return all[0]
	}
	return func(s *song) bool {
		for _, f := range all {
			if !f(s) {
				return false
			}
		}
		return true
	}
}

// expression is one that is being read.
type expression struct {
	rest  string
	fold  bool
	depth int
}

func parseExpression(text string, fold bool) (filter, error) {
	e := expression{rest: text, fold: fold}
	f, err := e.group()
	if err == nil && e.rest != "" {
		err = fail(codeArgument, "unparsed garbage after expression")
	}
	return f, err
}

func (e *expression) blanks() { e.rest = strings.TrimLeft(e.rest, " \t") }

// next takes prefix off the rest, if that begins with it.
func (e *expression) next(prefix string) bool {
	rest, ok := strings.CutPrefix(e.rest, prefix)
	if ok {
		e.rest = rest
		e.blanks()
	}
	return ok
}

// close takes the parenthesis at the end of an expression. What follows the outermost stays as it is.
func (e *expression) close() error {
	e.blanks()
	if !strings.HasPrefix(e.rest, ")") {
		return fail(codeArgument, "')' expected")
	}
	e.rest = e.rest[1:]
	if e.depth > 0 {
		e.blanks()
	}
	return nil
}

// group reads an expression in its parentheses.
func (e *expression) group() (filter, error) {
	if e.depth++; e.depth > maxDepth {
		return nil, fail(codeArgument, "more than %d expressions in each other", maxDepth)
	}
	if !e.next("(") {
		return nil, fail(codeArgument, "'(' expected")
	}
	f, err := e.inner()
	if err != nil {
		return nil, err
	}
	e.depth--
	return f, e.close()
}

// inner reads what is in the parentheses: a negation, several expressions, or a comparison.
func (e *expression) inner() (filter, error) {
	if e.next("!") {
		f, err := e.group()
		if err != nil {
			return nil, err
		}
		return func(s *song) bool { return !f(s) }, nil
	}
	if !strings.HasPrefix(e.rest, "(") {
		return e.comparison()
	}
	var all []filter
	for {
		f, err := e.group()
		if err != nil {
			return nil, err
		}
		all = append(all, f)
		if strings.HasPrefix(e.rest, ")") {
			return both(all), nil
		}
		if word, ok := e.word(); !ok || !strings.EqualFold(word, "AND") {
			return nil, fail(codeArgument, "'AND' expected")
		}
		e.blanks()
	}
}

// word takes the letters, dashes and underlines that the rest begins with.
func (e *expression) word() (string, bool) {
	end := strings.IndexFunc(e.rest, func(r rune) bool {
		return r != '-' && r != '_' && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z')
	})
	if end <= 0 {
		return "", false
	}
	word := e.rest[:end]
	e.rest = e.rest[end:]
	return word, true
}

// operators are those between a tag and a value, the longer ones first.
var operators = []string{
	"!contains", "contains", "!starts_with", "starts_with", "==", "!=", "=~", "!~",
}

// comparison reads what is said of one tag, or of the file.
func (e *expression) comparison() (filter, error) {
	kind, ok := e.word()
	if !ok {
		return nil, fail(codeArgument, "a tag expected in the expression")
	}
	e.blanks()
	op := ""
	switch strings.ToLower(kind) {
	case "base", "modified-since", "added-since":
	default:
		i := slices.IndexFunc(operators, func(o string) bool { return strings.HasPrefix(e.rest, o) })
		if i < 0 {
			return nil, fail(codeArgument, "unknown filter operator: %.20q", e.rest)
		}
		op = operators[i]
		e.rest = e.rest[len(op):]
		e.blanks()
	}
	if e.rest == "" || e.rest[0] != '"' && e.rest[0] != '\'' {
		return nil, fail(codeArgument, "a quoted string expected in the expression")
	}
	value, rest, ok := unquote(e.rest)
	if !ok {
		return nil, fail(codeArgument, "the closing quote is not there")
	}
	e.rest = rest
	return makeFilter(kind, op, value, e.fold)
}

// makeFilter returns the filter that compares what a song says of kind with value.
func makeFilter(kind, op, value string, fold bool) (filter, error) {
	switch strings.ToLower(kind) {
	case "base":
		base := strings.Trim(value, "/")
		return func(s *song) bool {
			return base == "" || s.uri == base || strings.HasPrefix(s.uri, base) && s.uri[len(base)] == '/'
		}, nil
	case "modified-since":
		return since(value, func(s *song) time.Time { return s.modified })
	case "added-since":
		return since(value, func(s *song) time.Time { return s.added })
	case "audioformat":
		return nil, fail(codeArgument, "songs cannot be told by their audio format here")
	}
	is, not, err := compare(op, value, fold)
	if err != nil {
		return nil, err
	}
	if lower := strings.ToLower(kind); lower == "file" || lower == "filename" {
		return func(s *song) bool { return is(s.uri) != not }, nil
	}
	t, _, ok := parseTag(kind)
	if strings.EqualFold(kind, "any") {
		t, ok = anyTag, true
	}
	if !ok {
		return nil, fail(codeArgument, "unknown filter type: %.40s", kind)
	}
	if value == "" && (op == "==" || op == "!=") { // it says nothing of it
		return func(s *song) bool {
			var buf [8]string
			return len(s.meant(t, buf[:0])) == 0 != not
		}, nil
	}
	return func(s *song) bool {
		var buf [8]string
		return slices.ContainsFunc(s.meant(t, buf[:0]), is) != not
	}, nil
}

// compare returns what op says of a text, and whether its opposite is meant.
func compare(op, value string, fold bool) (is func(string) bool, not bool, err error) {
	plain := strings.TrimPrefix(op, "!")
	not = plain != op
	lower := strings.ToLower(value)
	switch plain {
	case "=~", "~":
		if len(value) > maxPattern {
			return nil, false, fail(codeArgument, "a regular expression of more than %d bytes", maxPattern)
		}
		if fold {
			value = "(?i)" + value
		}
		pattern, err := compile(value)
		if err != nil {
			return nil, false, err
		}
		return pattern.MatchString, not, nil
	case "contains":
		if fold {
			return func(s string) bool { return strings.Contains(strings.ToLower(s), lower) }, not, nil
		}
		return func(s string) bool { return strings.Contains(s, value) }, not, nil
	case "starts_with":
		if fold {
			return func(s string) bool { return strings.HasPrefix(strings.ToLower(s), lower) }, not, nil
		}
		return func(s string) bool { return strings.HasPrefix(s, value) }, not, nil
	}
	if fold {
		return func(s string) bool { return strings.ToLower(s) == lower }, not, nil
	}
	return func(s string) bool { return s == value }, not, nil
}

// maxSteps bounds a regular expression's program: what it costs for each byte of each song.
const maxSteps = 500

// compile is [regexp.Compile] for what a stranger says.
func compile(text string) (*regexp.Regexp, error) {
	parsed, err := syntax.Parse(text, syntax.Perl)
	if err != nil {
		return nil, fail(codeArgument, "%v", err)
	}
	program, err := syntax.Compile(parsed.Simplify())
	if err == nil && len(program.Inst) > maxSteps {
		return nil, fail(codeArgument, "a regular expression that takes too long")
	}
	if err != nil {
		return nil, fail(codeArgument, "%v", err)
	}
	pattern, err := regexp.Compile(text)
	if err != nil {
		return nil, fail(codeArgument, "%v", err)
	}
	return pattern, nil
}

// each yields the songs that are meant, until yield wants no more or ctx ends, which is the error.
func (f filter) each(ctx context.Context, songs []*song, yield func(*song) bool) error {
	const often = 1000
	for i, s := range songs {
		if i%often == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		if f(s) && !yield(s) {
			break
		}
	}
	return nil
}

// since means the songs of which a time is no earlier than value: seconds since 1970, or ISO 8601.
func since(value string, of func(*song) time.Time) (filter, error) {
	var from time.Time
	if n, err := strconv.ParseInt(value, 10, 64); err == nil {
		from = time.Unix(n, 0)
	} else if from, err = parseTime(value); err != nil {
		return nil, fail(codeArgument, "a time stamp expected: %.40q", value)
	}
	return func(s *song) bool { return !of(s).Before(from) }, nil
}

func parseTime(value string) (at time.Time, err error) {
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04:05", time.DateOnly} {
		if at, err = time.Parse(layout, value); err == nil {
			return at, nil
		}
	}
	return at, err
}
