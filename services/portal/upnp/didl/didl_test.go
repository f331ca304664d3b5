package didl_test

import (
	"encoding/xml"
	"io"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"manofwar/services/portal/upnp/didl"
)

const open = `<DIDL-Lite xmlns="urn:schemas-upnp-org:metadata-1-0/DIDL-Lite/" xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:upnp="urn:schemas-upnp-org:metadata-1-0/upnp/">`

func TestParse(t *testing.T) {
	for _, tt := range []struct {
		text string
		want didl.Described
	}{
		{"", didl.Described{}},
		{"NOT_IMPLEMENTED", didl.Described{}},
		{
			open + `<item id="1"><dc:title> A  song </dc:title><dc:creator>Someone</dc:creator><upnp:artist role="Performer">Abe &amp; Co</upnp:artist><upnp:album>Sea</upnp:album>` +
				`<upnp:class>object.item.audioItem.musicTrack</upnp:class><upnp:albumArtURI dlna:profileID="JPEG_TN" xmlns:dlna="x">http://10.0.0.1/a.jpg</upnp:albumArtURI>` +
				`<res protocolInfo="http-get:*:audio/mpeg:DLNA.ORG_PN=MP3" duration="0:03:05.500">http://10.0.0.1/a.mp3</res><res protocolInfo="http-get:*:audio/flac:*">b</res></item></DIDL-Lite>`,
			didl.Described{
				Title: "A song", Artist: "Someone", Album: "Sea", Class: "object.item.audioItem.musicTrack", Art: "http://10.0.0.1/a.jpg",
				Type: "audio/mpeg", Duration: 185500 * time.Millisecond,
			},
		},
		{open + `<item><dc:title>Tom & Jerry</dc:title></item></DIDL-Lite>`, didl.Described{Title: "Tom & Jerry"}}, // who forgot to escape
		{open + "<item><dc:title>a\tb\u202ec</dc:title></item></DIDL-Lite>", didl.Described{Title: "a b c"}},
	} {
		got, err := didl.Parse(tt.text)
		if err != nil || got != tt.want {
			t.Errorf("%.60s: %+v, %v; want %+v", tt.text, got, err, tt.want)
		}
	}
	for _, bad := range []string{
		"x", "<a", open + "<item>", strings.Repeat("<a>", 100) + strings.Repeat("</a>", 100), "<a>" + strings.Repeat("<b/>", 1000) + "</a>", strings.Repeat("x", didl.MaxText+1),
	} {
		if d, err := didl.Parse(bad); err == nil && d != (didl.Described{}) {
			t.Errorf("%.60q is %+v", bad, d)
		}
	}
}

func TestWrite(t *testing.T) {
	item := didl.Item("a/b", "a", "Tom & \"Jerry\" <1>", "object.item.videoItem.movie")
	item.Resources = []didl.Resource{{Protocol: "http-get:*:video/mp4:*", Size: 7, Duration: "0:00:01.000", URL: "http://10.0.0.1/?a&b"}}
	text := didl.Write([]didl.Object{didl.Container("a", "0", "", "object.container", 0), item})
	for _, want := range []string{
		`<container id="a" parentID="0" restricted="1" childCount="0" searchable="1"><dc:title>–</dc:title><upnp:class>object.container</upnp:class></container>`,
		`<item id="a/b" parentID="a" restricted="1"><dc:title>Tom &amp; &#34;Jerry&#34; &lt;1&gt;</dc:title>`,
		`<res protocolInfo="http-get:*:video/mp4:*" size="7" duration="0:00:01.000">http://10.0.0.1/?a&amp;b</res></item></DIDL-Lite>`,
	} {
		if !strings.Contains(text, want) {
			t.Errorf("%s\nis not in\n%s", want, text)
		}
	}
	if d, err := didl.Parse(didl.Write([]didl.Object{item})); err != nil || d.Title != `Tom & "Jerry" <1>` || d.Type != "video/mp4" {
		t.Errorf("read again: %+v, %v", d, err)
	}
}

func FuzzParse(f *testing.F) {
	f.Add(open + `<item id="1"><dc:title>A</dc:title><upnp:class>object.item</upnp:class><res protocolInfo="http-get:*:audio/mpeg:*" duration="0:03:05">x</res></item></DIDL-Lite>`)
	f.Add("<a>&b;</a>")
	f.Fuzz(func(t *testing.T, text string) {
		d, err := didl.Parse(text)
		if err != nil {
			return
		}
		for _, s := range []string{d.Title, d.Artist, d.Album, d.Class, d.Type} {
			if len(s) > 300 || !utf8.ValidString(s) {
				t.Errorf("%q says %q", text, s)
			}
		}
		dec := xml.NewDecoder(strings.NewReader(didl.Write([]didl.Object{didl.Item("1", "0", d.Title, d.Class)})))
		for {
			if _, err := dec.Token(); err == io.EOF {
				return
			} else if err != nil {
				t.Fatalf("%q, written again: %v", text, err)
			}
		}
	})
}
