package nl80211_test

import (
	"reflect"
	"slices"
	"testing"

	"golang.org/x/sys/unix"

	"manofwar/netmgr/ieee80211"
	"manofwar/netmgr/nl80211"
	"manofwar/netmgr/nl80211/nl80211test"
)

type attribute = nl80211test.Attribute

func flag(kind uint16) attribute { return attribute{Kind: kind} }

// radio is a radio as the kernel describes it, in parts.
func radio() [][]byte {
	channel := func(number uint16, mhz uint32, flags ...attribute) attribute {
		return nl80211test.Nest(number, append(flags, nl80211test.U32(unix.NL80211_FREQUENCY_ATTR_FREQ, mhz))...)
	}
	limit := func(number uint16, most uint32, types ...uint16) attribute {
		var flags []attribute
		for _, kind := range types {
			flags = append(flags, flag(kind))
		}
		return nl80211test.Nest(number, nl80211test.U32(unix.NL80211_IFACE_LIMIT_MAX, most), nl80211test.Nest(unix.NL80211_IFACE_LIMIT_TYPES, flags...))
	}
	phy := nl80211test.U32(unix.NL80211_ATTR_WIPHY, 4)
	part := func(list ...attribute) []byte { return nl80211test.Encode(append(list, phy)...) }
	band := func(channels ...attribute) attribute {
		return nl80211test.Nest(unix.NL80211_ATTR_WIPHY_BANDS, nl80211test.Nest(0, nl80211test.Nest(unix.NL80211_BAND_ATTR_FREQS, channels...)))
	}
	return [][]byte{
		part(
			attribute{Kind: unix.NL80211_ATTR_WIPHY_NAME, Data: []byte("phy4\x00")},
			attribute{Kind: unix.NL80211_ATTR_MAX_NUM_SCAN_SSIDS, Data: []byte{4}}, nl80211test.U16(unix.NL80211_ATTR_MAX_SCAN_IE_LEN, 1000),
			nl80211test.U32(unix.NL80211_ATTR_CIPHER_SUITES, uint32(ieee80211.CipherCCMP)),
		),
		part(nl80211test.Nest(unix.NL80211_ATTR_SUPPORTED_IFTYPES, flag(unix.NL80211_IFTYPE_STATION), flag(unix.NL80211_IFTYPE_AP))),
		part(band(
			channel(0, 2412, nl80211test.U32(unix.NL80211_FREQUENCY_ATTR_MAX_TX_POWER, 2000)),
			channel(1, 2484, flag(unix.NL80211_FREQUENCY_ATTR_DISABLED)),
			channel(2, 902, flag(unix.NL80211_FREQUENCY_ATTR_NO_IR)),
		)),
		part(band(channel(0, 5260, flag(unix.NL80211_FREQUENCY_ATTR_NO_IR), flag(unix.NL80211_FREQUENCY_ATTR_RADAR)))),
		part(nl80211test.Nest(unix.NL80211_ATTR_SUPPORTED_COMMANDS,
			nl80211test.U32(1, unix.NL80211_CMD_CONNECT), nl80211test.U32(2, unix.NL80211_CMD_START_AP), nl80211test.U32(3, unix.NL80211_CMD_VENDOR))),
		part(nl80211test.Nest(unix.NL80211_ATTR_INTERFACE_COMBINATIONS, nl80211test.Nest(1,
			nl80211test.U32(unix.NL80211_IFACE_COMB_MAXNUM, 2), nl80211test.U32(unix.NL80211_IFACE_COMB_NUM_CHANNELS, 1),
			nl80211test.Nest(unix.NL80211_IFACE_COMB_LIMITS,
				limit(1, 1, unix.NL80211_IFTYPE_STATION), limit(2, 1, unix.NL80211_IFTYPE_AP))))),
		part(
			nl80211test.U32(unix.NL80211_ATTR_FEATURE_FLAGS, unix.NL80211_FEATURE_SAE), flag(unix.NL80211_ATTR_DEVICE_AP_SME),
			attribute{Kind: unix.NL80211_ATTR_EXT_FEATURES, Data: []byte{0, 1 << (unix.NL80211_EXT_FEATURE_4WAY_HANDSHAKE_STA_PSK - 8)}},
		),
	}
}

func TestRadio(t *testing.T) {
	_, c := nl80211test.New(t, func(_ *kernel, r request) answer {
		if _, split := r.Attributes[unix.NL80211_ATTR_SPLIT_WIPHY_DUMP]; !split {
			t.Error("not asked for parts")
		}
		return answer{Messages: radio()}
	})
	got, err := c.Radios(t.Context())
	want := []nl80211.Radio{{
		Phy: 4, Name: "phy4",
		Channels: []nl80211.Channel{{MHz: 2412, MaxPower: 2000}, {MHz: 2484, Disabled: true}, {MHz: 5260, NoIR: true, Radar: true}},
		Types:    []nl80211.InterfaceType{nl80211.StationInterface, nl80211.AccessPointInterface},
		Combinations: []nl80211.Combination{{Max: 2, Channels: 1, Limits: []nl80211.Limit{
			{Max: 1, Types: []nl80211.InterfaceType{nl80211.StationInterface}}, {Max: 1, Types: []nl80211.InterfaceType{nl80211.AccessPointInterface}},
		}}},
		Ciphers: []ieee80211.Suite{ieee80211.CipherCCMP}, MaxScanSSIDs: 4, MaxElements: 1000,
		Commands: nl80211.Commands{Connect: true, StartAP: true},
		Features: nl80211.Features{SAE: true, HandshakeOffload: true, APSME: true},
	}}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Fatalf("%+v, %v, want %+v", got, err, want)
	}
	if !got[0].Together() || !got[0].Supports(nl80211.AccessPointInterface) || !slices.Equal(got[0].Everywhere(), []int{2412, 2484, 5260}) {
		t.Errorf("%+v", got[0])
	}
}

func TestTogether(t *testing.T) {
	station, both := []nl80211.InterfaceType{nl80211.StationInterface}, []nl80211.InterfaceType{nl80211.StationInterface, nl80211.AccessPointInterface}
	for _, c := range []struct {
		name string
		c    nl80211.Combination
		want bool
	}{
		{"stations only", nl80211.Combination{Max: 4, Channels: 1, Limits: []nl80211.Limit{{Max: 4, Types: station}}}, false},
		{"either", nl80211.Combination{Max: 2, Channels: 1, Limits: []nl80211.Limit{{Max: 1, Types: both}}}, false},
		{"two of either", nl80211.Combination{Max: 2, Channels: 1, Limits: []nl80211.Limit{{Max: 2, Types: both}}}, true},
		{"one at a time", nl80211.Combination{Max: 1, Channels: 1, Limits: []nl80211.Limit{{Max: 2, Types: both}}}, false},
	} {
		if r := (nl80211.Radio{Combinations: []nl80211.Combination{c.c}}); r.Together() != c.want {
			t.Errorf("%s: %v", c.name, !c.want)
		}
	}
}

func TestCountry(t *testing.T) {
	_, c := nl80211test.New(t, func(_ *kernel, r request) answer {
		if r.Command == unix.NL80211_CMD_REQ_SET_REG {
			if got := string(r.Attributes[unix.NL80211_ATTR_REG_ALPHA2]); got != "DE\x00" {
				t.Errorf("asked for %q", got)
			}
			return answer{}
		}
		return answer{Messages: [][]byte{nl80211test.Encode(attribute{Kind: unix.NL80211_ATTR_REG_ALPHA2, Data: []byte("DE\x00")})}}
	})
	if err := c.SetRegulatory(t.Context(), "DE"); err != nil {
		t.Error(err)
	}
	for _, bad := range []string{"", "D", "de", "DEU", "0A"} {
		if err := c.SetRegulatory(t.Context(), bad); err == nil {
			t.Errorf("%q is taken for a country", bad)
		}
	}
	if got, err := c.Regulatory(t.Context()); got != "DE" || err != nil {
		t.Errorf("%q, %v", got, err)
	}
}

func TestStation(t *testing.T) {
	signal := int8(-61)
	_, c := nl80211test.New(t, func(_ *kernel, r request) answer {
		if got := ieee80211.MAC(r.Attributes[unix.NL80211_ATTR_MAC]); got != accessPoint {
			t.Errorf("asked for %v", got)
		}
		return answer{Messages: [][]byte{nl80211test.Encode(nl80211test.Nest(unix.NL80211_ATTR_STA_INFO,
			attribute{Kind: unix.NL80211_STA_INFO_SIGNAL, Data: []byte{byte(signal)}},
			attribute{Kind: unix.NL80211_STA_INFO_STA_FLAGS, Data: []byte{2, 0, 0, 0, 2, 0, 0, 0}},
		))}}
	})
	if got, err := c.Station(t.Context(), 3, accessPoint); err != nil || got != (nl80211.StationInfo{Signal: -61, Authorized: true}) {
		t.Errorf("%+v, %v", got, err)
	}
}
