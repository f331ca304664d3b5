package server

import (
	"encoding/xml"
	"errors"
	"io"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// thing is an object as somebody else reads it.
type thing struct {
	XMLName  xml.Name
	ID       string `xml:"id,attr"`
	Parent   string `xml:"parentID,attr"`
	Children string `xml:"childCount,attr"`
	Inner    string `xml:",innerxml"`
	Res      []struct {
		Protocol string `xml:"protocolInfo,attr"`
		URL      string `xml:",chardata"`
	} `xml:"res"`
}

// ask browses or searches, and holds the answer to the schema.
func ask(t *testing.T, s *Server, search bool, id, how string, start, count int) (things []thing, total int, err error) {
	t.Helper()
	in := map[string]string{"ObjectID": id, "BrowseFlag": how, "ContainerID": id, "SearchCriteria": how, "StartingIndex": strconv.Itoa(start), "RequestedCount": strconv.Itoa(count)}
	do := s.browse
	if search {
		do = s.search
	}
	out, err := do(t.Context(), in)
	if err != nil {
		return nil, 0, err
	}
	var all struct {
		XMLName xml.Name
		Things  []thing `xml:",any"`
	}
	if err := xml.Unmarshal([]byte(out["Result"]), &all); err != nil {
		t.Fatalf("%s of %s: %v", how, id, err)
	}
	if strconv.Itoa(len(all.Things)) != out["NumberReturned"] {
		t.Errorf("%s of %s: %d objects, and %s are said to be", how, id, len(all.Things), out["NumberReturned"])
	}
	strict(t, out["Result"])
	total, err = strconv.Atoi(out["TotalMatches"])
	return all.Things, total, err
}

// order is that of the elements in an object, as the schema of DIDL-Lite 1.0 has the title first, and here the class before all
// that is of the class. The number is how many there may be; 0: any.
var order = []struct {
	name string
	most int
}{
	{"title", 1}, {"creator", 1}, {"date", 1}, {"class", 1}, {"artist", 0}, {"album", 1}, {"genre", 0}, {"originalTrackNumber", 1}, {"albumArtURI", 1}, {"res", 0},
}

// strict holds a description to the schema: namespaces, attributes that must be there, elements in order, values in form.
func strict(t *testing.T, text string) {
	t.Helper()
	d := xml.NewDecoder(strings.NewReader(text))
	last, n, depth := -1, 0, 0
	for {
		tok, err := d.Token()
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		if _, ok := tok.(xml.EndElement); ok {
			depth--
		}
		e, ok := tok.(xml.StartElement)
		if !ok {
			continue
		}
		depth++
		attr := map[string]string{}
		for _, a := range e.Attr {
			attr[a.Name.Local] = a.Value
		}
		switch depth {
		case 1:
			if e.Name.Local != "DIDL-Lite" || e.Name.Space != "urn:schemas-upnp-org:metadata-1-0/DIDL-Lite/" {
				t.Errorf("begins with %v", e.Name)
			}
		case 2:
			last, n = -1, 0
			if attr["id"] == "" || attr["parentID"] == "" || attr["restricted"] != "1" {
				t.Errorf("%s has %v", e.Name.Local, attr)
			}
		case 3:
			i := slices.IndexFunc(order, func(o struct {
				name string
				most int
			},
			) bool {
				return o.name == e.Name.Local
			})
			if n++; i != last {
				n = 1
			}
			if i < last || i < 0 || order[max(i, 0)].most > 0 && n > order[i].most {
				t.Errorf("%s is out of place in %s", e.Name.Local, text)
			}
			last = i
			space := map[string]string{"title": "http://purl.org/dc/elements/1.1/", "creator": "http://purl.org/dc/elements/1.1/", "date": "http://purl.org/dc/elements/1.1/", "res": "urn:schemas-upnp-org:metadata-1-0/DIDL-Lite/"}[e.Name.Local]
			if space == "" {
				space = "urn:schemas-upnp-org:metadata-1-0/upnp/"
			}
			if e.Name.Space != space {
				t.Errorf("%s is of %s", e.Name.Local, e.Name.Space)
			}
			if e.Name.Local == "res" && (strings.Count(attr["protocolInfo"], ":") != 3 || attr["size"] == "") {
				t.Errorf("res has %v", attr)
			}
		default:
			t.Errorf("%s is too deep", e.Name.Local)
		}
	}
}
