package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"manofwar/internal/lab/guest"
)

// printUsage prints as JSON what one of the dongle's services takes of the machine.
func printUsage(service string) error {
	u, err := usage(service)
	if err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(u)
}

// usage measures one of the dongle's services.
func usage(service string) (u guest.Usage, err error) {
	procs, err := filepath.Glob("/proc/[0-9]*")
	if err != nil {
		return u, err
	}
	var pid string
	parents := make(map[string]string)
	for _, proc := range procs {
		line, err := os.ReadFile(filepath.Join(proc, "cmdline"))
		if err != nil {
			continue // it has ended
		}
		if bytes.Equal(line, []byte("/bin/manofwar\x00"+service+"\x00")) {
			pid = filepath.Base(proc)
		}
		parents[filepath.Base(proc)] = field(proc, "PPid")
	}
	if pid == "" {
		return u, fmt.Errorf("%s does not run", service)
	}
	for _, parent := range parents {
		if parent == pid {
			u.Children++
		}
	}
	open, err := os.ReadDir(filepath.Join("/proc", pid, "fd"))
	if err != nil {
		return u, err
	}
	u.PID, u.Files = pid, len(open)
	for name, to := range map[string]*int{"VmRSS": &u.Resident, "Threads": &u.Threads} {
		if _, err := fmt.Sscan(field(filepath.Join("/proc", pid), name), to); err != nil {
			return u, fmt.Errorf("%s of %s: %w", name, service, err)
		}
	}
	return u, nil
}

// field returns what /proc says of a process under a name.
func field(proc, name string) string {
	text, _ := os.ReadFile(filepath.Join(proc, "status")) // it may have ended
	for line := range strings.Lines(string(text)) {
		if value, ok := strings.CutPrefix(line, name+":"); ok {
			return strings.TrimSpace(value)
		}
	}
	return ""
}
