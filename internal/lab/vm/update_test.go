//go:build vm

package vm

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"testing"
	"time"

	"manofwar/gokrazy/fat"
	"manofwar/internal/lab"
	"manofwar/internal/slot"
)

// TestSlotsSwitchByTrialAndCommit fills slot B through PID 1, as an updater does, tries it, loses it to a power cut,
// tries it again and commits it.
func TestSlotsSwitchByTrialAndCommit(t *testing.T) {
	m := booted(t, lab.Config{Limit: 5 * time.Minute})
	await(t, m, "all services are ready", allReady)
	if err := ask(m, "/trial", nil); err == nil {
		t.Fatal("an empty slot was tried")
	}
	copySlot(t, m)

	bootsInto(t, m, slot.B, true, func() { try(t, m) })
	if err := ask(m, "/slot?offset=0", nil); err == nil {
		t.Error("the way back was given away while the slot is on trial")
	}
	bootsInto(t, m, slot.A, false, func() { must(t, m.Reset()) })
	bootsInto(t, m, slot.B, true, func() { try(t, m) })
	must(t, ask(m, "/commit", nil))
	bootsInto(t, m, slot.B, false, func() { must(t, m.Reset()) })
}

// bootsInto does something that restarts the machine, and waits until it is up from that slot.
func bootsInto(t *testing.T, m *lab.Machine, part slot.Partition, trial bool, restart func()) {
	t.Helper()
	mark, boots := m.Console.Len(), len(m.Boots())
	restart()
	if _, err := m.Expect(t.Context(), mark, fmt.Sprintf(`boot\.slot=%d`, part.Number)); err != nil {
		t.Fatal(err)
	}
	must(t, m.AwaitPage(t.Context(), page))
	await(t, m, "all services are ready", allReady)
	all := m.Boots()
	if last := all[len(all)-1]; len(all) != boots+1 || last.Partition != part.Number || last.Trial != trial {
		t.Fatalf("boots %+v; want one more, into slot %d, trial %v", all, part.Number, trial)
	}
}

// try restarts into slot B, once. The answer may be lost in the restart; a refusal is not.
func try(t *testing.T, m *lab.Machine) {
	t.Helper()
	if err := ask(m, "/trial", nil); err != nil && !errors.As(err, new(*url.Error)) {
		t.Fatal(err)
	}
}

// ask has the updater do something.
func ask(m *lab.Machine, what string, body io.Reader) error {
	resp, err := http.Post("http://"+m.Addr(updater)+what, "", body)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s: %s", what, resp.Status, answer)
	}
	return err
}

// copySlot sends what slot A's file system occupies to the updater, which writes it into slot B.
func copySlot(t *testing.T, m *lab.Machine) {
	t.Helper()
	card, err := os.Open(m.Card)
	must(t, err)
	defer card.Close()
	a := io.NewSectionReader(card, slot.A.Start, slot.A.Size)
	volume, err := fat.Open(a, slot.A.Size)
	must(t, err)
	used, err := volume.Used()
	must(t, err)
	for _, e := range used {
		must(t, ask(m, fmt.Sprintf("/slot?offset=%d", e.Offset), io.NewSectionReader(a, e.Offset, e.Size)))
	}
}
