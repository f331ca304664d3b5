package ieee80211

import (
	"fmt"
	"iter"
)

// The identifiers of elements that this package knows (table 9-92).
const (
	ElementSSID          = 0
	ElementRates         = 1
	ElementDS            = 3
	ElementTIM           = 5
	ElementCountry       = 7
	ElementChannelSwitch = 37
	ElementERP           = 42
	ElementHT            = 45
	ElementRSN           = 48
	ElementExtendedRates = 50
	ElementTimeout       = 56
	ElementHTOperation   = 61
	ElementVHT           = 191
	ElementVendor        = 221
	ElementRSNX          = 244
	ElementExtension     = 255 // the first byte of its content is a further identifier
)

// The further identifiers of extension elements.
const (
	ExtensionHE             = 35
	ExtensionRejectedGroups = 92
	ExtensionTokenContainer = 93
)

// Element is one element (clause 9.4.2.1): an identifier, and up to 255 bytes.
type Element struct {
	ID   byte
	Data []byte
}

// Append appends the element's encoding to b. It panics where the content is longer than an element can hold, which is
// the caller's mistake.
func (e Element) Append(b []byte) []byte {
	if len(e.Data) > 255 {
		panic(fmt.Sprintf("ieee80211: element %d of %d bytes", e.ID, len(e.Data)))
	}
	return append(append(b, e.ID, byte(len(e.Data))), e.Data...)
}

// Elements is a sequence of encoded elements, as at the end of most management frames. Any bytes are one: what follows
// the last whole element is not looked at.
type Elements []byte

// All returns the elements in their order. They refer to the sequence.
func (es Elements) All() iter.Seq[Element] {
	return func(yield func(Element) bool) {
		for e, rest, ok := es.next(); ok; e, rest, ok = rest.next() {
			if !yield(e) {
				return
			}
		}
	}
}

func (es Elements) next() (e Element, rest Elements, ok bool) {
	if len(es) < 2 || len(es) < 2+int(es[1]) {
		return Element{}, nil, false
	}
	end := 2 + int(es[1])
	return Element{ID: es[0], Data: es[2:end:end]}, es[end:], true
}

// Find returns the content of the first element with an identifier. It reports false where there is none.
func (es Elements) Find(id byte) ([]byte, bool) {
	for e := range es.All() {
		if e.ID == id {
			return e.Data, true
		}
	}
	return nil, false
}

// Has reports whether there is an element with an identifier.
func (es Elements) Has(id byte) bool {
	_, ok := es.Find(id)
	return ok
}

// Whole returns the first element with an identifier, header and all, to be compared or repeated byte for byte; nil: none.
func (es Elements) Whole(id byte) []byte {
	if data, ok := es.Find(id); ok {
		return Element{ID: id, Data: data}.Append(nil)
	}
	return nil
}

// FindExtension returns the content of the first extension element with a further identifier, without that.
func (es Elements) FindExtension(ext byte) ([]byte, bool) {
	for e := range es.All() {
		if e.ID == ElementExtension && len(e.Data) > 0 && e.Data[0] == ext {
			return e.Data[1:], true
		}
	}
	return nil, false
}

// Extension returns an extension element.
func Extension(ext byte, data []byte) Element {
	return Element{ID: ElementExtension, Data: append([]byte{ext}, data...)}
}

// FindVendor returns the content of the first vendor's element of a kind, without OUI and type.
func (es Elements) FindVendor(kind Suite) ([]byte, bool) {
	for e := range es.All() {
		if e.ID == ElementVendor && len(e.Data) >= 4 && suite(e.Data) == kind {
			return e.Data[4:], true
		}
	}
	return nil, false
}
