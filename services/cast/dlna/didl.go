package dlna

import (
	"encoding/xml"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"manofwar/internal/media"
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

// mimes are the media types of what a library holds, by container and, where that does not decide, by kind. Devices call
// some by older names; the first is what the portal says.
var mimes = []struct {
	container string
	kind      media.Kind
	types     []string
}{
	{"mp3", media.Music, []string{"audio/mpeg", "audio/mp3", "audio/x-mp3"}},
	{"flac", media.Music, []string{"audio/flac", "audio/x-flac"}},
	{"ogg", media.Music, []string{"audio/ogg", "application/ogg", "audio/x-ogg", "audio/opus"}},
	{"wav", media.Music, []string{"audio/wav", "audio/x-wav", "audio/wave", "audio/vnd.wave"}},
	{"aiff", media.Music, []string{"audio/aiff", "audio/x-aiff"}},
	{"mp4", media.Music, []string{"audio/mp4", "audio/x-m4a", "audio/m4a", "audio/aac"}},
	{"aac", media.Music, []string{"audio/aac", "audio/vnd.dlna.adts", "audio/aacp"}},
	{"mp4", media.Film, []string{"video/mp4", "video/x-m4v", "video/quicktime"}},
	{"matroska", media.Film, []string{"video/x-matroska", "video/x-mkv", "video/matroska", "video/mkv", "video/webm"}},
	{"matroska", media.Music, []string{"audio/x-matroska", "audio/matroska"}},
	{"asf", media.Music, []string{"audio/x-ms-wma"}},
	{"asf", media.Film, []string{"video/x-ms-wmv", "video/x-ms-asf"}},
	{"ogg", media.Film, []string{"video/ogg", "application/ogg"}},
	{"mpegts", media.Film, []string{"video/mp2t", "video/vnd.dlna.mpeg-tts", "video/mpeg"}},
	{"mpeg", media.Film, []string{"video/mpeg", "video/mp2p"}},
	{"avi", media.Film, []string{"video/x-msvideo", "video/avi", "video/divx"}},
}

// protocolFor returns how an item is offered to a device that takes these media types; false: it does not take it. One
// that does not say what it takes is offered everything.
func protocolFor(it media.Item, takes []string) (protocol, bool) {
	for _, m := range mimes {
		if m.container != it.Container || m.kind != it.Kind {
			continue
		}
		p := protocol{m.types[0], profile(it)}
		if len(takes) == 0 || slices.Contains(takes, "*") || slices.Contains(takes, generic[it.Kind]) {
			return p, true
		}
		for _, t := range m.types {
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

// profile names the item's form where it is certain (DLNA Guidelines 7.4, Annex A); a wrong one is worse than none.
func profile(it media.Item) string {
	var video, audio string
	wide := 0
	for _, s := range it.Streams {
		if s.Kind == media.Video && video == "" {
			video, wide = s.Codec, s.Width
		}
		if s.Kind == media.Audio && audio == "" {
			audio = s.Codec
		}
	}
	switch {
	case it.Container == "mp3" && audio == "mp3":
		return "MP3"
	case it.Kind == media.Music && it.Container == "mp4" && audio == "aac":
		return "AAC_ISO_320"
	case it.Container == "mp4" && video == "h264" && audio == "aac" && wide > 0 && wide <= 720:
		return "AVC_MP4_MP_SD_AAC_MULT5"
	case it.Container == "mp4" && video == "h264" && audio == "aac" && wide > 720 && wide <= 1920:
		return "AVC_MP4_HP_HD_AAC"
	}
	return ""
}

// flags say that the sender paces nothing, the device may stall the connection, and both are of DLNA 1.5: streaming mode,
// interactive and background transfer, connection stalling (DLNA Guidelines 7.4.1.3.23.10).
const flags = "01700000000000000000000000000000"

// info is the fourth field of protocolInfo: ranges of bytes can be asked for (OP=01), and nothing was converted (CI=0).
func (p protocol) info() string {
	fields := "DLNA.ORG_OP=01;DLNA.ORG_CI=0;DLNA.ORG_FLAGS=" + flags
	if p.profile != "" {
		fields = "DLNA.ORG_PN=" + p.profile + ";" + fields
	}
	return "http-get:*:" + p.mime + ":" + fields
}

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
		item.Resource.Duration = formatTime(time.Duration(m.Duration)) + ".000"
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
