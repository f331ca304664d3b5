//go:build vm

package vm

import (
	"encoding/json"
	"fmt"
	"image"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"manofwar/internal/lab"
	"manofwar/internal/lab/guest"
	"manofwar/internal/media"
	"manofwar/player/api"
)

// witness holds what the player says to what is seen and heard of it from outside. It speaks to the player itself, past cast.
type witness struct {
	*television
	film, long string                // where the dongle has them
	songs      map[string][][2]int16 // by where it has them
	still      image.Image           // the film's picture
	full       float64               // how much of what is recorded at volume 100 the card leaves
	asked      int
}

// asRecorded has everything heard as it was recorded.
var asRecorded = map[string]any{"volume": 100, "muted": false, "speed": 1}

func (tv *television) witness(t *testing.T) *witness {
	t.Helper()
	w := &witness{television: tv, film: tv.path(t, filmName), long: tv.path(t, longName), still: tv.media.stillAt(t, 640, 480)}
	w.songs = map[string][][2]int16{w.long: tv.media.long}
	for i, name := range songNames {
		w.songs[tv.path(t, name)] = tv.media.noise[i*songFrames : (i+1)*songFrames]
	}
	return w
}

// paths is where the dongle has all there is to play.
func (w *witness) paths() []string {
	paths := []string{w.film}
	for path := range w.songs {
		paths = append(paths, path)
	}
	slices.Sort(paths)
	return paths
}

// item is an entry of its own.
func (w *witness) item(path string) api.Item {
	kind := media.Film
	if w.songs[path] != nil {
		kind = media.Music
	}
	w.asked++
	return api.Item{Key: fmt.Sprintf("witness-%d", w.asked), Kind: kind, Path: path, Title: filepath.Base(path)}
}

// ask has the program outside do something, and reads what it prints.
func (w *witness) ask(t *testing.T, answer any, words ...string) {
	t.Helper()
	out, err := w.Outside().Run(t.Context(), append([]string{"/outside"}, words...)...)
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if err := json.Unmarshal([]byte(out), answer); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
}

// tell sends the player a request, if there is one, and returns what it says then.
func (w *witness) tell(t *testing.T, method, path string, body any) (now api.Status) {
	t.Helper()
	text, err := json.Marshal(body)
	must(t, err)
	w.ask(t, &now, "player", method, path, string(text))
	return now
}

// claim is what the player said once, at some time between two frames of the recording.
type claim struct {
	api.Status
	from, to int
}

// held is how many frames are heard at most before they are recorded.
const held = lab.RecordedLater + cardHolds*soundRate/1000

func (w *witness) now(t *testing.T) (m claim) {
	t.Helper()
	var err error
	m.from, err = w.RecordedFrames(lab.AC97)
	must(t, err)
	w.ask(t, &m.Status, "player")
	m.to, err = w.RecordedFrames(lab.AC97)
	must(t, err)
	m.to += held
	return m
}

const (
	queued  = 0.5                // seconds of sound that a command comes too late for, at most: what the player writes ahead
	listen  = 3 * soundRate / 10 // so many frames are listened to
	start   = 256                // by which they are found
	closeBy = 0.01               // the player knows the place where it is to so many seconds
	nearEnd = 3 * time.Second    // before it, too little is left to listen to
	ends    = 60                 // so often the witness waits for one
)

// agrees holds what the player says to what is seen and heard, and returns what that is. Nobody tells the player anything
// meanwhile, but an item may end, and the next one follow.
func (w *witness) agrees(t *testing.T) string {
	t.Helper()
	for range ends {
		if now := w.now(t); now.State != api.Playing {
			w.passes(t, time.Second) // what was being played when it was told to wait has been heard
			if now = w.now(t); now.State != api.Playing {
				return w.rests(t, now)
			}
		} else if now.left() > nearEnd {
			if what, same := w.plays(t, now); same {
				return what
			}
			continue
		}
		w.passes(t, time.Second)
	}
	t.Fatal("one item ends after the other")
	return ""
}

// left is how long what is played goes on.
func (m claim) left() time.Duration {
	return time.Duration(float64(m.Duration-m.Position) / m.Speed)
}

// passes lets time pass in the guest.
func (w *witness) passes(t *testing.T, d time.Duration) {
	t.Helper()
	_, err := w.Outside().Run(t.Context(), "sleep", fmt.Sprint(d.Seconds()))
	must(t, err)
}

// rests holds a player that plays nothing to that: nothing is heard, it stays where it is, and no more decodes than need be.
func (w *witness) rests(t *testing.T, before claim) string {
	t.Helper()
	w.passes(t, time.Second)
	after := w.now(t)
	if after.State != before.State || after.Position != before.Position {
		t.Errorf("it was %s at %v, and a second later it is %s at %v", before.State, time.Duration(before.Position), after.State, time.Duration(after.Position))
	}
	heard, err := w.RecordedSince(lab.AC97, before.from)
	must(t, err)
	hushed(t, heard, 1)
	what := string(before.State)
	most := 0
	if before.Item != nil { // it, and what follows
		what += ", " + filepath.Ext(before.Item.Path)
		most = 2
	}
	w.looks(t, before)
	w.decodes(t, most)
	return what
}

// decodes waits until no more decode than that.
func (w *witness) decodes(t *testing.T, most int) {
	t.Helper()
	must(t, w.Await(within(t, patience), fmt.Sprintf("no more than %d decode", most), func() bool {
		var u guest.Usage
		w.ask(t, &u, "usage", "player")
		if u.Children > most {
			return false
		}
		pids, err := w.Outside().Run(t.Context(), "pidof", "ffmpeg")
		return err != nil || len(strings.Fields(pids)) <= most
	}))
}

// looks holds the screen to it: the film's picture, over whose lower half words may lie, or none of it. What plays may be over
// before that.
func (w *witness) looks(t *testing.T, m claim) {
	t.Helper()
	over := func() bool { return m.State == api.Playing && !w.now(t).same(m) }
	if m.Item == nil || m.Item.Path != w.film {
		w.until(t, "no film", func(img image.Image) bool { return distance(img, w.still) > 20 || over() })
		return
	}
	top := image.Rect(0, 0, w.still.Bounds().Dx(), w.still.Bounds().Dy()/2)
	w.until(t, "the film's picture", func(img image.Image) bool { return distance(crop(img, top), crop(w.still, top)) < 6 || over() })
}

// same tells whether the player does the same as another time.
func (m claim) same(as claim) bool {
	return m.State == as.State && (m.Item == nil) == (as.Item == nil) && (m.Item == nil || m.Item.Key == as.Item.Key)
}

// plays holds a player that plays to that: its item is heard, at the place and as loud as it says, and goes on as fast. It
// returns false if the item was over before that was known.
func (w *witness) plays(t *testing.T, before claim) (what string, same bool) {
	t.Helper()
	w.recordedUntil(t, before.to+frames(queued+closeBy)+listen)
	after := w.now(t)
	if !after.same(before) {
		if passed := after.At.Sub(before.At); passed < before.left() {
			t.Errorf("it was playing %s at %v, and %v later it is %s of %+v", before.Item.Path, time.Duration(before.Position), passed, after.State, after.Item)
		}
		return "", false
	}
	heard, err := w.RecordedSince(lab.AC97, before.from)
	must(t, err)
	w.sounds(t, before, heard)
	w.goesOn(t, before, after)
	w.looks(t, after)
	w.decodes(t, 2)
	what = "playing, " + filepath.Ext(before.Item.Path)
	if before.Speed != 1 {
		what += ", at another speed"
	}
	if before.Muted {
		what += ", muted"
	}
	return what, true
}
