package mpd

import (
	"strings"
	"testing"
	"time"
)

// FuzzLine takes lines apart, and what is quoted again is the same.
func FuzzLine(f *testing.F) {
	for _, line := range []string{"", "ping", `find title "a \"b\" \\"`, "play\t1  2", `x "`, `x "a"b`, `"x"`, "a 'b'", "x \x00 \xff", `x "\`} {
		f.Add(line)
	}
	f.Fuzz(func(t *testing.T, line string) {
		name, args, err := parseLine(line)
		if err != nil {
			if _, ok := err.(*ack); !ok {
				t.Fatalf("error %v", err)
			}
			return
		}
		if len(args) > maxArgs {
			t.Fatalf("%d arguments", len(args))
		}
		again := name
		for _, a := range args {
			again += ` "` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(a) + `"`
		}
		name2, args2, err := parseLine(again)
		if err != nil || name2 != name || strings.Join(args2, "\x00") != strings.Join(args, "\x00") {
			t.Fatalf("%q: %q %q, then %q %q, %v", line, name, args, name2, args2, err)
		}
	})
}

// FuzzFilter reads filters, and tries them on a song.
func FuzzFilter(f *testing.F) {
	for _, text := range []string{
		"(artist == 'x')", `((artist == "a\"b") AND (!(album contains 'y')))`, "(any =~ '(a|b)*c')", "(base 'a/b')", "(modified-since '5')",
		"(added-since '2024-01-01T00:00:00Z')", "(title !starts_with '')", "((", "(!", "(a == 'x' AND", "(file != 'x')", "artist", strings.Repeat("(!", 30),
	} {
		f.Add(text, "x", true)
	}
	piece := &song{uri: "Music/a/b.flac", title: "x", artists: []string{"a", "b"}, album: "y", track: 1, added: time.Unix(5, 0)}
	f.Fuzz(func(t *testing.T, first, second string, fold bool) {
		for _, args := range [][]string{{first}, {first, second}, {first, second, "sort", second}, {first, "window", second}} {
			is, err := parseFilter(args, fold)
			if err == nil {
				is(piece)
			} else if _, ok := err.(*ack); !ok {
				t.Fatalf("error %v", err)
			}
			if sel, err := parseSelection(args, fold, true); err == nil {
				if found, err := sel.of(t.Context(), []*song{piece, piece}); err != nil || len(found) > 2 {
					t.Fatalf("found %d, %v", len(found), err)
				}
			}
		}
		_, _, _, _ = grouping([]string{first, "group", second})
		if p, err := parseSpan(first, fold); err == nil && (p.first < 0 || p.end < p.first) {
			t.Fatalf("span %+v", p)
		}
		if n, err := target(second, 5, 2); err == nil && (n < 0 || n > 5) {
			t.Fatalf("target %d", n)
		}
	})
}
