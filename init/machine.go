//go:build linux

package main

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"errors"
	"fmt"
	"io"
	"math/big"
	"os"
	"strings"

	"golang.org/x/sys/unix"

	"manofwar/board"
	"manofwar/init/api"
	"manofwar/init/boot"
	"manofwar/init/disks"
	"manofwar/init/sandbox"
	"manofwar/internal/media"
	"manofwar/internal/slot"
)

// machine is the [control.Machine] of the dongle: what the verbs of init.sock do.
type machine struct {
	*system
	disks *disks.Manager
}

// Status implements [control.Machine].
func (m machine) Status() api.Status {
	m.mu.Lock()
	data, faults := m.rescue, strings.Join(m.faults, "; ")
	m.mu.Unlock()
	if data.Rescue == "" {
		if full, readOnly, err := boot.DataState(dataDir); err == nil {
			data.Full, data.ReadOnly = full, readOnly
		}
	}
	s := api.Status{
		Boot: api.Boot{
			Board: m.board.Name, Version: m.boot.Version, Slot: m.boot.Slot, Trial: m.onTrial(),
			Developer: m.boot.Developer, Verify: m.boot.Verify, Uptime: uptime(),
			Landlock: sandbox.LandlockABI(), Cgroups: m.limits,
		},
		Data: data, Watchdog: api.WatchdogNone, Degraded: faults,
	}
	if m.watchdog != nil {
		state, reason := m.feeder.State()
		s.Watchdog = state
		if reason != "" {
			s.Degraded = reason
		}
	} else if err := m.healthy(); err != nil {
		s.Degraded = err.Error()
	}
	return s
}

// Disks implements [control.Machine].
func (m machine) Disks() []api.Disk { return m.disks.List() }

// Mount implements [control.Machine].
func (m machine) Mount(id string) error { return m.disks.Mount(id) }

// Eject implements [control.Machine].
func (m machine) Eject(id string) error { return m.disks.Eject(id) }

// ask asks for the end of the machine. Only the first asker gets what it asks for.
func (m machine) ask(end ending) error {
	select {
	case m.end <- end:
		return nil
	default:
		return &media.Error{Op: "restart", Err: media.ErrBusy, Hint: "The device is stopping already."}
	}
}

// Restart implements [control.Machine].
func (m machine) Restart() error { return m.ask(ending{}) }

// PowerOff implements [control.Machine].
func (m machine) PowerOff() error { return m.ask(ending{off: true}) }

// FactoryReset implements [control.Machine].
func (m machine) FactoryReset() error { return m.ask(ending{forget: true}) }

// inRescue returns an error unless /data is in memory.
func (m machine) inRescue(op string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.rescue.Rescue == "" {
		return &media.Error{Op: op, Err: fmt.Errorf("%w: /data is well", media.ErrInvalid)}
	}
	return nil
}

// useData is inRescue for what works on the card's /data, one at a time: two repairs at once would ruin what is there.
// The caller unlocks m.rescuer unless there is an error.
func (m machine) useData(op string) error {
	if err := m.inRescue(op); err != nil {
		return err
	}
	if !m.rescuer.TryLock() {
		return &media.Error{Op: op, Err: media.ErrBusy, Hint: "It is being repaired or exported already."}
	}
	return nil
}

// RetryData implements [control.Machine].
func (m machine) RetryData(ctx context.Context) error {
	if err := m.useData("repair /data"); err != nil {
		return err
	}
	defer m.rescuer.Unlock()
	if err := m.data.Retry(ctx); err != nil {
		return &media.Error{Op: "repair /data", Err: err, Hint: "Save what can be read with the export, then erase."}
	}
	return m.Restart()
}

// ExportData implements [control.Machine].
func (m machine) ExportData(ctx context.Context, w io.Writer) error {
	if err := m.useData("export /data"); err != nil {
		return err
	}
	defer m.rescuer.Unlock()
	return m.data.Export(ctx, "/run/export", w)
}

// EraseData implements [control.Machine]. The code is on the screen and the serial line only: whoever knows it stands
// before the device. Three wrong ones are all that there are, until the next start.
func (m machine) EraseData(code string) error {
	if err := m.inRescue("erase /data"); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.guesses == 0 {
		return &media.Error{Op: "erase /data", Err: fmt.Errorf("%w: too many wrong codes", media.ErrDenied), Hint: "Restart the device for a new code."}
	}
	if subtle.ConstantTimeCompare([]byte(code), []byte(m.eraseCode)) != 1 {
		m.guesses--
		return &media.Error{Op: "erase /data", Err: fmt.Errorf("%w: this is not the code", media.ErrDenied), Hint: "The code is on the TV."}
	}
	return m.ask(ending{forget: true})
}

// newEraseCode returns six digits.
func newEraseCode() (string, error) {
	n, err := rand.Int(rand.Reader, big.NewInt(1e6))
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("%06d", n), nil
}

// errNoSlot is the answer on a machine that did not boot from a slot.
var errNoSlot = fmt.Errorf("%w: this device did not start from a slot", media.ErrUnsupported)

// onTrial reports whether any restart leads back to the other slot.
func (s *system) onTrial() bool { return s.boot.Trial && !s.committed.Load() }

// OpenSlot implements [control.Machine]. While the present slot is on trial the other one is the way back, and is not
// given away. Before it is, autoboot.txt names the present slot alone: a half-written one must never be tried.
func (m machine) OpenSlot() (*os.File, error) {
	other, err := slot.Other(m.boot.Slot)
	if err != nil {
		return nil, errNoSlot
	}
	if m.onTrial() {
		return nil, &media.Error{Op: "open the other slot", Err: media.ErrBusy, Hint: "The present slot is on trial: commit it first, or restart."}
	}
	m.slots.Lock()
	defer m.slots.Unlock()
	if err := m.writeAutoboot(slot.Autoboot{Default: m.boot.Slot, Try: m.boot.Slot}); err != nil {
		return nil, err
	}
	// O_EXCL: refused while anything has it mounted, and as long as the file is open, whoever has it by then, nothing can
	// mount it (open(2), block devices): Trial verifies only what nobody can write any more.
	f, err := os.OpenFile(boot.DevicePath(m.boot.Disk, other), os.O_RDWR|os.O_EXCL, 0)
	if err != nil {
		return nil, &media.Error{Op: "open the other slot", Err: errors.Join(media.ErrBusy, err)}
	}
	return f, nil
}

// Trial implements [control.Machine].
func (m machine) Trial(_ context.Context) error {
	other, err := slot.Other(m.boot.Slot)
	if err != nil {
		return errNoSlot
	}
	if m.onTrial() {
		return &media.Error{Op: "try the other slot", Err: media.ErrBusy, Hint: "The present slot is on trial itself: commit it first, or restart."}
	}
	m.slots.Lock()
	defer m.slots.Unlock()
	keys, err := boot.ReadKeys(slot.KeysDir)
	if err != nil {
		return err
	}
	v, err := boot.VerifySlot(boot.DevicePath(m.boot.Disk, other), other, otherDir, keys)
	if errors.Is(err, unix.EBUSY) { // whoever has it open could change it after it was verified
		return &media.Error{Op: "try the other slot", Err: errors.Join(media.ErrBusy, err), Hint: "The updater has to close it first."}
	}
	if err != nil {
		return &media.Error{Op: "try the other slot", Err: errors.Join(media.ErrCorrupt, err)}
	}
	if err := v.Release(otherDir); err != nil {
		return err
	}
	if v.Manifest.Board != m.board.Name {
		return &media.Error{Op: "try the other slot", Err: fmt.Errorf("%w: it is for board %q", media.ErrInvalid, v.Manifest.Board)}
	}
	if err := m.writeAutoboot(slot.Autoboot{Default: m.boot.Slot, Try: other}); err != nil {
		return err
	}
	return m.ask(ending{next: board.Next{Trial: true}})
}

// Commit implements [control.Machine]. Both sections name the slot afterwards: a bootloader that ignores sections boots
// the one named last.
func (m machine) Commit(_ context.Context) error {
	if _, err := slot.Other(m.boot.Slot); err != nil {
		return errNoSlot
	}
	m.slots.Lock()
	defer m.slots.Unlock()
	if err := m.writeAutoboot(slot.Autoboot{Default: m.boot.Slot, Try: m.boot.Slot}); err != nil {
		return err
	}
	m.committed.Store(true)
	m.console.mark("boot.committed", m.boot.Slot)
	return nil
}

func (m machine) writeAutoboot(a slot.Autoboot) error {
	return boot.WriteAutoboot(m.bootDevice(), bootDir, a)
}
