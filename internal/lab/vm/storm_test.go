//go:build vm

package vm

import (
	"flag"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"manofwar/internal/lab"
	"manofwar/internal/lab/guest"
	"manofwar/player/api"
)

// commands is how many a storm has. A soak has more: see the Makefile.
var commands = flag.Int("commands", 10000, "how many random commands the television's player gets")

// squall is after how many of them what the player says is held to what is seen and heard.
const squall = 500

// mayGrow is by how much the player's memory may, in KiB: what Go has not given back yet.
const mayGrow = 16 << 10

// storm throws random commands at the player. Again and again it looks whether the player does what it says and what it is
// told, and at the end whether it takes no more of the machine than it did.
func (tv *television) storm(t *testing.T) {
	tv.showFilm(t, 0)
	tv.control(t, map[string]any{"do": "stop"}) // the session: then nobody else tells the player anything
	w := tv.witness(t)
	chosen := w.now(t).Settings
	w.measure(t)
	before := w.idle(t)
	seen := make(map[string]int)
	for i := 0; i*squall < *commands; i++ {
		w.storm(t, uint64(i), min(squall, *commands-i*squall))
		seen[w.agrees(t)]++
		seen[w.obeys(t, orders[i%len(orders)])]++
		if t.Failed() {
			t.Fatalf("that was after %d commands", min((i+1)*squall, *commands))
		}
	}
	w.tell(t, "PUT", "/settings", chosen)
	after := w.idle(t)
	t.Logf("%d commands; before them the player takes %d KiB, %d files, %d threads, after them %d KiB, %d files, %d threads",
		*commands, before.Resident, before.Files, before.Threads, after.Resident, after.Files, after.Threads)
	for _, what := range slices.Sorted(maps.Keys(seen)) {
		t.Logf("%s: %d times it was as it said", what, seen[what])
	}
	if after.PID != before.PID {
		t.Error("it is another player")
	}
	if after.Resident > before.Resident+mayGrow || after.Files > before.Files+4 || after.Threads > before.Threads+16 {
		t.Errorf("it has not given everything back: %+v before, %+v after", before, after)
	}
	tv.inTune(t)
}

// storm throws n commands, and waits until what was asked for last is so.
func (w *witness) storm(t *testing.T, seed uint64, n int) {
	t.Helper()
	var now api.Status
	w.ask(t, &now, append([]string{"storm", fmt.Sprint(seed), fmt.Sprint(n)}, w.paths()...)...)
}

// idle has the player play everything once and stop, waits until nothing decodes any more, and measures it.
func (w *witness) idle(t *testing.T) (u guest.Usage) {
	t.Helper()
	w.tell(t, "POST", "/change", asRecorded)
	for _, path := range w.paths() {
		if now := w.tell(t, "POST", "/load", api.Load{Item: w.item(path)}); now.State != api.Playing {
			t.Fatalf("it was to play %s and is %s", path, now.State)
		}
	}
	w.tell(t, "POST", "/stop", nil)
	must(t, w.Await(within(t, patience), "nothing decodes", func() bool {
		w.ask(t, &u, "usage", "player")
		return u.Children == 0
	}))
	return u
}

// order is what the player can do whatever it was left at.
type order struct {
	want api.State
	film bool
}

// orders follow each other.
var orders = []order{{want: api.Playing}, {want: api.Paused, film: true}, {want: api.Idle}, {want: api.Paused}, {want: api.Playing, film: true}, {want: api.Idle}}

// obeys gives the player an order, and holds it to that. It returns what it was.
func (w *witness) obeys(t *testing.T, o order) string {
	t.Helper()
	w.tell(t, "POST", "/change", asRecorded)
	path := w.long
	if o.film {
		path = w.film
	}
	var now api.Status
	if o.want == api.Idle {
		now = w.tell(t, "POST", "/stop", nil)
	} else {
		now = w.tell(t, "POST", "/load", api.Load{Item: w.item(path), Paused: o.want == api.Paused})
	}
	if now.State != o.want || now.Item != nil && now.Item.Path != path {
		t.Errorf("it was to be %s of %q, and is %s of %+v", o.want, path, now.State, now.Item)
	}
	return "told: " + w.agrees(t)
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
	before, err := tv.RecordedFrames(lab.AC97)
	must(t, err)
	tv.songs(t)
	tv.play(t, longName) // so that QEMU gives the last of them away
	tv.await(t, "another song plays", func(s session) bool { return s.State == "playing" && s.Position > 1 })
	heard, err := tv.RecordedSince(lab.AC97, before)
	must(t, err)
	tv.whole(t, heard)
}
