package guest_test

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"manofwar/internal/media"
	catalogapi "manofwar/services/catalog/api"
	"manofwar/services/portal/guest"
)

func open(t *testing.T, dir string) *guest.Guests {
	t.Helper()
	return guest.Open(dir, slog.New(slog.DiscardHandler))
}

func choose(t *testing.T, g *guest.Guests, c guest.Choices) {
	t.Helper()
	if err := g.Choose(c); err != nil {
		t.Fatal(err)
	}
}

func TestOffUntilChosen(t *testing.T) {
	dir := t.TempDir()
	g := open(t, dir)
	for p, c := range g.Choices() {
		if c.On || len(c.Libraries) > 0 {
			t.Errorf("%s: %+v", p, c)
		}
	}
	choose(t, g, guest.Choices{guest.Server: {On: true, Libraries: []media.ID{"b", "a", "b"}}})
	choose(t, g, guest.Choices{guest.MPD: {On: true}})
	again := open(t, dir).Choices()
	if c := again[guest.Server]; !c.On || !slices.Equal(c.Libraries, []media.ID{"a", "b"}) {
		t.Errorf("kept %+v", again)
	}
	if !again[guest.MPD].On || again[guest.Renderer].On || again[guest.Renderer].Libraries == nil {
		t.Errorf("kept %+v", again)
	}
}

func TestChoicesThatMakeNoSense(t *testing.T) {
	g := open(t, t.TempDir())
	for _, c := range []guest.Choices{
		{"telnet": {On: true}},
		{guest.MPD: {Libraries: make([]media.ID, 65)}},
		{guest.MPD: {Libraries: []media.ID{""}}},
	} {
		if err := g.Choose(c); !errors.Is(err, media.ErrInvalid) {
			t.Errorf("%v: %v", c, err)
		}
	}
}

// TestDamagedFile shares nothing where what was chosen is not known.
func TestDamagedFile(t *testing.T) {
	for _, text := range []string{"", "[", `{"telnet":{"on":true}}`, `{"mpd":{"on":1}}`} {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, "guests.json"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		for p, c := range open(t, dir).Choices() {
			if c.On {
				t.Errorf("%q: %s is on", text, p)
			}
		}
	}
}

func TestNothingChangesWhereItCannotBeKept(t *testing.T) {
	g := open(t, filepath.Join(t.TempDir(), "gone"))
	if err := g.Choose(guest.Choices{guest.MPD: {On: true}}); err == nil || g.Choices()[guest.MPD].On {
		t.Errorf("%v, %+v", err, g.Choices())
	}
}

func TestWhile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := open(t, t.TempDir())
		ctx, cancel := context.WithCancel(t.Context())
		var running, begun int
		fail := make(chan error)
		over := make(chan struct{})
		go func() {
			defer close(over)
			g.While(ctx, guest.MPD, func(ctx context.Context, up func()) error {
				running, begun = running+1, begun+1
				defer func() { running-- }()
				up()
				select {
				case <-ctx.Done():
					return ctx.Err()
				case err := <-fail:
					return err
				}
			})
		}()
		expect := func(when string, wantRunning, wantBegun int, trouble bool) {
			t.Helper()
			synctest.Wait()
			if running != wantRunning || begun != wantBegun || (g.Troubles()[guest.MPD] != nil) != trouble {
				t.Errorf("%s: %d running, begun %d times, trouble %v", when, running, begun, g.Troubles())
			}
		}
		expect("off", 0, 0, false)
		choose(t, g, guest.Choices{guest.MPD: {On: true}})
		expect("on", 1, 1, false)
		choose(t, g, guest.Choices{guest.MPD: {On: true, Libraries: []media.ID{"a"}}, guest.Server: {On: true}})
		expect("other libraries", 1, 1, false)
		fail <- errors.New("the port is in use")
		expect("failed", 0, 1, true)
		time.Sleep(time.Second)
		expect("again", 1, 2, false)
		choose(t, g, guest.Choices{guest.MPD: {}})
		expect("off", 0, 2, false)
		choose(t, g, guest.Choices{guest.MPD: {On: true}})
		expect("on again", 1, 3, false)
		cancel()
		<-over
		expect("over", 0, 3, false)
	})
}

// shelves is a catalog with an item and an album per library.
type shelves struct{ asked []catalogapi.Query }

func (s *shelves) Items(_ context.Context, q catalogapi.Query) (catalogapi.Page, error) {
	s.asked = append(s.asked, q)
	return catalogapi.Page{Total: len(q.Libraries)}, nil
}

func (s *shelves) IDs(_ context.Context, q catalogapi.Query) ([]media.ID, error) {
	s.asked = append(s.asked, q)
	return q.Libraries, nil
}

func (s *shelves) Albums(_ context.Context, q catalogapi.Query) (catalogapi.Albums, error) {
	s.asked = append(s.asked, q)
	return catalogapi.Albums{Total: len(q.Libraries)}, nil
}

func (s *shelves) Lookup(_ context.Context, ids []media.ID) (items []media.Item, err error) {
	for _, id := range ids {
		items = append(items, media.Item{ID: id, Root: id})
	}
	return items, nil
}

func (s *shelves) Item(_ context.Context, id media.ID) (media.Item, error) {
	return media.Item{ID: id, Root: id}, nil
}

func (s *shelves) Album(_ context.Context, id media.ID) (catalogapi.AlbumPage, error) {
	return catalogapi.AlbumPage{Items: []media.Item{{Root: id}}}, nil
}

func (s *shelves) Status(context.Context) (catalogapi.Status, error) {
	return catalogapi.Status{Roots: []media.Root{{ID: "a"}, {ID: "b"}, {ID: "c"}}, Revision: 7}, nil
}

func TestLibraryIsWhatIsShared(t *testing.T) {
	g := open(t, t.TempDir())
	s := &shelves{}
	l := g.Library(guest.MPD, s)
	ctx := t.Context()
	see := func() (seen []media.ID) {
		t.Helper()
		s.asked = nil
		page, err := l.Items(ctx, catalogapi.Query{})
		albums, err2 := l.Albums(ctx, catalogapi.Query{})
		ids, err3 := l.IDs(ctx, catalogapi.Query{})
		items, err4 := l.Lookup(ctx, []media.ID{"a", "b", "c"})
		roots, _, err5 := l.Roots(ctx)
		if err := errors.Join(err, err2, err3, err4, err5); err != nil {
			t.Fatal(err)
		}
		for _, q := range s.asked {
			if len(q.Libraries) == 0 {
				t.Error("the catalog was asked for all of it")
			}
		}
		for _, it := range items {
			seen = append(seen, it.ID)
			if _, err := l.Item(ctx, it.ID); err != nil {
				t.Error(err)
			}
			if _, err := l.Album(ctx, it.ID); err != nil {
				t.Error(err)
			}
		}
		if page.Total != len(seen) || albums.Total != len(seen) || len(ids) != len(seen) || len(roots) != len(seen) {
			t.Errorf("%v seen, but %d items, %d albums, %d IDs, %d roots", seen, page.Total, albums.Total, len(ids), len(roots))
		}
		for _, id := range []media.ID{"a", "b", "c"} {
			if slices.Contains(seen, id) {
				continue
			}
			if _, err := l.Item(ctx, id); !errors.Is(err, media.ErrNotFound) {
				t.Errorf("item %s: %v", id, err)
			}
			if a, err := l.Album(ctx, id); !errors.Is(err, media.ErrNotFound) || len(a.Items) > 0 {
				t.Errorf("album %s: %v", id, err)
			}
		}
		return seen
	}
	for _, tt := range []struct {
		choice guest.Choice
		want   []media.ID
	}{
		{guest.Choice{}, nil},
		{guest.Choice{On: true}, nil},
		{guest.Choice{On: true, Libraries: []media.ID{"b"}}, []media.ID{"b"}},
		{guest.Choice{On: true, Libraries: []media.ID{"a", "c"}}, []media.ID{"a", "c"}},
		{guest.Choice{On: false, Libraries: []media.ID{"a", "c"}}, nil},
	} {
		choose(t, g, guest.Choices{guest.MPD: tt.choice, guest.Server: {On: true, Libraries: []media.ID{"a", "b", "c"}}})
		if got := see(); !slices.Equal(got, tt.want) {
			t.Errorf("%+v: saw %v", tt.choice, got)
		}
	}
	choose(t, g, guest.Choices{guest.MPD: {On: true, Libraries: []media.ID{"a", "b"}}})
	if p, err := l.Items(ctx, catalogapi.Query{Libraries: []media.ID{"b", "c"}}); err != nil || p.Total != 1 {
		t.Errorf("asked for b and c of a and b: %d, %v", p.Total, err)
	}
	if p, err := l.Items(ctx, catalogapi.Query{Libraries: []media.ID{"c"}}); err != nil || p.Total != 0 {
		t.Errorf("asked for c of a and b: %d, %v", p.Total, err)
	}
}
