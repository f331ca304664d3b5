//go:build vm

package vm

import (
	"net/url"
	"testing"
	"time"

	"manofwar/internal/lab"
)

// TestUnhealthyCoreServiceResetsTheBoard makes the agent, a core service in the lab's image, report that it is ill. PID 1
// waits a while for it to recover, then lets go of the watchdog, and the board resets and comes up again.
func TestUnhealthyCoreServiceResetsTheBoard(t *testing.T) {
	m := booted(t, lab.Config{Limit: 4 * time.Minute})
	await(t, m, "all services are ready", allReady)
	tell(t, m, "/health?reason="+url.QueryEscape("the lab says so"))
	await(t, m, "the page says who is ill", func(s status) bool {
		u := s.service("agent")
		return !u.Healthy && u.Reason == "the lab says so"
	})
	mark := m.Console.Len()
	if _, err := m.Expect(t.Context(), mark, `letting the watchdog reset the board`); err != nil {
		t.Fatal(err)
	}
	if _, err := m.Expect(t.Context(), mark, `boot\.slot=2`); err != nil {
		t.Fatal(err)
	}
	boots := m.Boots()
	if len(boots) != 2 || boots[0].End != "watchdog" {
		t.Errorf("boots %+v; want a second one, because of the watchdog", boots)
	}
	must(t, m.AwaitPage(t.Context(), page))
	await(t, m, "all is well again", allReady)
}
