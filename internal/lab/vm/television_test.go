//go:build vm

package vm

import (
	"bytes"
	"context"
	"fmt"
	"image"
	"image/png"
	"net/http"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"manofwar/internal/lab"
	"manofwar/internal/lab/peers"
)

// TestTelevision plays to a screen and a sound card, as an evening does: what it shows and what is heard is looked at from
// outside. Then it breaks what plays, plugs and pulls what can be, and lets a crowd of commands loose on it.
func TestTelevision(t *testing.T) {
	dir := t.TempDir()
	m := makeMedia(t, dir)
	// A clock that counts keeps an emulated player from running dry because the host is busy. Minutes of the guest's pass in
	// seconds while it waits.
	w := world(t, peers.Config{
		Radios: 1, Dongle: 1, Counted: true, Limit: 20*time.Minute + time.Duration(*commands)*100*time.Millisecond, Modules: []string{"vivid"},
		Screen: &lab.Screen{Width: 640, Height: 480}, Sound: new(lab.Sound),
		Disks: []lab.Disk{stickOf(t, dir, false)},
	})
	tv := &television{World: w, media: m}
	must(t, w.Await(t.Context(), "the library is scanned", func() bool {
		var s status
		err := w.Ask(t.Context(), http.MethodGet, "/api/v1/status", nil, &s)
		return err == nil && allReady(s) && s.Library != nil && s.Library.Music == 3 && s.Library.Films == 2
	}))
	parts := []part{
		{"it invites by a code that phones read", tv.invites},
		{"a television finds it", tv.found},
		{"two songs", tv.songs},
		{"a song waits and is sought in", tv.waits},
		{"nobody is disturbed", tv.undisturbed},
		{"a film", tv.film},
		{"its subtitles", tv.captions},
		{"flashes and beeps", tv.together},
		{"the songs were one piece", tv.heard},
		{"what was sought is what was heard", tv.heardWaiting},
		{"the remote control", tv.remote},
		{"the television is turned off", tv.sleeps},
		{"the television is plugged in again", tv.replugged},
		{"other screens", tv.screens},
		{"another card", tv.cards},
		{"nothing has fallen over", tv.unharmed},
		{"the decoder is killed", tv.killDecoder},
		{"the player is killed", tv.killPlayer},
		{"the disk is pulled", tv.pulled},
		{"a storm of commands", tv.storm},
	}
	for _, p := range parts {
		if !t.Run(p.name, p.test) {
			return // what follows would wait for what is no longer so
		}
	}
}

// part is one of what happens on an evening.
type part struct {
	name string
	test func(*testing.T)
}

// television is a dongle at a screen, and the television that this is.
type television struct {
	*peers.World
	media evening
	set   *set     // its other end of the cable
	stood []waited // what was asked of a song that waited
}

// patience is how long anything on the screen may take, on a machine that others use as well.
const patience = 5 * time.Minute

// invites looks for what a phone can read.
func (tv *television) invites(t *testing.T) {
	tv.until(t, "the code", func(img image.Image) bool { return strings.HasPrefix(readCode(t, img), "WIFI:T:WPA;S:manofwar") })
}

// session is the part of a session that the tests look at.
type session struct {
	ID       string
	State    string
	Position float64
	Index    int
	Volume   int
	Muted    bool
	Problem  *struct{ Code, Text, Hint string }
	Entry    *struct{ Item struct{ Title string } }
}

// post tells the web API something.
func (tv *television) post(t *testing.T, path string, body any) {
	t.Helper()
	must(t, tv.Ask(t.Context(), http.MethodPost, path, body, nil))
}

// control presses a button of what plays.
func (tv *television) control(t *testing.T, do map[string]any) {
	t.Helper()
	s := tv.await(t, "a session", func(session) bool { return true })
	tv.post(t, "/api/v1/cast/sessions/"+s.ID+"/control", do)
}

// file is one of the library's.
type file struct {
	ID, Path string
	Away     bool
}

// library returns the files of the library by their names, without their folders.
func (tv *television) library(t *testing.T) map[string]file {
	t.Helper()
	byName := make(map[string]file)
	for _, kind := range []string{"music", "film"} {
		var found struct{ Items []file }
		must(t, tv.Ask(t.Context(), http.MethodGet, "/api/v1/items?limit=500&kind="+kind, nil, &found))
		for _, f := range found.Items {
			byName[path.Base(f.Path)] = f
		}
	}
	return byName
}

// items returns the IDs of files by their names, without their folders.
func (tv *television) items(t *testing.T, names ...string) (ids []string) {
	t.Helper()
	byName := tv.library(t)
	for _, name := range names {
		if byName[name].ID == "" {
			t.Fatalf("%s is not in the library: %v", name, byName)
		}
		ids = append(ids, byName[name].ID)
	}
	return ids
}

// play plays files, in that order.
func (tv *television) play(t *testing.T, names ...string) {
	t.Helper()
	tv.post(t, "/api/v1/cast/play", map[string]any{"renderer": "tv", "items": tv.items(t, names...)})
}

// showFilm plays the film from there, in seconds. It is long enough for whatever is done to it, and each part of the evening
// begins it anew: how much of it passes meanwhile depends on the host.
func (tv *television) showFilm(t *testing.T, from int) session {
	t.Helper()
	tv.post(t, "/api/v1/cast/play", map[string]any{"renderer": "tv", "items": tv.items(t, filmName), "position": from})
	return tv.await(t, "the film plays", func(s session) bool { return s.State == "playing" && s.Position > float64(from) })
}

// await waits until what plays is as ok wants it.
func (tv *television) await(t *testing.T, what string, ok func(session) bool) session {
	t.Helper()
	var last session
	ctx, cancel := context.WithTimeoutCause(t.Context(), patience, fmt.Errorf("it took more than %v", patience))
	defer cancel()
	err := tv.Await(ctx, what, func() bool {
		var s struct{ Sessions []session }
		if tv.Ask(ctx, http.MethodGet, "/api/v1/cast/sessions", nil, &s) != nil || len(s.Sessions) == 0 {
			return false
		}
		last = s.Sessions[0]
		return ok(last)
	})
	if err != nil {
		for _, name := range []string{"player", "cast"} {
			var log struct{ Lines []struct{ Text string } }
			_ = tv.Ask(t.Context(), http.MethodGet, "/api/v1/services/"+name+"/log", nil, &log) // of a machine that is still up
			for _, l := range log.Lines {
				t.Logf("%s: %s", name, l.Text)
			}
		}
		t.Fatalf("%v: %+v, problem %+v", err, last, last.Problem)
	}
	return last
}

// until waits until the screen looks as ok wants it, and keeps the last picture of one that never does.
func (tv *television) until(t *testing.T, what string, ok func(image.Image) bool) {
	t.Helper()
	var last image.Image
	ctx, cancel := context.WithTimeoutCause(t.Context(), patience, fmt.Errorf("it took more than %v", patience))
	defer cancel()
	err := tv.Await(ctx, what, func() bool {
		img, err := tv.Screendump(ctx)
		if err != nil {
			return false
		}
		last = img
		return ok(img)
	})
	if err != nil {
		file := filepath.Join(os.TempDir(), "manofwar-television.png")
		var b bytes.Buffer
		if last != nil && png.Encode(&b, last) == nil {
			_ = os.WriteFile(file, b.Bytes(), 0o600)
		}
		t.Fatalf("%v; the screen is in %s", err, file)
	}
}

// readCode returns what the QR codes on a picture say.
func readCode(t *testing.T, img image.Image) string {
	var b bytes.Buffer
	must(t, png.Encode(&b, img))
	cmd := exec.CommandContext(t.Context(), "zbarimg", "--quiet", "--raw", "-Sdisable", "-Sqrcode.enable", "-")
	cmd.Stdin = &b
	out, _ := cmd.Output() // it fails where there is none
	return strings.TrimSpace(string(out))
}
