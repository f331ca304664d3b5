package renderer

import (
	"context"
	"strings"

	"manofwar/services/portal/upnp"
	"manofwar/services/portal/upnp/soap"
)

// types are the media types of what the player opens, by every name that control points call them.
var types = []string{
	"audio/mpeg", "audio/mp3", "audio/x-mp3", "audio/mp4", "audio/m4a", "audio/x-m4a", "audio/aac", "audio/x-aac", "audio/aacp", "audio/vnd.dlna.adts",
	"audio/flac", "audio/x-flac", "audio/ogg", "audio/x-ogg", "application/ogg", "audio/opus", "audio/vorbis",
	"audio/wav", "audio/x-wav", "audio/wave", "audio/vnd.wave", "audio/aiff", "audio/x-aiff", "audio/x-ms-wma", "audio/ac3", "audio/x-ac3", "audio/eac3",
	"audio/vnd.dts", "audio/x-dsf", "audio/x-ape", "audio/ape", "audio/x-wavpack", "audio/x-musepack", "audio/x-matroska", "audio/webm", "audio/3gpp", "audio/amr",
	"video/mp4", "video/x-m4v", "video/quicktime", "video/x-matroska", "video/x-mkv", "video/webm", "video/mpeg", "video/mp2p", "video/mp2t",
	"video/vnd.dlna.mpeg-tts", "video/x-msvideo", "video/avi", "video/divx", "video/x-ms-wmv", "video/x-ms-asf", "video/x-flv", "video/ogg", "video/3gpp",
}

// newConnection describes ConnectionManager:1: what it requires.
func newConnection() *upnp.Service {
	var sink []string
	for _, t := range types {
		sink = append(sink, "http-get:*:"+t+":*")
	}
	return upnp.ConnectionManager("", strings.Join(sink, ","), func(_ context.Context, in map[string]string) (map[string]string, error) {
		if in["ConnectionID"] != "0" {
			return nil, &soap.Fault{Code: 706, Text: "Invalid connection reference"}
		}
		return map[string]string{
			"RcsID": "0", "AVTransportID": "0", "ProtocolInfo": "", "PeerConnectionManager": "", "PeerConnectionID": "-1",
			"Direction": "Input", "Status": "OK",
		}, nil
	})
}
