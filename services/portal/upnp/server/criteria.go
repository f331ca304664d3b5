package server

import (
	"strings"

	"manofwar/services/portal/upnp/didl"
)

// searchable are the properties that criteria may be about.
const searchable = "upnp:class,dc:title,dc:creator,upnp:artist,upnp:album,@refID"

// criterion is a search's condition (ContentDirectory:1, section 2.5.5.1): an operation on a property, or several
// conditions of which all, or any, have to hold.
type criterion struct {
	property, operator, value string
	all                       bool
	of                        []criterion
}

// The bounds of a search's criteria.
const (
	maxCriteria = 4096 // in bytes
	maxNested   = 12
	maxLeaves   = 32
)

// parseCriteria reads them. The error is [errCriteria].
func parseCriteria(text string) (criterion, error) {
	text = strings.TrimSpace(text)
	if text == "*" || text == "" {
		return criterion{all: true}, nil
	}
	if len(text) > maxCriteria {
		return criterion{}, errCriteria
	}
	p := criteriaParser{rest: text}
	c, err := p.any(0)
	if err != nil || p.word() != "" {
		return criterion{}, errCriteria
	}
	return c, nil
}

// criteriaParser reads from left to right; "and" binds closer than "or".
type criteriaParser struct {
	rest   string
	leaves int
}

// word takes the next word: a bracket, an operator or a name. A quoted one begins with its quote.
func (p *criteriaParser) word() string {
	p.rest = strings.TrimLeft(p.rest, " \t\r\n\v\f")
	if p.rest == "" {
		return ""
	}
	switch p.rest[0] {
	case '(', ')':
		w := p.rest[:1]
		p.rest = p.rest[1:]
		return w
	case '"':
		return p.quoted()
	}
	end := strings.IndexAny(p.rest, " \t\r\n\v\f()\"")
	if end < 0 {
		end = len(p.rest)
	}
	for _, op := range []string{"!=", "<=", ">=", "=", "<", ">"} { // some leave no blank around them
		if i := strings.Index(p.rest[:end], op); i == 0 {
			end = len(op)
			break
		} else if i > 0 {
			end = min(end, i)
		}
	}
	w := p.rest[:end]
	p.rest = p.rest[end:]
	return w
}

// quoted takes a value in quotes, in which a backslash stands before a quote or another one.
func (p *criteriaParser) quoted() string {
	var b strings.Builder
	b.WriteByte('"')
	for i := 1; i < len(p.rest); i++ {
		switch c := p.rest[i]; {
		case c == '\\' && i+1 < len(p.rest):
			i++
			b.WriteByte(p.rest[i])
		case c == '"':
			p.rest = p.rest[i+1:]
			return b.String()
		default:
			b.WriteByte(c)
		}
	}
	p.rest = "\x00" // it never ends: nothing that follows is understood
	return ""
}

func (p *criteriaParser) any(depth int) (criterion, error) {
	return p.list(depth, "or", false, p.every)
}

func (p *criteriaParser) every(depth int) (criterion, error) {
	return p.list(depth, "and", true, p.one)
}

// list reads conditions that are joined by a word.
func (p *criteriaParser) list(depth int, joint string, all bool, next func(int) (criterion, error)) (criterion, error) {
	c := criterion{all: all}
	for {
		one, err := next(depth)
		if err != nil {
			return c, err
		}
		c.of = append(c.of, one)
		before := p.rest
		if w := p.word(); !strings.EqualFold(w, joint) {
			p.rest = before
			if len(c.of) == 1 {
				return one, nil
			}
			return c, nil
		}
	}
}

func (p *criteriaParser) one(depth int) (criterion, error) {
	if p.leaves++; depth > maxNested || p.leaves > maxLeaves {
		return criterion{}, errCriteria
	}
	w := p.word()
	if w == "(" {
		c, err := p.any(depth + 1)
		if err == nil && p.word() != ")" {
			err = errCriteria
		}
		return c, err
	}
	c := criterion{property: w, operator: strings.ToLower(p.word())}
	value, quoted := strings.CutPrefix(p.word(), `"`)
	c.value = value
	switch {
	case !strings.Contains(","+searchable+",", ","+c.property+",") || c.property == "":
		return c, errCriteria
	case c.operator == "exists":
		if quoted || value != "true" && value != "false" {
			return c, errCriteria
		}
	case c.operator == "=", c.operator == "!=", c.operator == "contains", c.operator == "doesnotcontain", c.operator == "derivedfrom":
		if !quoted {
			return c, errCriteria
		}
	default:
		return c, errCriteria
	}
	return c, nil
}

// holds reports whether a condition does for an object.
func (c criterion) holds(o *didl.Object) bool {
	if c.property == "" {
		for _, part := range c.of {
			if part.holds(o) != c.all {
				return !c.all
			}
		}
		return c.all
	}
	values := valuesOf(o, c.property)
	if c.operator == "exists" {
		return (len(values) > 0) == (c.value == "true")
	}
	any := func(is func(string) bool) bool {
		for _, v := range values {
			if is(strings.ToLower(v)) {
				return true
			}
		}
		return false
	}
	want := strings.ToLower(c.value)
	switch c.operator {
	case "=":
		return any(func(v string) bool { return v == want })
	case "!=":
		return len(values) > 0 && !any(func(v string) bool { return v == want })
	case "contains":
		return any(func(v string) bool { return strings.Contains(v, want) })
	case "doesnotcontain":
		return !any(func(v string) bool { return strings.Contains(v, want) })
	}
	return any(func(v string) bool { return v == want || strings.HasPrefix(v, want+".") })
}

func valuesOf(o *didl.Object, property string) []string {
	one := func(s string) []string {
		if s == "" {
			return nil
		}
		return []string{s}
	}
	switch property {
	case "upnp:class":
		return one(o.Class)
	case "dc:title":
		return one(o.Title)
	case "dc:creator":
		return one(o.Creator)
	case "upnp:artist":
		return o.Artists
	case "upnp:album":
		return one(o.Album)
	}
	return nil // nothing here is a reference to something else
}

// may reports whether a condition could hold for an object of a class, whatever its words are, and could fail to.
func (c criterion) may(class string) (hold, fail bool) {
	if c.property == "" {
		hold, fail = c.all, !c.all
		for _, part := range c.of {
			h, f := part.may(class)
			if c.all {
				hold, fail = hold && h, fail || f
			} else {
				hold, fail = hold || h, fail && f
			}
		}
		return hold, fail
	}
	if c.property == "upnp:class" || c.property == "@refID" {
		is := c.holds(&didl.Object{Class: class})
		return is, !is
	}
	return true, true
}

// words are the texts that have to be found for a condition to hold, one list for each way in which it can; an empty list: it
// can without any. They narrow a search down before conditions are looked at.
func (c criterion) words() [][]string {
	if c.property == "" && !c.all {
		var ways [][]string
		for _, part := range c.of {
			ways = append(ways, part.words()...)
		}
		return bounded(ways)
	}
	if c.property == "" {
		ways := [][]string{nil}
		for _, part := range c.of {
			var joined [][]string
			for _, before := range ways {
				for _, more := range part.words() {
					joined = append(joined, append(before[:len(before):len(before)], more...))
				}
			}
			ways = bounded(joined)
		}
		return ways
	}
	if c.property != "upnp:class" && (c.operator == "=" || c.operator == "contains") && strings.TrimSpace(c.value) != "" {
		return [][]string{{c.value}}
	}
	return [][]string{nil}
}

// maxWays bounds in how many ways the words of a search are looked for. More are looked for in none: everything is looked at.
const maxWays = 8

func bounded(ways [][]string) [][]string {
	if len(ways) > maxWays {
		return [][]string{nil}
	}
	return ways
}
