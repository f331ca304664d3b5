//go:build vm

package vm

import (
	"context"
	"os"
	"path"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"manofwar/internal/lab"
	"manofwar/internal/lab/guest"
	"manofwar/internal/lab/peers"
)

// TestTestsOnRadios runs the tests of all packages that want radios or other simulated hardware, in one guest without a
// dongle.
func TestTestsOnRadios(t *testing.T) {
	packages, err := peers.TestPackages(t.Context())
	must(t, err)
	if len(packages) == 0 {
		t.Fatal("no package has tests with the build tag " + peers.Tag)
	}
	programs := t.TempDir()
	w := world(t, peers.Config{Alone: true, Screen: new(lab.Screen), Sound: &lab.Sound{DAC: true}, Limit: time.Duration(len(packages)) * testLimit})
	for _, p := range packages {
		t.Run(strings.TrimPrefix(p.ImportPath, "manofwar/"), func(t *testing.T) {
			name := strings.ReplaceAll(p.ImportPath, "/", "-") + ".test"
			file := filepath.Join(programs, name)
			must(t, lab.GoTest(t.Context(), file, p.ImportPath, peers.Tag, "GOARCH=amd64"))
			runInside(t, w, file, p.Tests)
		})
	}
}

// testLimit is how long the tests of one package may take.
const testLimit = 10 * time.Minute

// runInside runs some tests of a test program in the guest. In the lab nothing is missing: a test that is skipped has failed.
func runInside(t *testing.T, w *peers.World, file string, tests []string) {
	t.Helper()
	content, err := os.Open(file)
	must(t, err)
	defer content.Close()
	inside := path.Join("/run/tests", filepath.Base(file))
	must(t, w.Dongle().Write(t.Context(), inside, 0o755, content))
	ctx, cancel := context.WithTimeout(t.Context(), testLimit)
	defer cancel()
	a := answers{t: t, world: w, dir: inside + ".answers"}
	program, err := w.Dongle().Start(ctx, "env", guest.AnswersEnv+"="+a.dir,
		inside, "-test.v", "-test.timeout="+testLimit.String(), "-test.run=^("+strings.Join(tests, "|")+")$")
	must(t, err)
	defer program.Kill()
	a.serve(ctx, program)
	err = program.Wait()
	out := program.String()
	for _, name := range tests {
		if err == nil && !strings.Contains(out, "--- PASS: "+name+" ") {
			t.Errorf("%s did not pass", name)
		}
	}
	if err != nil {
		t.Error(err)
	}
	if strings.Contains(out, "--- SKIP") {
		t.Error("there are skipped tests")
	}
	if t.Failed() {
		t.Logf("output:\n%s", out)
		return
	}
	for line := range strings.Lines(out) {
		if strings.HasPrefix(line, "--- PASS") {
			t.Log(strings.TrimSpace(line))
		}
	}
}
