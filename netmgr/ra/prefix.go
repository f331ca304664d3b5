package ra

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"os"
	"strings"

	"manofwar/internal/atomicfile"
)

// OwnAddress returns our address in our own network of 64 bits, which is made up at random the first time (RFC 4193,
// section 3.2.2) and kept in a file, so that clients find us where they did. A file that says something else is replaced.
func OwnAddress(path string) (netip.Prefix, error) {
	text, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return netip.Prefix{}, fmt.Errorf("own IPv6 network: %w", err)
	}
	if p, err := netip.ParsePrefix(strings.TrimSpace(string(text))); err == nil && p.Bits() == 64 && p.Addr().AsSlice()[0] == 0xfd {
		return p, nil
	}
	b := [16]byte{0: 0xfd, 15: 1}
	if _, err := rand.Read(b[1:6]); err != nil { // 40 bits; the subnet is 0, we are its first host
		return netip.Prefix{}, fmt.Errorf("own IPv6 network: %w", err)
	}
	p := netip.PrefixFrom(netip.AddrFrom16(b), 64)
	if err := atomicfile.Write(path, []byte(p.String()+"\n"), 0o644); err != nil {
		return netip.Prefix{}, fmt.Errorf("own IPv6 network: %w", err)
	}
	return p, nil
}
