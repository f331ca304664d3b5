package didl

import (
	"encoding/xml"
	"errors"
	"io"
	"strings"
	"time"
	"unicode"

	"manofwar/internal/upnpav"
)

// Described is what somebody else's description says of the one item in it.
type Described struct {
	Title, Artist, Album string
	Class                string // such as "object.item.audioItem.musicTrack"
	Art                  string // the address of a picture
	Duration             time.Duration
	Type                 string // the media type of its resource; empty: it does not say
}

// The bounds of a description.
const (
	MaxText  = 64 << 10 // in bytes
	maxWord  = 300      // of a title and the like, in bytes
	maxDepth = 8
	maxParts = 500 // elements
)

var errMalformed = errors.New("not a description of an item")

// Parse reads a description. An empty one, and what some send in place of one, describes nothing and is no error.
func Parse(text string) (d Described, err error) {
	text = strings.TrimSpace(text)
	if text == "" || text == "NOT_IMPLEMENTED" {
		return d, nil
	}
	if len(text) > MaxText {
		return d, errMalformed
	}
	dec := xml.NewDecoder(strings.NewReader(text))
	dec.Strict = false // many forget to escape
	var path []string
	var word strings.Builder
	for parts := 0; ; {
		t, err := dec.Token()
		if errors.Is(err, io.EOF) && parts > 0 {
			return d, nil
		}
		if err != nil {
			return Described{}, errMalformed
		}
		switch t := t.(type) {
		case xml.StartElement:
			path = append(path, t.Name.Local)
			if parts++; len(path) > maxDepth || parts > maxParts {
				return Described{}, errMalformed
			}
			word.Reset()
			if t.Name.Local == "res" {
				d.resource(t.Attr)
			}
		case xml.CharData:
			if word.Len() < 4*maxWord {
				word.Write(t[:min(len(t), 4*maxWord)])
			}
		case xml.EndElement:
			d.take(t.Name.Local, word.String())
			word.Reset()
			if len(path) > 0 {
				path = path[:len(path)-1]
			}
		}
	}
}

// take notes what an element says, the first of each kind.
func (d *Described) take(name, value string) {
	for _, f := range []struct {
		name string
		into *string
	}{{"title", &d.Title}, {"artist", &d.Artist}, {"creator", &d.Artist}, {"album", &d.Album}, {"class", &d.Class}} {
		if f.name == name && *f.into == "" {
			*f.into = clean(value)
		}
	}
	if name == "albumArtURI" && d.Art == "" && len(value) <= maxURL {
		d.Art = strings.TrimSpace(value)
	}
}

// maxURL bounds an address, in bytes.
const maxURL = 1024

// resource notes what the first resource says of itself.
func (d *Described) resource(attributes []xml.Attr) {
	for _, a := range attributes {
		switch a.Name.Local {
		case "duration":
			if length, err := upnpav.ParseTime(a.Value); err == nil && d.Duration == 0 {
				d.Duration = length
			}
		case "protocolInfo":
			if f := strings.SplitN(a.Value, ":", 4); len(f) == 4 && d.Type == "" {
				kind, _, _ := strings.Cut(strings.ToLower(f[2]), ";")
				d.Type = clean(kind)
			}
		}
	}
}

// clean makes a word fit for a line.
func clean(s string) string {
	s = strings.Join(strings.Fields(strings.Map(func(r rune) rune {
		if !unicode.IsGraphic(r) || r == unicode.ReplacementChar {
			return ' '
		}
		return r
	}, s)), " ")
	return strings.ToValidUTF8(s[:min(len(s), maxWord)], "")
}
