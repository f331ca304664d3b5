package mpd

import (
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the goldens")

// passing is what of an answer is another each time.
var passing = regexp.MustCompile(`(?m)^(elapsed: |uptime: |time: )[0-9.]+`)

// TestConformance has conversations, which testdata holds: what the client says behind "> ", and what it is told.
func TestConformance(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatal(err, files)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			h := live(t, 12)
			h.server.opts.Planner = nil // no conversation here asks for pictures
			got := converse(t, h.call(t), string(want))
			if *update {
				if err := os.WriteFile(file, []byte(got), 0o600); err != nil {
					t.Fatal(err)
				}
				return
			}
			differ(t, got, string(want))
		})
	}
}

// converse says what a script has the client say and returns the script with the answers. A line that begins with "# " is
// a remark; "< until x" waits until the status says x.
func converse(t *testing.T, c *caller, script string) string {
	t.Helper()
	var b strings.Builder
	inList := false
	for line := range strings.Lines(script) {
		line = strings.TrimSuffix(line, "\n")
		if line == "" || strings.HasPrefix(line, "# ") {
			b.WriteString(line + "\n")
			continue
		}
		if what, ok := strings.CutPrefix(line, "< until "); ok {
			b.WriteString(line + "\n")
			c.until(t, what)
			continue
		}
		said, ok := strings.CutPrefix(line, "> ")
		if !ok {
			continue // an answer
		}
		b.WriteString(line + "\n")
		c.write(t, said+"\n")
		inList = strings.HasPrefix(said, "command_list") && said != "command_list_end" || inList && said != "command_list_end"
		if inList {
			continue
		}
		answer := strings.Join(c.answer(t), "\n") + "\n"
		if !strings.Contains(answer, "\nstate: pause\n") {
			answer = passing.ReplaceAllString(answer, "${1}T")
		}
		b.WriteString(answer)
	}
	return b.String()
}

// differ fails at the first line that is not as wanted.
func differ(t *testing.T, got, want string) {
	t.Helper()
	g, w := strings.Split(got, "\n"), strings.Split(want, "\n")
	said := ""
	for i := range min(len(g), len(w)) {
		if strings.HasPrefix(w[i], "> ") {
			said = w[i]
		}
		if g[i] != w[i] {
			t.Errorf("line %d, %s: got %q, want %q", i+1, said, g[i], w[i])
			return
		}
	}
	if len(g) != len(w) {
		t.Errorf("%d lines, want %d", len(g), len(w))
	}
}
