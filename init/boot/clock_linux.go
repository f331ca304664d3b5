package boot

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"manofwar/internal/atomicfile"
)

// Clock keeps the time over a power-off on boards without a battery: it is saved now and then, and restored at boot.
// The time is late then by however long the power was off, until netmgr asks the network, but it never goes back, so
// that certificates of yesterday and the order of what was written stay valid.
type Clock struct {
	Path  string        // the file: one line, RFC 3339
	Every time.Duration // between saves
}

// Restore sets the clock to the saved time if that is later. A file that is missing is no error.
func (c Clock) Restore() error {
	data, err := os.ReadFile(c.Path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	saved, err := time.Parse(time.RFC3339, strings.TrimSpace(string(data)))
	if err != nil {
		return fmt.Errorf("%s: %w", c.Path, err)
	}
	if !saved.After(time.Now()) {
		return nil
	}
	tv := unix.NsecToTimeval(saved.UnixNano())
	if err := unix.Settimeofday(&tv); err != nil {
		return fmt.Errorf("set the clock: %w", err)
	}
	return nil
}

// Save writes the time.
func (c Clock) Save() error {
	return atomicfile.Write(c.Path, []byte(time.Now().UTC().Format(time.RFC3339)+"\n"), 0o644)
}

// Run saves the time until ctx ends, and then once more. Errors go to report: a full /data must not end it.
func (c Clock) Run(ctx context.Context, report func(error)) {
	tick := time.NewTicker(c.Every)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			report(c.Save())
			return
		case <-tick.C:
			report(c.Save())
		}
	}
}
