package nut

import (
	"io"
	"math"
	"math/bits"
	"slices"
)

// The start codes; all begin with N, which no frame does.
const (
	startMain      = 0x4E4D7A561F5F04AD
	startStream    = 0x4E5311405BF2F9DB
	startSyncpoint = 0x4E4BE4ADEECA4569
)

// broadcast is the flag of a file whose syncpoints say when they were sent as well.
const broadcast = 1 << 0

// packet reads one of what is not a frame. Those that are not needed are passed over, however long they are.
func (d *Reader) packet() error {
	d.crc = 0
	var start [8]byte
	for i := range start {
		b, err := d.byte()
		if err != nil {
			return unexpected(err)
		}
		start[i] = b
	}
	length, err := d.varint()
	if err != nil {
		return err
	}
	if length > 4096 {
		if err := d.checksum(d.crc); err != nil {
			return err
		}
	}
	if length < 4 || length > 1<<40 {
		return syntax("a packet of %d bytes", length)
	}
	var parse func(*fields) error
	switch order.Uint64(start[:]) {
	case startMain:
		parse = d.mainHeader
	case startStream:
		parse = d.streamHeader
	case startSyncpoint:
		parse = d.syncpoint
	default:
		_, err := io.CopyN(io.Discard, d.r, int64(length))
		return unexpected(err)
	}
	if length > maxPacket {
		return syntax("a header of %d bytes", length)
	}
	body := make([]byte, length-4)
	if _, err := io.ReadFull(d.r, body); err != nil {
		return unexpected(err)
	}
	if err := d.checksum(crc(0, body)); err != nil {
		return err
	}
	f := &fields{rest: body}
	if err := parse(f); err != nil {
		return err
	}
	if f.short {
		return syntax("a header that is too short")
	}
	return nil
}

// checksum reads a checksum and compares.
func (d *Reader) checksum(want uint32) error {
	var sum [4]byte
	if _, err := io.ReadFull(d.r, sum[:]); err != nil {
		return unexpected(err)
	}
	if got := order.Uint32(sum[:]); got != want {
		return syntax("a checksum of %08x where %08x was due", got, want)
	}
	return nil
}

// mainHeader reads what holds for the whole file. Where it is repeated, the streams stay as they are.
func (d *Reader) mainHeader(f *fields) error {
	version := f.varint()
	if version < 3 || version > 4 {
		return syntax("version %d", version)
	}
	if version > 3 {
		f.varint() // minor version
	}
	streams, ok := fits(f.varint(), maxStreams)
	if !ok || streams == 0 {
		return syntax("the number of streams")
	}
	d.maxDistance, _ = fits(min(f.varint(), 65536), 65536)
	bases, ok := fits(f.varint(), maxTimeBases)
	if !ok || bases == 0 {
		return syntax("the number of time bases")
	}
	d.timeBases = d.timeBases[:0]
	for range bases {
		num, den := f.varint(), f.varint()
		if num == 0 || den == 0 || num >= 1<<31 || den >= 1<<31 {
			return syntax("the time base %d/%d", num, den)
		}
		d.timeBases = append(d.timeBases, Rational{int64(num), int64(den)})
	}
	if err := d.frameCodes(f); err != nil {
		return err
	}
	d.elision = [][]byte{nil}
	if len(f.rest) > 0 {
		for range min(f.varint(), 127) {
			h := f.bytes()
			if len(h) > maxElision {
				return syntax("an elided header of %d bytes", len(h))
			}
			d.elision = append(d.elision, slices.Clone(h))
		}
	}
	if len(f.rest) > 0 {
		d.flags = f.varint()
	}
	if len(d.streams) != streams {
		d.streams = make([]Stream, streams)
	}
	return nil
}

// frameCodes reads what each of the 256 codes stands for. Timestamps may differ by 16 bits, which is more than the
// standard has, and what ffmpeg writes for pictures that are far apart.
func (d *Reader) frameCodes(f *fields) error {
	c := code{sizeMul: 1}
	for i := 0; i < len(d.codes); {
		c.flags = f.varint()
		n := f.varint()
		var size, count uint64
		c.reserved = 0
		if n > 0 {
			c.ptsDelta = f.signed()
		}
		if n > 1 {
			c.sizeMul = f.varint()
		}
		if n > 2 {
			c.stream = f.varint()
		}
		if n > 3 {
			size = f.varint()
		}
		if n > 4 {
			c.reserved = f.varint()
		}
		if n > 5 {
			count = f.varint()
		} else {
			count = c.sizeMul - size
		}
		if n > 6 {
			f.signed() // match_time_delta
		}
		if n > 7 {
			c.header = f.varint()
		}
		for j := uint64(8); j < n && !f.short; j++ {
			f.varint()
		}
		if f.short || count == 0 || c.sizeMul >= 16384 || size >= 16384 || c.reserved > 255 || c.ptsDelta < math.MinInt16 || c.ptsDelta > math.MaxInt16 {
			return syntax("the table of frame codes")
		}
		for ; count > 0 && i < len(d.codes); i++ {
			if i == 'N' {
				d.codes[i].flags = flagInvalid
				continue
			}
			c.sizeLSB = size
			d.codes[i] = c
			size++
			count--
		}
	}
	return nil
}

func (d *Reader) streamHeader(f *fields) error {
	id := f.varint()
	if id >= uint64(len(d.streams)) {
		return syntax("the header of stream %d of %d", id, len(d.streams))
	}
	s := Stream{known: true, Class: Class(f.varint()), FourCC: string(f.bytes())}
	base := f.varint()
	shift := f.varint()
	s.maxJump = int64(min(f.varint(), 1<<40))
	f.varint() // decode delay
	f.varint() // flags
	s.Private = slices.Clone(f.bytes())
	if base >= uint64(len(d.timeBases)) || shift >= 16 {
		return syntax("the clock of stream %d", id)
	}
	s.TimeBase, s.msbShift = d.timeBases[base], uint(shift)
	var wide, high, channels bool
	switch s.Class {
	case Video:
		s.Width, wide = fits(f.varint(), 1<<16)
		s.Height, high = fits(f.varint(), 1<<16)
		channels = true
	case Audio:
		num, den := f.varint(), f.varint()
		s.Rate = Rational{int64(num), int64(den)}
		s.Channels, channels = fits(f.varint(), 1<<10)
		wide, high = true, num > 0 && den > 0
	default:
		wide, high, channels = true, true, true
	}
	if !wide || !high || !channels {
		return syntax("the form of stream %d", id)
	}
	if old := &d.streams[id]; old.known {
		s.lastPTS = old.lastPTS
	}
	d.streams[id] = s
	return nil
}

// syncpoint sets every stream's last timestamp (nut.txt, "convert_ts").
func (d *Reader) syncpoint(f *fields) error {
	t := f.varint()
	f.varint() // back pointer
	if d.flags&broadcast != 0 {
		f.varint() // when it was sent
	}
	if len(d.timeBases) == 0 {
		return syntax("a syncpoint before the header")
	}
	n := uint64(len(d.timeBases))
	from, ticks := d.timeBases[t%n], t/n
	for i := range d.streams {
		s := &d.streams[i]
		if !s.known {
			continue
		}
		hi, lo := bits.Mul64(ticks, uint64(from.Num)*uint64(s.TimeBase.Den))
		by := uint64(from.Den) * uint64(s.TimeBase.Num)
		if hi >= by {
			return syntax("a syncpoint at %d", ticks)
		}
		q, _ := bits.Div64(hi, lo, by)
		if q > 1<<62 {
			return syntax("a syncpoint at %d", ticks)
		}
		s.lastPTS = int64(q)
	}
	return nil
}
