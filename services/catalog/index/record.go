package index

import (
	"encoding/binary"
	"errors"
	"hash/crc32"
	"math"
	"time"

	"manofwar/internal/media"
)

// The facts of an item are kept as one compact string, in memory as in the file: some 150 bytes, where a media.Item
// with its slices takes 700. Strings are decoded as parts of it, without copying.

var errRecord = errors.New("malformed record")

var kinds = [...]media.Kind{media.Music, media.Film}

var streamKinds = [...]media.StreamKind{media.Video, media.Audio, media.Subtitle}

func ordinal[K comparable](list []K, k K) uint64 {
	for i, v := range list {
		if v == k {
			return uint64(i)
		}
	}
	return 0
}

// encoder appends values to a record.
type encoder []byte

func (e *encoder) uint(v uint64) { *e = binary.AppendUvarint(*e, v) }
func (e *encoder) int(v int)     { e.uint(uint64(max(v, 0))) }
func (e *encoder) text(s string) { e.uint(uint64(len(s))); *e = append(*e, s...) }
func (e *encoder) texts(l []string) {
	e.int(len(l))
	for _, s := range l {
		e.text(s)
	}
}

// encodeFacts encodes what a scan learned of an item. The fields that head the record are those that sorting and
// searching need.
func encodeFacts(it *media.Item) string {
	e := make(encoder, 0, 256)
	e.uint(ordinal(kinds[:], it.Kind))
	e.text(it.Title)
	e.texts(it.Artists)
	e.text(it.Album)
	e.texts(it.AlbumArtists)
	e.int(it.Track)
	e.int(it.Disc)
	e.int(it.Year)
	e.text(it.Problem)
	e.uint(uint64(max(time.Duration(it.Duration).Milliseconds(), 0)))
	e.texts(it.Genres)
	e.text(it.Container)
	e.int(len(it.Streams))
	for i := range it.Streams {
		e.stream(&it.Streams[i])
	}
	if c := it.Cover; c == nil {
		e.uint(0)
	} else {
		e.uint(1)
		e.uint(uint64(c.Offset))
		e.uint(uint64(c.Length))
		e.text(c.Type)
		e.text(c.Path)
	}
	return string(e)
}

func (e *encoder) stream(s *media.Stream) {
	flags := ordinal(streamKinds[:], s.Kind) << 1
	if s.Default {
		flags |= 1
	}
	e.uint(flags)
	e.text(s.Codec)
	e.text(s.RFC6381)
	e.text(s.Language)
	e.text(s.Title)
	e.int(s.Width)
	e.int(s.Height)
	e.uint(uint64(math.Round(max(s.FrameRate, 0) * 1000)))
	e.int(s.SampleRate)
	e.int(s.Channels)
	e.int(s.Bitrate)
}

// decoder takes values off the front of a record. After an error everything is zero.
type decoder struct {
	rest string
	bad  bool
}

func (d *decoder) uint() (v uint64) {
	for shift := 0; shift < 64 && len(d.rest) > 0; shift += 7 {
		c := d.rest[0]
		d.rest = d.rest[1:]
		v |= uint64(c&0x7F) << shift
		if c < 0x80 {
			return v
		}
	}
	d.bad, d.rest = true, ""
	return 0
}

func (d *decoder) int() int {
	v := d.uint()
	if v > math.MaxInt32 {
		d.bad = true
		return 0
	}
	return int(v)
}

func (d *decoder) text() string {
	n := d.int()
	if n > len(d.rest) {
		d.bad, d.rest = true, ""
		return ""
	}
	s := d.rest[:n]
	d.rest = d.rest[n:]
	return s
}

func (d *decoder) texts() []string {
	n := d.int()
	if n == 0 || n > len(d.rest) {
		d.bad = d.bad || n > 0
		return nil
	}
	l := make([]string, n)
	for i := range l {
		l[i] = d.text()
	}
	return l
}

// head is the part of the facts that heads the record.
type head struct {
	kind         media.Kind
	title        string
	artists      []string
	album        string
	albumArtists []string
	track, disc  int
	year         int
	problem      string
	duration     time.Duration
}

func (d *decoder) head() head {
	return head{
		kind:         kinds[min(d.uint(), uint64(len(kinds)-1))],
		title:        d.text(),
		artists:      d.texts(),
		album:        d.text(),
		albumArtists: d.texts(),
		track:        d.int(),
		disc:         d.int(),
		year:         d.int(),
		problem:      d.text(),
		duration:     time.Duration(min(d.uint(), math.MaxInt32*1000)) * time.Millisecond,
	}
}

// decodeFacts decodes all of what [encodeFacts] encoded into it.
func decodeFacts(facts string, it *media.Item) (head, error) {
	d := decoder{rest: facts}
	h := d.head()
	it.Kind, it.Title, it.Artists, it.Album, it.AlbumArtists = h.kind, h.title, h.artists, h.album, h.albumArtists
	it.Track, it.Disc, it.Year, it.Problem, it.Duration = h.track, h.disc, h.year, h.problem, media.Duration(h.duration)
	it.Genres = d.texts()
	it.Container = d.text()
	if n := d.int(); n <= len(d.rest) && n > 0 {
		it.Streams = make([]media.Stream, n)
		for i := range it.Streams {
			d.stream(&it.Streams[i])
		}
	} else if n > 0 {
		d.bad = true
	}
	if d.uint() == 1 {
		it.Cover = &media.Range{Offset: int64(d.uint()), Length: int64(d.uint()), Type: d.text(), Path: d.text()}
	}
	if d.bad {
		return h, errRecord
	}
	return h, nil
}

func (d *decoder) stream(s *media.Stream) {
	flags := d.uint()
	s.Kind = streamKinds[min(flags>>1, uint64(len(streamKinds)-1))]
	s.Default = flags&1 != 0
	s.Codec = d.text()
	s.RFC6381 = d.text()
	s.Language = d.text()
	s.Title = d.text()
	s.Width = d.int()
	s.Height = d.int()
	s.FrameRate = float64(d.uint()) / 1000
	s.SampleRate = d.int()
	s.Channels = d.int()
	s.Bitrate = d.int()
}

// recordVersion begins every record in the file. Records of another version are scanned anew.
const recordVersion = 1

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// errVersion means that a record was written by another version.
var errVersion = errors.New("record of another version")

// seal appends a checksum of key and value to the value, because bbolt has none of its own.
func seal(key string, value []byte) []byte {
	return binary.BigEndian.AppendUint32(value, checksum(key, value))
}

// unseal takes the checksum off. Its error means that the file is damaged.
func unseal(key string, sealed []byte) ([]byte, error) {
	n := len(sealed) - 4
	if n < 0 || checksum(key, sealed[:n]) != binary.BigEndian.Uint32(sealed[n:]) {
		return nil, errRecord
	}
	return sealed[:n], nil
}

func checksum(key string, value []byte) uint32 {
	return crc32.Update(crc32.Checksum([]byte(key), castagnoli), castagnoli, value)
}

// encodeRecord is the form of an entry in the file: version, identity and stamp, facts.
func encodeRecord(e *entry) []byte {
	b := make(encoder, 0, len(e.facts)+40)
	b = append(b, recordVersion)
	b = binary.BigEndian.AppendUint64(b, e.id)
	b = binary.AppendVarint(b, e.size)
	b = binary.AppendVarint(b, e.modified)
	b = binary.AppendVarint(b, e.added)
	b.uint(uint64(e.picture))
	return append(b, e.facts...)
}

// decodeRecord fills in the entry from what [encodeRecord] made.
func decodeRecord(body []byte, e *entry) error {
	if len(body) < 9 {
		return errRecord
	}
	if body[0] != recordVersion {
		return errVersion
	}
	e.id = binary.BigEndian.Uint64(body[1:])
	n := 9
	for _, v := range []*int64{&e.size, &e.modified, &e.added} {
		value, length := binary.Varint(body[n:])
		if length <= 0 {
			return errRecord
		}
		*v = value
		n += length
	}
	picture, length := binary.Uvarint(body[n:])
	if length <= 0 {
		return errRecord
	}
	e.picture, e.facts = uint32(picture), string(body[n+length:])
	return nil
}
