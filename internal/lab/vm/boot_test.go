//go:build vm

package vm

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"manofwar/internal/lab"
)

func TestBootsIntoAllServices(t *testing.T) {
	m := booted(t, lab.Config{Disks: []lab.Disk{stick(t, false)}})
	s := await(t, m, "all services are ready and the library is scanned", func(s status) bool { return allReady(s) && scanned(s) })
	if s.Device.Board != "qemu" || s.Device.Slot != 2 || !s.Developer || s.Device.Data.State != "ok" {
		t.Errorf("device %+v, developer %v; want slot 2 of the qemu board, a developer build, /data well", s.Device, s.Developer)
	}
	for _, u := range s.Device.Services {
		if u.Restarts != 0 || u.Memory == 0 {
			t.Errorf("%s: %d restarts, %d bytes; want none, and a memory figure from its cgroup", u.Name, u.Restarts, u.Memory)
		}
	}
	if len(s.Notices) > 0 {
		t.Errorf("notices on a sound system: %+v", s.Notices)
	}
	t.Run("film in a browser", func(t *testing.T) { playInChromium(t, m) })
	t.Run("guests", func(t *testing.T) { admitGuests(t, m) })
	t.Run("services come back", func(t *testing.T) { killEach(t, m, s) })
	t.Run("data survives a power cut", func(t *testing.T) { powerCut(t, m) })
}

// playInChromium has the web page's own test play a film over HLS, see its clock move and its frames decode, and seek.
func playInChromium(t *testing.T, m *lab.Machine) {
	cmd := exec.CommandContext(t.Context(), "node", "--test", "--test-reporter=tap", "--test-timeout=300000",
		"--test-name-pattern=a film plays over HLS", "test/films.test.mjs")
	cmd.Dir = filepath.Join("..", "..", "..", "services", "portal", "ui")
	cmd.Env = append(os.Environ(), "BASE_URL=http://"+m.Addr(page))
	out, err := cmd.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "# pass 1\n") { // a pattern that matches nothing is no error
		t.Errorf("%v\n%s", err, out)
	}
}

// killEach kills every service but the lab's own with SIGKILL. The next request must be answered: the socket is PID 1's, so
// it waits for the new process.
func killEach(t *testing.T, m *lab.Machine, before status) {
	var pids struct {
		Device struct {
			Services []struct {
				Name string
				PID  int
			}
		}
	}
	must(t, m.JSON(t.Context(), page, "/api/v1/status", &pids))
	for _, u := range pids.Device.Services {
		if u.Name == "agent" || u.Name == "update" {
			continue
		}
		if u.PID == 0 {
			t.Fatalf("%s has no process", u.Name)
		}
		began := time.Now()
		tell(t, m, fmt.Sprintf("/kill?pid=%d&signal=9", u.PID))
		await(t, m, u.Name+" is back", func(s status) bool {
			now := s.service(u.Name)
			return now.Ready && now.Restarts == before.service(u.Name).Restarts+1
		})
		t.Logf("%s was back and serving after %.2f s", u.Name, time.Since(began).Seconds())
	}
	await(t, m, "the library answers again", scanned)
}

// powerCut pulls the plug, and the dongle comes up with what it knew.
func powerCut(t *testing.T, m *lab.Machine) {
	mark := m.Console.Len()
	must(t, m.Reset())
	_, err := m.Expect(within(t, time.Minute), mark, `boot\.slot=2`)
	must(t, err)
	must(t, m.AwaitPage(t.Context(), page))
	await(t, m, "the library is back", func(s status) bool { return allReady(s) && scanned(s) })
	if n := len(m.Boots()); n != 2 {
		t.Errorf("%d boots; want 2", n)
	}
}

// TestServesRanges reads a film through the whole path, as a player does.
func TestServesRanges(t *testing.T) {
	m := booted(t, lab.Config{Disks: []lab.Disk{stick(t, false)}})
	await(t, m, "the library is scanned", scanned)
	var films struct {
		Items []struct {
			ID   string
			Size int64
		}
	}
	must(t, m.JSON(t.Context(), page, "/api/v1/items?kind=film", &films))
	film := films.Items[0]
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, fmt.Sprintf("http://%s/media/%s/file", m.Addr(page), film.ID), nil)
	must(t, err)
	req.Header.Set("Range", fmt.Sprintf("bytes=%d-", film.Size-1000))
	resp, err := http.DefaultClient.Do(req)
	must(t, err)
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusPartialContent || len(body) != 1000 {
		t.Errorf("%s, %d bytes, %v; want 206 with the last 1000", resp.Status, len(body), err)
	}
}
