package supervise

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// Cgroup is a control group of version 2 (kernel: Documentation/admin-guide/cgroup-v2.rst): one a service. It bounds
// the memory of all that the service starts, and kills all of it at once. A nil Cgroup, on a kernel without, does nothing.
type Cgroup struct{ dir string }

// maxTasks bounds the processes and threads of a service: more is a mistake that would take the others along.
const maxTasks = "1024"

// CgroupRoot prepares the group under which those of the services are made, in a mounted cgroup2 file system. memory
// tells whether limits of memory can be set; without the controller the groups still kill.
func CgroupRoot(mount, name string) (root *Cgroup, memory bool, err error) {
	controllers, err := os.ReadFile(filepath.Join(mount, "cgroup.controllers"))
	if err != nil {
		return nil, false, fmt.Errorf("cgroups: %w", err)
	}
	root = &Cgroup{dir: filepath.Join(mount, name)}
	if err := os.Mkdir(root.dir, 0o755); err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, false, fmt.Errorf("cgroups: %w", err)
	}
	for _, c := range strings.Fields(string(controllers)) {
		if c != "memory" && c != "pids" {
			continue
		}
		for _, dir := range []string{mount, root.dir} {
			if err := os.WriteFile(filepath.Join(dir, "cgroup.subtree_control"), []byte("+"+c), 0); err != nil {
				return root, memory, fmt.Errorf("cgroups: %w", err)
			}
		}
		memory = memory || c == "memory"
	}
	return root, memory, nil
}

// Child returns the named group below, made where it is missing, with its memory bounded to limit bytes; 0: not bounded.
func (c *Cgroup) Child(name string, limit int64) (*Cgroup, error) {
	child := &Cgroup{dir: filepath.Join(c.dir, name)}
	if err := os.Mkdir(child.dir, 0o755); err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, fmt.Errorf("cgroup: %w", err)
	}
	bytes := "max"
	if limit > 0 {
		bytes = strconv.FormatInt(limit, 10)
	}
	for file, value := range map[string]string{"memory.max": bytes, "pids.max": maxTasks} {
		if err := child.write(file, value); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("cgroup: %w", err)
		}
	}
	return child, nil
}

func (c *Cgroup) write(file, value string) error {
	f, err := os.OpenFile(filepath.Join(c.dir, file), os.O_WRONLY, 0) // never O_CREATE: a file that is missing is an answer
	if err != nil {
		return err
	}
	_, err = f.WriteString(value)
	return errors.Join(err, f.Close())
}

// Open returns the group's directory, for clone3(2)'s CLONE_INTO_CGROUP.
func (c *Cgroup) Open() (*os.File, error) { return os.Open(c.dir) }

// Kill kills every process in the group, and waits up to the limit until none is left.
func (c *Cgroup) Kill(limit time.Duration) error {
	if c == nil {
		return nil
	}
	events, err := os.Open(filepath.Join(c.dir, "cgroup.events"))
	if err != nil {
		return fmt.Errorf("cgroup: %w", err)
	}
	defer events.Close()
	deadline := time.Now().Add(limit)
	for killed := false; ; {
		data := make([]byte, 256)
		n, err := events.ReadAt(data, 0)
		if n == 0 && err != nil {
			return fmt.Errorf("cgroup: %w", err)
		}
		switch {
		case !strings.Contains(string(data[:n]), "populated 1"):
			return nil
		case !killed:
			if err := c.write("cgroup.kill", "1"); err != nil {
				return fmt.Errorf("cgroup: %w", err)
			}
			killed = true
		case time.Until(deadline) <= 0:
			return fmt.Errorf("cgroup: processes in %s outlive SIGKILL", filepath.Base(c.dir))
		}
		awaitChange(events, min(time.Until(deadline), 100*time.Millisecond))
	}
}

// awaitChange blocks until the file, which the kernel reports changes of by POLLPRI, changes, or the limit is over.
func awaitChange(f *os.File, limit time.Duration) {
	pollPriority(int(f.Fd()), max(limit, 0))
}

// Memory returns what the group's processes occupy, in bytes, without the page cache; 0 if the kernel does not count.
func (c *Cgroup) Memory() int64 {
	if c == nil {
		return 0
	}
	data, err := os.ReadFile(filepath.Join(c.dir, "memory.stat"))
	if err != nil {
		return 0
	}
	var total int64
	for line := range strings.Lines(string(data)) {
		key, value, _ := strings.Cut(strings.TrimSpace(line), " ")
		if key == "anon" || key == "kernel" || key == "shmem" {
			n, _ := strconv.ParseInt(value, 10, 64)
			total += n
		}
	}
	return total
}
