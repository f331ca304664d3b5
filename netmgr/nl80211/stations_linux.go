package nl80211

import (
	"cmp"
	"context"
	"time"

	"golang.org/x/sys/unix"

	"manofwar/netmgr/ieee80211"
)

// NewStation is a station that an access point has associated.
type NewStation struct {
	Index          int
	MAC            ieee80211.MAC
	AID            uint16
	ListenInterval uint16 // in beacons
	Capabilities   ieee80211.Capabilities
	Rates          ieee80211.Rates
	HT             []byte // its HT capabilities, of 26 bytes; nil: it has none
	QoS            bool   // it speaks WMM
	MFP            bool   // management frames are protected
}

// AddStation makes the kernel know it: authenticated and associated, not authorized.
func (c *Conn) AddStation(ctx context.Context, s NewStation) error {
	a := on(s.Index)
	a.mac(unix.NL80211_ATTR_MAC, s.MAC)
	a.u16(unix.NL80211_ATTR_STA_AID, s.AID)
	a.u16(unix.NL80211_ATTR_STA_LISTEN_INTERVAL, s.ListenInterval)
	a.u16(unix.NL80211_ATTR_STA_CAPABILITY, uint16(s.Capabilities))
	a.bytes(unix.NL80211_ATTR_STA_SUPPORTED_RATES, s.Rates[:min(len(s.Rates), maxRates)])
	if s.HT != nil {
		a.bytes(unix.NL80211_ATTR_HT_CAPABILITY, s.HT)
	}
	if s.QoS { // without U-APSD: of its queues none
		var wme encoder
		wme.u8(unix.NL80211_STA_WME_UAPSD_QUEUES, 0)
		wme.u8(unix.NL80211_STA_WME_MAX_SP, 0)
		a.nest(unix.NL80211_ATTR_STA_WME, wme)
	}
	mask, set := s.flags()
	a.words(unix.NL80211_ATTR_STA_FLAGS2, mask, set)
	return c.do(ctx, "add station", unix.NL80211_CMD_NEW_STATION, a)
}

// maxRates is how many the kernel takes (NL80211_MAX_SUPP_RATES).
const maxRates = 32

// flags returns which of the station's flags (enum nl80211_sta_flags) are said, and which of these it has.
func (s *NewStation) flags() (mask, set uint32) {
	set = 1<<unix.NL80211_STA_FLAG_AUTHENTICATED | 1<<unix.NL80211_STA_FLAG_ASSOCIATED
	if s.Capabilities&ieee80211.CapabilityShortPreamble != 0 {
		set |= 1 << unix.NL80211_STA_FLAG_SHORT_PREAMBLE
	}
	if s.QoS {
		set |= 1 << unix.NL80211_STA_FLAG_WME
	}
	if s.MFP {
		set |= 1 << unix.NL80211_STA_FLAG_MFP
	}
	return set | 1<<unix.NL80211_STA_FLAG_AUTHORIZED, set
}

// RemoveStation makes the kernel forget a station. Firmware that associates stations by itself ([Features.APSME]) tells it the
// reason first. The error wraps [unix.ENOENT] where there is none.
func (c *Conn) RemoveStation(ctx context.Context, index int, station ieee80211.MAC, reason ieee80211.Reason) error {
	const deauthentication = uint8(ieee80211.Deauthentication >> 4)
	a := on(index)
	a.mac(unix.NL80211_ATTR_MAC, station)
	a.u8(unix.NL80211_ATTR_MGMT_SUBTYPE, deauthentication)
	a.u16(unix.NL80211_ATTR_REASON_CODE, uint16(reason))
	return c.do(ctx, "remove station", unix.NL80211_CMD_DEL_STATION, a)
}

// Client is what the kernel knows of a station of an access point.
type Client struct {
	MAC            ieee80211.MAC
	Signal         int           // dBm; 0: unknown
	Silent         time.Duration // since when nothing was heard of it
	Received, Sent uint64        // bytes
}

// Clients returns what is known of all stations of an access point.
func (c *Conn) Clients(ctx context.Context, index int) ([]Client, error) {
	parts, err := c.dump(ctx, "list stations", unix.NL80211_CMD_GET_STATION, on(index))
	if err != nil {
		return nil, err
	}
	var out []Client
	for _, b := range parts {
		a := parse(b)
		info := parse(a[unix.NL80211_ATTR_STA_INFO])
		out = append(out, Client{
			MAC:      a.mac(unix.NL80211_ATTR_MAC),
			Signal:   int(int8(cmp.Or(info.u8(unix.NL80211_STA_INFO_SIGNAL_AVG), info.u8(unix.NL80211_STA_INFO_SIGNAL)))),
			Silent:   time.Duration(info.u32(unix.NL80211_STA_INFO_INACTIVE_TIME)) * time.Millisecond,
			Received: cmp.Or(info.u64(unix.NL80211_STA_INFO_RX_BYTES64), uint64(info.u32(unix.NL80211_STA_INFO_RX_BYTES))),
			Sent:     cmp.Or(info.u64(unix.NL80211_STA_INFO_TX_BYTES64), uint64(info.u32(unix.NL80211_STA_INFO_TX_BYTES))),
		})
	}
	return out, nil
}

// ProbeStation asks a station of an access point for a sign of life. What came of it is told by a [StationProbed].
func (c *Conn) ProbeStation(ctx context.Context, index int, station ieee80211.MAC) error {
	a := on(index)
	a.mac(unix.NL80211_ATTR_MAC, station)
	return c.do(ctx, "probe station", unix.NL80211_CMD_PROBE_CLIENT, a)
}
