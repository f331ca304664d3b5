package nut

import "math"

// The flags of a frame (nut.txt, "frame_code").
const (
	flagKey       = 1 << 0
	flagEOR       = 1 << 1
	flagCodedPTS  = 1 << 3
	flagStreamID  = 1 << 4
	flagSizeMSB   = 1 << 5
	flagChecksum  = 1 << 6
	flagReserved  = 1 << 7
	flagSideData  = 1 << 8 // from version 4 on
	flagHeaderIdx = 1 << 10
	flagMatchTime = 1 << 11
	flagCoded     = 1 << 12
	flagInvalid   = 1 << 13
)

// code is what the main header says of one frame code.
type code struct {
	flags    uint64
	stream   uint64
	sizeMul  uint64
	sizeLSB  uint64
	ptsDelta int64
	reserved uint64
	header   uint64
}

// frame reads a frame's header. The frame is irrelevant where it only ends the relevance of its stream, or where its
// stream is of a class that is not known; its payload is passed over then.
func (d *Reader) frame() (f Frame, relevant bool, err error) {
	d.crc = 0
	b, err := d.byte()
	if err != nil {
		return f, false, err
	}
	c, err := d.codedFields(d.codes[b])
	if err != nil {
		return f, false, err
	}
	size := c.sizeLSB
	if size > maxFrame {
		return f, false, syntax("a frame of %d bytes", size)
	}
	if c.stream >= uint64(len(d.streams)) || !d.streams[c.stream].known {
		return f, false, syntax("a frame of stream %d, which has no header", c.stream)
	}
	s := &d.streams[c.stream]
	jump := c.ptsDelta - s.lastPTS
	far := jump > s.maxJump || -jump > s.maxJump
	s.lastPTS = c.ptsDelta
	if c.flags&flagChecksum != 0 {
		if err := d.checksum(d.crc); err != nil {
			return f, false, err
		}
	} else if int(size) > 2*d.maxDistance || far {
		return f, false, syntax("a frame of %d bytes without a checksum", size)
	}
	d.left = int(size)
	if err := d.elide(c, int(size)); err != nil {
		return f, false, err
	}
	if c.flags&flagEOR != 0 || s.Class > UserData {
		_, err := d.r.Discard(d.left)
		d.prefix, d.left = nil, 0
		return f, false, err
	}
	return Frame{Stream: int(c.stream), PTS: s.lastPTS, Size: int(size), Key: c.flags&flagKey != 0}, true, nil
}

// codedFields reads the fields that follow the frame code, and returns the code with them in place: sizeLSB is the whole
// size then, and ptsDelta the timestamp.
func (d *Reader) codedFields(c code) (code, error) {
	if c.flags&flagInvalid != 0 {
		return c, syntax("an invalid frame code")
	}
	var err error
	read := func(flag uint64, into *uint64) {
		if c.flags&flag != 0 && err == nil {
			*into, err = d.varint()
		}
	}
	var coded, pts, msb, match uint64
	read(flagCoded, &coded)
	c.flags ^= coded
	read(flagStreamID, &c.stream)
	read(flagCodedPTS, &pts)
	read(flagSizeMSB, &msb)
	read(flagMatchTime, &match)
	read(flagHeaderIdx, &c.header)
	read(flagReserved, &c.reserved)
	for range min(c.reserved, 256) {
		if err == nil {
			_, err = d.varint()
		}
	}
	switch {
	case err != nil:
		return c, err
	case c.flags&(flagInvalid|flagSideData) != 0:
		return c, syntax("a frame with flags %#x", c.flags)
	case c.reserved > 256 || msb > maxFrame:
		return c, syntax("a frame header out of bounds")
	case c.stream >= uint64(len(d.streams)):
		return c, syntax("a frame of stream %d of %d", c.stream, len(d.streams))
	}
	c.sizeLSB += msb * c.sizeMul
	s := &d.streams[c.stream]
	if c.flags&flagCodedPTS != 0 {
		c.ptsDelta = s.fullPTS(pts)
	} else {
		c.ptsDelta += s.lastPTS
	}
	if c.ptsDelta > math.MaxInt64/2 || c.ptsDelta < math.MinInt64/2 {
		return c, syntax("a timestamp of %d", c.ptsDelta)
	}
	return c, nil
}

// fullPTS returns the timestamp that a coded one means (nut.txt, "coded_pts").
func (s *Stream) fullPTS(coded uint64) int64 {
	if coded >= 1<<s.msbShift {
		return int64(coded - 1<<s.msbShift)
	}
	mask := int64(1)<<s.msbShift - 1
	delta := s.lastPTS - mask/2
	return (int64(coded)-delta)&mask + delta
}

// elide sets what the payload begins with and is not stored. A frame larger than 4096 bytes has none.
func (d *Reader) elide(c code, size int) error {
	if size > 4096 || c.header == 0 {
		return nil
	}
	if c.header >= uint64(len(d.elision)) || len(d.elision[c.header]) > size {
		return syntax("a frame of %d bytes begins with header %d", size, c.header)
	}
	d.prefix = d.elision[c.header]
	d.left = size - len(d.prefix)
	return nil
}

func (d *Reader) byte() (byte, error) {
	b, err := d.r.ReadByte()
	if err == nil {
		d.crc = crcByte(d.crc, b)
	}
	return b, err
}

// varint reads a value of type v.
func (d *Reader) varint() (uint64, error) {
	var v uint64
	for range 18 { // ten bytes, and eight of stuffing
		b, err := d.byte()
		if err != nil {
			return 0, unexpected(err)
		}
		if v >= 1<<57 {
			return 0, syntax("a number of more than 64 bits")
		}
		v = v<<7 | uint64(b&0x7F)
		if b < 0x80 {
			return v, nil
		}
	}
	return 0, syntax("a number without an end")
}
