package index

import (
	"iter"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// unmarked folds letters that are not a plain letter and a mark in Unicode, but are to a person with another keyboard.
var unmarked = strings.NewReplacer("ß", "ss", "æ", "ae", "œ", "oe", "ø", "o", "đ", "d", "ð", "d", "þ", "th", "ł", "l", "ħ", "h", "ı", "i", "ŋ", "n")

// fold maps a text to what it is compared and searched as: compatibility forms decomposed, marks dropped, lower case.
func fold(s string) string {
	if plain(s) {
		return strings.ToLower(s)
	}
	s = strings.Map(func(r rune) rune {
		if unicode.Is(unicode.Mn, r) {
			return -1
		}
		return unicode.ToLower(r)
	}, norm.NFKD.String(s))
	return unmarked.Replace(s)
}

func plain(s string) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

var apostrophes = strings.NewReplacer("'", "", "’", "")

// words yields the words of a folded text: runs of letters and digits. An apostrophe is no border, so that "dont" finds "Don't".
func words(s string) iter.Seq[string] {
	if strings.ContainsAny(s, "'’") {
		s = apostrophes.Replace(s)
	}
	return strings.FieldsFuncSeq(s, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
}

// folder folds texts that come many times, such as artists, once.
type folder map[string]string

func (f folder) fold(s string) string {
	folded, ok := f[s]
	if !ok {
		folded = fold(s)
		f[s] = folded
	}
	return folded
}

// natural compares folded texts as a person sorts them: runs of digits by their value.
func natural(a, b string) int {
	for a != "" && b != "" {
		if isDigit(a[0]) && isDigit(b[0]) {
			x, restA := digits(a)
			y, restB := digits(b)
			if len(x) != len(y) {
				return len(x) - len(y)
			}
			if c := strings.Compare(x, y); c != 0 {
				return c
			}
			a, b = restA, restB
			continue
		}
		if a[0] != b[0] {
			return int(a[0]) - int(b[0])
		}
		a, b = a[1:], b[1:]
	}
	return len(a) - len(b)
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

// digits splits a leading number, without its leading zeros, off s.
func digits(s string) (number, rest string) {
	i := 0
	for i < len(s) && isDigit(s[i]) {
		i++
	}
	return strings.TrimLeft(s[:i], "0"), s[i:]
}
