// Package tags reads what a media file says of itself: container, duration, streams, tags, and where its cover picture
// is. It reads headers, and the last page of an Ogg stream, but never the media itself: a few kilobytes of each file.
//
// The bytes are foreign. Whatever they are, [Read] ends, holds no more than about 1 MiB, and says in words for a person
// what is wrong. It does not decode: a file whose headers are right and whose audio is damaged goes unnoticed here.
//
// Written from the ID3 specifications at id3.org, the Xing and VBRI descriptions of the LAME and Fraunhofer encoders,
// RFC 9639 (FLAC), RFC 3533 and 7845 (Ogg, Opus), the Vorbis I specification, the APEv2 specification, and the RIFF and
// AIFF-C documents. MP4 and Matroska are read by [manofwar/internal/container].
package tags

import (
	"errors"
	"fmt"
	"io"
	"path"
	"strings"
	"time"

	"manofwar/internal/media"
)

// Facts is what a file says of itself.
type Facts struct {
	Kind      media.Kind // as its content says, else as its name does
	Container string     // as [media.Item] has it
	Duration  time.Duration
	Streams   []media.Stream
	Tags      media.Tags   // without AlbumID
	Cover     *media.Range // of a picture that lies in the file in one piece
}

// format is what is known of files with one ending.
type format struct {
	kind      media.Kind
	container string
	read      func(w *window, f *Facts) error // nil: nothing is read of such files
}

// formats is the table of what is listed, by the ending of the name.
var formats = map[string]format{
	"mp3":  {media.Music, "mp3", readMPEG},
	"mp2":  {media.Music, "mp3", readMPEG},
	"flac": {media.Music, "flac", readFLAC},
	"ogg":  {media.Music, "ogg", readOgg},
	"oga":  {media.Music, "ogg", readOgg},
	"opus": {media.Music, "ogg", readOgg},
	"spx":  {media.Music, "ogg", readOgg},
	"m4a":  {media.Music, "mp4", readMP4},
	"m4b":  {media.Music, "mp4", readMP4},
	"wav":  {media.Music, "wav", readWAV},
	"aif":  {media.Music, "aiff", readAIFF},
	"aiff": {media.Music, "aiff", readAIFF},
	"aifc": {media.Music, "aiff", readAIFF},
	"aac":  {media.Music, "aac", readADTS},
	"ac3":  {media.Music, "ac3", readAC3},
	"ape":  {media.Music, "ape", readMonkey},
	"mka":  {media.Music, "matroska", readMatroska},
	"tta":  {media.Music, "tta", readTTA},
	"wma":  {media.Music, "asf", readASF},
	"wv":   {media.Music, "wavpack", readWavPack},

	"3gp":  {media.Film, "mp4", readMP4},
	"avi":  {media.Film, "avi", readAVI},
	"flv":  {media.Film, "flv", readFLV},
	"m2ts": {media.Film, "mpegts", readTransportStream},
	"m4v":  {media.Film, "mp4", readMP4},
	"mkv":  {media.Film, "matroska", readMatroska},
	"mov":  {media.Film, "mp4", readMP4},
	"mp4":  {media.Film, "mp4", readMP4},
	"mpeg": {media.Film, "mpeg", readProgramStream},
	"mpg":  {media.Film, "mpeg", readProgramStream},
	"mts":  {media.Film, "mpegts", readTransportStream},
	"ogv":  {media.Film, "ogg", readOgg},
	"ts":   {media.Film, "mpegts", readTransportStream},
	"vob":  {media.Film, "mpeg", readProgramStream},
	"webm": {media.Film, "matroska", readMatroska},
	"wmv":  {media.Film, "asf", readASF},
}

// magic tells formats apart by their first bytes, because names lie. An MPEG audio frame is not in it: two bytes of
// sync are too little to overrule a name.
var magic = []struct {
	offset int
	bytes  string
	format format
}{
	{0, "fLaC", formats["flac"]},
	{0, "OggS", formats["ogg"]},
	{4, "ftyp", formats["mp4"]},
	{0, "FORM", formats["aiff"]},
	{8, "WAVE", formats["wav"]},
	{8, "AVI ", formats["avi"]},
	{0, "FLV\x01", formats["flv"]},
	{0, asfHeader, formats["wma"]},
	{0, "wvpk", formats["wv"]},
	{0, "\x1a\x45\xdf\xa3", formats["mkv"]},
}

// KindOf reports whether a file with this name is one that a library lists, and on which shelf.
func KindOf(name string) (media.Kind, bool) {
	f, ok := formats[ending(name)]
	return f.kind, ok
}

func ending(name string) string {
	return strings.ToLower(strings.TrimPrefix(path.Ext(name), "."))
}

// ErrNotMedia means that a file only has the name of media, as programs in TypeScript have. It is not to be listed.
var ErrNotMedia = errors.New("not media")

// Read reads the facts of a file of size bytes. What could be read comes back even with an error, which wraps
// [media.ErrCorrupt] where the file is to blame, or is [ErrNotMedia]; any other error is of the disk.
func Read(r io.ReaderAt, size int64, name string) (Facts, error) {
	form := formats[ending(name)]
	w := &window{r: r, size: size}
	facts := Facts{Kind: form.kind, Container: form.container}
	if size == 0 {
		return facts, corrupt("it is empty")
	}
	head, err := w.at(0, int(min(size, 16)))
	if err != nil {
		return facts, err
	}
	for _, m := range magic {
		if end := m.offset + len(m.bytes); len(head) >= end && string(head[m.offset:end]) == m.bytes {
			form = m.format
			facts.Container = form.container
		}
	}
	if form.read == nil {
		return facts, nil
	}
	err = form.read(w, &facts)
	if errors.Is(err, io.ErrUnexpectedEOF) {
		err = corrupt("it ends too early, as if it had not been copied to its end")
	}
	facts.finish(size)
	return facts, err
}

// finish fills in what follows from the rest: the shelf, and a lone audio stream's bit rate.
func (f *Facts) finish(size int64) {
	if f.Cover != nil && (f.Cover.Length <= 0 || f.Cover.Offset+f.Cover.Length > size) {
		f.Cover = nil
	}
	video, audio := 0, 0
	for _, s := range f.Streams {
		switch s.Kind {
		case media.Video:
			video++
		case media.Audio:
			audio++
		}
	}
	switch {
	case video > 0:
		f.Kind = media.Film
	case audio > 0:
		f.Kind = media.Music
	}
	if audio == 1 && video == 0 && f.Duration > 0 {
		for i := range f.Streams {
			if s := &f.Streams[i]; s.Kind == media.Audio && s.Bitrate == 0 {
				if f.Cover != nil {
					size -= f.Cover.Length
				}
				s.Bitrate = int(float64(max(size, 0)) * 8 / f.Duration.Seconds())
			}
		}
	}
}

// corrupt returns an error that wraps [media.ErrCorrupt] and says what is wrong.
func corrupt(format string, args ...any) error {
	return fmt.Errorf("%w: %s", media.ErrCorrupt, fmt.Sprintf(format, args...))
}

// samples returns how long n samples last. It is 0 where the rate is unknown or the result is absurd.
func samples(n, rate int64) time.Duration {
	if n <= 0 || rate <= 0 {
		return 0
	}
	s := float64(n) / float64(rate)
	if s > maxDuration.Seconds() {
		return 0
	}
	return time.Duration(s * float64(time.Second))
}

// errEnough ends a walk that has seen all it came for.
var errEnough = errors.New("enough")

// maxDuration bounds what is believed: a month.
const maxDuration = 31 * 24 * time.Hour
