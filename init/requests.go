//go:build linux

package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"manofwar/init/boot"
	"manofwar/internal/atomicfile"
	"manofwar/internal/setup"
	"manofwar/internal/slot"
)

// bootDevice is the partition that the firmware reads and that a person can write from a laptop.
func (s *system) bootDevice() string { return boot.DevicePath(s.boot.Disk, slot.Boot.Number) }

// readRequests looks for what a person put on the boot partition. A factory reset is done here, before /data is mounted:
// first the file goes and then the data, so that what is asked for once is done once. A boot partition that cannot be
// written would else empty /data at every start; a power cut in between leaves the data as it was, for the person to ask again.
func (s *system) readRequests() {
	requests, err := boot.ReadRequests(s.bootDevice(), bootDir)
	if err != nil {
		s.fault(fmt.Errorf("boot partition: %w", err))
		return
	}
	s.requests = requests
	if !requests.FactoryReset {
		return
	}
	if err := boot.RemoveRequest(s.bootDevice(), bootDir, boot.FactoryResetName); err != nil {
		s.fault(fmt.Errorf("no factory reset: %w", err))
		return
	}
	s.console.say("%s was on the boot partition: starting with an empty /data", boot.FactoryResetName)
	s.console.mark("boot.factory_reset", 1)
	s.fault(s.data.Forget())
}

// handOnSetup gives each service its part of setup.json, in its own directory, and then removes the file with its
// passphrases from where every computer can read it. A file with a mistake stays, and the status says what is wrong.
func (s *system) handOnSetup() {
	if s.requests.Setup == nil {
		return
	}
	all, err := setup.Parse(s.requests.Setup)
	if err != nil {
		s.fault(err)
		return
	}
	for name, part := range map[string]setup.Setup{
		"netmgr": {WiFi: all.WiFi, Country: all.Country, AccessPoint: all.AccessPoint},
		"portal": {ClaimCode: all.ClaimCode},
	} {
		if err := s.writeSetup(name, part); err != nil {
			s.fault(err)
			return
		}
	}
	if s.rescue.Rescue == "" { // in rescue, what was handed on is in memory: the file is needed again
		s.fault(boot.RemoveRequest(s.bootDevice(), bootDir, setup.Name))
	}
	s.console.mark("boot.setup", 1)
}

// writeSetup writes one service's part as /data/<name>/setup.json.
func (s *system) writeSetup(name string, part setup.Setup) error {
	owner, err := account(name)
	if err != nil {
		return fmt.Errorf("%s: %w", setup.Name, err)
	}
	text, err := part.JSON()
	if err != nil {
		return err
	}
	dir := filepath.Join(dataDir, name)
	if err := os.Mkdir(dir, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	file := filepath.Join(dir, setup.Name)
	if err := atomicfile.Write(file, text, 0o600); err != nil {
		return err
	}
	return errors.Join(os.Lchown(file, owner.UID, owner.GID), os.Lchown(dir, owner.UID, owner.GID))
}
