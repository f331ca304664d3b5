package dhcpd

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/netip"
	"os"
	"strings"
	"time"

	"manofwar/internal/atomicfile"
	"manofwar/netmgr"
)

// journal is the file that outlives the server: one line for each address granted to somebody new, "MAC address", the
// last one counts. A line is written by one system call before the client hears of its address: nobody who kills the
// process can part the two. Against a power cut, which the network does not survive either, it is not synced.
type journal struct {
	path  string
	file  *os.File // nil: none, or it cannot be written
	lines int
}

// maxJournal is how much of a journal is read, in bytes: far more than one is allowed to grow to.
const maxJournal = 1 << 20

// open reads the journal and begins it anew. Everybody in it is taken to have a lease for a term from now on: it may have
// been renewed by the last second. What cannot be read or written costs no more than that memory, so it is only logged.
func (t *leases) open(path string, now time.Time) {
	if path == "" {
		return
	}
	t.journal.path = path
	if err := t.read(now); err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.log.Warn("earlier leases not read", "err", err)
	}
	t.rewrite()
}

func (t *leases) read(now time.Time) error {
	f, err := os.Open(t.journal.path)
	if err != nil {
		return err
	}
	data, err := io.ReadAll(io.LimitReader(f, maxJournal))
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	for line := range strings.Lines(string(data)) {
		if l, ok := parseLine(line); ok && t.usable(l.address, request{mac: l.mac, now: now.Add(t.term)}) {
			l.granted, l.station, l.until = true, l.mac, now.Add(t.term)
			t.assign(&l)
		}
	}
	return nil
}

// parseLine reads one line of a journal. It reports false for what was cut short.
func parseLine(line string) (lease, bool) {
	mac, address, ok := strings.Cut(line, " ")
	if !ok || !strings.HasSuffix(address, "\n") {
		return lease{}, false
	}
	m, err := net.ParseMAC(mac)
	a, err2 := netip.ParseAddr(strings.TrimSuffix(address, "\n"))
	if err != nil || err2 != nil || len(m) != 6 || !a.Is4() {
		return lease{}, false
	}
	return lease{mac: netmgr.MAC(m), address: a}, true
}

func (l *lease) line() string { return fmt.Sprintf("%s %s\n", l.mac, l.address) }

// record adds a lease to the journal.
func (t *leases) record(l *lease) {
	if t.journal.file == nil {
		return
	}
	if t.journal.lines++; t.journal.lines > 4*int(t.size()) {
		t.rewrite()
		return
	}
	if _, err := t.journal.file.WriteString(l.line()); err != nil {
		t.log.Warn("lease not written down", "err", err)
	}
}

// rewrite replaces the journal by one of the present leases.
func (t *leases) rewrite() {
	t.close()
	var b bytes.Buffer
	t.journal.lines = 0
	for _, l := range t.byMAC {
		if l.granted {
			b.WriteString(l.line())
			t.journal.lines++
		}
	}
	err := atomicfile.Write(t.journal.path, b.Bytes(), 0o600)
	if err == nil {
		t.journal.file, err = os.OpenFile(t.journal.path, os.O_APPEND|os.O_WRONLY, 0o600)
	}
	if err != nil {
		t.log.Warn("leases not written down", "err", err)
	}
}

// close closes the journal.
func (t *leases) close() {
	if t.journal.file == nil {
		return
	}
	if err := t.journal.file.Close(); err != nil {
		t.log.Debug("journal of leases not closed", "err", err)
	}
	t.journal.file = nil
}
