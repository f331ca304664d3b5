package dlna

import (
	"encoding/xml"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"manofwar/internal/media"
	"manofwar/internal/upnpav"
	"manofwar/services/cast/renderer"
)

// address is where a device fetches an item: the portal's route, and the playing it is for, by which the device's answers
// tell one song on repeat from itself.
func address(base string, it *renderer.Item) string {
	return base + "/media/" + url.PathEscape(string(it.Media.ID)) + "/file?playing=" + url.QueryEscape(it.Key)
}

// keyOf returns the playing that an address of ours is for; empty: it is not one of ours.
func keyOf(uri, base string) string {
	if base == "" || !strings.HasPrefix(uri, base+"/media/") {
		return ""
	}
	u, err := url.Parse(uri)
	if err != nil {
		return ""
	}
	return u.Query().Get("playing")
}

// protocol is how an item is offered: its media type as the device calls it, and its DLNA profile where it surely is one.
type protocol struct {
	mime    string
	profile string
}

// protocolFor returns how an item is offered to a device that takes these media types; false: it does not take it. One
// that does not say what it takes is offered everything.
func protocolFor(it media.Item, takes []string) (protocol, bool) {
	if types := upnpav.Types(it); len(types) > 0 {
		p := protocol{types[0], upnpav.Profile(it)}
		if len(takes) == 0 || slices.Contains(takes, "*") || slices.Contains(takes, generic[it.Kind]) {
			return p, true
		}
		for _, t := range types {
			if slices.Contains(takes, t) {
				p.mime = t
				return p, true
			}
		}
		return p, false
	}
	return protocol{generic[it.Kind], ""}, len(takes) == 0 || slices.Contains(takes, "*")
}

// generic stands for every type of a kind.
var generic = map[media.Kind]string{media.Music: "audio/*", media.Film: "video/*"}

// info is the item's protocolInfo.
func (p protocol) info() string { return upnpav.ProtocolInfo(p.mime, p.profile) }

// The elements of DIDL-Lite that are used (ContentDirectory:1, section 2.8.2 and appendix B).
type (
	didlLite struct {
		XMLName xml.Name `xml:"DIDL-Lite"`
		NS      string   `xml:"xmlns,attr"`
		DC      string   `xml:"xmlns:dc,attr"`
		UPnP    string   `xml:"xmlns:upnp,attr"`
		DLNA    string   `xml:"xmlns:dlna,attr"`
		Item    didlItem `xml:"item"`
	}
	didlItem struct {
		ID         string   `xml:"id,attr"`
		Parent     string   `xml:"parentID,attr"`
		Restricted string   `xml:"restricted,attr"`
		Title      string   `xml:"dc:title"`
		Creator    string   `xml:"dc:creator,omitempty"`
		Artist     string   `xml:"upnp:artist,omitempty"`
		Album      string   `xml:"upnp:album,omitempty"`
		Date       string   `xml:"dc:date,omitempty"`
		Track      int      `xml:"upnp:originalTrackNumber,omitempty"`
		Art        *didlArt `xml:"upnp:albumArtURI,omitempty"`
		Class      string   `xml:"upnp:class"`
		Resource   didlRes  `xml:"res"`
	}
	didlArt struct {
		Profile string `xml:"dlna:profileID,attr,omitempty"`
		URL     string `xml:",chardata"`
	}
	didlRes struct {
		Protocol string `xml:"protocolInfo,attr"`
		Size     int64  `xml:"size,attr,omitempty"`
		Duration string `xml:"duration,attr,omitempty"`
		URL      string `xml:",chardata"`
	}
)

// didl describes an item to a device.
func didl(base string, it *renderer.Item, p protocol) string {
	m := it.Media
	item := didlItem{
		ID: string(m.ID), Parent: "-1", Restricted: "1", Title: clip(renderer.Title(m)), Album: clip(m.Album), Track: m.Track,
		Class:    "object.item.audioItem.musicTrack",
		Resource: didlRes{Protocol: p.info(), Size: m.Size, URL: address(base, it)},
	}
	if m.Kind == media.Film {
		item.Class = "object.item.videoItem.movie"
	}
	if len(m.Artists) > 0 {
		item.Creator = clip(strings.Join(m.Artists, ", "))
		item.Artist = item.Creator
	}
	if m.Year > 0 {
		item.Date = fmt.Sprintf("%04d-01-01", m.Year)
	}
	if m.Duration > 0 {
		item.Resource.Duration = upnpav.FormatTime(time.Duration(m.Duration).Round(time.Second))
	}
	if m.Cover != nil {
		item.Art = &didlArt{URL: base + "/media/" + url.PathEscape(string(m.ID)) + "/cover?size=640"}
		if m.Cover.Type == "image/jpeg" {
			item.Art.Profile = "JPEG_MED"
		}
	}
	data, err := xml.Marshal(didlLite{
		NS: "urn:schemas-upnp-org:metadata-1-0/DIDL-Lite/", DC: "http://purl.org/dc/elements/1.1/",
		UPnP: "urn:schemas-upnp-org:metadata-1-0/upnp/", DLNA: "urn:schemas-dlna-org:metadata-1-0/", Item: item,
	})
	if err != nil {
		return "" // it is made of strings and always encodes
	}
	return string(data)
}

// maxText bounds a text of the description, in bytes.
const maxText = 500

func clip(s string) string { return strings.ToValidUTF8(s[:min(len(s), maxText)], "") }
