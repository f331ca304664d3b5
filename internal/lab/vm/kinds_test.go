//go:build vm

package vm

import (
	"context"
	"encoding/json"
	"net/http"
	"os"
	"path"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"manofwar/internal/container/fixture"
	"manofwar/internal/lab/peers"
	playerapi "manofwar/player/api"
)

// makeKinds writes a file of every kind of media, short ones.
func makeKinds(t *testing.T, dir string) {
	t.Helper()
	for _, k := range fixture.Kinds {
		data, err := os.ReadFile(k.File(t, "1.2"))
		must(t, err)
		must(t, os.WriteFile(filepath.Join(dir, k.Name), data, 0o644))
	}
}

// kinds plays a file of every kind in one queue.
func (tv *television) kinds(t *testing.T) {
	must(t, tv.Plug("kinds"))
	var last status
	if err := tv.Await(within(t, patience), "the other disk is scanned", func() bool {
		err := tv.Ask(t.Context(), http.MethodGet, "/api/v1/status", nil, &last)
		return err == nil && last.Library != nil && last.Library.Music+last.Library.Films == len(fixture.Kinds)+5 && !last.Library.Scan.Running
	}); err != nil {
		t.Fatalf("%v; there is %+v", err, last.Library)
	}
	var names []string
	for _, k := range fixture.Kinds {
		names = append(names, k.Name)
	}
	log := tv.listen(t)
	tv.play(t, names...)
	for i := range names {
		tv.await(t, names[i], func(s session) bool { return s.Index >= i || s.State == "stopped" })
	}
	tv.await(t, "the end", func(s session) bool { return s.State == "stopped" })
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
		}
	}
}

// listening writes down what the player says while it plays: its news, and its status now and then.
type listening struct{ program *peers.Program }

// playing is what is known of a file that was played.
type playing struct {
	playing        bool
	shown, dropped int
	ended          string // why
	at             time.Duration
	problem        string
}

const playerSocket = "curl -sN --unix-socket /proc/1/root/run/manofwar/player.sock http://player"

// listen begins to.
func (tv *television) listen(t *testing.T) listening {
	t.Helper()
	program, err := tv.Outside().Start(context.WithoutCancel(t.Context()), "sh", "-c",
		playerSocket+"/events & while "+playerSocket+"/status; do echo; sleep 0.2; done")
	must(t, err)
	_, err = program.Expect(t.Context(), 0, "event: status")
	must(t, err)
	return listening{program}
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
		var s playerapi.Status
		if json.Unmarshal([]byte(data), &s) != nil || s.Item == nil {
			continue
		}
		p := keys[s.Item.Key]
		if p == nil {
			p = new(playing)
			keys[s.Item.Key], files[path.Base(s.Item.Path)] = p, p
		}
		p.playing = p.playing || s.State == playerapi.Playing
		p.shown, p.dropped = max(p.shown, s.Sync.Shown), max(p.dropped, s.Sync.Dropped)
	}
	return files
}
