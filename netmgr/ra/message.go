package ra

import (
	"encoding/binary"
	"net/netip"
)

// The kinds of messages and options (RFC 4861, chapter 4; RFC 8106, section 5.1).
const (
	typeSolicitation  = 133
	typeAdvertisement = 134

	optionSource  = 1
	optionPrefix  = 3
	optionServers = 25
)

// How long what is advertised holds, in seconds.
const (
	validTime     = 24 * 60 * 60
	preferredTime = 4 * 60 * 60
	serverTime    = 3 * 600 // three times the longest pause
)

// advertisement returns the ICMPv6 message; the kernel fills in its checksum.
func (a *Advertiser) advertisement() []byte {
	b := []byte{typeAdvertisement, 0, 0, 0, 64, 0, 0, 0} // hop limit 64; neither DHCPv6 nor a way out
	b = append(b, make([]byte, 8)...)                    // reachable and retransmission times: none given
	if len(a.MAC) == 6 {
		b = append(b, optionSource, 1)
		b = append(b, a.MAC...)
	}
	const onLink, autonomous = 1 << 7, 1 << 6
	b = append(b, optionPrefix, 4, byte(a.Address.Bits()), onLink|autonomous)
	b = binary.BigEndian.AppendUint32(b, validTime)
	b = binary.BigEndian.AppendUint32(b, preferredTime)
	b = append(b, 0, 0, 0, 0)
	b = append(b, a.Address.Masked().Addr().AsSlice()...)

	b = append(b, optionServers, 3, 0, 0)
	b = binary.BigEndian.AppendUint32(b, serverTime)
	return append(b, a.Address.Addr().AsSlice()...)
}

// solicits reports whether an ICMPv6 message is a valid router solicitation of that sender (RFC 4861, section 6.1.1). That
// its hop limit is 255 is checked by who received it.
func solicits(from netip.Addr, b []byte) bool {
	if len(b) < 8 || b[0] != typeSolicitation || b[1] != 0 || !from.IsLinkLocalUnicast() && !from.IsUnspecified() {
		return false
	}
	for o := b[8:]; len(o) > 0; {
		if len(o) < 8 || o[1] == 0 || len(o) < 8*int(o[1]) || o[0] == optionSource && from.IsUnspecified() {
			return false
		}
		o = o[8*int(o[1]):]
	}
	return true
}
