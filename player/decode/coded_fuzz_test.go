//go:build linux

package decode

import (
	"bytes"
	"os"
	"testing"

	"manofwar/player/decode/nut"
)

// FuzzCoded reads coded pictures of anything: each is no longer than what is believed, and memory is bounded by that.
func FuzzCoded(f *testing.F) {
	tiny, err := os.ReadFile("nut/testdata/tiny.nut")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(tiny, true)
	f.Add(tiny[:300], false)
	f.Fuzz(func(t *testing.T, data []byte, begun bool) {
		r := codedReader{nut: nut.NewReader(bytes.NewReader(data)), begun: begun}
		for range 1000 {
			packet, _, err := r.next()
			if err != nil {
				break
			}
			if len(packet) > maxCoded+maxPacket {
				t.Fatalf("a packet of %d bytes", len(packet))
			}
		}
		if cap(r.buf) > 2*(maxCoded+maxPacket) {
			t.Fatalf("%d bytes are held for %d", cap(r.buf), len(data))
		}
	})
}
