// Package upnpav is what both ends of UPnP AV say in the same words, whether this device plays on others or others take from
// it: what media are called, and times. The protocols themselves are with those who speak them.
package upnpav

import (
	"manofwar/internal/media"
)

// names are the media types of what a library holds, by container and, where that does not decide, by kind. Devices call
// some by older names; the first is what the portal says.
var names = []struct {
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

// Types returns what an item's media type is called, the first as HTTP has it; none: nobody would know it.
func Types(it media.Item) []string {
	for _, n := range names {
		if n.container == it.Container && n.kind == it.Kind {
			return n.types
		}
	}
	return nil
}

// AllTypes returns what every item is called that HTTP has a name for.
func AllTypes() (all []string) {
	for _, n := range names {
		all = append(all, n.types[0])
	}
	return all
}

// Profile names the item's form where it is certain (DLNA Guidelines 7.4, Annex A); a wrong one is worse than none.
func Profile(it media.Item) string {
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

// Flags say that the sender paces nothing, the device may stall the connection, and both are of DLNA 1.5: streaming mode,
// interactive and background transfer, connection stalling (DLNA Guidelines 7.4.1.3.23.10).
const Flags = "01700000000000000000000000000000"

// ProtocolInfo is how an item of a media type, and of a profile where it is one, is offered (ConnectionManager:1, section
// 2.5.2): ranges of bytes can be asked for (OP=01), and nothing was converted (CI=0).
func ProtocolInfo(mime, profile string) string {
	fields := "DLNA.ORG_OP=01;DLNA.ORG_CI=0;DLNA.ORG_FLAGS=" + Flags
	if profile != "" {
		fields = "DLNA.ORG_PN=" + profile + ";" + fields
	}
	return "http-get:*:" + mime + ":" + fields
}
