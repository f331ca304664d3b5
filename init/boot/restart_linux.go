package boot

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"manofwar/board"
)

// Restart restarts the machine as the board has it. It returns only with an error. File systems are the caller's.
func Restart(b board.Board, next board.Next) error {
	r := board.Restart{}
	if b.Restart != nil {
		r = b.Restart(next)
	}
	if r.Sector != nil {
		if err := writeNVRAM(b.NVRAM, r.Sector); err != nil && next != (board.Next{}) {
			return fmt.Errorf("restart: %w", err)
		}
	}
	syncDisks()
	if r.Argument == "" {
		return fmt.Errorf("restart: %w", unix.Reboot(unix.LINUX_REBOOT_CMD_RESTART))
	}
	arg, err := unix.BytePtrFromString(r.Argument)
	if err != nil {
		return err
	}
	_, _, e := unix.Syscall6(unix.SYS_REBOOT, unix.LINUX_REBOOT_MAGIC1, unix.LINUX_REBOOT_MAGIC2,
		unix.LINUX_REBOOT_CMD_RESTART2, uintptr(unsafe.Pointer(arg)), 0, 0)
	return fmt.Errorf("restart: %w", e)
}

// PowerOff turns the machine off, or halts it where the hardware cannot. It returns only with an error.
func PowerOff() error {
	syncDisks()
	return fmt.Errorf("power off: %w", unix.Reboot(unix.LINUX_REBOOT_CMD_POWER_OFF))
}

// syncLimit is how long the last write to the disks may take. The file systems have been unmounted by then, if they could.
const syncLimit = 10 * time.Second

// syncDisks is sync(2), which waits for a disk that hangs for ever, but for its limit.
func syncDisks() {
	done := make(chan struct{})
	go func() {
		defer close(done)
		unix.Sync()
	}()
	select {
	case <-done:
	case <-time.After(syncLimit):
	}
}

// writeNVRAM writes the sector to the disk with the serial number.
func writeNVRAM(serial string, sector []byte) (err error) {
	disk, err := diskBySerial(serial)
	if err != nil {
		return err
	}
	f, err := os.OpenFile(filepath.Join("/dev", disk), os.O_WRONLY|unix.O_SYNC, 0)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	if _, err := f.Write(sector); err != nil {
		return err
	}
	return f.Sync()
}

func diskBySerial(serial string) (string, error) {
	files, err := filepath.Glob("/sys/block/*/serial")
	if err != nil {
		return "", err
	}
	for _, file := range files {
		got, err := os.ReadFile(file)
		if err == nil && serial != "" && strings.TrimSpace(string(got)) == serial {
			return filepath.Base(filepath.Dir(file)), nil
		}
	}
	return "", fmt.Errorf("no disk has the serial number %q", serial)
}
