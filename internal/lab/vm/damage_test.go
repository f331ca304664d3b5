//go:build vm

package vm

import (
	"fmt"
	"io"
	"os"
	"strings"
	"testing"
	"time"

	"manofwar/gokrazy/fat"
	"manofwar/internal/lab"
	"manofwar/internal/slot"
)

// flip changes one bit in the middle of a file of a slot: in the signature one that leaves it base64.
func flip(part slot.Partition, name string) func(card string) error {
	return func(card string) error {
		f, err := os.OpenFile(card, os.O_RDWR, 0)
		if err != nil {
			return err
		}
		defer f.Close()
		volume, err := fat.Open(io.NewSectionReader(f, part.Start, part.Size), part.Size)
		if err != nil {
			return err
		}
		extents, err := volume.Extents(name)
		if err != nil || len(extents) == 0 {
			return fmt.Errorf("%s: no extents: %w", name, err)
		}
		at := part.Start + extents[0].Offset + extents[0].Size/2
		b := make([]byte, 1)
		if _, err := f.ReadAt(b, at); err != nil {
			return err
		}
		bit := byte(1)
		for name == slot.SignatureName && !isBase64(b[0]^bit) {
			bit <<= 1
		}
		b[0] ^= bit
		_, err = f.WriteAt(b, at)
		return err
	}
}

// fillB copies slot A into slot B.
func fillB(card string) error {
	f, err := os.OpenFile(card, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	buf := make([]byte, 1<<20)
	for at := int64(0); at < slot.A.Size; at += int64(len(buf)) {
		if _, err := f.ReadAt(buf, slot.A.Start+at); err != nil {
			return err
		}
		if allZero(buf) {
			continue // keeps the file sparse; slot B is empty
		}
		if _, err := f.WriteAt(buf, slot.B.Start+at); err != nil {
			return err
		}
	}
	return nil
}

// isBase64 tells whether a character is of the standard alphabet (RFC 4648, section 4).
func isBase64(b byte) bool {
	return 'A' <= b && b <= 'Z' || 'a' <= b && b <= 'z' || '0' <= b && b <= '9' || b == '+' || b == '/'
}

func allZero(p []byte) bool {
	for _, b := range p {
		if b != 0 {
			return false
		}
	}
	return true
}

func both(steps ...func(string) error) func(string) error {
	return func(card string) error {
		for _, step := range steps {
			if err := step(card); err != nil {
				return err
			}
		}
		return nil
	}
}

// slotFiles are one of each kind: the root, the settings, the manifest, the kernel and stage 1 itself. The damage is
// done after the firmware has loaded them, because a firmware that loads damaged code may do anything. A device tree is
// flipped on the Raspberry Pi's image, the only one that has any.
var slotFiles = []string{slot.RootName, slot.CmdlineName, slot.ManifestName, slot.SignatureName, slot.KernelName, slot.InitramfsName}

func TestDamagedSlotStopsWhereThereIsNoOther(t *testing.T) {
	for _, name := range slotFiles {
		t.Run(name, func(t *testing.T) {
			m := boot(t, lab.Config{Loaded: flip(slot.A, name), Limit: time.Minute})
			named := name
			if name == slot.SignatureName {
				named = slot.ManifestName // one bit off, it is another manifest's signature
			}
			stopped(t, m, named)
		})
	}
}

func TestDamagedSlotGivesWayToTheOther(t *testing.T) {
	for _, name := range []string{slot.RootName, slot.KernelName} {
		t.Run(name, func(t *testing.T) {
			m := booted(t, lab.Config{Prepare: fillB, Loaded: flip(slot.A, name)})
			boots := m.Boots()
			if len(boots) != 2 || boots[0].Partition != slot.A.Number || boots[0].End != "guest-reset" || boots[1].Partition != slot.B.Number {
				t.Errorf("boots %+v; want slot 2, a reset, slot 3", boots)
			}
			if _, err := m.Expect(t.Context(), 0, `partition 2: `+name); err != nil {
				t.Error(err)
			}
			s := await(t, m, "all services are ready", allReady)
			if s.Device.Slot != slot.B.Number {
				t.Errorf("slot %d; want 3", s.Device.Slot)
			}
		})
	}
}

func TestBothSlotsDamaged(t *testing.T) {
	m := boot(t, lab.Config{Prepare: fillB, Loaded: both(flip(slot.A, slot.RootName), flip(slot.B, slot.CmdlineName)), Limit: time.Minute})
	stopped(t, m, slot.RootName)
	if _, err := m.Expect(t.Context(), 0, `partition 3: `+slot.CmdlineName); err != nil {
		t.Error(err)
	}
}

// stopped waits until stage 1 has named the file and stopped. It must not have gone on.
func stopped(t *testing.T, m *lab.Machine, file string) {
	t.Helper()
	if _, err := m.Expect(t.Context(), 0, `partition 2: `+file+`: .*\n(.*\n)*.*boot\.stopped=`); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(m.Console.String(), "boot.phase2_s") {
		t.Error("it went on to phase 2")
	}
}
