//go:build linux

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"syscall"
	"time"

	"manofwar/board"
	"manofwar/board/qemu"
	"manofwar/board/raspberrypi"
	"manofwar/init/boot"
	"manofwar/internal/slot"
)

// Where stage 1 mounts. The slot's file system goes along into the root below /run: the root's loop device reads from it.
const (
	slotDir  = "/run/slot"
	otherDir = "/run/other"
	bootDir  = "/run/boot"
	newRoot  = "/newroot"
)

// diskLimit is how long the card may take to appear: USB disks spin up.
const diskLimit = 60 * time.Second

// stage1Limit is how long stage 1 may take: it hashes two slots of half a gigabyte at worst. A card that does not answer
// any more holds up whoever reads from it for ever; a reset may wake it, and leads away from a slot on trial.
const stage1Limit = 5 * time.Minute

// boards are those that a slot can be for.
func boards() []board.Board { return []board.Board{raspberrypi.Board(), qemu.Board(), qemu.AMD64()} }

// handoff is what stage 1 tells phase 2, in the environment variable [handoffKey].
type handoff struct {
	Board     string        `json:"board"`
	Disk      string        `json:"disk"`
	Slot      int           `json:"slot"`
	Trial     bool          `json:"trial"`
	Version   string        `json:"version"`
	Key       string        `json:"key"`
	Developer bool          `json:"developer"`
	Verify    time.Duration `json:"verify"`
	Watchdog  int           `json:"watchdog"` // its descriptor; 0: none
	Timeout   time.Duration `json:"timeout"`  // of the watchdog
}

const handoffKey = "MANOFWAR_BOOT"

// stage1 turns the initramfs into the root, or says why it cannot and stops there. It does not return.
func stage1() {
	s := &stage{console: console{os.Stdout}}
	err := s.run()
	s.console.say("cannot start: %v", err)
	s.console.say("%s", "the card is left as it is; put it into a computer and write the image again with: manofwar flash --keep-data")
	s.console.mark("boot.stopped", errorFile(err))
	s.stop()
}

// errorFile names the file to blame, for whoever greps.
func errorFile(err error) string {
	if bad, ok := errors.AsType[*slot.VerifyError](err); ok {
		return bad.File
	}
	return "error"
}

// stage is the state of stage 1.
type stage struct {
	console  console
	board    board.Board
	cmdline  boot.Cmdline
	watchdog *boot.Watchdog // nil: none
	disk     string
	keys     []boot.Key
}

// run is stage 1 in its order. It returns only with an error.
func (s *stage) run() error {
	if err := boot.MountAll(boot.EarlyMounts); err != nil {
		return err
	}
	s.console.markNow("boot.stage1_s")
	line, err := os.ReadFile("/proc/cmdline")
	if err != nil {
		return err
	}
	s.cmdline = boot.ParseCmdline(string(line))
	root := os.DirFS("/")
	if s.board, err = board.Detect(root, boards()...); err != nil {
		return err
	}
	if err := s.loadModules(); err != nil {
		return err
	}
	s.armWatchdog()
	if s.keys, err = boot.ReadKeys(slot.KeysDir); err != nil {
		return err
	}
	booted, err := board.Booted(root)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), diskLimit)
	defer cancel()
	if s.disk, err = boot.FindDisk(ctx, s.disks()); err != nil {
		return err
	}
	if _, said := s.cmdline["manofwar.trial"]; said { // where no device tree can say it
		booted.Trial = true
	}
	current, err := boot.CurrentSlot(booted, s.cmdline, s.autoboot)
	if err != nil {
		return err
	}
	s.console.mark("boot.slot", current)
	v, err := s.verify(current, slotDir)
	if err != nil {
		return s.fallBack(current, booted.Trial, err)
	}
	return s.enter(v, booted.Trial)
}

// disks are the names that the card may have: the board's, or the one that the command line insists on.
func (s *stage) disks() []string {
	if name := s.cmdline["manofwar.disk"]; name != "" {
		return []string{name}
	}
	return s.board.Disks
}

// loadModules loads what the card and the watchdog need, where the kernel does not have it built in.
func (s *stage) loadModules() error {
	if len(s.board.Modules.Stage1) == 0 {
		return nil
	}
	modules, err := boot.OpenModules("/")
	if err != nil {
		return err
	}
	for _, name := range s.board.Modules.Stage1 {
		if err := modules.Load(name); err != nil {
			return err
		}
	}
	return nil
}

// armWatchdog opens the watchdog and begins to feed it, until exec ends this program: then phase 2 does. A board whose
// watchdog does not work still plays music.
func (s *stage) armWatchdog() {
	if s.cmdline["manofwar.watchdog"] == "off" {
		return
	}
	w, err := boot.OpenWatchdog(s.board.Watchdog)
	if err != nil {
		s.console.say("no watchdog guards this boot: %v", err)
		return
	}
	s.watchdog = w
	s.console.mark("boot.watchdog_s", seconds(w.Timeout))
	go feed(w.Ping, w.Feeding(), stage1Limit)
}

// feed feeds the watchdog until the limit, and then leaves it to reset the board; without a limit, for ever.
func feed(ping func() error, every, limit time.Duration) {
	begin := time.Now()
	for range time.Tick(every) {
		if limit > 0 && time.Since(begin) >= limit {
			return
		}
		_ = ping() // if it cannot be fed it resets the board, which says more than a message
	}
}

func (s *stage) autoboot() (slot.Autoboot, error) {
	return boot.ReadAutoboot(boot.DevicePath(s.disk, slot.Boot.Number), bootDir)
}

func (s *stage) verify(partition int, dir string) (*boot.Verified, error) {
	v, err := boot.VerifySlot(boot.DevicePath(s.disk, partition), partition, dir, s.keys)
	if err == nil && v.Manifest.Board != s.board.Name {
		err = errors.Join(fmt.Errorf("it is for board %q, this is %q", v.Manifest.Board, s.board.Name), v.Release(dir))
	}
	if err != nil {
		return nil, fmt.Errorf("slot on partition %d: %w", partition, err)
	}
	return v, nil
}

// fallBack restarts into the other slot if that one verifies. It cannot go round in circles: before a restart that the
// firmware is not going to take elsewhere anyway, autoboot.txt is changed to name the other slot, and where it names it
// already there is no restart.
func (s *stage) fallBack(current int, trial bool, bad error) error {
	s.console.say("%v", bad)
	s.console.mark("boot.bad_slot", current)
	s.console.mark("boot.bad_file", errorFile(bad))
	other, err := slot.Other(current)
	if err != nil {
		return err
	}
	v, err := s.verify(other, otherDir)
	if err != nil {
		return errors.Join(bad, err)
	}
	if err := v.Release(otherDir); err != nil {
		return errors.Join(bad, err)
	}
	auto, err := s.autoboot()
	if err != nil {
		return errors.Join(bad, err)
	}
	change, err := boot.FallBack(current, trial, auto)
	if err != nil {
		return errors.Join(bad, err)
	}
	if change != auto {
		if err := boot.WriteAutoboot(boot.DevicePath(s.disk, slot.Boot.Number), bootDir, change); err != nil {
			return errors.Join(bad, err)
		}
	}
	s.console.say("the other slot is good: restarting into partition %d", other)
	s.console.mark("boot.fallback", other)
	drain(os.Stdout)
	return errors.Join(bad, boot.Restart(s.board, board.Next{}))
}

// enter mounts the verified root, moves into it and executes phase 2.
func (s *stage) enter(v *boot.Verified, trial bool) error {
	s.console.mark("boot.verify_s", seconds(v.Took))
	if err := v.MountRoot(newRoot); err != nil {
		return errors.Join(err, v.Release(slotDir))
	}
	h := handoff{
		Board: s.board.Name, Disk: s.disk, Slot: v.Partition, Trial: trial, Version: v.Manifest.Version,
		Key: v.Key.Name, Developer: v.Key.Developer(), Verify: v.Took,
	}
	if s.watchdog != nil {
		fd, err := s.watchdog.Inherit()
		if err != nil {
			return err
		}
		h.Watchdog, h.Timeout = fd, s.watchdog.Timeout
	}
	data, err := json.Marshal(h)
	if err != nil {
		return err
	}
	if err := v.Root.Close(); err != nil {
		return err
	}
	if err := boot.SwitchRoot(newRoot, boot.Moved); err != nil {
		return err
	}
	env := append(os.Environ(), handoffKey+"="+string(data))
	return fmt.Errorf("execute phase 2: %w", syscall.Exec("/init", []string{"/init", phase2Arg}, env))
}

// stop waits for a person, for ever. The watchdog stays fed: a restart would only lead back here.
func (s *stage) stop() {
	if s.watchdog != nil {
		feed(s.watchdog.Ping, s.watchdog.Feeding(), 0)
	}
	for { // not select {}: without a watchdog nothing else runs, and Go's runtime would call that a deadlock and panic
		time.Sleep(time.Hour)
	}
}
