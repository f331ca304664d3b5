package nl80211

import (
	"context"
	"slices"

	"golang.org/x/sys/unix"

	"manofwar/netmgr/ieee80211"
)

// Radio is one WiFi radio (a wiphy) and what its driver can do.
type Radio struct {
	Phy      int
	Name     string    // "phy0"
	Channels []Channel // of 2.4, 5 and 6 GHz
	HT       HT        // of 2.4 GHz, or of the first band there is

	Types        []InterfaceType
	Combinations []Combination // which interfaces may be up at the same time; without any, one
	Ciphers      []ieee80211.Suite
	MaxScanSSIDs int // how many networks one scan may ask for by name
	MaxElements  int // how many bytes of elements a scan may add

	Commands Commands
	Features Features
}

// Channel is one channel of 20 MHz, as the country and the driver leave it.
type Channel struct {
	MHz      int
	Disabled bool
	NoIR     bool // nothing may be sent there before somebody else was heard
	Radar    bool // an access point has to listen for radar
	MaxPower int  // mBm
}

// HT is what 802.11n can do (clause 9.4.2.55).
type HT struct {
	Capabilities uint16
	MCS          []byte  // 16 bytes; nil: no HT
	AMPDU        [2]byte // length exponent, density
}

// Commands are those of nl80211 that not every driver carries out.
type Commands struct {
	Authenticate  bool // the kernel sends authentication and association as told (softMAC)
	Connect       bool // the kernel or the firmware joins by itself
	StartAP       bool
	ChannelSwitch bool
	Frame         bool // management frames can be sent
	Station       bool // stations can be added
	ProbeStation  bool // and asked for a sign of life
}

// Features of a driver or its firmware.
type Features struct {
	SAE               bool // SAE's frames can be exchanged, by Authenticate, or by the driver's request for external authentication
	SAEOffload        bool // the firmware does SAE, given the password
	SAEOffloadAP      bool
	HandshakeOffload  bool // the firmware does the 4-way handshake of a station, given the PMK
	HandshakeAP       bool // and of an access point
	ControlPort       bool // 802.1X frames come and go over nl80211
	ControlPortStatus bool // and it is told what became of them
	APSME             bool // the firmware answers stations that authenticate and associate
	MFPOptional       bool // Connect may leave it open whether management frames are protected
	ScanFlush         bool
	SelfManaged       bool // the country is the firmware's business
	ReplacePTK        bool // pairwise keys can be replaced without harm
}

// Combination is a set of interfaces that may be up together.
type Combination struct {
	Limits   []Limit
	Max      int // interfaces in all
	Channels int // different ones
}

// Limit is how many interfaces of some types a combination may have.
type Limit struct {
	Max   int
	Types []InterfaceType
}

// Everywhere returns all channels of 2.4, 5 and 6 GHz, in MHz, for a [Scan]: the kernel passes over those that are not
// allowed. Without channels it would look at 900 MHz too, where no access point for us is, for seconds.
func (r *Radio) Everywhere() []int {
	var out []int
	for _, c := range r.Channels {
		out = append(out, c.MHz)
	}
	return out
}

// Supports reports whether the radio can have interfaces of a type.
func (r *Radio) Supports(t InterfaceType) bool { return slices.Contains(r.Types, t) }

// Together reports whether a station and an access point may be up at the same time, be it on one channel only.
func (r *Radio) Together() bool {
	return slices.ContainsFunc(r.Combinations, func(c Combination) bool {
		return c.Max >= 2 && c.Channels >= 1 && c.holdsBoth(StationInterface, AccessPointInterface)
	})
}

// holdsBoth reports whether there is room for one interface of each type.
func (c Combination) holdsBoth(a, b InterfaceType) bool {
	for i, x := range c.Limits {
		for j, y := range c.Limits {
			if slices.Contains(x.Types, a) && slices.Contains(y.Types, b) && (i != j || x.Max >= 2) {
				return true
			}
		}
	}
	return false
}

// Radios returns all radios of the network namespace.
func (c *Conn) Radios(ctx context.Context) ([]Radio, error) {
	var a encoder
	a.flag(unix.NL80211_ATTR_SPLIT_WIPHY_DUMP)
	parts, err := c.dump(ctx, "list radios", unix.NL80211_CMD_GET_WIPHY, a)
	if err != nil {
		return nil, err
	}
	var radios []Radio
	for _, b := range parts {
		part := parse(b)
		phy := int(part.u32(unix.NL80211_ATTR_WIPHY))
		i := slices.IndexFunc(radios, func(r Radio) bool { return r.Phy == phy })
		if i < 0 {
			i, radios = len(radios), append(radios, Radio{Phy: phy})
		}
		radios[i].add(part)
	}
	return radios, nil
}

// add reads one of the parts in which the kernel describes a radio.
func (r *Radio) add(a attributes) {
	if a.has(unix.NL80211_ATTR_WIPHY_NAME) {
		r.Name = a.text(unix.NL80211_ATTR_WIPHY_NAME)
	}
	if a.has(unix.NL80211_ATTR_MAX_NUM_SCAN_SSIDS) {
		r.MaxScanSSIDs = int(a.u8(unix.NL80211_ATTR_MAX_NUM_SCAN_SSIDS))
		r.MaxElements = int(a.u16(unix.NL80211_ATTR_MAX_SCAN_IE_LEN))
	}
	for _, s := range set(a[unix.NL80211_ATTR_CIPHER_SUITES]) {
		r.Ciphers = append(r.Ciphers, ieee80211.Suite(s))
	}
	r.Types = append(r.Types, types(a[unix.NL80211_ATTR_SUPPORTED_IFTYPES])...)
	for _, b := range list(a[unix.NL80211_ATTR_WIPHY_BANDS]) {
		r.addBand(parse(b))
	}
	for _, b := range list(a[unix.NL80211_ATTR_INTERFACE_COMBINATIONS]) {
		r.Combinations = append(r.Combinations, decodeCombination(parse(b)))
	}
	for _, b := range list(a[unix.NL80211_ATTR_SUPPORTED_COMMANDS]) {
		r.Commands.add(set(b))
	}
	r.Features.add(a)
}

func (r *Radio) addBand(band attributes) {
	if mcs := band[unix.NL80211_BAND_ATTR_HT_MCS_SET]; r.HT.MCS == nil && mcs != nil {
		r.HT = HT{
			Capabilities: band.u16(unix.NL80211_BAND_ATTR_HT_CAPA), MCS: mcs,
			AMPDU: [2]byte{band.u8(unix.NL80211_BAND_ATTR_HT_AMPDU_FACTOR), band.u8(unix.NL80211_BAND_ATTR_HT_AMPDU_DENSITY)},
		}
	}
	for _, b := range list(band[unix.NL80211_BAND_ATTR_FREQS]) {
		a := parse(b)
		mhz := int(a.u32(unix.NL80211_FREQUENCY_ATTR_FREQ))
		if ieee80211.Channel(mhz) == 0 { // of 900 MHz, or 60 GHz
			continue
		}
		r.Channels = append(r.Channels, Channel{
			MHz:      mhz,
			Disabled: a.has(unix.NL80211_FREQUENCY_ATTR_DISABLED),
			NoIR:     a.has(unix.NL80211_FREQUENCY_ATTR_NO_IR),
			Radar:    a.has(unix.NL80211_FREQUENCY_ATTR_RADAR),
			MaxPower: int(a.u32(unix.NL80211_FREQUENCY_ATTR_MAX_TX_POWER)),
		})
	}
}

func decodeCombination(a attributes) Combination {
	c := Combination{Max: int(a.u32(unix.NL80211_IFACE_COMB_MAXNUM)), Channels: int(a.u32(unix.NL80211_IFACE_COMB_NUM_CHANNELS))}
	for _, b := range list(a[unix.NL80211_IFACE_COMB_LIMITS]) {
		limit := parse(b)
		c.Limits = append(c.Limits, Limit{
			Max: int(limit.u32(unix.NL80211_IFACE_LIMIT_MAX)), Types: types(limit[unix.NL80211_IFACE_LIMIT_TYPES]),
		})
	}
	return c
}

// types reads a set of interface types: a flag for each.
func types(b []byte) []InterfaceType {
	var out []InterfaceType
	for kind := range all(b) {
		out = append(out, InterfaceType(kind))
	}
	return out
}

func (c *Commands) add(commands []uint32) {
	for _, command := range commands {
		switch command {
		case unix.NL80211_CMD_AUTHENTICATE:
			c.Authenticate = true
		case unix.NL80211_CMD_CONNECT:
			c.Connect = true
		case unix.NL80211_CMD_START_AP:
			c.StartAP = true
		case unix.NL80211_CMD_CHANNEL_SWITCH:
			c.ChannelSwitch = true
		case unix.NL80211_CMD_FRAME:
			c.Frame = true
		case unix.NL80211_CMD_NEW_STATION:
			c.Station = true
		case unix.NL80211_CMD_PROBE_CLIENT:
			c.ProbeStation = true
		}
	}
}

func (f *Features) add(a attributes) {
	if a.has(unix.NL80211_ATTR_FEATURE_FLAGS) {
		flags := a.u32(unix.NL80211_ATTR_FEATURE_FLAGS)
		f.SAE, f.ScanFlush = flags&unix.NL80211_FEATURE_SAE != 0, flags&unix.NL80211_FEATURE_SCAN_FLUSH != 0
	}
	f.APSME = f.APSME || a.has(unix.NL80211_ATTR_DEVICE_AP_SME)
	f.SelfManaged = f.SelfManaged || a.has(unix.NL80211_ATTR_WIPHY_SELF_MANAGED_REG)
	bits := a[unix.NL80211_ATTR_EXT_FEATURES]
	if bits == nil {
		return
	}
	has := func(bit int) bool { return bit/8 < len(bits) && bits[bit/8]>>(bit%8)&1 != 0 }
	f.SAEOffload = has(unix.NL80211_EXT_FEATURE_SAE_OFFLOAD)
	f.SAEOffloadAP = has(unix.NL80211_EXT_FEATURE_SAE_OFFLOAD_AP)
	f.HandshakeOffload = has(unix.NL80211_EXT_FEATURE_4WAY_HANDSHAKE_STA_PSK)
	f.HandshakeAP = has(unix.NL80211_EXT_FEATURE_4WAY_HANDSHAKE_AP_PSK)
	f.ControlPort = has(unix.NL80211_EXT_FEATURE_CONTROL_PORT_OVER_NL80211)
	f.ControlPortStatus = has(unix.NL80211_EXT_FEATURE_CONTROL_PORT_OVER_NL80211_TX_STATUS)
	f.MFPOptional = has(unix.NL80211_EXT_FEATURE_MFP_OPTIONAL)
	f.ReplacePTK = has(unix.NL80211_EXT_FEATURE_CAN_REPLACE_PTK0)
}
