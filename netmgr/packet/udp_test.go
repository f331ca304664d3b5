package packet

import (
	"bytes"
	"net/netip"
	"slices"
	"testing"
)

var offer = Datagram{
	From: netip.MustParseAddrPort("192.0.2.1:67"), To: netip.MustParseAddrPort("192.0.2.50:68"),
	Data: bytes.Repeat([]byte("x"), 301),
}

// TestDatagram reads back what it wrote, and nothing that is broken.
func TestDatagram(t *testing.T) {
	good := offer.Append(nil)
	got, ok := ParseDatagram(good, true)
	if !ok || got.From != offer.From || got.To != offer.To || !bytes.Equal(got.Data, offer.Data) {
		t.Fatalf("read back %v, %v", got, ok)
	}
	for at := range good {
		bad := slices.Clone(good)
		bad[at] ^= 0x10
		if _, ok := ParseDatagram(bad, true); ok {
			t.Errorf("byte %d may be wrong", at)
		}
	}
	for n := range len(good) {
		if _, ok := ParseDatagram(good[:n], true); ok {
			t.Errorf("%d bytes are taken for all", n)
		}
	}
}

// FuzzParseDatagram reads packets of whatever kind.
func FuzzParseDatagram(f *testing.F) {
	good := offer.Append(nil)
	f.Add(good, true)
	f.Add(good[:len(good)-3], false)
	f.Fuzz(func(t *testing.T, b []byte, checksum bool) {
		if d, ok := ParseDatagram(b, checksum); ok && len(d.Data) > len(b)-ipHeader-udpHeader {
			t.Errorf("%d bytes of payload in %d bytes", len(d.Data), len(b))
		}
	})
}
