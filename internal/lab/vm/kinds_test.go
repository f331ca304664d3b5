//go:build vm

package vm

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"manofwar/internal/container/fixture"
	"manofwar/internal/lab"
	"manofwar/internal/lab/peers"
	playerapi "manofwar/player/api"
)

// TestKinds plays a file of every kind of media in one queue, each to its end, to a screen and a sound card: films are seen, and
// what is heard of each file is looked for in the recording.
//
// It has a small screen, since the image scales every picture to its size and here on an emulated processor, and asks the guest
// nothing from outside while it plays: in a guest whose clock counts, each answer takes as much of its time as on a slow board, and
// a host asks far more often than a person does.
func TestKinds(t *testing.T) {
	dir := t.TempDir()
	makeKinds(t, dir)
	w := world(t, peers.Config{
		Radios: 1, Dongle: 1, Counted: true, Limit: 20 * time.Minute,
		Screen: &lab.Screen{Width: 320, Height: 240}, Sound: new(lab.Sound),
		Disks: []lab.Disk{{ID: "kinds", Path: diskOf(t, dir, "Kinds"), USB: true}},
	})
	tv := &television{World: w}
	must(t, w.Await(t.Context(), "the library is scanned", func() bool {
		var s status
		err := w.Ask(t.Context(), http.MethodGet, "/api/v1/status", nil, &s)
		return err == nil && allReady(s) && s.Library != nil && s.Library.Music+s.Library.Films == len(fixture.Kinds) && !s.Library.Scan.Running
	}))
	tv.warm(t, "bin/ffmpeg", "media/Kinds/*.*")
	var names []string
	for _, k := range fixture.Kinds {
		names = append(names, k.Name)
	}
	log := tv.listen(t)
	began := time.Now()
	tv.play(t, names...)
	log.ended(t, len(names))
	tv.await(t, "the end", func(s session) bool { return s.State == "stopped" })
	t.Logf("%d files were played in %.0f s", len(names), time.Since(began).Seconds())
	played := log.end(t)
	for _, k := range fixture.Kinds {
		p := played[k.Name]
		switch {
		case p == nil || !p.playing:
			t.Errorf("%s was not played: %+v", k.Name, p)
		case p.ended != "finished" || p.problem != "":
			t.Errorf("%s ended: %s %s", k.Name, p.ended, p.problem)
		case p.at < time.Second:
			t.Errorf("%s ended after %v", k.Name, p.at)
		case k.Film() && p.shown == 0:
			t.Errorf("%s was not seen", k.Name)
		case k.Film():
			t.Logf("%s: %d pictures were shown", k.Name, p.shown)
		}
	}
	heard, err := tv.Recorded(lab.AC97)
	must(t, err)
	for _, name := range unheard(heard, fixture.Kinds) {
		t.Errorf("%s was not heard whole, or one before it that sounds alike", name)
	}
}

// makeKinds writes a file of every kind of media, short ones.
func makeKinds(t *testing.T, dir string) {
	t.Helper()
	for _, k := range fixture.Kinds {
		data, err := os.ReadFile(k.File(t, fmt.Sprint(kindLength)))
		must(t, err)
		must(t, os.WriteFile(filepath.Join(dir, k.Name), data, 0o644))
	}
}

// warm has the guest read files of the dongle, below its root, so that they are in its memory: while it waits for a disk its
// counting clock runs away, the further the busier the host is.
func (tv *television) warm(t *testing.T, files ...string) {
	t.Helper()
	_, err := tv.Outside().Run(t.Context(), "sh", "-ec", "cd /proc/1/root; cat "+strings.Join(files, " ")+" >/dev/null")
	must(t, err)
}

// listening writes down what the player says while it plays: its news, and its status now and then.
type listening struct{ program *peers.Program }

// playing is what is known of a file that was played.
type playing struct {
	playing bool
	shown   int
	ended   string // why
	at      time.Duration
	problem string
}

// listen begins to. Each half is one program with one connection: to start one takes much of an emulated processor.
func (tv *television) listen(t *testing.T) listening {
	t.Helper()
	const ask = "curl -sN --unix-socket /proc/1/root/run/manofwar/player.sock "
	program, err := tv.Outside().Start(context.WithoutCancel(t.Context()), "sh", "-c",
		ask+"http://player/events & "+ask+`--rate 5/s "http://player/status?[1-1000000]"`)
	must(t, err)
	for _, begun := range []string{"(?m)^: hello", `(?m)^\{"state"`} { // from then on no news are missed
		_, err = program.Expect(within(t, patience), 0, begun)
		must(t, err)
	}
	return listening{program}
}

// ended waits until so many files are over.
func (l listening) ended(t *testing.T, files int) {
	t.Helper()
	const over = "event: ended\n"
	mark := 0
	for i := range files {
		if _, err := l.program.Expect(within(t, patience), mark, over); err != nil {
			t.Fatalf("after %d files: %v", i, err)
		}
		mark += strings.Index(l.program.String()[mark:], over) + len(over)
	}
}

// end returns what was said of each file, by its name.
func (l listening) end(t *testing.T) map[string]*playing {
	t.Helper()
	l.program.Kill()
	files, keys := make(map[string]*playing), make(map[string]*playing)
	event := ""
	for line := range strings.Lines(l.program.String()) {
		line = strings.TrimSpace(line)
		if kind, ok := strings.CutPrefix(line, "event: "); ok {
			event = kind
			continue
		}
		data, ok := strings.CutPrefix(line, "data: ")
		if ok && event == "ended" {
			var e playerapi.Ended
			if json.Unmarshal([]byte(data), &e) == nil && keys[e.Key] != nil {
				p := keys[e.Key]
				p.ended, p.at = e.Reason, time.Duration(e.At)
				if e.Problem != nil {
					p.problem = e.Problem.Text
				}
			}
			continue
		}
		if !ok {
			data = line // of the status that was asked for
		}
		var s playerapi.Status
		if json.Unmarshal([]byte(data), &s) != nil || s.Item == nil {
			continue
		}
		p := keys[s.Item.Key]
		if p == nil {
			p = new(playing)
			keys[s.Item.Key], files[path.Base(s.Item.Path)] = p, p
		}
		if s.State == playerapi.Playing { // before, the pictures are those of the file that came before
			p.playing, p.shown = true, max(p.shown, s.Sync.Shown)
		}
	}
	return files
}
