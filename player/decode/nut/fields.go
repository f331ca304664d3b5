package nut

// fields reads the values of a packet that is in memory. Reading past the end gives zeros and sets short.
type fields struct {
	rest  []byte
	short bool
}

// varint reads a value of type v.
func (f *fields) varint() uint64 {
	var v uint64
	for i, b := range f.rest {
		if v >= 1<<57 {
			break
		}
		v = v<<7 | uint64(b&0x7F)
		if b < 0x80 {
			f.rest = f.rest[i+1:]
			return v
		}
	}
	f.rest, f.short = nil, true
	return 0
}

// signed reads a value of type s.
func (f *fields) signed() int64 {
	v := int64(f.varint()) + 1
	if v&1 != 0 {
		return -(v >> 1)
	}
	return v >> 1
}

// bytes reads a value of type vb.
func (f *fields) bytes() []byte {
	n := f.varint()
	if n > uint64(len(f.rest)) {
		f.rest, f.short = nil, true
		return nil
	}
	b := f.rest[:n]
	f.rest = f.rest[n:]
	return b
}

// crcTable serves the generator polynomial 0x104C11DB7, most significant bit first, which hash/crc32 does not have.
var crcTable = func() (t [256]uint32) {
	for i := range t {
		c := uint32(i) << 24
		for range 8 {
			if c&(1<<31) != 0 {
				c = c<<1 ^ 0x04C11DB7
			} else {
				c <<= 1
			}
		}
		t[i] = c
	}
	return t
}()

func crcByte(c uint32, b byte) uint32 { return c<<8 ^ crcTable[byte(c>>24)^b] }

func crc(c uint32, p []byte) uint32 {
	for _, b := range p {
		c = crcByte(c, b)
	}
	return c
}
