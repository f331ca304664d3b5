package supervise

import (
	"errors"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"manofwar/internal/service"
)

// harmless begin the names of the only devices for whom modes count for nothing: those that show, sound, hear and decode. It is
// a list of what may be, because what may not has no end: disks are to be had as sda, sg0, bsg/…, nvme0, ng0n1, mtd0,
// raw/…, mapper/…, dm-0, by the links of disk/ and by what the next kernel calls them, memory as mem, kmem and port.
var harmless = []string{"dri/", "snd/", "cec", "video"}

// meta are the characters of a pattern that stand for others.
const meta = `*?[\`

// What is wrong with the device of a unit.
var (
	errDevice    = errors.New("is no pattern of names below /dev")
	errDirectory = errors.New("is a pattern of directories: only the last part of a name can be one")
	errEvery     = errors.New("and a capability that overrides permissions: every disk in /dev could be read; beside one, devices begin with " + strings.Join(harmless, ", "))
)

// overriding are the capabilities that make the modes of files count for nothing, or let a service set them.
var overriding = []string{"dac_override", "dac_read_search", "chown", "fowner", "setuid", "setgid"}

// overrides tells whether one of a unit's capabilities is [overriding].
func overrides(caps []string) bool {
	return slices.ContainsFunc(caps, func(c string) bool { return slices.Contains(overriding, c) })
}

// checkDevice returns what keeps a pattern ([path.Match]) from being a unit's: it is none of names below /dev, spelt
// without detours, or, for whom modes count for nothing, it matches more than what is [harmless].
func checkDevice(pattern string, override bool) error {
	if _, err := path.Match(pattern, ""); err != nil || !filepath.IsLocal(pattern) || path.Clean(pattern) != pattern || pattern == "." {
		return errDevice
	}
	if strings.ContainsAny(path.Dir(pattern), meta) {
		return errDirectory // Landlock knows no patterns
	}
	literal := pattern
	if i := strings.IndexAny(pattern, meta); i >= 0 {
		literal = pattern[:i]
	}
	if override && !slices.ContainsFunc(harmless, func(begin string) bool { return strings.HasPrefix(literal, begin) }) {
		return errEvery
	}
	return nil
}

// Handed is where a service for whom modes count for nothing has the nodes of its row that lie in /dev itself; empty: it has
// /dev.
func Handed(u service.Unit) string {
	if !overrides(u.Caps) {
		return ""
	}
	return service.HandedDir(u.Name)
}

// deviceRoots are the Landlock paths for patterns below dev: the directories that the nodes are in, or will be in,
// because what is plugged in later must be reachable too. They are made where there is none yet: the kernel leaves in place
// what it did not make. The nodes' own permissions decide about each.
//
// Where these count for nothing, dev itself would be the key to every disk: such a service has the directory handed in
// its place (see [Handed]).
func deviceRoots(dev string, patterns []string, handed string) (roots []string) {
	for _, pattern := range patterns {
		dir := filepath.Dir(filepath.Join(dev, pattern))
		if dir == dev && handed != "" {
			dir = handed
		}
		if err := os.MkdirAll(dir, 0o755); err != nil && handed != "" {
			continue // out of reach, rather than more than it should be
		}
		for dir != dev && !exists(dir) {
			dir = filepath.Dir(dir)
		}
		roots = append(roots, dir)
	}
	slices.Sort(roots)
	return slices.Compact(roots)
}

func exists(name string) bool {
	_, err := os.Lstat(name)
	return err == nil
}
