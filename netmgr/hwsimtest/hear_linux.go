package hwsimtest

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"golang.org/x/sys/unix"
)

// debugfs is where the kernel lets its simulation be changed.
const debugfs = "/sys/kernel/debug"

// Hears lets a radio hear those only that are in a group with it: a set of bits, of which they have one in common. All
// radios begin in group 1. In none, 0, it is as if it were far away.
func Hears(t *testing.T, r Radio, groups int) {
	t.Helper()
	if err := unix.Mount("debugfs", debugfs, "debugfs", 0, ""); err != nil && !errors.Is(err, unix.EBUSY) {
		t.Fatal(fmt.Errorf("mount debugfs: %w", err))
	}
	file := filepath.Join(debugfs, "ieee80211", r.Name, "hwsim/group")
	if err := os.WriteFile(file, []byte(strconv.Itoa(groups)), 0); err != nil {
		t.Fatal(err)
	}
}
