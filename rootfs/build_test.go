//go:build linux

package rootfs_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// shell runs lines with the scripts' functions at hand, a cache of its own, and apt's sources from testdata.
func shell(t *testing.T, lines string) string {
	t.Helper()
	out, err := runShell(t, t.TempDir(), lines)
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return out
}

func runShell(t *testing.T, cache, lines string) (string, error) {
	t.Helper()
	cmd := exec.Command("bash", "-c", "source build/lib.sh; source build/apt.sh\n"+lines)
	sources, err := filepath.Abs("testdata/apt")
	if err != nil {
		t.Fatal(err)
	}
	cmd.Env = append(os.Environ(), "MANOFWAR_CACHE="+cache, "APT_SOURCES_DIR="+sources)
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// The machine's mirrors are found in both formats; other archives, sources only and what is switched off are not.
func TestMachineMirrors(t *testing.T) {
	key := "/usr/share/keyrings/debian-archive-keyring.gpg"
	want := strings.Join([]string{
		"http://mirror.example/debian . .",
		"http://other.example/debian -updates " + key,
		"http://other.example/debian . " + key,
		"http://second.example/debian -updates " + key,
		"http://second.example/debian . " + key,
		"https://mirror.example/debian-security -security " + key,
	}, "\n") + "\n"
	if got := shell(t, "machine_mirrors | LC_ALL=C sort"); got != want {
		t.Errorf("found\n%swant\n%s", got, want)
	}
}

func TestAptSources(t *testing.T) {
	got := shell(t, "apt_sources")
	for _, want := range []string{
		"Suites: bookworm trixie\n", "Suites: bookworm-security trixie-security\n", "Components: main non-free-firmware\n",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("no %q in\n%s", want, got)
		}
	}
}

// The key of a build changes with the recipe and with the versions of its own sources, not with others.
func TestKey(t *testing.T) {
	out := shell(t, `cp -r build "$cache/"; here=$cache/build
		key "$here/ffmpeg.sh" ffmpeg opus
		sed -i "/^source *e2fsprogs/s/1\.[^ ]*/9.9-9/" "$here/versions"; key "$here/ffmpeg.sh" ffmpeg opus
		sed -i "/^source *opus/s/1\.[^ ]*/9.9-9/" "$here/versions"; key "$here/ffmpeg.sh" ffmpeg opus
		echo "# changed" >>"$here/ffmpeg.sh"; key "$here/ffmpeg.sh" ffmpeg opus`)
	k := strings.Fields(out)
	if len(k) != 4 || k[0] != k[1] || k[1] == k[2] || k[2] == k[3] || len(k[0]) != 16 {
		t.Errorf("keys %q: want one twice, then two others", k)
	}
}

// A step that fails ends the build, shows the end of its log and keeps it.
func TestFailingStep(t *testing.T) {
	cache := t.TempDir()
	out, err := runShell(t, cache, `task=test; workdir
		broken() { echo "because of this"; false; echo "not reached"; }
		step configure broken
		echo "not reached"`)
	if err == nil || !strings.Contains(out, "because of this") || strings.Contains(out, "not reached") {
		t.Errorf("error %v, printed\n%s", err, out)
	}
	if logs, _ := filepath.Glob(filepath.Join(cache, "tmp/test.*/log/configure")); len(logs) != 1 {
		t.Errorf("the log is not kept: %q", logs)
	}
}
