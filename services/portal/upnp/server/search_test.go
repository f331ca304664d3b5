package server

import (
	"errors"
	"testing"

	"manofwar/services/portal/upnp/soap"
)

func TestSearch(t *testing.T) {
	s := newServer(&house{songs: 40, films: 2})
	for _, tt := range []struct {
		container, criteria string
		want                int
	}{
		{root, "*", 2 + 4 + 40 + 2},
		{root, `upnp:class derivedfrom "object.item"`, 42},
		{root, `upnp:class derivedfrom "object.item.audioItem" and @refID exists false`, 40},
		{films, `upnp:class derivedfrom "object.item.audioItem"`, 0},
		{music, `upnp:class = "object.container.album.musicAlbum"`, 4},
		{root, `upnp:class = "object.container.person.musicArtist" and dc:title contains "artist 1"`, 1},
		{root, `upnp:class derivedfrom "object.item.audioItem" and dc:title contains "song 3 "`, 1},
		{root, `upnp:class derivedfrom "object.item.audioItem" and (dc:title contains "song 3 " or upnp:album contains "album 2")`, 11},
		{root, `dc:title doesNotContain "o" and upnp:class derivedfrom "object.item"`, 2},
		{root, `dc:title contains "nothing"`, 0},
	} {
		things, total, err := ask(t, s, true, tt.container, tt.criteria, 0, 0)
		if err != nil || total != tt.want || len(things) != tt.want {
			t.Errorf("%s in %s: %d of %d, %v; want %d", tt.criteria, tt.container, len(things), total, err, tt.want)
		}
		var paged int
		for start := 0; start < total; start += 5 {
			list, n, err := ask(t, s, true, tt.container, tt.criteria, start, 5)
			if err != nil || n != total {
				t.Errorf("%s from %d: %d, %v", tt.criteria, start, n, err)
			}
			for i, o := range list {
				if o.ID != things[start+i].ID {
					t.Errorf("%s: number %d is %s, and was %s", tt.criteria, start+i, o.ID, things[start+i].ID)
				}
			}
			paged += len(list)
		}
		if paged != total {
			t.Errorf("%s: %d in pages of five, %d in all", tt.criteria, paged, total)
		}
	}
	if _, _, err := ask(t, s, true, "songs/s1", "*", 0, 0); err != errNoContainer {
		t.Errorf("in a song: %v", err)
	}
	if _, _, err := ask(t, s, true, root, "dc:title like", 0, 0); !errors.Is(err, soapFault(708)) {
		t.Errorf("nonsense: %v", err)
	}
}

func soapFault(code int) error {
	if code == errCriteria.Code {
		return errCriteria
	}
	return soap.ErrFailed
}
