package netmgr

import (
	"strconv"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// MaxLabel is the length of the longest part of a domain name, in bytes (RFC 1035, section 2.3.4).
const MaxLabel = 63

// defaultLabel is the host's name where no other can be made.
const defaultLabel = "manofwar"

// spelled are letters that Unicode does not take apart into one of ASCII, or that their readers write otherwise than without
// their mark.
var spelled = strings.NewReplacer(
	"ä", "ae", "ö", "oe", "ü", "ue", "ß", "ss", "æ", "ae", "œ", "oe", "ø", "oe", "å", "aa", "đ", "d", "ð", "d", "þ", "th",
	"ħ", "h", "ı", "i", "ł", "l", "'", "", "’", "",
)

// Label makes of a name that a person has given one that fits into a domain name (RFC 1123, section 2.1): lower-case letters of
// ASCII, digits and single hyphens between them, 1 to [MaxLabel] bytes. Of scripts that have no such letters nothing is left;
// a name of nothing else becomes "manofwar".
func Label(name string) string {
	name = strings.ToLower(norm.NFC.String(name)) // one rune for "ä", however it was typed
	var b strings.Builder
	gap := false
	for _, r := range norm.NFKD.String(spelled.Replace(name)) {
		switch r = unicode.ToLower(r); {
		case unicode.Is(unicode.Mn, r): // the mark on the letter before
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9':
			if gap && b.Len() > 0 {
				b.WriteByte('-')
			}
			b.WriteRune(r)
			gap = false
		default:
			gap = true
		}
	}
	label := b.String()
	if label = strings.TrimRight(label[:min(len(label), MaxLabel)], "-"); label == "" {
		return defaultLabel
	}
	return label
}

// NumberedLabel returns the nth label of those who want the same one: the label itself, then with "-2" and so on.
func NumberedLabel(label string, n int) string {
	if n <= 1 {
		return label
	}
	suffix := "-" + strconv.Itoa(n)
	return strings.TrimRight(label[:min(len(label), MaxLabel-len(suffix))], "-") + suffix
}
