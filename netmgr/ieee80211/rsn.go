package ieee80211

import (
	"encoding/binary"
	"fmt"
	"slices"
)

// Suite selects a cipher or a way of authentication: an OUI in the upper 24 bits, a type in the lower 8 (clause
// 9.4.2.24.2). The same form names kinds of vendors' elements and of key data.
type Suite uint32

// Ciphers (table 9-149).
const (
	CipherGroup    Suite = 0x000fac00 // the group's also for the pair
	CipherWEP40    Suite = 0x000fac01
	CipherTKIP     Suite = 0x000fac02
	CipherCCMP     Suite = 0x000fac04 // CCMP-128
	CipherWEP104   Suite = 0x000fac05
	CipherBIP      Suite = 0x000fac06 // BIP-CMAC-128, for management frames to groups
	CipherNoGroup  Suite = 0x000fac07 // traffic to groups is not allowed
	CipherGCMP     Suite = 0x000fac08 // GCMP-128
	CipherGCMP256  Suite = 0x000fac09
	CipherCCMP256  Suite = 0x000fac0a
	vendorWPA1     Suite = 0x0050f201 // the element of WPA before its standard, by Microsoft
	vendorOWE      Suite = 0x506f9a1c // the Wi-Fi Alliance's, in the open half of an OWE transition pair
	akm8021X       Suite = 0x000fac01
	akm8021XSHA256 Suite = 0x000fac05
	akmFT8021X     Suite = 0x000fac03
	akmSuiteB      Suite = 0x000fac0b
	akmSuiteB192   Suite = 0x000fac0c
	akmOWE         Suite = 0x000fac12
)

// Ways of authentication and key management, AKM for short (table 9-151).
const (
	AKMPSK       Suite = 0x000fac02 // WPA2-Personal
	AKMFTPSK     Suite = 0x000fac04 // with fast transition
	AKMPSKSHA256 Suite = 0x000fac06 // WPA2-Personal with SHA-256
	AKMSAE       Suite = 0x000fac08 // WPA3-Personal
	AKMFTSAE     Suite = 0x000fac09 // with fast transition
	AKMSAEExt    Suite = 0x000fac18 // with the hash of the group
)

// suite reads a selector of at least four bytes.
func suite(b []byte) Suite { return Suite(binary.BigEndian.Uint32(b)) }

// String returns the form of the standard, as in "00-0f-ac:4".
func (s Suite) String() string {
	return fmt.Sprintf("%02x-%02x-%02x:%d", byte(s>>24), byte(s>>16), byte(s>>8), byte(s))
}

// RSNCapabilities are a station's in its RSN element (clause 9.4.2.24.4).
type RSNCapabilities uint16

// The capabilities of protected management frames.
const (
	MFPRequired RSNCapabilities = 1 << 6
	MFPCapable  RSNCapabilities = 1 << 7
)

// PMKID names a pairwise master key that both sides may remember.
type PMKID [16]byte

// RSN is the content of an RSN element (clause 9.4.2.24): in a beacon what an access point offers, in an association request
// what a station has chosen of it.
type RSN struct {
	Group           Suite
	Pairwise        []Suite
	AKMs            []Suite
	Capabilities    RSNCapabilities
	PMKIDs          []PMKID
	GroupManagement Suite // zero: not said, which means BIP-CMAC-128 where management frames are protected
}

// rsnVersion is the only one there is.
const rsnVersion = 1

// ParseRSN reads the content of an RSN element. Every field but the version may be left out from some point on; the standard
// says what it is then.
func ParseRSN(b []byte) (RSN, error) {
	r := RSN{Group: CipherCCMP, Pairwise: []Suite{CipherCCMP}, AKMs: []Suite{akm8021X}}
	f := fields{b: b}
	if v := f.uint16(); f.short || v != rsnVersion {
		return RSN{}, malformed("RSN version")
	}
	if f.more() {
		r.Group = f.suite()
	}
	if f.more() {
		r.Pairwise = f.suites()
	}
	if f.more() {
		r.AKMs = f.suites()
	}
	if len(f.b) == 1 {
		f.b = nil // some access points send half of their capabilities; others read past it as well
	}
	if f.more() {
		r.Capabilities = RSNCapabilities(f.uint16())
	}
	if f.more() {
		r.PMKIDs = f.pmkids()
	}
	if f.more() {
		r.GroupManagement = f.suite()
	}
	if f.short {
		return RSN{}, malformed("RSN element")
	}
	return r, nil
}

// Element returns the encoding. PMKIDs and the group management cipher are left out where there are none.
func (r RSN) Element() Element {
	b := binary.LittleEndian.AppendUint16(nil, rsnVersion)
	b = binary.BigEndian.AppendUint32(b, uint32(r.Group))
	b = appendSuites(b, r.Pairwise)
	b = appendSuites(b, r.AKMs)
	b = binary.LittleEndian.AppendUint16(b, uint16(r.Capabilities))
	if len(r.PMKIDs) > 0 || r.GroupManagement != 0 {
		b = binary.LittleEndian.AppendUint16(b, uint16(len(r.PMKIDs)))
		for _, id := range r.PMKIDs {
			b = append(b, id[:]...)
		}
	}
	if r.GroupManagement != 0 {
		b = binary.BigEndian.AppendUint32(b, uint32(r.GroupManagement))
	}
	return Element{ID: ElementRSN, Data: b}
}

// Offers reports whether an AKM is among those of the element.
func (r RSN) Offers(akm Suite) bool { return slices.Contains(r.AKMs, akm) }

func appendSuites(b []byte, s []Suite) []byte {
	b = binary.LittleEndian.AppendUint16(b, uint16(len(s)))
	for _, v := range s {
		b = binary.BigEndian.AppendUint32(b, uint32(v))
	}
	return b
}

// RSNX are the extended capabilities of an RSN extension element (clause 9.4.2.241), of which one byte matters here. It counts its
// own length in the lower four bits.
type RSNX byte

// RSNXHashToElement says that SAE may derive its element by hashing to the curve.
const RSNXHashToElement RSNX = 1 << 5

// ParseRSNX reads the content of an RSN extension element; an empty one has no capabilities.
func ParseRSNX(b []byte) RSNX {
	if len(b) == 0 {
		return 0
	}
	return RSNX(b[0]) &^ 0xf
}

// Element returns the encoding.
func (x RSNX) Element() Element { return Element{ID: ElementRSNX, Data: []byte{byte(x)}} }

// fields reads one field after the other, and remembers when there was too little left.
type fields struct {
	b     []byte
	short bool
}

func (f *fields) more() bool { return len(f.b) > 0 && !f.short }

func (f *fields) take(n int) []byte {
	if f.short || len(f.b) < n {
		f.short = true
		return make([]byte, min(n, 16))
	}
	v := f.b[:n]
	f.b = f.b[n:]
	return v
}

func (f *fields) uint16() uint16 { return binary.LittleEndian.Uint16(f.take(2)) }
func (f *fields) suite() Suite   { return suite(f.take(4)) }

// count reads how many records of a size follow. Where there are fewer, it is none, and too short.
func (f *fields) count(size int) int {
	n := int(f.uint16())
	if n*size > len(f.b) {
		f.short = true
		return 0
	}
	return n
}

func (f *fields) suites() []Suite {
	s := make([]Suite, f.count(4))
	for i := range s {
		s[i] = f.suite()
	}
	return s
}

func (f *fields) pmkids() []PMKID {
	var ids []PMKID
	for range f.count(16) {
		ids = append(ids, PMKID(f.take(16)))
	}
	return ids
}
