package decode

import (
	"bytes"
	"cmp"
	"fmt"
	"image"
	"io"
	"os"
	"path/filepath"
	"slices"
	"time"

	"manofwar/internal/media"
	"manofwar/player"
	"manofwar/player/decode/cue"
	"manofwar/player/decode/nut"
)

// cueReader reads subtitles, in whichever form they come.
type cueReader interface {
	next() (player.Cue, error)
}

// newCueReader reads subtitles from r, whose times count from base.
func newCueReader(form cueForm, r io.Reader, base time.Duration) cueReader {
	switch form {
	case pgs:
		return reader{cue.NewPGS(r, base)}
	case vobsub:
		return &packetReader{nut: nut.NewReader(r), base: base, open: func(private []byte) packets { return cue.NewVobSub(private, image.Pt(720, 576)) }}
	case dvb:
		return &packetReader{nut: nut.NewReader(r), base: base, open: func([]byte) packets { return cue.NewDVB() }}
	}
	return reader{cue.NewSRT(r, base)}
}

// reader is a reader of package cue.
type reader struct {
	from interface{ Next() (cue.Cue, error) }
}

func (r reader) next() (player.Cue, error) {
	c, err := r.from.Next()
	return player.Cue(c), err
}

// packets is a reader of package cue that is given one packet at a time.
type packets interface {
	Next(packet []byte, at time.Duration) (cue.Cue, bool)
}

// packetReader reads subtitles that come in NUT.
type packetReader struct {
	nut  *nut.Reader
	base time.Duration
	open func(private []byte) packets // makes subs, once the stream's header is known
	subs packets
}

func (r *packetReader) next() (player.Cue, error) {
	for {
		header, err := r.nut.Next()
		if err != nil {
			return player.Cue{}, err
		}
		if header.Size > maxPicture {
			return player.Cue{}, fmt.Errorf("a subtitle of %d bytes: %w", header.Size, player.ErrFormat)
		}
		s := &r.nut.Streams()[header.Stream]
		if r.subs == nil {
			r.subs = r.open(s.Private)
		}
		packet := make([]byte, header.Size)
		if _, err := io.ReadFull(r.nut, packet); err != nil {
			return player.Cue{}, err
		}
		if c, ok := r.subs.Next(packet, r.base+s.Time(header.PTS)); ok {
			return player.Cue(c), nil
		}
	}
}

// maxPicture bounds a subtitle's packet: one of DVB in high definition has 100 KB.
const maxPicture = 1 << 20

// openCues reads a file of subtitles beside the item, which needs no child: the whole of it is small.
func (s *stream) openCues(r player.Request) error {
	if r.Subtitle == player.None || r.Subtitle >= len(r.Info.Streams) || r.Subtitle < 0 {
		return nil
	}
	file := r.Info.Streams[r.Subtitle].File
	if file == "" {
		return nil
	}
	path := filepath.Join(filepath.Dir(r.Path), filepath.Base(file))
	f, err := os.Open(path)
	if err != nil {
		return &media.Error{Op: "show subtitles", Path: file, Err: fileError(err)}
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxSidecar))
	if err != nil {
		return &media.Error{Op: "show subtitles", Path: file, Err: err}
	}
	s.cue = newBeside(asUTF8(data), r.From)
	return nil
}

// beside holds the subtitles of a file beside the item that are still to come.
type beside struct{ cues []player.Cue }

func newBeside(srt []byte, from time.Duration) *beside {
	b := &beside{}
	r := cue.NewSRT(bytes.NewReader(srt), 0)
	for {
		c, err := r.Next()
		if err != nil { // the end: nothing else goes wrong in memory
			break
		}
		if c.To > from {
			b.cues = append(b.cues, player.Cue(c))
		}
	}
	slices.SortStableFunc(b.cues, func(a, b player.Cue) int { return cmp.Compare(a.From, b.From) })
	return b
}

func (b *beside) next() (player.Cue, error) {
	if len(b.cues) == 0 {
		return player.Cue{}, io.EOF
	}
	c := b.cues[0]
	b.cues = b.cues[1:]
	return c, nil
}
