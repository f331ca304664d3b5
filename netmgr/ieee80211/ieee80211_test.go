package ieee80211

import (
	"bytes"
	"encoding/hex"
	"errors"
	"reflect"
	"strings"
	"testing"
)

func unhex(t *testing.T, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestSSID(t *testing.T) {
	tests := []struct {
		ssid          SSID
		shown         string
		valid, hidden bool
	}{
		{"home", "home", true, false},
		{"Anna’s iPhone", "Anna’s iPhone", true, false},
		{"", "", false, true},
		{"\x00\x00\x00", `\x00\x00\x00`, true, true},
		{"caf\xe9", `caf\xe9`, true, false},
		{"a\nb\u202e", `a\nb\u202e`, true, false},
		{SSID(strings.Repeat("x", 33)), strings.Repeat("x", 33), false, false},
	}
	for _, tt := range tests {
		if got := tt.ssid.String(); got != tt.shown {
			t.Errorf("%x is shown as %q, want %q", tt.ssid.Hex(), got, tt.shown)
		}
		if tt.ssid.Valid() != tt.valid || tt.ssid.Hidden() != tt.hidden {
			t.Errorf("%q: valid %v, hidden %v", tt.ssid, tt.ssid.Valid(), tt.ssid.Hidden())
		}
	}
}

// The elements and what is to be thought of them are facts that other implementations test as well.
func TestParseRSN(t *testing.T) {
	ok := []struct {
		name, hex string
		want      RSN
	}{
		{"version only", "0100", RSN{Group: CipherCCMP, Pairwise: []Suite{CipherCCMP}, AKMs: []Suite{akm8021X}}},
		{"group", "0100 000fac02", RSN{Group: CipherTKIP, Pairwise: []Suite{CipherCCMP}, AKMs: []Suite{akm8021X}}},
		{"no capabilities", "0100 000fac04 0100 000fac04 0100 000fac02", RSN{Group: CipherCCMP, Pairwise: []Suite{CipherCCMP}, AKMs: []Suite{AKMPSK}}},
		{"half the capabilities", "0100 000fac04 0100 000fac04 0100 000fac02 00", RSN{Group: CipherCCMP, Pairwise: []Suite{CipherCCMP}, AKMs: []Suite{AKMPSK}}},
		{"WPA3", "0100 000fac04 0100 000fac04 0100 000fac08 c000 0000 000fac06", RSN{
			Group: CipherCCMP, Pairwise: []Suite{CipherCCMP}, AKMs: []Suite{AKMSAE},
			Capabilities: MFPCapable | MFPRequired, GroupManagement: CipherBIP,
		}},
		{"a remembered key", "0100 000fac04 0100 000fac04 0100 000fac08 8000 0100 000102030405060708090a0b0c0d0e0f", RSN{
			Group: CipherCCMP, Pairwise: []Suite{CipherCCMP}, AKMs: []Suite{AKMSAE},
			Capabilities: MFPCapable, PMKIDs: []PMKID{{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15}},
		}},
		{"more than we know", "0100 000fac04 0100 000fac04 0100 000fac08 8000 0000 000fac06 0102", RSN{
			Group: CipherCCMP, Pairwise: []Suite{CipherCCMP}, AKMs: []Suite{AKMSAE}, Capabilities: MFPCapable, GroupManagement: CipherBIP,
		}},
	}
	for _, tt := range ok {
		t.Run(tt.name, func(t *testing.T) {
			got, err := ParseRSN(unhex(t, tt.hex))
			if err != nil || !reflect.DeepEqual(got, tt.want) {
				t.Errorf("got %+v, %v, want %+v", got, err, tt.want)
			}
		})
	}
	for _, bad := range []string{
		"", "01", "0000", "0200", "010000", "0100 000fac", "0100 000fac04 00", "0100 000fac04 0001",
		"0100 000fac04 0001 000fac04", "0100 000fac04 0100 000fac04 00", "0100 000fac04 0100 000fac04 0001",
		"0100 000fac04 0100 000fac04 0100 000fac01 0000 0001", "0100 000fac04 ffff",
	} {
		if r, err := ParseRSN(unhex(t, bad)); !errors.Is(err, ErrMalformed) {
			t.Errorf("%q: got %+v, %v", bad, r, err)
		}
	}
}

// beacon returns the body of one with elements.
func beacon(capabilities Capabilities, es ...Element) []byte {
	b := append(make([]byte, 8), 100, 0, byte(capabilities), byte(capabilities>>8))
	for _, e := range es {
		b = e.Append(b)
	}
	return b
}

func TestSecurity(t *testing.T) {
	rsn := func(pairwise, group Suite, akms ...Suite) Element {
		return RSN{Group: group, Pairwise: []Suite{pairwise}, AKMs: akms, Capabilities: MFPCapable}.Element()
	}
	protects := func(caps RSNCapabilities, cipher Suite, akms ...Suite) Element {
		r := RSN{Group: CipherCCMP, Pairwise: []Suite{CipherCCMP}, AKMs: akms, Capabilities: caps, GroupManagement: cipher}
		return r.Element()
	}
	wpa1 := Element{ID: ElementVendor, Data: []byte{0, 0x50, 0xf2, 1, 1, 0}}
	wps := Element{ID: ElementVendor, Data: []byte{0, 0x50, 0xf2, 4, 1, 0}}
	const secret = CapabilityESS | CapabilityPrivacy
	tests := []struct {
		name         string
		capabilities Capabilities
		elements     []Element
		want         Protection
		reason       string // part of it
	}{
		{"open", CapabilityESS, nil, Open, ""},
		{"open with WPS", CapabilityESS, []Element{wps}, Open, ""},
		{"WEP", secret, nil, Unsupported, "WEP"},
		{"WPA1", secret, []Element{wpa1}, Unsupported, "WPA1"},
		{"WPA2", secret, []Element{rsn(CipherCCMP, CipherCCMP, AKMPSK)}, WPA2, ""},
		{"WPA2 beside WPA1", secret, []Element{wpa1, rsn(CipherCCMP, CipherTKIP, AKMPSK)}, WPA2, ""},
		{"WPA2 with fast transition", secret, []Element{rsn(CipherCCMP, CipherCCMP, AKMPSK, AKMFTPSK)}, WPA2, ""},
		{"WPA2 with SHA-256", secret, []Element{rsn(CipherCCMP, CipherCCMP, AKMPSKSHA256)}, WPA2, ""},
		{"WPA2 of TKIP", secret, []Element{rsn(CipherTKIP, CipherTKIP, AKMPSK)}, Unsupported, "AES"},
		{"no broadcasts", secret, []Element{rsn(CipherCCMP, CipherNoGroup, AKMPSK)}, Unsupported, "broadcasts"},
		{"WPA3", secret, []Element{rsn(CipherCCMP, CipherCCMP, AKMSAE)}, WPA3, ""},
		{"transition", secret, []Element{rsn(CipherCCMP, CipherCCMP, AKMPSK, AKMSAE)}, WPA2And3, ""},
		{"WPA3 that does not protect", secret, []Element{protects(0, 0, AKMSAE)}, Unsupported, "management"},
		{"transition that does not protect", secret, []Element{protects(0, 0, AKMSAE, AKMPSK)}, WPA2, ""},
		{"strange protection", secret, []Element{protects(MFPCapable, CipherGCMP, AKMPSK)}, WPA2, ""},
		{"strange protection required", secret, []Element{protects(MFPCapable|MFPRequired, CipherGCMP, AKMPSK)}, Unsupported, "management"},
		{"newest WPA3 only", secret, []Element{rsn(CipherGCMP256, CipherGCMP256, AKMSAEExt)}, Unsupported, "newest"},
		{"fast transition only", secret, []Element{rsn(CipherCCMP, CipherCCMP, AKMFTSAE)}, Unsupported, "802.11r"},
		{"enterprise", secret, []Element{rsn(CipherCCMP, CipherCCMP, akm8021X)}, Enterprise, "account"},
		{"OWE", secret, []Element{rsn(CipherCCMP, CipherCCMP, akmOWE)}, Unsupported, "OWE"},
		{"unknown", secret, []Element{rsn(CipherCCMP, CipherCCMP, 0x00112233)}, Unsupported, "unknown"},
		{"broken", secret, []Element{{ID: ElementRSN, Data: []byte{1}}}, Unsupported, "unreadable"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b, err := ParseBeacon(beacon(tt.capabilities, tt.elements...))
			if err != nil {
				t.Fatal(err)
			}
			got := b.Security()
			if got.Protection != tt.want || !strings.Contains(got.Reason, tt.reason) || (tt.reason == "") != (got.Reason == "") {
				t.Errorf("got %v (%q), want %v", got.Protection, got.Reason, tt.want)
			}
			if got.Personal() != strings.HasPrefix(got.Protection.String(), "WPA") {
				t.Errorf("%v: personal is %v", got.Protection, got.Personal())
			}
		})
	}
}

func TestParseBeacon(t *testing.T) {
	sw := ChannelSwitch{Quiet: true, Channel: 11, Beacons: 5}
	body := beacon(CapabilityESS|CapabilityPrivacy,
		Element{ElementSSID, []byte("home")}, RatesAt(2437).Basic(), Element{ElementDS, []byte{6}},
		Element{ElementCountry, []byte("DE \x01\x0d\x14")}, sw.Element(), Element{ElementHT, make([]byte, 26)},
		Element{ElementVHT, make([]byte, 12)}, Extension(ExtensionHE, make([]byte, 4)), RSNXHashToElement.Element(),
		Element{ElementSSID, []byte("again")}, Element{ElementVendor, []byte{0x50, 0x6f, 0x9a, 0x1c}})
	b, err := ParseBeacon(append(body, ElementRSN, 200, 1)) // and a torn element
	if err != nil {
		t.Fatal(err)
	}
	if b.SSID != "home" || b.BeaconInterval != 100 || b.Channel != 6 || b.Country != "DE " || !b.HT || !b.VHT || !b.HE ||
		b.RSNX != RSNXHashToElement || !b.OWETransition || b.WPA1 || b.RSN != nil || *b.Switch != sw {
		t.Errorf("got %+v", b)
	}
	if w := b.Elements.Whole(ElementDS); !bytes.Equal(w, []byte{ElementDS, 1, 6}) {
		t.Errorf("whole DS element is %x", w)
	}
	if b.Elements.Whole(ElementRSN) != nil {
		t.Error("a torn element was found")
	}
}

func TestChannel(t *testing.T) {
	for mhz, want := range map[int]int{2412: 1, 2472: 13, 2484: 14, 5180: 36, 5825: 165, 5955: 1, 6115: 33, 2300: 0, 60480: 0} {
		if got := Channel(mhz); got != want {
			t.Errorf("%d MHz is channel %d, want %d", mhz, got, want)
		}
	}
}

func TestRates(t *testing.T) {
	for _, mhz := range []int{2412, 5180} {
		r := RatesAt(mhz)
		es := r.AppendExtended(r.Basic().Append(nil))
		if got := FindRates(es); !bytes.Equal(got, r) {
			t.Errorf("%d MHz: got %x, want %x", mhz, got, r)
		}
	}
}

func TestFrames(t *testing.T) {
	ap, sta := MAC{2, 0, 0, 0, 0, 1}, MAC{2, 0, 0, 0, 0, 2}
	es := Elements(Element{ElementSSID, []byte("home")}.Append(nil))
	auth := Auth{Algorithm: AuthSAE, Transaction: 2, Status: StatusChallenge, Data: []byte{1, 2}}
	assoc := AssocRequest{Capabilities: CapabilityESS, ListenInterval: 10, Elements: es}
	again := AssocRequest{Capabilities: CapabilityESS, ListenInterval: 10, Current: ap, Elements: es}
	answer := AssocResponse{Capabilities: CapabilityESS, Status: StatusSuccess, AID: 7, Elements: es}
	tests := []struct {
		kind  Kind
		body  []byte
		parse func(Frame) (any, error)
		want  any
	}{
		{Authentication, auth.Append(nil), func(f Frame) (any, error) { return ParseAuth(f.Body) }, auth},
		{AssociationRequest, assoc.Append(nil), func(f Frame) (any, error) { return ParseAssocRequest(f) }, assoc},
		{ReassociationRequest, again.Append(nil), func(f Frame) (any, error) { return ParseAssocRequest(f) }, again},
		{AssociationResponse, answer.Append(nil), func(f Frame) (any, error) { return ParseAssocResponse(f.Body) }, answer},
		{Deauthentication, ReasonHandshake.Append(nil), func(f Frame) (any, error) { return ParseReason(f.Body) }, ReasonHandshake},
	}
	for _, tt := range tests {
		want := Frame{Kind: tt.kind, Protected: true, To: ap, From: sta, BSSID: ap, Body: tt.body}
		f, err := ParseFrame(want.Append(nil))
		if err != nil || !reflect.DeepEqual(f, want) {
			t.Fatalf("got %+v, %v, want %+v", f, err, want)
		}
		got, err := tt.parse(f)
		if err != nil || !reflect.DeepEqual(got, tt.want) {
			t.Errorf("got %+v, %v, want %+v", got, err, tt.want)
		}
		if _, err := tt.parse(Frame{Kind: tt.kind, Body: tt.body[:1]}); !errors.Is(err, ErrMalformed) {
			t.Errorf("%x: a torn body gives %v", byte(tt.kind), err)
		}
	}
	ht := Frame{Kind: Action, To: ap, From: sta, BSSID: ap, Body: []byte{9, 9, 9, 9, 1}}.Append(nil)
	ht[1] = flagOrder
	if f, err := ParseFrame(ht); err != nil || !bytes.Equal(f.Body, []byte{1}) {
		t.Errorf("with HT control: got %+v, %v", f, err)
	}
}

func TestWords(t *testing.T) {
	for want, got := range map[string]string{
		"02:00:00:00:00:09": MAC{2, 0, 0, 0, 0, 9}.String(), "00-0f-ac:4": CipherCCMP.String(), "WPA2/WPA3": WPA2And3.String(),
		"challenge failed": StatusChallenge.String(), "status 999": Status(999).String(), "reason 999": Reason(999).String(),
		"handshake timed out": ReasonHandshake.String(),
	} {
		if got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

// FuzzBSS reads anything as elements, holds on to no more than it was given, and reads an RSN element again as it wrote it.
func FuzzBSS(f *testing.F) {
	f.Add(beacon(CapabilityPrivacy, RSN{AKMs: []Suite{AKMSAE}, PMKIDs: []PMKID{{}}}.Element(), RSNXHashToElement.Element(),
		Element{ElementCountry, []byte("DE ")}, ChannelSwitch{}.Element(), Element{ElementVendor, []byte{0, 0x50, 0xf2, 1}}))
	f.Fuzz(func(t *testing.T, b []byte) {
		s, err := ParseBeacon(b)
		if err != nil {
			return
		}
		_ = s.Security().Protection.String() + s.SSID.String()
		if s.RSN == nil {
			return
		}
		if n := 4*len(s.RSN.Pairwise) + 4*len(s.RSN.AKMs) + 16*len(s.RSN.PMKIDs); n > 255 {
			t.Fatalf("%d bytes of an element", n)
		}
		again, err := ParseRSN(s.RSN.Element().Data)
		if err != nil || !reflect.DeepEqual(again, *s.RSN) {
			t.Fatalf("%+v became %+v, %v", *s.RSN, again, err)
		}
	})
}

func FuzzFrame(f *testing.F) {
	f.Add(Frame{Kind: Authentication, Body: Auth{Algorithm: AuthSAE, Data: []byte{19, 0}}.Append(nil)}.Append(nil))
	f.Add(Frame{Kind: ReassociationRequest, Body: AssocRequest{Current: MAC{1}}.Append(nil)}.Append(nil))
	f.Fuzz(func(t *testing.T, b []byte) {
		fr, err := ParseFrame(b)
		if err != nil {
			return
		}
		_, _ = ParseAuth(fr.Body)
		_, _ = ParseAssocRequest(fr)
		_, _ = ParseAssocResponse(fr.Body)
		_, _ = ParseReason(fr.Body)
		if again, err := ParseFrame(fr.Append(nil)); err != nil || !reflect.DeepEqual(again, fr) {
			t.Fatalf("%+v became %+v, %v", fr, again, err)
		}
	})
}
