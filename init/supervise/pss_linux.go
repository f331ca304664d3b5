package supervise

import (
	"bufio"
	"fmt"
	"os"
	"strconv"
	"strings"
)

// PSS returns a process's proportional set size in bytes: the memory it occupies, with the pages that it shares shared
// out among those that map them (proc(5), smaps_rollup). Reading it walks the process's page tables: a few milliseconds.
func PSS(pid int) (int64, error) {
	f, err := os.Open(fmt.Sprintf("/proc/%d/smaps_rollup", pid))
	if err != nil {
		return 0, err
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		value, ok := strings.CutPrefix(lines.Text(), "Pss:")
		if !ok {
			continue
		}
		kib, err := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(value), " kB"), 10, 64)
		if err != nil {
			return 0, fmt.Errorf("%s: Pss: %w", f.Name(), err)
		}
		return kib << 10, nil
	}
	if err := lines.Err(); err != nil {
		return 0, err
	}
	return 0, fmt.Errorf("%s: no Pss line", f.Name())
}
