//go:build linux

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"

	"manofwar/board"
	"manofwar/init/boot"
	"manofwar/init/supervise"
)

// inherit takes over what stage 1 has: the board, the slot and the watchdog.
func (s *system) inherit() error {
	text := os.Getenv(handoffKey)
	if err := os.Unsetenv(handoffKey); err != nil {
		return err
	}
	if err := json.Unmarshal([]byte(text), &s.boot); err != nil {
		return fmt.Errorf("%s: %w", handoffKey, err)
	}
	s.data.Disk = s.boot.Disk
	if s.boot.Watchdog != 0 {
		w, err := boot.InheritWatchdog(s.boot.Watchdog, s.boot.Timeout)
		if err != nil {
			return err
		}
		s.feeder.Escape = s.onTrial
		s.watchdog, s.feeder.Ping, s.feeder.Every = w, w.Ping, w.Feeding()
	}
	line, err := os.ReadFile("/proc/cmdline")
	if err != nil {
		return err
	}
	s.cmdline = boot.ParseCmdline(string(line))
	s.board, err = board.Detect(os.DirFS("/"), boards()...)
	return err
}

// prepare makes the ground that services stand on, the card's part of it beside the rest. What fails is noted, and the
// rest goes on: a dongle that can still say what is wrong is better than one that cannot.
func (s *system) prepare(ctx context.Context) {
	syscall.Umask(0o022)
	var card sync.WaitGroup
	card.Go(func() {
		s.readRequests()
		s.mountData(ctx)
	})
	s.cripple(s.readUnits())
	prefetch(s.units)
	s.fault(boot.MountAll(boot.RootMounts))
	s.fault(boot.WriteSettings(boot.Settings))
	s.fault(setHostname())
	s.fault(boot.LoopbackUp())
	s.fault(s.openCgroups())
	card.Wait()
	for _, dir := range []string{filepath.Dir(s.clock.Path), runDir} {
		if err := os.Mkdir(dir, 0o755); err != nil && !errors.Is(err, fs.ErrExist) {
			s.fault(err)
		}
	}
	s.fault(s.clock.Restore())
}

func setHostname() error {
	name, err := os.ReadFile("/etc/hostname")
	if err != nil {
		return err
	}
	return unix.Sethostname([]byte(strings.TrimSpace(string(name))))
}

func (s *system) openCgroups() (err error) {
	s.cgroups, s.limits, err = supervise.CgroupRoot(cgroupDir, "manofwar")
	if err == nil && !s.limits {
		err = errors.New("memory of services is not limited: the kernel's memory controller is off")
	}
	return err
}

// mountData mounts /data, or memory in its place, and says why.
func (s *system) mountData(ctx context.Context) {
	s.rescue.Device = s.data.Device()
	repaired, err := s.data.Mount(ctx)
	s.rescue.Repaired = repaired
	if err == nil {
		s.console.markNow("boot.data_s")
		return
	}
	s.rescue.Rescue, s.guesses = err.Error(), 3
	s.console.say("/data is not available: %v", err)
	s.console.say("settings and the library are in memory until it is; nothing on the card was erased")
	s.console.mark("boot.rescue", "data")
	s.fault(s.data.MountRescue())
	if s.eraseCode, err = newEraseCode(); err != nil {
		s.guesses = 0
		s.fault(err)
		return
	}
	s.console.say("to erase the card's data, enter %s on the page", s.eraseCode)
}

// command runs a program of PID 1's own and returns what it printed.
func (s *system) command(ctx context.Context, argv ...string) (code int, output string, err error) {
	fd, err := unix.MemfdCreate("output", unix.MFD_CLOEXEC)
	if err != nil {
		return 0, "", err
	}
	out := os.NewFile(uintptr(fd), "output")
	defer out.Close()
	code, err = s.reaper.Command(ctx, out, argv...)
	text := make([]byte, 64<<10)
	n, _ := out.ReadAt(text, 0) // io.EOF at the end of what there is
	return code, string(text[:n]), err
}
