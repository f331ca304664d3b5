//go:build vm

package vm

import (
	"encoding/json"
	"flag"
	"fmt"
	"strings"
	"testing"

	"manofwar/internal/lab"
	"manofwar/internal/lab/guest"
)

// commands is how many a storm has. A soak has more: see the Makefile.
var commands = flag.Int("commands", 1000, "how many random commands the television's player gets")

// mayGrow is by how much the player's memory may, in KiB: what Go has not given back yet.
const mayGrow = 16 << 10

// storm throws random commands at the player, and then looks whether it still does what it should: whether what it says is
// what is heard, and whether it takes no more of the machine than it did.
func (tv *television) storm(t *testing.T) {
	tv.control(t, map[string]any{"do": "stop"})
	var paths []string
	for _, name := range append([]string{filmName, longName}, songNames...) {
		paths = append(paths, tv.path(t, name))
	}
	out, err := tv.Outside().Run(t.Context(), append([]string{"/outside", "storm", "1", fmt.Sprint(*commands)}, paths...)...)
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	var report guest.Storm
	if err := json.Unmarshal([]byte(out), &report); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	before, after := report.Before, report.After
	t.Logf("%d commands; before them the player takes %d KiB, %d files, %d threads, after them %d KiB, %d files, %d threads",
		report.Commands, before.Resident, before.Files, before.Threads, after.Resident, after.Files, after.Threads)
	if after.PID != before.PID {
		t.Error("it is another player")
	}
	if after.Resident > before.Resident+mayGrow || after.Files > before.Files+4 || after.Threads > before.Threads+16 {
		t.Errorf("it has not given everything back: %+v before, %+v after", before, after)
	}
	tv.inTune(t)
}

// path is where the dongle has a file.
func (tv *television) path(t *testing.T, name string) string {
	t.Helper()
	const root = "/proc/1/root" // the dongle's
	out, err := tv.Outside().Run(t.Context(), "find", root+"/media", "-name", name)
	must(t, err)
	file, ok := strings.CutPrefix(strings.TrimSpace(out), root)
	if !ok || strings.Contains(file, "\n") {
		t.Fatalf("%s is at %q", name, out)
	}
	return file
}

// inTune plays the two songs again, and holds each frame of what is heard to them.
func (tv *television) inTune(t *testing.T) {
	before, err := tv.Recorded(lab.AC97)
	must(t, err)
	tv.songs(t)
	tv.play(t, longName) // so that QEMU gives the last of them away
	tv.await(t, "another song plays", func(s session) bool { return s.State == "playing" && s.Position > 1 })
	heard, err := tv.Recorded(lab.AC97)
	must(t, err)
	tv.whole(t, heard[len(before):])
}
