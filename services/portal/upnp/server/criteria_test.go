package server

import (
	"testing"

	"manofwar/services/portal/upnp/didl"
)

func TestCriteria(t *testing.T) {
	song := didl.Object{Class: classSong, Title: "Salt Road", Creator: "Mara Lind", Artists: []string{"Mara Lind", "Abe"}, Album: "Sea"}
	for text, want := range map[string]bool{
		"*": true,
		`upnp:class derivedfrom "object.item.audioItem"`:                               true,
		`upnp:class derivedfrom "object.item.audio"`:                                   false,
		`upnp:class = "object.item.audioItem.musicTrack" and @refID exists false`:      true,
		`(upnp:class derivedfrom "object.item.videoItem") or dc:title contains "ROAD"`: true,
		`dc:title="Salt Road"`:             true,
		`dc:title != "Salt Road"`:          false,
		`dc:title doesNotContain "pepper"`: true,
		`upnp:artist contains "abe"`:       true,
		`upnp:artist contains "zed" or upnp:album contains "sea" and dc:creator = "nobody"`:        false,
		`(upnp:artist contains "zed" or upnp:album contains "sea") and dc:creator contains "lind"`: true,
		"dc:title contains \"a\"\tAND\n(dc:title contains \"b\" OR dc:title contains \"o\")":       true,
		`upnp:album exists true`:             true,
		`@refID exists true`:                 false,
		`dc:title contains "say \"x\" \\ y"`: false,
		`upnp:class derivedfrom "object.item.audioItem" and (dc:title contains "" or @refID exists false)`: true,
	} {
		c, err := parseCriteria(text)
		if err != nil || c.holds(&song) != want {
			t.Errorf("%s: %v, %v", text, err, !want)
		}
		if hold, _ := c.may(song.Class); want && !hold {
			t.Errorf("%s holds for a song and may not", text)
		}
	}
	for _, bad := range []string{
		"dc:title", `dc:title contains`, `dc:title contains x`, `dc:title contains "x`, `(dc:title contains "x"`, `dc:title contains "x")`, `and`, `dc:title like "x"`,
		`upnp:rating = "5"`, `res@size > "5"`, `@refID exists maybe`, `dc:title contains "x" dc:title contains "y"`, `dc:title contains "x" and`,
	} {
		if c, err := parseCriteria(bad); err == nil {
			t.Errorf("%s is %+v", bad, c)
		}
	}
}

func FuzzCriteria(f *testing.F) {
	f.Add(`(upnp:class derivedfrom "object.item.audioItem" and @refID exists false) or dc:title contains "a \" b"`)
	f.Add("*")
	f.Fuzz(func(t *testing.T, text string) {
		c, err := parseCriteria(text)
		if err != nil {
			return
		}
		o := didl.Object{Class: classSong, Title: text, Artists: []string{"a"}}
		if hold, fail := c.may(o.Class); c.holds(&o) && !hold || !c.holds(&o) && !fail {
			t.Errorf("%q: holds %v, and may %v, %v", text, c.holds(&o), hold, fail)
		}
		if n := len(c.words()); n == 0 || n > maxWays {
			t.Errorf("%q is looked for in %d ways", text, n)
		}
	})
}
