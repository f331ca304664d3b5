package mpd

import (
	"context"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	"manofwar/internal/media"
	castapi "manofwar/services/cast/api"
)

// TestLongQueue fills a queue with as much as a large collection has, in one command, and reads it whole, in parts, and what
// changes of it.
func TestLongQueue(t *testing.T) {
	const n = 16000
	h := live(t, n)
	c := h.call(t)
	took := func(command string, lines int) {
		t.Helper()
		begun := time.Now()
		if got := c.must(t, command); len(got) != lines {
			t.Errorf("%s: %d lines, want %d", command, len(got), lines)
		}
		t.Logf("%-24s %v", command, time.Since(begun).Round(100*time.Microsecond))
	}
	took(`add ""`, 0)
	took("clear", 0)
	took(`findadd "(genre == 'Jazz')"`, 0)
	const perSong = 12 // lines; every eighth has three more
	took("playlistinfo", n*perSong+n/8*3)
	took("playlistinfo 8000:8100", 100*perSong+12*3)
	took("plchangesposid 0", 2*n)
	version := field(c.must(t, "status"), "playlist")
	took("delete 9000", 0)
	took("plchangesposid "+version, 2*(n-9001))
	took("move 10 12000", 0)
	took("addid \"Music/Artist 0/Album 0/1 - Song 0.flac\" 5000", 1)
	took("playlistsearch title \"song 15999\"", perSong+3)
	took("shuffle", 0)
	took("random 1", 0)
	took("play 15000", 0)
	took("status", len(c.until(t, "state: play")))
	if got := field(c.must(t, "status"), "playlistlength"); got != fmt.Sprint(n) {
		t.Errorf("length %s", got)
	}
	if got := c.say(t, `add ""`); !strings.HasPrefix(got[0], "ACK [51@0]") {
		t.Errorf("the queue takes more than it may: %v", got)
	}
}

// TestMemory bounds what the database of the largest library takes.
func TestMemory(t *testing.T) {
	names := shares{"music": "Music"}
	before := heap()
	tree := &tree{names: names, byID: make(map[media.ID]*song), dirs: map[string]*directory{"": {}}}
	same := make(interned)
	for i := range maxSongs {
		tree.add(&media.Item{
			ID: media.ID(fmt.Sprintf("abcdefgh%05d", i)), Kind: media.Music, Root: "music", Path: fmt.Sprintf("An artist %d/An album of theirs %d/%02d - A song of some length %d.flac", i/120, i/12, i%12, i),
			Tags: media.Tags{Title: fmt.Sprintf("A song of some length %d", i), Artists: []string{fmt.Sprintf("An artist %d", i/120)}, Album: fmt.Sprintf("An album of theirs %d", i/12), Genres: []string{"Rock"}},
		}, same)
	}
	took := heap() - before
	runtime.KeepAlive(tree)
	t.Logf("%d songs take %d MiB", len(tree.songs), took>>20)
	if took > 32<<20 {
		t.Errorf("%d songs take %d MiB, of the 96 that the portal has", len(tree.songs), took>>20)
	}
}

func heap() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

func TestModes(t *testing.T) {
	for _, tt := range []struct {
		m      modes
		repeat castapi.Repeat
		end    bool
		back   modes
	}{
		{modes{false, "0"}, castapi.RepeatOff, false, modes{false, "0"}},
		{modes{true, "0"}, castapi.RepeatAll, false, modes{true, "0"}},
		{modes{true, "1"}, castapi.RepeatOne, false, modes{true, "1"}},
		{modes{false, "1"}, castapi.RepeatOff, true, modes{false, "oneshot"}},
		{modes{false, "oneshot"}, castapi.RepeatOff, true, modes{false, "oneshot"}},
		{modes{true, "oneshot"}, castapi.RepeatAll, true, modes{true, "oneshot"}},
	} {
		ch := tt.m.change()
		back := modesOf(castapi.Session{Repeat: *ch.Repeat, SleepEnd: *ch.SleepEnd})
		if *ch.Repeat != tt.repeat || *ch.SleepEnd != tt.end || back != tt.back {
			t.Errorf("%+v: %s, %v, back %+v", tt.m, *ch.Repeat, *ch.SleepEnd, back)
		}
	}
}

func TestShares(t *testing.T) {
	got := sharesOf([]media.Root{{ID: "a", Name: "Music"}, {ID: "b", Name: "Music"}, {ID: "c", Name: "AC/DC\n"}, {ID: "d", Name: " .hidden"}, {ID: "e", Name: "..."}, {ID: "f", Name: ""}})
	want := shares{"a": "Music", "b": "Music'", "c": "AC-DC", "d": "hidden", "e": "Music''", "f": "Music'''"}
	if !got.equal(want) {
		t.Errorf("got %v", got)
	}
}

// rooms is a cast with a session that plays on the TV and in two rooms besides. It notes what it is told.
type rooms struct {
	caster
	session castapi.Session
	told    []string
}

func (r *rooms) Renderers(context.Context) (all castapi.Renderers, err error) {
	for _, id := range []string{"tv", "kitchen", "bath", "attic"} {
		all.Renderers = append(all.Renderers, castapi.Renderer{ID: id, Name: id, Kind: castapi.Another})
	}
	return all, nil
}

func (r *rooms) Sessions(context.Context) (castapi.Sessions, error) {
	return castapi.Sessions{Sessions: []castapi.Session{r.session}}, nil
}

func (r *rooms) With(_ context.Context, _ string, w castapi.With) (castapi.Session, error) {
	r.told = append(r.told, fmt.Sprint("with ", w.Renderers))
	r.session.With = nil
	for _, id := range w.Renderers {
		r.session.With = append(r.session.With, castapi.Room{Renderer: id})
	}
	return r.session, nil
}

func (r *rooms) Move(_ context.Context, _ string, m castapi.Move) (castapi.Session, error) {
	r.told = append(r.told, "move "+m.Renderer)
	r.session.Renderer = m.Renderer
	return r.session, nil
}

func (r *rooms) Control(_ context.Context, _ string, do castapi.Control) (castapi.Session, error) {
	r.told = append(r.told, do.Do)
	r.session.State = map[string]castapi.State{"play": castapi.Playing, "pause": castapi.Paused}[do.Do]
	return r.session, nil
}

// TestRooms shows every room in which a session plays as enabled. Disabling one takes it out; enabling another moves all.
func TestRooms(t *testing.T) {
	r := &rooms{session: castapi.Session{ID: "s1", Renderer: "tv", State: castapi.Playing, With: []castapi.Room{{Renderer: "kitchen"}, {Renderer: "bath"}}}}
	h := newHouse(r)
	for _, tt := range []struct {
		enable bool
		output string
		told   string
		now    string
	}{
		{true, "1", "", "tv kitchen bath"}, // it plays there
		{false, "1", "with [bath]", "tv bath"},
		{false, "3", "", "tv bath"},
		{false, "2", "with []", "tv"},
		{true, "3", "move attic", "attic"},
		{false, "3", "pause", ""},
		{true, "0", "move tv play", "tv"},
		{false, "0", "pause", ""},
		{false, "play", "play", "tv"}, // somebody does so on the page
		{false, "0", "pause", ""},
	} {
		r.told = nil
		if tt.output == "play" {
			_, _ = r.Control(t.Context(), "s1", castapi.Control{Do: "play"})
			tt.output = "3"
		}
		o, err := h.output(t.Context(), tt.output)
		if err != nil {
			t.Fatal(err)
		}
		if tt.enable {
			err = h.enable(t.Context(), o)
		} else {
			err = h.disable(t.Context(), o)
		}
		list, err2 := h.outputs(t.Context())
		var now []string
		for _, o := range list {
			if o.enabled {
				now = append(now, o.ID)
			}
		}
		if err != nil || err2 != nil || strings.Join(r.told, " ") != tt.told || strings.Join(now, " ") != tt.now {
			t.Errorf("%+v: told %v, enabled %v, %v, %v", tt, r.told, now, err, err2)
		}
	}
}
