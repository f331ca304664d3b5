package wpa

import (
	"strings"
	"testing"

	"manofwar/netmgr/ieee80211"
)

// TestRecorded repeats the station's side of a handshake that was recorded from a commercial access point: both answers
// must be the recorded ones, byte for byte.
func TestRecorded(t *testing.T) {
	none := func(n int) string { return strings.Repeat("00", n) }
	const (
		theirs = "c2bb57ab588f92ebbd44e811094f601c087986030c3ac749cc61d63e33832e50"
		ours   = "3289e91565094f329a9cd54a4a090d2cf4344683bf50efee3608b64856800e84"
		rsne   = "30140100000fac040100000fac040100000fac020000"
	)
	s, err := NewSupplicant(Link{
		AccessPoint: ieee80211.MAC{0x24, 0xa2, 0xe1, 0xec, 0x17, 0x04}, Station: ieee80211.MAC{0xa0, 0xa8, 0xcd, 0x1c, 0x7e, 0xc9},
		AKM: ieee80211.AKMPSK, PMK: unhex(t, "bf9aa3155300125e7a5ebb2a549f8cd4edab8ee12e94bfc24b3357ad049665d9"),
		AccessPointElements: unhex(t, rsne), StationElements: unhex(t, rsne),
	})
	if err != nil {
		t.Fatal(err)
	}
	s.nonce, s.running = nonce(unhex(t, ours)), true

	var station side
	receive := func(packet string) []byte {
		t.Helper()
		acts, err := s.Receive(unhex(t, packet))
		if err != nil {
			t.Fatal(err)
		}
		station.do(acts)
		return station.take()[0]
	}
	m2 := receive("0203005f02008a0010" + none(8) + theirs + none(50))
	check(t, "second message", m2, "0103007502010a0000"+none(8)+ours+none(32)+"01c31b82ff62a379b08dd1fc82c2f768"+"0016"+rsne)
	m4 := receive("02030097 02 13ca 0010 0000000000000001" + theirs + none(32) + "f535d91809731a1d290894705e919c8e" + "0038" +
		`1918df1ef0e7696652e257938034e17038b98b4c45a923b7b6fa8c33
		e37bdcd47feab11c226a2c5e38d5ad799405d610a69551d60be60a5b`)
	check(t, "fourth message", m4, "0103005f02030a0000 0000000000000001"+none(64)+"9e57a4c09bafb3375e46d386cf872753"+"0000")
	if !s.Authorized() || len(told[InstallPairwise](&station)) != 1 || len(told[InstallGroup](&station)) != 1 {
		t.Errorf("did %+v", station.acts)
	}
}
