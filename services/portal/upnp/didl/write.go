// Package didl is DIDL-Lite, in which UPnP devices describe items and containers to each other (ContentDirectory:1,
// section 2.8.2 and appendix B; DLNA Guidelines 7.4.1): it reads others' descriptions of an item, which come from
// strangers and are bounded, and writes our own.
package didl

import (
	"encoding/xml"
	"strings"
)

// The namespaces.
const (
	namespace = "urn:schemas-upnp-org:metadata-1-0/DIDL-Lite/"
	dc        = "http://purl.org/dc/elements/1.1/"
	upnp      = "urn:schemas-upnp-org:metadata-1-0/upnp/"
	dlna      = "urn:schemas-dlna-org:metadata-1-0/"
)

// Object is an item or a container, in the order of the schema's elements.
type Object struct {
	XMLName    xml.Name
	ID         string     `xml:"id,attr"`
	Parent     string     `xml:"parentID,attr"`
	Restricted string     `xml:"restricted,attr"`
	Children   *int       `xml:"childCount,attr"`
	Searchable string     `xml:"searchable,attr,omitempty"`
	Title      string     `xml:"dc:title"`
	Creator    string     `xml:"dc:creator,omitempty"`
	Date       string     `xml:"dc:date,omitempty"`
	Class      string     `xml:"upnp:class"`
	Artists    []string   `xml:"upnp:artist,omitempty"`
	Album      string     `xml:"upnp:album,omitempty"`
	Genres     []string   `xml:"upnp:genre,omitempty"`
	Track      int        `xml:"upnp:originalTrackNumber,omitempty"`
	Art        *Art       `xml:"upnp:albumArtURI,omitempty"`
	Resources  []Resource `xml:"res"`
}

// Art is a picture.
type Art struct {
	Profile string `xml:"dlna:profileID,attr,omitempty"`
	URL     string `xml:",chardata"`
}

// Resource is where an item's bytes are.
type Resource struct {
	Protocol   string `xml:"protocolInfo,attr"`
	Size       int64  `xml:"size,attr,omitempty"`
	Duration   string `xml:"duration,attr,omitempty"`
	Bitrate    int    `xml:"bitrate,attr,omitempty"` // in bytes per second
	SampleRate int    `xml:"sampleFrequency,attr,omitempty"`
	Channels   int    `xml:"nrAudioChannels,attr,omitempty"`
	Resolution string `xml:"resolution,attr,omitempty"`
	URL        string `xml:",chardata"`
}

// Item and Container begin an object.
func Item(id, parent, title, class string) Object {
	return Object{XMLName: xml.Name{Local: "item"}, ID: id, Parent: parent, Restricted: "1", Title: word(title), Class: class}
}

// Container begins a container of so many children.
func Container(id, parent, title, class string, children int) Object {
	return Object{
		XMLName: xml.Name{Local: "container"}, ID: id, Parent: parent, Restricted: "1", Searchable: "1", Children: &children,
		Title: word(title), Class: class,
	}
}

// word is a title: never empty, as some show nothing of what has none.
func word(s string) string {
	if s = clean(s); s == "" {
		return "–"
	}
	return s
}

// Clean makes a word fit for a description.
func Clean(s string) string { return clean(s) }

// Write writes a description of objects.
func Write(objects []Object) string {
	var b strings.Builder
	b.WriteString(`<DIDL-Lite xmlns="` + namespace + `" xmlns:dc="` + dc + `" xmlns:upnp="` + upnp + `" xmlns:dlna="` + dlna + `">`)
	e := xml.NewEncoder(&b)
	for i := range objects {
		_ = e.Encode(&objects[i]) // it is made of strings and numbers, and always encodes
	}
	b.WriteString("</DIDL-Lite>")
	return b.String()
}
