package nl80211

import (
	"encoding/binary"
	"iter"
	"strings"

	"golang.org/x/sys/unix"

	"manofwar/netmgr/ieee80211"
)

// Attributes are of netlink's form (linux/netlink.h): length and type of 16 bits each, content, padding to 4 bytes. Numbers
// have the host's order of bytes.
const attributeHeader = unix.SizeofNlAttr

func align(n int) int { return (n + unix.NLMSG_ALIGNTO - 1) &^ (unix.NLMSG_ALIGNTO - 1) }

// encoder is a sequence of attributes being written.
type encoder []byte

func (e *encoder) bytes(kind uint16, content []byte) {
	b := binary.NativeEndian.AppendUint16(*e, uint16(attributeHeader+len(content)))
	b = binary.NativeEndian.AppendUint16(b, kind)
	b = append(b, content...)
	*e = append(b, make([]byte, align(len(content))-len(content))...)
}

func (e *encoder) flag(kind uint16)           { e.bytes(kind, nil) }
func (e *encoder) u8(kind uint16, v uint8)    { e.bytes(kind, []byte{v}) }
func (e *encoder) text(kind uint16, s string) { e.bytes(kind, append([]byte(s), 0)) }

func (e *encoder) u16(kind, v uint16) { e.bytes(kind, binary.NativeEndian.AppendUint16(nil, v)) }

func (e *encoder) u32(kind uint16, v uint32) { e.bytes(kind, binary.NativeEndian.AppendUint32(nil, v)) }

func (e *encoder) mac(kind uint16, m ieee80211.MAC) { e.bytes(kind, m[:]) }

// words writes numbers of 32 bits each, as one attribute.
func (e *encoder) words(kind uint16, list ...uint32) {
	var b []byte
	for _, v := range list {
		b = binary.NativeEndian.AppendUint32(b, v)
	}
	e.bytes(kind, b)
}

// nest writes attributes inside one.
func (e *encoder) nest(kind uint16, inner encoder) { e.bytes(kind|unix.NLA_F_NESTED, inner) }

// attributes are those of one message, by their type. Of a type that comes twice the last counts. The content refers to
// what was parsed.
type attributes map[uint16][]byte

// all returns attributes in their order. What follows the last whole one is not looked at.
func all(b []byte) iter.Seq2[uint16, []byte] {
	return func(yield func(uint16, []byte) bool) {
		for len(b) >= attributeHeader {
			size := int(binary.NativeEndian.Uint16(b))
			if size < attributeHeader || size > len(b) {
				return
			}
			kind := binary.NativeEndian.Uint16(b[2:]) &^ (unix.NLA_F_NESTED | unix.NLA_F_NET_BYTEORDER)
			if !yield(kind, b[attributeHeader:size]) {
				return
			}
			b = b[min(align(size), len(b)):]
		}
	}
}

func parse(b []byte) attributes {
	a := make(attributes)
	for kind, content := range all(b) {
		a[kind] = content
	}
	return a
}

// list returns the contents of attributes whose types are but numbers.
func list(b []byte) [][]byte {
	var out [][]byte
	for _, content := range all(b) {
		out = append(out, content)
	}
	return out
}

func (a attributes) has(kind uint16) bool {
	_, ok := a[kind]
	return ok
}

// The readers of numbers return 0 where there is none, or too few bytes of it.

func (a attributes) u8(kind uint16) uint8 {
	if b := a[kind]; len(b) >= 1 {
		return b[0]
	}
	return 0
}

func (a attributes) u16(kind uint16) uint16 {
	if b := a[kind]; len(b) >= 2 {
		return binary.NativeEndian.Uint16(b)
	}
	return 0
}

func (a attributes) u32(kind uint16) uint32 {
	if b := a[kind]; len(b) >= 4 {
		return binary.NativeEndian.Uint32(b)
	}
	return 0
}

func (a attributes) u64(kind uint16) uint64 {
	if b := a[kind]; len(b) >= 8 {
		return binary.NativeEndian.Uint64(b)
	}
	return 0
}

func (a attributes) mac(kind uint16) ieee80211.MAC {
	var m ieee80211.MAC
	if b := a[kind]; len(b) == len(m) {
		copy(m[:], b)
	}
	return m
}

func (a attributes) text(kind uint16) string {
	s, _, _ := strings.Cut(string(a[kind]), "\x00")
	return s
}

// set returns the numbers in an attribute that holds 32 bits each.
func set(b []byte) []uint32 {
	var out []uint32
	for ; len(b) >= 4; b = b[4:] {
		out = append(out, binary.NativeEndian.Uint32(b))
	}
	return out
}
