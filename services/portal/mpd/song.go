package mpd

import (
	"strconv"
	"strings"
	"time"

	"manofwar/internal/media"
)

// tag is a kind of what a song says of itself.
type tag int

// The tags that songs have here.
const (
	noTag tag = iota // one of the protocol's that no song has
	artistTag
	albumTag
	albumArtistTag
	titleTag
	trackTag
	genreTag
	dateTag
	discTag
	// anyTag is every tag.
	anyTag
)

// tags are those that clients are told of, in the order in which they are.
var tags = []struct {
	tag  tag
	name string
}{
	{artistTag, "Artist"},
	{albumTag, "Album"},
	{albumArtistTag, "AlbumArtist"},
	{titleTag, "Title"},
	{trackTag, "Track"},
	{genreTag, "Genre"},
	{dateTag, "Date"},
	{discTag, "Disc"},
}

// sortTags are those for sorting, which fall back to what they sort.
var sortTags = []struct {
	tag  tag
	name string
}{
	{artistTag, "ArtistSort"},
	{albumTag, "AlbumSort"},
	{albumArtistTag, "AlbumArtistSort"},
	{titleTag, "TitleSort"},
	{dateTag, "OriginalDate"},
}

// otherTags are what else the protocol knows.
var otherTags = []string{
	"Name", "Mood", "Composer", "ComposerSort", "Performer", "Conductor", "Work", "Movement", "MovementNumber", "Ensemble", "Location", "Grouping",
	"Comment", "Label", "ShowMovement", "MUSICBRAINZ_ARTISTID", "MUSICBRAINZ_ALBUMID", "MUSICBRAINZ_ALBUMARTISTID", "MUSICBRAINZ_TRACKID",
	"MUSICBRAINZ_RELEASETRACKID", "MUSICBRAINZ_WORKID", "MUSICBRAINZ_RELEASEGROUPID",
}

// parseTag returns the tag of a name, in any case, and the name as it is written; false: the protocol knows none.
func parseTag(name string) (t tag, written string, ok bool) {
	for _, known := range tags {
		if strings.EqualFold(known.name, name) {
			return known.tag, known.name, true
		}
	}
	for _, known := range sortTags {
		if strings.EqualFold(known.name, name) {
			return known.tag, known.name, true
		}
	}
	for _, known := range otherTags {
		if strings.EqualFold(known, name) {
			return noTag, known, true
		}
	}
	return noTag, "", false
}

// song is an item as clients see it.
type song struct {
	id       media.ID
	uri      string // the library's name and the path below it; of what is not shared: nothing that can be found
	title    string
	artists  []string
	album    string
	by       []string // album artists
	genres   []string
	track    int
	disc     int
	year     int
	length   time.Duration
	size     int64
	modified time.Time
	added    time.Time
}

// songOf makes a song of an item, in a library of that name.
func songOf(it *media.Item, library string) *song {
	return &song{
		id: it.ID, uri: library + "/" + it.Path, title: it.Title, artists: it.Artists, album: it.Album, by: it.AlbumArtists, genres: it.Genres,
		track: it.Track, disc: it.Disc, year: it.Year, length: time.Duration(it.Duration), size: it.Size, modified: it.Modified, added: it.Added,
	}
}

// hiddenPrefix begins the URI of what is in a queue and not shared: no library is called so.
const hiddenPrefix = ".hidden/"

// stranger is what a client sees of an item that is not shared: what it is called, so that it knows what plays.
func stranger(it *media.Item) *song {
	s := &song{id: it.ID, uri: hiddenPrefix + string(it.ID), title: it.Title}
	if s.title == "" {
		s.title = it.Path[strings.LastIndexByte(it.Path, '/')+1:]
	}
	if s.title == "" {
		s.title = "?"
	}
	return s
}

// values returns what a song says under a tag, appended to buf.
func (s *song) values(t tag, buf []string) []string {
	one := func(v string) []string {
		if v == "" {
			return buf
		}
		return append(buf, v)
	}
	count := func(n int) []string {
		if n == 0 {
			return buf
		}
		return append(buf, strconv.Itoa(n))
	}
	switch t {
	case artistTag:
		return append(buf, s.artists...)
	case albumTag:
		return one(s.album)
	case albumArtistTag:
		return append(buf, s.by...)
	case titleTag:
		return one(s.title)
	case trackTag:
		return count(s.track)
	case genreTag:
		return append(buf, s.genres...)
	case dateTag:
		return count(s.year)
	case discTag:
		return count(s.disc)
	case anyTag:
		for _, each := range tags {
			buf = s.values(each.tag, buf)
		}
	}
	return buf
}

// meant is [song.values], but the artists where there are no album artists.
func (s *song) meant(t tag, buf []string) []string {
	if t == albumArtistTag && len(s.by) == 0 {
		t = artistTag
	}
	return s.values(t, buf)
}

// song writes what a client is told of one.
func (c *client) song(s *song) {
	c.pair("file", s.uri)
	if !s.modified.IsZero() {
		c.pair("Last-Modified", stamp(s.modified))
	}
	var buf [8]string
	for _, t := range tags {
		if c.hidden[t.tag] {
			continue
		}
		for _, v := range s.values(t.tag, buf[:0]) {
			c.pair(t.name, v)
		}
	}
	if s.length > 0 {
		c.number("Time", int(s.length.Round(time.Second)/time.Second))
		c.pair("duration", seconds(s.length))
	}
}

// place writes where in the queue a song is.
func (c *client) place(position int, id int32) {
	c.number("Pos", position)
	c.number("Id", int(id))
}

func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }

func seconds(d time.Duration) string { return strconv.FormatFloat(d.Seconds(), 'f', 3, 64) }
