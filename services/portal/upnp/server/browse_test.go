package server

import (
	"errors"
	"strconv"
	"testing"
)

// TestWalk goes through all that there is, in pages of several sizes.
func TestWalk(t *testing.T) {
	s := newServer(&house{songs: 1203, films: 7})
	seen := map[string]bool{}
	var into func(id string, page int)
	into = func(id string, page int) {
		for start := 0; ; {
			things, total, err := ask(t, s, false, id, "BrowseDirectChildren", start, page)
			if err != nil {
				t.Fatalf("%s: %v", id, err)
			}
			for _, o := range things {
				if seen[o.ID] || o.Parent != id {
					t.Errorf("%s in %s is said to be in %s, seen before: %v", o.ID, id, o.Parent, seen[o.ID])
				}
				seen[o.ID] = true
				if o.XMLName.Local == "container" {
					_, children, err := ask(t, s, false, o.ID, "BrowseDirectChildren", 0, 1)
					if err != nil || strconv.Itoa(children) != o.Children {
						t.Errorf("%s has %d children and says %s, %v", o.ID, children, o.Children, err)
					}
					into(o.ID, page)
				}
			}
			if start += len(things); start >= total || len(things) == 0 {
				if start != total {
					t.Errorf("%s ends at %d of %d", id, start, total)
				}
				return
			}
		}
	}
	into(root, 0)
	for id, want := range map[string]bool{
		"songs/s1202": true, "albums/a120/s1201": true, "artists": true, "films/f6": true, "recent/a99": true, "recent/a100": false, "recent/a99/s990": true, "films/f7": false,
	} {
		if seen[id] != want {
			t.Errorf("%s: seen %v", id, seen[id])
		}
	}
	seen = map[string]bool{}
	into(films, 3)
	if len(seen) != 7 {
		t.Errorf("in threes: %v", seen)
	}
	if things, total, err := ask(t, s, false, songs, "BrowseDirectChildren", 0, 100000); len(things) != 500 || total != 1203 || err != nil {
		t.Errorf("all at once: %d of %d, %v", len(things), total, err)
	}
	if things, total, err := ask(t, s, false, songs, "BrowseDirectChildren", 1<<31, 10); len(things) != 0 || total != 1203 || err != nil {
		t.Errorf("behind the end: %d of %d, %v", len(things), total, err)
	}
}

func TestObjectsThemselves(t *testing.T) {
	s := newServer(&house{songs: 40, films: 2})
	for _, id := range []string{"0", "music", "films", "artists", "albums", "songs", "recent", "albums/a1", "albums/a1/s12", "songs/s12", "films/f1", "recent/a2/s21"} {
		itself, total, err := ask(t, s, false, id, "BrowseMetadata", 0, 0)
		if err != nil || total != 1 || len(itself) != 1 || itself[0].ID != id {
			t.Errorf("%s: %+v, %v", id, itself, err)
		}
	}
	for _, id := range []string{"", "x", "music/x", "songs/s99", "songs/", "albums/a9", "albums/a1/s99", "films/f1/x", "artists/x", "artists/x/a1", "/", "0/music", "songs/s1/s1", "albums/a1/s30", "films/s1", "songs/f1"} {
		if _, _, err := ask(t, s, false, id, "BrowseMetadata", 0, 0); !errors.Is(err, errNoObject) {
			t.Errorf("%q is there: %v", id, err)
		}
		if things, _, err := ask(t, s, false, id, "BrowseDirectChildren", 0, 0); err == nil {
			t.Errorf("%q has %d children", id, len(things))
		}
	}
	if _, _, err := ask(t, s, false, "songs/s12", "BrowseDirectChildren", 0, 0); err != errNoContainer {
		t.Errorf("children of a song: %v", err)
	}
}
