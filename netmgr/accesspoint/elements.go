package accesspoint

import (
	"encoding/binary"

	"manofwar/netmgr/ieee80211"
)

// bss is our network as it is now: what beacons and answers say of it.
type bss struct {
	ssid ieee80211.SSID
	mac  ieee80211.MAC
	mhz  int
	rsn  *ieee80211.RSN // nil: no password
	ht   *htCapability  // nil: without 802.11n
	protection
}

// htCapability is what the radio can do of 802.11n (clause 9.4.2.55), as the kernel tells it.
type htCapability struct {
	info      uint16
	ampdu     byte // greatest length and smallest spacing
	modulated [16]byte
}

// protection is what members must do for the sake of others that are here (clauses 9.4.2.11, 9.4.2.56, 9.4.1.4).
type protection struct{ nonERP, longSlot, nonHT bool }

// Our pace. A long interval saves no power worth mention and delays phones.
const (
	beaconInterval = 100 // time units
	dtimPeriod     = 2
)

// lengthHT is that of HT capabilities, in bytes.
const lengthHT = 26

// vendorWMM is the Wi-Fi Alliance's WMM, without which there is no 802.11n.
const vendorWMM ieee80211.Suite = 0x0050f202

// beaconHead returns the beacon up to where the driver puts the TIM element.
func (b *bss) beaconHead() []byte { return b.head(ieee80211.Beacon, ieee80211.Broadcast).Append(nil) }

// beaconTail returns the rest of the beacon. While a channel switch is announced, counter is where its count of beacons
// is in the tail, which the driver counts down.
func (b *bss) beaconTail(to *ieee80211.ChannelSwitch) (tail []byte, counter int) { return b.rest(to) }

// probeResponse returns the answer to a probe request.
func (b *bss) probeResponse(to ieee80211.MAC) ieee80211.Frame {
	f, _ := b.probeResponseWith(to, nil)
	return f
}

// probeResponseWith returns the same while a channel switch is announced, and where in the whole frame its count is.
func (b *bss) probeResponseWith(to ieee80211.MAC, sw *ieee80211.ChannelSwitch) (f ieee80211.Frame, counter int) {
	f = b.head(ieee80211.ProbeResponse, to)
	before := len(f.Append(nil))
	tail, counter := b.rest(sw)
	f.Body = append(f.Body, tail...)
	return f, before + counter
}

func (b *bss) head(kind ieee80211.Kind, to ieee80211.MAC) ieee80211.Frame {
	body := make([]byte, 8) // the driver's timestamp
	body = binary.LittleEndian.AppendUint16(body, beaconInterval)
	body = binary.LittleEndian.AppendUint16(body, uint16(b.capabilities()))
	body = ieee80211.Element{ID: ieee80211.ElementSSID, Data: []byte(b.ssid)}.Append(body)
	body = b.rates().Basic().Append(body)
	if b.low() {
		body = ieee80211.Element{ID: ieee80211.ElementDS, Data: []byte{b.channel()}}.Append(body)
	}
	return ieee80211.Frame{Kind: kind, To: to, From: b.mac, BSSID: b.mac, Body: body}
}

// rest returns what follows, in the order of table 9-32.
func (b *bss) rest(sw *ieee80211.ChannelSwitch) (es []byte, counter int) {
	if sw != nil {
		es = sw.Element().Append(es)
		counter = len(es) - 1
	}
	if b.low() {
		es = ieee80211.Element{ID: ieee80211.ElementERP, Data: []byte{b.erp()}}.Append(es)
	}
	es = b.rates().AppendExtended(es)
	if b.rsn != nil {
		es = b.rsn.Element().Append(es)
	}
	return b.appendHT(es), counter
}

// responseElements returns the elements of association responses.
func (b *bss) responseElements() ieee80211.Elements {
	es := b.rates().AppendExtended(b.rates().Basic().Append(nil))
	return b.appendHT(es)
}

// low reports whether the channel is in the band at 2.4 GHz.
func (b *bss) low() bool { return b.mhz < 3000 }

func (b *bss) channel() byte { return byte(ieee80211.Channel(b.mhz)) }

func (b *bss) rates() ieee80211.Rates { return ieee80211.RatesAt(b.mhz) }

func (b *bss) capabilities() ieee80211.Capabilities {
	c := ieee80211.CapabilityESS
	if b.rsn != nil {
		c |= ieee80211.CapabilityPrivacy
	}
	if b.low() && !b.longSlot {
		c |= ieee80211.CapabilityShortSlot
	}
	return c
}

// erp is the content of the ERP element (clause 9.4.2.11).
func (b *bss) erp() byte {
	if b.nonERP {
		return 1<<0 | 1<<1 // such stations are here, protect yourselves from them
	}
	return 0
}

// Bits of HT capabilities (clause 9.4.2.55.2) that need channels of 40 MHz, or other things that we leave out.
const (
	htWide         = 1<<1 | 1<<6 | 1<<12
	htPowerSave    = 3 << 2 // spatial multiplexing power save; both bits: off
	htGreenfield   = 1 << 4
	htDelayedAck   = 1 << 10
	htNotSupported = htWide | htGreenfield | htDelayedAck
)

// htProtection is the operation element's mode (clause 9.4.2.56): none, or a member that knows no 802.11n. Members of ours never
// send greenfield frames.
func (b *bss) htProtection() uint16 {
	const nonGreenfield, mixed = 1 << 2, 3
	if b.nonHT {
		return nonGreenfield | mixed
	}
	return nonGreenfield
}

// appendHT appends the elements of 802.11n and WMM, for channels of 20 MHz.
func (b *bss) appendHT(es []byte) []byte {
	if b.ht == nil {
		return es
	}
	caps := make([]byte, lengthHT)
	binary.LittleEndian.PutUint16(caps, b.ht.info&^htNotSupported|htPowerSave)
	caps[2] = b.ht.ampdu
	copy(caps[3:], b.ht.modulated[:])
	es = ieee80211.Element{ID: ieee80211.ElementHT, Data: caps}.Append(es)
	op := make([]byte, 22)
	op[0] = b.channel()
	binary.LittleEndian.PutUint16(op[2:], b.htProtection())
	es = ieee80211.Element{ID: ieee80211.ElementHTOperation, Data: op}.Append(es)
	return ieee80211.Element{ID: ieee80211.ElementVendor, Data: wmm}.Append(es)
}

// wmm is the WMM parameter element with the defaults of table 9-155: for each class of traffic its number and spacing, the exponents of its
// contention windows, and its limit in units of 32 µs.
var wmm = []byte{
	0x00, 0x50, 0xf2, 2, 1, 1, 0, 0,
	0x03, 0xa4, 0, 0, // best effort
	0x27, 0xa4, 0, 0, // background
	0x42, 0x43, 94, 0, // video
	0x62, 0x32, 47, 0, // voice
}

// speaksHT reports whether a station can use 802.11n with us.
func (b *bss) speaksHT(es ieee80211.Elements) bool {
	caps, ok := es.Find(ieee80211.ElementHT)
	_, qos := es.FindVendor(vendorWMM)
	return b.ht != nil && ok && len(caps) >= lengthHT && qos
}

// needed returns the protection that those who are here need.
func (s *sme) needed() (p protection) {
	if s.firmware {
		return p // it sees to that
	}
	for _, st := range s.stations {
		p.nonERP = p.nonERP || s.low() && !st.erp
		p.longSlot = p.longSlot || s.low() && !st.shortSlot
		p.nonHT = p.nonHT || s.ht != nil && !st.ht
	}
	return p
}

// offer returns what we offer those who know the password: WPA2, and protected management frames to whoever can have them. WPA2's
// only other way of authentication, that with SHA-256, is not offered: nobody needs it, and some old stations stumble over what they
// do not know.
func offer(mfp bool) *ieee80211.RSN {
	r := &ieee80211.RSN{
		Group:    ieee80211.CipherCCMP,
		Pairwise: []ieee80211.Suite{ieee80211.CipherCCMP},
		AKMs:     []ieee80211.Suite{ieee80211.AKMPSK},
	}
	if mfp {
		r.Capabilities, r.GroupManagement = ieee80211.MFPCapable, ieee80211.CipherBIP
	}
	return r
}
