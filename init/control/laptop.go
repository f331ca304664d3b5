package control

import (
	"context"
	"fmt"
	"io"
	"os"
	"time"

	"manofwar/init/api"
	"manofwar/internal/media"
)

// Laptop is the [Machine] of an ordinary computer: it answers status, and has nothing to mount, erase or restart.
type Laptop struct {
	Version string
	Started time.Time
}

// Status implements [Machine].
func (l Laptop) Status() api.Status {
	return api.Status{
		Boot:     api.Boot{Board: "host", Version: l.Version, Uptime: time.Since(l.Started)},
		Watchdog: api.WatchdogNone,
	}
}

// Disks returns none: folders are named on the command line.
func (Laptop) Disks() []api.Disk { return []api.Disk{} }

func unsupported(op string) error {
	return fmt.Errorf("%s: %w on this computer", op, media.ErrUnsupported)
}

// Mount and all below return an error that wraps [media.ErrUnsupported].
func (Laptop) Mount(string) error { return unsupported("mount") }

// Eject implements [Machine].
func (Laptop) Eject(string) error { return unsupported("eject") }

// RetryData implements [Machine].
func (Laptop) RetryData(context.Context) error { return unsupported("repair") }

// ExportData implements [Machine].
func (Laptop) ExportData(context.Context, io.Writer) error { return unsupported("export") }

// EraseData implements [Machine].
func (Laptop) EraseData(string) error { return unsupported("erase") }

// OpenSlot implements [Machine].
func (Laptop) OpenSlot() (*os.File, error) { return nil, unsupported("open a slot") }

// Trial implements [Machine].
func (Laptop) Trial(context.Context) error { return unsupported("trial") }

// Commit implements [Machine].
func (Laptop) Commit(context.Context) error { return unsupported("commit") }

// Restart implements [Machine].
func (Laptop) Restart() error { return unsupported("restart") }

// PowerOff implements [Machine].
func (Laptop) PowerOff() error { return unsupported("power off") }

// FactoryReset implements [Machine].
func (Laptop) FactoryReset() error { return unsupported("factory reset") }
