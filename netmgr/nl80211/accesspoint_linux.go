package nl80211

import (
	"context"

	"golang.org/x/sys/unix"

	"manofwar/netmgr/ieee80211"
)

// Templates are what an access point sends by itself: its beacon before and after the TIM element, which the driver puts
// between, and its answer to probe requests, for drivers that give it by themselves. All are whole frames together.
type Templates struct{ Head, Tail, Probe []byte }

func (t Templates) encode(a *encoder) {
	a.bytes(unix.NL80211_ATTR_BEACON_HEAD, t.Head)
	a.bytes(unix.NL80211_ATTR_BEACON_TAIL, t.Tail)
	if t.Probe != nil {
		a.bytes(unix.NL80211_ATTR_PROBE_RESP, t.Probe)
	}
}

// AccessPoint is an access point to start, on an interface of [AccessPointInterface] that is up.
type AccessPoint struct {
	Index     int
	SSID      ieee80211.SSID
	MHz       int
	HT        bool // 802.11n, in 20 MHz
	Interval  int  // of beacons, in time units
	DTIM      int  // every how many beacons frames to groups are sent
	Templates Templates
	RSN       *ieee80211.RSN // nil: open
	PMK       []byte         // for a firmware that does the handshake ([Features.HandshakeAP]); nil: we do
	Port      bool           // 802.1X frames come and go over nl80211 ([Features.ControlPort])
}

// StartAccessPoint starts it. It ends with the connection. The error wraps [unix.EBUSY] where the radio is on another channel,
// and [unix.EINVAL] where the channel is not allowed.
func (c *Conn) StartAccessPoint(ctx context.Context, p AccessPoint) error {
	a := on(p.Index)
	p.Templates.encode(&a)
	a.u32(unix.NL80211_ATTR_BEACON_INTERVAL, uint32(p.Interval))
	a.u32(unix.NL80211_ATTR_DTIM_PERIOD, uint32(p.DTIM))
	a.bytes(unix.NL80211_ATTR_SSID, []byte(p.SSID))
	a.u32(unix.NL80211_ATTR_HIDDEN_SSID, unix.NL80211_HIDDEN_SSID_NOT_IN_USE)
	a.u32(unix.NL80211_ATTR_AUTH_TYPE, unix.NL80211_AUTHTYPE_OPEN_SYSTEM)
	channel(&a, p.MHz, p.HT)
	a.flag(unix.NL80211_ATTR_SOCKET_OWNER)
	if p.RSN != nil {
		p.encodeRSN(&a)
	}
	return c.do(ctx, "start access point", unix.NL80211_CMD_START_AP, a)
}

func (p *AccessPoint) encodeRSN(a *encoder) {
	a.flag(unix.NL80211_ATTR_PRIVACY)
	a.u32(unix.NL80211_ATTR_WPA_VERSIONS, unix.NL80211_WPA_VERSION_2)
	a.u32(unix.NL80211_ATTR_CIPHER_SUITE_GROUP, uint32(p.RSN.Group))
	a.words(unix.NL80211_ATTR_CIPHER_SUITES_PAIRWISE, suites(p.RSN.Pairwise)...)
	a.words(unix.NL80211_ATTR_AKM_SUITES, suites(p.RSN.AKMs)...)
	if p.PMK != nil {
		a.bytes(unix.NL80211_ATTR_PMK, p.PMK)
	}
	a.flag(unix.NL80211_ATTR_CONTROL_PORT)
	if p.Port {
		a.flag(unix.NL80211_ATTR_CONTROL_PORT_OVER_NL80211)
	}
}

func suites(list []ieee80211.Suite) []uint32 {
	var out []uint32
	for _, s := range list {
		out = append(out, uint32(s))
	}
	return out
}

// channel writes a channel of 20 MHz.
func channel(a *encoder, mhz int, ht bool) {
	a.u32(unix.NL80211_ATTR_WIPHY_FREQ, uint32(mhz))
	width := uint32(unix.NL80211_CHAN_WIDTH_20_NOHT)
	if ht {
		width = unix.NL80211_CHAN_WIDTH_20
	}
	a.u32(unix.NL80211_ATTR_CHANNEL_WIDTH, width)
}

// StopAccessPoint ends it. Its stations are forgotten, and not told.
func (c *Conn) StopAccessPoint(ctx context.Context, index int) error {
	return c.do(ctx, "stop access point", unix.NL80211_CMD_STOP_AP, on(index))
}

// SetBeacon replaces what an access point sends by itself. The error wraps [unix.EBUSY] during a channel switch.
func (c *Conn) SetBeacon(ctx context.Context, index int, t Templates) error {
	a := on(index)
	t.encode(&a)
	return c.do(ctx, "set beacon", unix.NL80211_CMD_SET_BEACON, a)
}

// Manners are how an access point's driver behaves for the sake of who is there.
type Manners struct {
	Protect    bool   // 802.11g's frames are announced to 802.11b
	ShortSlot  bool   // 802.11g's slot time
	HT         uint16 // the protection of 802.11n, as HT operation has it
	BasicRates ieee80211.Rates
}

// SetManners sets them. Stations may send to each other.
func (c *Conn) SetManners(ctx context.Context, index int, b Manners) error {
	a := on(index)
	a.u8(unix.NL80211_ATTR_BSS_CTS_PROT, flag(b.Protect))
	a.u8(unix.NL80211_ATTR_BSS_SHORT_PREAMBLE, 0)
	a.u8(unix.NL80211_ATTR_BSS_SHORT_SLOT_TIME, flag(b.ShortSlot))
	a.u8(unix.NL80211_ATTR_AP_ISOLATE, 0)
	a.u16(unix.NL80211_ATTR_BSS_HT_OPMODE, b.HT)
	const required = 0x80
	var basic []byte
	for _, r := range b.BasicRates {
		if r&required != 0 {
			basic = append(basic, r&^required)
		}
	}
	a.bytes(unix.NL80211_ATTR_BSS_BASIC_RATES, basic)
	return c.do(ctx, "set BSS", unix.NL80211_CMD_SET_BSS, a)
}

func flag(b bool) uint8 {
	if b {
		return 1
	}
	return 0
}

// ChannelSwitch is a move of an access point that is announced to its stations.
type ChannelSwitch struct {
	Index, MHz int
	HT         bool
	Beacons    int       // that announce it
	Quiet      bool      // nobody sends until then
	Announcing Templates // with the announcement
	After      Templates // on the new channel
	InTail     int       // where the tail of the former has the count of beacons
	InProbe    int       // where the whole probe response has it
}

// SwitchChannel starts it. It ends with a [ChannelSwitched]. The error wraps [unix.EBUSY] where the radio is on another
// channel, or a switch is under way.
func (c *Conn) SwitchChannel(ctx context.Context, s ChannelSwitch) error {
	a := on(s.Index)
	channel(&a, s.MHz, s.HT)
	a.u32(unix.NL80211_ATTR_CH_SWITCH_COUNT, uint32(s.Beacons))
	if s.Quiet {
		a.flag(unix.NL80211_ATTR_CH_SWITCH_BLOCK_TX)
	}
	s.After.encode(&a)
	var announcing encoder
	s.Announcing.encode(&announcing)
	announcing.u16(unix.NL80211_ATTR_CNTDWN_OFFS_BEACON, uint16(s.InTail))
	if s.Announcing.Probe != nil {
		announcing.u16(unix.NL80211_ATTR_CNTDWN_OFFS_PRESP, uint16(s.InProbe))
	}
	a.nest(unix.NL80211_ATTR_CSA_IES, announcing)
	return c.do(ctx, "switch channel", unix.NL80211_CMD_CHANNEL_SWITCH, a)
}
