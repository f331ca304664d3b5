package wpa

import (
	"bytes"
	"encoding/hex"
	"errors"
	"reflect"
	"strings"
	"testing"

	"manofwar/netmgr/ieee80211"
)

func unhex(t *testing.T, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.Join(strings.Fields(s), ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func check(t *testing.T, what string, got []byte, want string) {
	t.Helper()
	if !bytes.Equal(got, unhex(t, want)) {
		t.Errorf("%s is %x, want %s", what, got, want)
	}
}

// TestPSK checks clause J.4.2's vectors.
func TestPSK(t *testing.T) {
	for _, tt := range []struct {
		ssid           ieee80211.SSID
		password, want string
	}{
		{"IEEE", "password", "f42c6fc52df0ebef9ebb4b90b38a5f902e83fe1b135a70e23aed762e9710a12e"},
		{"ThisIsASSID", "ThisIsAPassword", "0dc0d6eb90555ed6419756b9a15ec3e3209b63df707dd508d14581f8982721af"},
		{ieee80211.SSID(strings.Repeat("Z", 32)), strings.Repeat("a", 32), "becb93866bb8c3832cb777c2f559807c8c59afcb6eae734885001300a981cc62"},
		{"any", strings.Repeat("aB", 32), strings.Repeat("ab", 32)},
	} {
		got, err := PSK(tt.ssid, tt.password)
		if err != nil {
			t.Fatal(err)
		}
		check(t, tt.password, got, tt.want)
	}
	for _, bad := range []string{"", "1234567", strings.Repeat("x", 64), strings.Repeat("x", 65)} {
		if _, err := PSK("any", bad); !errors.Is(err, ErrPassphrase) {
			t.Errorf("%q: got %v", bad, err)
		}
	}
}

// TestPRF checks clause J.3's vector.
func TestPRF(t *testing.T) {
	check(t, "PRF-512", PRF(bytes.Repeat([]byte{0x0b}, 20), "prefix", []byte("Hi There"), 512),
		"bcd4c650b30b9684951829e0d75f9d54b862175ed9f00606e17d8da35402ffee75df78c3d31e0f889f012120c0862beb67753e7439ae242edb8373698356cf5a")
}

// TestPairwise checks clause J.7.1's vector.
func TestPairwise(t *testing.T) {
	l := link(ieee80211.AKMPSK)
	l.PMK = unhex(t, "0dc0d6eb90555ed6419756b9a15ec3e3209b63df707dd508d14581f8982721af")
	l.AccessPoint = ieee80211.MAC{0xa0, 0xa1, 0xa1, 0xa3, 0xa4, 0xa5}
	l.Station = ieee80211.MAC{0xb0, 0xb1, 0xb2, 0xb3, 0xb4, 0xb5}
	station := nonce(unhex(t, "c0c1c2c3c4c5c6c7c8c9d0d1d2d3d4d5d6d7d8d9dadbdcdddedfe0e1e2e3e4e5"))
	ap := nonce(unhex(t, "e0e1e2e3e4e5e6e7e8e9f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff000102030405"))
	s, err := suiteOf(l.AKM)
	if err != nil {
		t.Fatal(err)
	}
	k := s.pairwise(l, ap, station)
	check(t, "KCK", k.kck, "379f9852d0199236b94e407ce4c00ec8")
	check(t, "KEK", k.kek, "47c9edc01c2c6e5b4910caddfb3e51a7")
	check(t, "TK", k.tk, "b2360c79e9710fdd58bea93deaf06599")
}

// TestPMKID tells apart what a name depends on, and finds the same on both sides.
func TestPMKID(t *testing.T) {
	seen := make(map[ieee80211.PMKID]string)
	for name, change := range map[string]func(*Link){
		"plain": func(*Link) {}, "other AKM": func(l *Link) { l.AKM = ieee80211.AKMPSKSHA256 },
		"other key": func(l *Link) { l.PMK = make([]byte, PMKSize) }, "other station": func(l *Link) { l.Station[5]++ },
	} {
		l := link(ieee80211.AKMPSK)
		change(&l)
		id, err := PMKID(l)
		if err != nil {
			t.Fatal(err)
		}
		if other, ok := seen[id]; ok {
			t.Errorf("%s and %s have the same name", name, other)
		}
		seen[id] = name
	}
}

// TestCMAC checks RFC 4493's vectors.
func TestCMAC(t *testing.T) {
	key := unhex(t, "2b7e151628aed2a6abf7158809cf4f3c")
	message := unhex(t, "6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e5130c81c46a35ce411e5fbc1191a0a52eff69f2445df4f9b17ad2b417be66c3710")
	for n, want := range map[int]string{
		0: "bb1d6929e95937287fa37d129b756746", 16: "070a16b46b4d4144f79bdd9dd04a287c",
		40: "dfa66747de9ae63030ca32611497c827", 64: "51f0bebf7e3b9d92fc49741779363cfe",
	} {
		mac := cmac(key, message[:n])
		check(t, "CMAC", mac[:], want)
	}
}

// TestWrap checks RFC 3394's vectors for keys of 128 bits.
func TestWrap(t *testing.T) {
	kek := unhex(t, "000102030405060708090a0b0c0d0e0f")
	data := unhex(t, "00112233445566778899aabbccddeeff")
	wrapped := wrap(kek, data)
	check(t, "wrapped", wrapped, "1fa68b0a8112b447aef34bd8fb5a7b829d3e862371d2cfe5")
	got, err := unwrap(kek, wrapped)
	if err != nil || !bytes.Equal(got, data) {
		t.Errorf("unwrapped %x, %v", got, err)
	}
	for i := range wrapped {
		bad := bytes.Clone(wrapped)
		bad[i] ^= 0x10
		if _, err := unwrap(kek, bad); !errors.Is(err, ErrMalformed) {
			t.Errorf("byte %d changed: %v", i, err)
		}
	}
	for _, n := range []int{0, 8, 16, 23} {
		if _, err := unwrap(kek, make([]byte, n)); !errors.Is(err, ErrMalformed) {
			t.Errorf("%d bytes: %v", n, err)
		}
	}
}

func TestKeyData(t *testing.T) {
	want := KeyData{
		Elements: ieee80211.RSN{Group: ieee80211.CipherCCMP}.Element().Append(nil),
		GTK:      &GroupKey{Index: 2, Key: bytes.Repeat([]byte{1}, 16)},
		IGTK:     &GroupKey{Index: 5, Key: bytes.Repeat([]byte{2}, 16), Sequence: [6]byte{1, 2, 3, 4, 5, 6}},
		PMKID:    bytes.Repeat([]byte{3}, 16),
	}
	for name, b := range map[string][]byte{"plain": want.Append(nil), "padded": pad(want.Append(nil))} {
		got, err := ParseKeyData(b)
		if err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(got.GTK, want.GTK) || !reflect.DeepEqual(got.IGTK, want.IGTK) || !bytes.Equal(got.PMKID, want.PMKID) ||
			!bytes.Equal(got.Elements.Whole(ieee80211.ElementRSN), want.Elements) {
			t.Errorf("%s: got %+v, want %+v", name, got, want)
		}
	}
	for name, b := range map[string][]byte{
		"short GTK":       appendKDE(nil, kdeGTK, 1, 0, 9),
		"GTK of index 0":  appendKDE(nil, kdeGTK, make([]byte, 18)...),
		"GTK too long":    appendKDE(nil, kdeGTK, append([]byte{1}, make([]byte, 40)...)...),
		"IGTK of index 3": appendKDE(nil, kdeIGTK, append([]byte{3}, make([]byte, 23)...)...),
		"short PMKID":     appendKDE(nil, kdePMKID, 1),
	} {
		if _, err := ParseKeyData(b); !errors.Is(err, ErrMalformed) {
			t.Errorf("%s: got %v", name, err)
		}
	}
	for n := range 33 {
		if p := pad(make([]byte, n)); len(p) < 16 || len(p)%8 != 0 || len(p) >= max(n, 9)+8 {
			t.Errorf("%d bytes are padded to %d", n, len(p))
		}
	}
}

func FuzzKeyFrame(f *testing.F) {
	f.Add(KeyFrame{Protocol: 1, Info: InfoPairwise | InfoAck, Replay: 1, Data: []byte{1, 2, 3}}.Append(nil))
	f.Fuzz(func(t *testing.T, b []byte) {
		k, err := ParseKeyFrame(b)
		if err != nil {
			return
		}
		again, err := ParseKeyFrame(k.Append(nil))
		if err != nil || !reflect.DeepEqual(again, k) {
			t.Fatalf("%+v became %+v, %v", k, again, err)
		}
	})
}

func FuzzKeyData(f *testing.F) {
	f.Add(KeyData{GTK: &GroupKey{Index: 1, Key: make([]byte, 16)}, IGTK: &GroupKey{Index: 4, Key: make([]byte, 16)}}.Append(nil))
	f.Fuzz(func(t *testing.T, b []byte) {
		d, err := ParseKeyData(b)
		if err != nil {
			return
		}
		d.Elements = nil
		again, err := ParseKeyData(d.Append(nil))
		again.Elements = nil
		if err != nil || !reflect.DeepEqual(again, d) {
			t.Fatalf("%+v became %+v, %v", d, again, err)
		}
	})
}
