package nl80211

import (
	"testing"

	"golang.org/x/sys/unix"

	"manofwar/netmgr/ieee80211"
)

// FuzzAttributes reads whatever bytes as each of the messages of this package. Parts of them anybody nearby has sent.
func FuzzAttributes(f *testing.F) {
	var bss, radio encoder
	bss.mac(unix.NL80211_BSS_BSSID, ieee80211.MAC{2})
	bss.u32(unix.NL80211_BSS_FREQUENCY, 2437)
	bss.bytes(unix.NL80211_BSS_INFORMATION_ELEMENTS, ieee80211.Element{ID: ieee80211.ElementSSID, Data: []byte("Home")}.Append(nil))
	var channel, channels, band, bands encoder
	channel.u32(unix.NL80211_FREQUENCY_ATTR_FREQ, 2437)
	channels.nest(0, channel)
	band.nest(unix.NL80211_BAND_ATTR_FREQS, channels)
	bands.nest(0, band)
	radio.nest(unix.NL80211_ATTR_WIPHY_BANDS, bands)
	radio.bytes(unix.NL80211_ATTR_EXT_FEATURES, []byte{0xff, 0xff})
	var frame encoder
	frame.bytes(unix.NL80211_ATTR_FRAME, ieee80211.Frame{Kind: ieee80211.Authentication, Body: []byte{0, 0, 2, 0, 0, 0}}.Append(nil))
	f.Add([]byte(bss))
	f.Add([]byte(radio))
	f.Add([]byte(frame))
	f.Fuzz(func(t *testing.T, b []byte) {
		for command := range decoders {
			decodeEvent(command, b)
		}
		if s, ok := decodeBSS(parse(b)); ok && len(s.Elements) > len(b) {
			t.Error("more elements than there are bytes")
		}
		var r Radio
		r.add(parse(b))
		if len(r.Channels) > len(b) || len(r.Combinations) > len(b) {
			t.Error("more channels than there are bytes")
		}
		r.Together()
		decodeInterface(parse(b))
		_ = result(unix.NLM_F_ACK_TLVS, b)
	})
}

// FuzzDatagrams gives whatever bytes to a connection with a request under way and a listener.
func FuzzDatagrams(f *testing.F) {
	f.Add(message{family: 0x20, command: unix.NL80211_CMD_NEW_SCAN_RESULTS}.encode(0))
	f.Add(message{family: unix.NLMSG_ERROR, attributes: make(encoder, 20)}.encode(1))
	f.Fuzz(func(t *testing.T, b []byte) {
		w := &call{done: make(chan struct{})}
		c := &Conn{family: 0x20, pending: map[uint32]*call{1: w}, listeners: make(map[*Listener]struct{})}
		l := c.Listen(0)
		c.take(b)
		if w.size > len(b) || len(l.events) > len(b) {
			t.Error("more messages than there are bytes")
		}
		l.Close()
	})
}
