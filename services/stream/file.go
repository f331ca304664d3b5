package stream

import (
	"mime"
	"net/http"
	"path/filepath"
	"strconv"
	"strings"

	catalog "manofwar/services/catalog/api"
	"manofwar/services/stream/api"
)

// fileTypes are the media types by file name. The operating system's own table is not asked: it differs from machine
// to machine.
var fileTypes = map[string]string{
	".mp3": "audio/mpeg", ".mp2": "audio/mpeg", ".flac": "audio/flac", ".ogg": "audio/ogg", ".oga": "audio/ogg", ".opus": "audio/ogg", ".spx": "audio/ogg",
	".m4a": "audio/mp4", ".m4b": "audio/mp4", ".aac": "audio/aac", ".wav": "audio/wav", ".aif": "audio/aiff", ".aiff": "audio/aiff", ".aifc": "audio/aiff",
	".wma": "audio/x-ms-wma", ".wv": "audio/x-wavpack", ".ape": "audio/x-ape", ".mpc": "audio/x-musepack", ".tta": "audio/x-tta", ".ac3": "audio/ac3",
	".dts": "audio/vnd.dts", ".mka": "audio/x-matroska", ".weba": "audio/webm", ".dsf": "audio/x-dsf", ".dff": "audio/x-dff",
	".mp4": "video/mp4", ".m4v": "video/mp4", ".mov": "video/quicktime", ".mkv": "video/x-matroska", ".webm": "video/webm", ".avi": "video/x-msvideo",
	".mpg": "video/mpeg", ".mpeg": "video/mpeg", ".vob": "video/mpeg", ".ts": "video/mp2t", ".m2ts": "video/mp2t", ".mts": "video/mp2t", ".wmv": "video/x-ms-wmv",
	".asf": "video/x-ms-asf", ".flv": "video/x-flv", ".ogv": "video/ogg", ".ogm": "video/ogg", ".3gp": "video/3gpp", ".iso": "application/x-iso9660-image",
	".jpg": "image/jpeg", ".jpeg": "image/jpeg", ".png": "image/png", ".webp": "image/webp", ".gif": "image/gif", ".bmp": "image/bmp",
}

// fileType returns the media type of a file by its name.
func fileType(name string) string {
	if t, ok := fileTypes[strings.ToLower(filepath.Ext(name))]; ok {
		return t
	}
	return "application/octet-stream"
}

// file plans the item's file as it is.
func (s *Service) file(_ *http.Request, f catalog.File) (api.Plan, error) {
	src, err := openSource(f)
	if err != nil {
		return api.Plan{}, err
	}
	defer src.close()
	kind := fileType(f.Path)
	if kind == "audio/mp4" || kind == "video/mp4" {
		kind = withCodecs(kind, f)
	}
	return api.Plan{
		Type: kind, ETag: strconv.Quote(src.key().version()), Modified: src.modified,
		Parts: []api.Part{{Path: f.Path, Length: src.size}},
	}, nil
}

// withCodecs adds the codecs parameter of RFC 6381 where every stream has one, so that a browser knows at once whether
// it can play the file.
func withCodecs(kind string, f catalog.File) string {
	var codecs []string
	for _, s := range f.Item.Streams {
		if s.Kind == "subtitle" {
			continue
		}
		if s.RFC6381 == "" {
			return kind
		}
		codecs = append(codecs, s.RFC6381)
	}
	if len(codecs) == 0 {
		return kind
	}
	return mime.FormatMediaType(kind, map[string]string{"codecs": strings.Join(codecs, ",")})
}
