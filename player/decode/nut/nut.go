// Package nut reads the NUT container as it comes through a pipe: what stands in front of each frame, and its payload
// straight into the caller's memory.
//
// It is written from the NUT Open Container Format (nut.txt, version 3, and the elision headers of 2008-02-01). It does
// not seek, and it passes over the index, info packets and the ends of relevance. Nothing is written.
package nut

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/bits"
	"time"
)

// ErrSyntax is wrapped by every error about the bytes themselves.
var ErrSyntax = errors.New("not well-formed NUT")

// Class says what a stream carries.
type Class uint64

// The classes.
const (
	Video Class = iota
	Audio
	Subtitle
	UserData
)

// Rational is a fraction.
type Rational struct{ Num, Den int64 }

// Stream is what a stream's header says.
type Stream struct {
	Class    Class
	FourCC   string
	TimeBase Rational // seconds of a tick
	Width    int      // of video
	Height   int
	Rate     Rational // of audio, samples a second
	Channels int
	Private  []byte // the codec's own header

	known    bool
	msbShift uint
	maxJump  int64 // of pts, without a checksum
	lastPTS  int64
}

// Time returns a timestamp of the stream as time.
func (s *Stream) Time(pts int64) time.Duration {
	negative := pts < 0
	if negative {
		pts = -pts
	}
	hi, lo := bits.Mul64(uint64(pts), uint64(s.TimeBase.Num)*uint64(time.Second)) // the header's limits keep this in 64 bits
	if hi >= uint64(s.TimeBase.Den) {
		return 1<<63 - 1 // centuries
	}
	q, _ := bits.Div64(hi, lo, uint64(s.TimeBase.Den))
	d := time.Duration(min(q, 1<<63-1))
	if negative {
		return -d
	}
	return d
}

// Frame is what stands in front of a payload.
type Frame struct {
	Stream int
	PTS    int64 // in ticks of the stream's time base
	Size   int   // of the payload, in bytes
	Key    bool
}

// Reader reads NUT. It is for one goroutine.
type Reader struct {
	r       *bufio.Reader
	started bool

	maxDistance int
	timeBases   []Rational
	codes       [256]code
	elision     [][]byte // headers that frames begin with and do not repeat
	flags       uint64   // of the file
	streams     []Stream

	prefix []byte // of the payload: its elided header
	left   int    // of the payload, after the prefix
	crc    uint32 // of the frame header so far
}

// buffer is small because a payload passes it by: no more than that of one is copied twice.
const buffer = 4 << 10

// NewReader returns a reader of r, from which nothing is read yet.
func NewReader(r io.Reader) *Reader { return &Reader{r: bufio.NewReaderSize(r, buffer)} }

// Streams returns the streams. Until Next has returned it is empty.
func (d *Reader) Streams() []Stream { return d.streams }

// Next returns what stands in front of the next payload, and passes over what is left of the last one. Its errors are
// [io.EOF] after a whole frame, [io.ErrUnexpectedEOF] anywhere else, those that wrap [ErrSyntax], and the source's.
func (d *Reader) Next() (Frame, error) {
	if !d.started {
		if err := d.fileID(); err != nil {
			return Frame{}, err
		}
		d.started = true
	}
	if _, err := d.r.Discard(d.left); err != nil {
		return Frame{}, unexpected(err)
	}
	d.prefix, d.left = nil, 0
	for {
		next, err := d.r.Peek(1)
		if err != nil {
			return Frame{}, err
		}
		if next[0] == 'N' {
			err = d.packet()
		} else {
			var f Frame
			var relevant bool
			if f, relevant, err = d.frame(); relevant {
				return f, err
			}
		}
		if err != nil {
			return Frame{}, unexpected(err)
		}
	}
}

// Read reads from the payload that Next announced, up to its end, which is io.EOF. A long read into p passes no other
// memory on its way.
func (d *Reader) Read(p []byte) (int, error) {
	if len(d.prefix) > 0 {
		n := copy(p, d.prefix)
		d.prefix = d.prefix[n:]
		return n, nil
	}
	if d.left == 0 {
		return 0, io.EOF
	}
	n, err := d.r.Read(p[:min(len(p), d.left)])
	d.left -= n
	return n, unexpected(err)
}

// Ahead returns how many bytes of the payload have been taken from the source already. Where there are none, the caller
// may read the payload from the source itself, and must tell by Skip how much.
func (d *Reader) Ahead() int { return min(len(d.prefix)+d.r.Buffered(), d.Left()) }

// Left returns how many bytes of the payload have not been read.
func (d *Reader) Left() int { return len(d.prefix) + d.left }

// Skip tells that the next n bytes of the payload were read from the source directly.
func (d *Reader) Skip(n int) { d.left -= n }

// Limits of what is believed.
const (
	maxStreams   = 250
	maxTimeBases = 256
	maxPacket    = 64 << 10
	maxFrame     = 1 << 29 // 8K in 16-bit RGB is 400 MB
	maxElision   = 256     // bytes of an elided header
)

const fileID = "nut/multimedia container\x00"

func (d *Reader) fileID() error {
	id := make([]byte, len(fileID))
	if _, err := io.ReadFull(d.r, id); err != nil {
		return err
	}
	if string(id) != fileID {
		return syntax("it begins with %q", id)
	}
	return nil
}

func syntax(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrSyntax, fmt.Sprintf(format, args...))
}

func unexpected(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}

// fits tells whether v is an int that is sane for what it stands for.
func fits(v uint64, limit int) (int, bool) {
	if v > uint64(limit) {
		return 0, false
	}
	return int(v), true
}

var order = binary.BigEndian
