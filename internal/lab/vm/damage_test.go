//go:build vm

package vm

import (
	"errors"
	"fmt"
	"io"
	"os"
	"testing"
	"time"

	"manofwar/gokrazy/fat"
	"manofwar/internal/lab"
	"manofwar/internal/slot"
)

// flip changes one bit in the middle of a file of a slot.
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
		b[0] ^= 1
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
				named = "manifest" // one bit off, it is another manifest's signature
			}
			_, err := m.Console.Wait(t.Context(), 0, `slot 2[^\n]*`+named)
			must(t, err)
			_, err = m.Console.Wait(t.Context(), 0, `(?i)neither slot|no slot`)
			must(t, err)
			if _, err := m.Console.Wait(within(t, 3*time.Second), 0, `boot\.phase2_s`); err == nil {
				t.Error("it went on to phase 2")
			}
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
			if _, err := m.Console.Wait(t.Context(), 0, `slot 2[^\n]*`+name); err != nil {
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
	for _, pattern := range []string{`slot 2[^\n]*` + slot.RootName, `slot 3[^\n]*` + slot.CmdlineName} {
		if _, err := m.Console.Wait(t.Context(), 0, pattern); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := m.Console.Wait(within(t, 3*time.Second), 0, `boot\.phase2_s`); !errors.Is(err, t.Context().Err()) && err == nil {
		t.Error("it went on to phase 2")
	}
}
