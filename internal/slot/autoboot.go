package slot

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"
)

// Autoboot is the content of autoboot.txt: the slot that every boot takes, and the one that a boot with the one-shot
// tryboot flag takes. Source: the Raspberry Pi documentation's chapter on autoboot.txt.
type Autoboot struct {
	Default int // partition number under [all]
	Try     int // partition number under [tryboot]
}

// ParseAutoboot reads autoboot.txt as the firmware does: at most one sector, sections in brackets, later lines win,
// unknown lines ignored. A section that names no partition falls back to [all], and [all] to the error.
func ParseAutoboot(data []byte) (Autoboot, error) {
	if len(data) > SectorSize {
		return Autoboot{}, fmt.Errorf("%s: %d bytes, the firmware reads at most %d", AutobootName, len(data), SectorSize)
	}
	var a Autoboot
	all, try := true, false
	for line := range strings.Lines(string(data)) {
		line = strings.TrimSpace(line)
		if strings.HasPrefix(line, "[") {
			all, try = line == "[all]", line == "[tryboot]"
			continue
		}
		value, ok := strings.CutPrefix(line, "boot_partition=")
		if !ok || !(all || try) {
			continue
		}
		n, err := strconv.Atoi(strings.TrimSpace(value))
		if err != nil || n < 1 || n > 4 {
			return Autoboot{}, fmt.Errorf("%s: boot_partition=%s, want 1 to 4", AutobootName, value)
		}
		if all {
			a.Default = n
		} else {
			a.Try = n
		}
	}
	if a.Default == 0 {
		return Autoboot{}, fmt.Errorf("%s: no boot_partition under [all]", AutobootName)
	}
	if a.Try == 0 {
		a.Try = a.Default
	}
	return a, nil
}

// Sector returns autoboot.txt as exactly one sector, so that replacing one by another in place is a single write that a
// power cut cannot tear. The padding is blank lines: the firmware skips them, and a person's editor shows text.
func (a Autoboot) Sector() []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "[all]\ntryboot_a_b=1\nboot_partition=%d\n[tryboot]\nboot_partition=%d\n", a.Default, a.Try)
	b.Write(bytes.Repeat([]byte("\n"), SectorSize-b.Len()))
	return b.Bytes()
}
