// Package media is the vocabulary of the domain: what a library holds, what a file contains, and what can be wrong with
// it. Services pass these types to each other as JSON. It holds no behaviour beyond that and imports the standard
// library only.
package media

import (
	"encoding/json"
	"math"
	"time"
)

// ID names an item, an album or a root for as long as the library remembers it. It is opaque and safe in a URL path.
type ID string

// Kind says which shelf an item stands on.
type Kind string

// The kinds.
const (
	Music Kind = "music"
	Film  Kind = "film"
)

// Duration is a span of media time. Its JSON is seconds, rounded to the millisecond.
type Duration time.Duration

// MarshalJSON implements [json.Marshaler].
func (d Duration) MarshalJSON() ([]byte, error) {
	return json.Marshal(math.Round(time.Duration(d).Seconds()*1000) / 1000)
}

// UnmarshalJSON implements [json.Unmarshaler].
func (d *Duration) UnmarshalJSON(data []byte) error {
	var s float64
	if err := json.Unmarshal(data, &s); err != nil {
		return err
	}
	*d = Duration(math.Round(s*1000) * float64(time.Millisecond))
	return nil
}

// Item is one file of a library that can be played, or that should be and cannot.
type Item struct {
	ID       ID        `json:"id"`
	Kind     Kind      `json:"kind"`
	Root     ID        `json:"root"` // the library it is in
	Path     string    `json:"path"` // slash-separated, below the root
	Size     int64     `json:"size"` // in bytes
	Modified time.Time `json:"modified"`
	Added    time.Time `json:"added"` // when a scan first saw it

	Container string   `json:"container,omitempty"` // "mp4", "matroska", "mp3", "flac", "ogg", "wav" …
	Duration  Duration `json:"duration,omitempty"`
	Streams   []Stream `json:"streams,omitempty"`
	Tags
	Cover   *Range `json:"cover,omitempty"`   // where the picture's bytes are: in the file, or in a file beside it
	Problem string `json:"problem,omitempty"` // why it cannot be played, in words for a person; empty: it can
	Away    bool   `json:"away,omitempty"`    // its disk is not connected
}

// Tags is what a file says of itself, cleaned of white space. Empty means that it says nothing.
type Tags struct {
	Title        string   `json:"title,omitempty"`
	Artists      []string `json:"artists,omitempty"`
	Album        string   `json:"album,omitempty"`
	AlbumID      ID       `json:"albumId,omitempty"`
	AlbumArtists []string `json:"albumArtists,omitempty"`
	Track        int      `json:"track,omitempty"`
	Disc         int      `json:"disc,omitempty"`
	Year         int      `json:"year,omitempty"`
	Genres       []string `json:"genres,omitempty"`
}

// Range is a run of bytes in a file.
type Range struct {
	Path   string `json:"path,omitempty"` // slash-separated, below the root; empty: the item's own file
	Offset int64  `json:"offset"`
	Length int64  `json:"length"`
	Type   string `json:"type,omitempty"` // its media type, such as "image/jpeg"
}

// StreamKind says what a stream carries.
type StreamKind string

// The kinds of streams.
const (
	Video    StreamKind = "video"
	Audio    StreamKind = "audio"
	Subtitle StreamKind = "subtitle"
)

// Stream is one elementary stream in a file.
type Stream struct {
	Kind     StreamKind `json:"kind"`
	Codec    string     `json:"codec"`              // ffmpeg's short names: "h264", "hevc", "aac", "mp3", "flac", "subrip" …
	RFC6381  string     `json:"rfc6381,omitempty"`  // the codecs parameter, such as "avc1.640028"
	Language string     `json:"language,omitempty"` // BCP 47 or ISO 639-2 as the file has it
	Title    string     `json:"title,omitempty"`
	Default  bool       `json:"default,omitempty"`
	File     string     `json:"file,omitempty"` // the file beside the item's that it is in; empty: the item's own

	Width      int     `json:"width,omitempty"`      // of video, in pixels as stored
	Height     int     `json:"height,omitempty"`     //
	FrameRate  float64 `json:"frameRate,omitempty"`  // of video, per second
	SampleRate int     `json:"sampleRate,omitempty"` // of audio, in Hz
	Channels   int     `json:"channels,omitempty"`   // of audio
	Bitrate    int     `json:"bitrate,omitempty"`    // in bits per second
}

// Album is a group of music items.
type Album struct {
	ID       ID       `json:"id"`
	Title    string   `json:"title"`
	Artists  []string `json:"artists,omitempty"` // the album artists, else the artists of all its tracks
	Year     int      `json:"year,omitempty"`
	Tracks   int      `json:"tracks"`
	Duration Duration `json:"duration"`
	CoverOf  ID       `json:"coverOf,omitempty"` // the item whose cover stands for the album; empty: none has one
}

// Root is a library: a folder or a disk that is scanned.
type Root struct {
	ID    ID     `json:"id"`
	Name  string `json:"name"` // for a person: the disk's label or the folder's name
	Path  string `json:"path"` // where it is on this machine
	Away  bool   `json:"away,omitempty"`
	Disk  string `json:"disk,omitempty"`  // the disk's ID with PID 1, for ejecting it; empty: a folder
	Items int    `json:"items"`           // how many it holds
	Error string `json:"error,omitempty"` // why the last scan of it stopped early
}
