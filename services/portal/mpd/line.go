package mpd

import "strings"

// maxArgs bounds those of a command.
const maxArgs = 256

// parseLine takes a command apart: words between blanks, or texts in double quotes in which a backslash makes the next
// character plain. The error is a client's mistake.
func parseLine(line string) (name string, args []string, err error) {
	rest := line
	for {
		rest = strings.TrimLeft(rest, " \t")
		if rest == "" {
			return name, args, nil
		}
		var word string
		if word, rest, err = parseWord(rest, name == ""); err != nil {
			return name, nil, err
		}
		switch {
		case name == "":
			name = word
		case len(args) == maxArgs:
			return name, nil, fail(codeArgument, "too many arguments")
		default:
			args = append(args, word)
		}
	}
}

// parseWord reads the word that s begins with. The name of a command is a plain one.
func parseWord(s string, plain bool) (word, rest string, err error) {
	if plain || s[0] != '"' {
		end := strings.IndexAny(s, " \t")
		if end < 0 {
			end = len(s)
		}
		if word = s[:end]; strings.ContainsAny(word, `"'`) {
			return "", "", fail(codeArgument, "invalid unquoted character")
		}
		return word, s[end:], nil
	}
	word, rest, ok := unquote(s)
	switch {
	case !ok:
		return "", "", fail(codeArgument, `missing closing '"'`)
	case rest != "" && rest[0] != ' ' && rest[0] != '\t':
		return "", "", fail(codeArgument, `space expected after closing '"'`)
	}
	return word, rest, nil
}

// unquote reads the text that s begins with, in the quotes that its first byte is; false: they do not close.
func unquote(s string) (text, rest string, ok bool) {
	if i := strings.IndexAny(s[1:], s[:1]+`\`); i >= 0 && s[1+i] == s[0] {
		return s[1 : 1+i], s[2+i:], true // nothing is escaped
	}
	var b strings.Builder
	for i := 1; i < len(s); i++ {
		switch c := s[i]; {
		case c == s[0]:
			return b.String(), s[i+1:], true
		case c == '\\' && i+1 < len(s):
			i++
			b.WriteByte(s[i])
		case c == '\\':
			return "", "", false
		default:
			b.WriteByte(c)
		}
	}
	return "", "", false
}
