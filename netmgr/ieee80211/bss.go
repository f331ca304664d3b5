package ieee80211

import "encoding/binary"

// Capabilities of a network (clause 9.4.1.4).
type Capabilities uint16

// The capabilities that matter here.
const (
	CapabilityESS           Capabilities = 1 << 0  // there is an access point
	CapabilityPrivacy       Capabilities = 1 << 4  // traffic is encrypted
	CapabilityShortPreamble Capabilities = 1 << 5  // 802.11b's shorter one
	CapabilityShortSlot     Capabilities = 1 << 10 // 802.11g's slot time
)

// BSS is one access point's network, as its beacons and probe responses describe it.
type BSS struct {
	SSID           SSID   // may be Hidden
	BeaconInterval uint16 // in units of 1024 µs
	Capabilities   Capabilities
	Channel        int // that it says it is on; zero: it does not say
	RSN            *RSN
	RSNX           RSNX
	WPA1           bool   // it offers WPA before its standard
	OWETransition  bool   // an encrypted twin of this open network exists
	Country        string // two letters and where it counts ("DE "); empty: not said
	HT, VHT, HE    bool   // 802.11n, ac, ax
	Switch         *ChannelSwitch

	Elements Elements // all of them, to repeat or compare

	brokenRSN bool
}

// fixedBeacon is the length of timestamp, interval and capabilities, in bytes.
const fixedBeacon = 12

// ParseBeacon reads the body of a beacon or probe response (clauses 9.3.3.2 and 9.3.3.10).
func ParseBeacon(body []byte) (*BSS, error) {
	if len(body) < fixedBeacon {
		return nil, malformed("beacon")
	}
	s := ParseBSS(body[fixedBeacon:])
	s.BeaconInterval = binary.LittleEndian.Uint16(body[8:])
	s.Capabilities = Capabilities(binary.LittleEndian.Uint16(body[10:]))
	return s, nil
}

// ParseBSS reads a network's elements, as a kernel's scan results hold them. Interval and capabilities, which those hold
// elsewhere, are the caller's to fill in. Of an element that comes twice the first counts.
func ParseBSS(es Elements) *BSS {
	s := &BSS{Elements: es}
	if name, ok := es.Find(ElementSSID); ok && len(name) <= maxSSID {
		s.SSID = SSID(name)
	}
	if b, ok := es.Find(ElementRSN); ok {
		r, err := ParseRSN(b)
		s.RSN, s.brokenRSN = &r, err != nil
		if err != nil {
			s.RSN = nil
		}
	}
	if b, ok := es.Find(ElementRSNX); ok {
		s.RSNX = ParseRSNX(b)
	}
	_, s.WPA1 = es.FindVendor(vendorWPA1)
	_, s.OWETransition = es.FindVendor(vendorOWE)
	s.HT, s.VHT = es.Has(ElementHT), es.Has(ElementVHT)
	_, s.HE = es.FindExtension(ExtensionHE)
	s.Channel, s.Country = channel(es), country(es)
	if b, ok := es.Find(ElementChannelSwitch); ok {
		if sw, err := ParseChannelSwitch(b); err == nil {
			s.Switch = &sw
		}
	}
	return s
}

// channel is said by the DS element on 2.4 GHz and by HT operation on every band.
func channel(es Elements) int {
	for _, id := range []byte{ElementDS, ElementHTOperation} {
		if b, ok := es.Find(id); ok && len(b) > 0 {
			return int(b[0])
		}
	}
	return 0
}

func country(es Elements) string {
	b, ok := es.Find(ElementCountry)
	if !ok || len(b) < 3 {
		return ""
	}
	for _, c := range b[:2] {
		if c < 'A' || c > 'Z' {
			return ""
		}
	}
	return string(b[:3])
}

// Channel returns the number of a channel by its centre frequency in MHz (annex E); zero: it is on no band of 2.4, 5 or 6 GHz.
func Channel(mhz int) int {
	switch {
	case mhz == 2484:
		return 14
	case mhz > 2407 && mhz < 2484:
		return (mhz - 2407) / 5
	case mhz > 5000 && mhz < 5950:
		return (mhz - 5000) / 5
	case mhz >= 5955 && mhz <= 7115:
		return (mhz - 5950) / 5
	default:
		return 0
	}
}

// ChannelSwitch announces that an access point moves (clause 9.4.2.18).
type ChannelSwitch struct {
	Quiet   bool // nobody shall send until then
	Channel byte // where it goes
	Beacons byte // after how many more beacons; 0: at any moment, 1: right before the next
}

// ParseChannelSwitch reads the content of a channel switch announcement.
func ParseChannelSwitch(b []byte) (ChannelSwitch, error) {
	if len(b) < 3 {
		return ChannelSwitch{}, malformed("channel switch announcement")
	}
	return ChannelSwitch{Quiet: b[0] == 1, Channel: b[1], Beacons: b[2]}, nil
}

// Element returns the encoding. The count of beacons is its last byte, which drivers count down in place.
func (c ChannelSwitch) Element() Element {
	var quiet byte
	if c.Quiet {
		quiet = 1
	}
	return Element{ID: ElementChannelSwitch, Data: []byte{quiet, c.Channel, c.Beacons}}
}
