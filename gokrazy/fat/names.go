package fat

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf16"
)

// A file has one short name, eight and three characters of upper-case ASCII, and if that does not spell its name
// exactly, a long one in front of it: entries of 13 UTF-16 units each, last part first.
const (
	longUnits = 13
	maxUnits  = 255
)

// shortName is a name as a directory entry has it: padded with spaces, without the dot.
type shortName [11]byte

func (s shortName) String() string {
	base, ext := strings.TrimRight(string(s[:8]), " "), strings.TrimRight(string(s[8:]), " ")
	if ext == "" {
		return base
	}
	return base + "." + ext
}

// checksum ties long entries to the short one that they belong to (the spec's ChkSum).
func (s shortName) checksum() (sum byte) {
	for _, c := range s {
		sum = sum>>1 | sum<<7
		sum += c
	}
	return sum
}

// shortChar tells whether c may be in a short name.
func shortChar(c byte) bool {
	return 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || strings.IndexByte("$%'-_@~`!(){}^#&", c) >= 0
}

// checkName tells what is wrong with a name for the long form, which is what Windows and Linux accept.
func checkName(name string) error {
	switch {
	case name == "" || name == "." || name == "..":
		return errors.New("not a name")
	case strings.HasSuffix(name, ".") || strings.HasSuffix(name, " "):
		return errors.New("name ends in a dot or a space, which FAT drops")
	case strings.ToValidUTF8(name, "") != name:
		return errors.New("name is not UTF-8")
	case len(utf16.Encode([]rune(name))) > maxUnits:
		return fmt.Errorf("name is longer than %d characters", maxUnits)
	}
	for _, c := range name {
		if c < 0x20 || strings.ContainsRune(`"*/:<>?\|`, c) {
			return fmt.Errorf("name has the character %q, which FAT has not", c)
		}
	}
	return nil
}

// fold maps names that FAT takes for the same to the same string.
func fold(name string) string { return strings.ToUpper(name) }

// assignShortNames gives every name of one directory its short one. Names that fit keep theirs; the others get a
// numbered one, in the order given. The spec calls it the basis-name and numeric-tail generation.
func assignShortNames(names []string) ([]shortName, error) {
	short := make([]shortName, len(names))
	taken := make(map[shortName]bool, len(names))
	done := make([]bool, len(names))
	for i, name := range names {
		if s, ok := fits(name); ok {
			short[i], done[i], taken[s] = s, true, true
		}
	}
	next := map[shortName]int{}
	for i, name := range names {
		if done[i] {
			continue
		}
		s, err := numbered(basis(name), next, taken)
		if err != nil {
			return nil, &PathError{Path: name, Err: err}
		}
		short[i], taken[s] = s, true
	}
	return short, nil
}

// fits returns name as a short one, if only the case of its letters is lost.
func fits(name string) (s shortName, ok bool) {
	base, ext, dot := strings.Cut(fold(name), ".")
	if len(base) < 1 || len(base) > 8 || len(ext) > 3 || dot && ext == "" {
		return s, false
	}
	for _, c := range []byte(base + ext) {
		if !shortChar(c) {
			return s, false
		}
	}
	return pad(base, ext), true
}

// basis is what a long name leaves for a short one: up to its first dot, and from its last.
func basis(name string) shortName {
	name = strings.TrimLeft(strings.ReplaceAll(fold(name), " ", ""), ".")
	var ext string
	if i := strings.LastIndexByte(name, '.'); i >= 0 {
		ext = name[i+1:]
	}
	base, _, _ := strings.Cut(name, ".")
	base, ext = legal(base), legal(ext)
	if base == "" {
		base = "_"
	}
	return pad(base[:min(len(base), 8)], ext[:min(len(ext), 3)])
}

func legal(s string) string {
	var b strings.Builder
	for _, r := range s {
		if r < 0x80 && shortChar(byte(r)) {
			b.WriteRune(r)
		} else {
			b.WriteByte('_')
		}
	}
	return b.String()
}

func pad(base, ext string) (s shortName) {
	copy(s[:], fmt.Sprintf("%-8s%-3s", base, ext))
	return s
}

// numbered returns b with the first free numeric tail.
func numbered(b shortName, next map[shortName]int, taken map[shortName]bool) (shortName, error) {
	base := strings.TrimRight(string(b[:8]), " ")
	for n := next[b] + 1; n < 1000000; n++ {
		tail := fmt.Sprintf("~%d", n)
		s := pad(base[:min(len(base), 8-len(tail))]+tail, string(b[8:]))
		if !taken[s] {
			next[b] = n
			return s, nil
		}
	}
	return b, errors.New("no short name is left")
}

// longEntries returns the directory entries in front of the short one, or none if that spells the name.
func longEntries(name string, s shortName) []byte {
	if s.String() == name {
		return nil
	}
	units := utf16.Encode([]rune(name))
	n := (len(units) + longUnits - 1) / longUnits
	if len(units) < n*longUnits {
		units = append(units, 0)
	}
	for len(units) < n*longUnits {
		units = append(units, 0xffff)
	}
	out := make([]byte, 0, n*entrySize)
	for i := n; i > 0; i-- {
		e := make([]byte, entrySize)
		e[0] = byte(i)
		if i == n {
			e[0] |= lastLong
		}
		e[11], e[13] = attrLong, s.checksum()
		for j, u := range units[(i-1)*longUnits : i*longUnits] {
			at := longUnitAt[j]
			e[at], e[at+1] = byte(u), byte(u>>8)
		}
		out = append(out, e...)
	}
	return out
}

// lastLong marks the entry with a long name's last part, which comes first.
const lastLong = 0x40

// longUnitAt are the offsets of the 13 units in a long entry.
var longUnitAt = [longUnits]int{1, 3, 5, 7, 9, 14, 16, 18, 20, 22, 24, 28, 30}
