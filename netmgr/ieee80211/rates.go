package ieee80211

// Rates are those that a station supports, in units of 500 kb/s; the top bit marks one that everybody must support
// (clause 9.4.2.3).
type Rates []byte

// Rates of an access point without any but the old modulations' mandatory ones required, so that everything can join.
var (
	rates2GHz = Rates{0x82, 0x84, 0x8b, 0x96, 0x0c, 0x12, 0x18, 0x24, 0x30, 0x48, 0x60, 0x6c} // 1, 2, 5.5 and 11 Mb/s required
	rates5GHz = Rates{0x8c, 0x12, 0x98, 0x24, 0xb0, 0x48, 0x60, 0x6c}                         // 6, 12 and 24 Mb/s required
)

// RatesAt returns the rates of an access point on a frequency in MHz. It is the caller's to keep.
func RatesAt(mhz int) Rates {
	if mhz < 3000 {
		return append(Rates(nil), rates2GHz...)
	}
	return append(Rates(nil), rates5GHz...)
}

// ratesPerElement is how many the first element may hold; the rest goes into the extended one.
const ratesPerElement = 8

// FindRates returns the rates of both elements.
func FindRates(es Elements) Rates {
	first, _ := es.Find(ElementRates)
	rest, _ := es.Find(ElementExtendedRates)
	return append(append(Rates(nil), first...), rest...)
}

// Basic returns the element that every frame has near its beginning.
func (r Rates) Basic() Element {
	return Element{ID: ElementRates, Data: r[:min(len(r), ratesPerElement)]}
}

// AppendExtended appends the element with the rates that the first had no room for, if any.
func (r Rates) AppendExtended(b []byte) []byte {
	if len(r) <= ratesPerElement {
		return b
	}
	return Element{ID: ElementExtendedRates, Data: r[ratesPerElement:]}.Append(b)
}
