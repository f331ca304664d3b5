//go:build vm

package vm

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"manofwar/internal/lab"
)

// The guest's ports.
const (
	page    = 80
	agent   = 7777
	updater = 7778
)

// images is the directory of the images that the tests boot. Each is made when the first test wants it.
var images string

func TestMain(m *testing.M) {
	code, err := withImages(m.Run)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

func withImages(run func() int) (code int, err error) {
	if images, err = os.MkdirTemp("", "manofwar-vm-"); err != nil {
		return 0, err
	}
	defer os.RemoveAll(images)
	return run(), nil
}

// The image of the qemu board has the lab's agent in it; the one of qemu-amd64 is everyone's.
var (
	imageARM64 = sync.OnceValues(func() (string, error) {
		return lab.Image(context.Background(), lab.ImageOptions{Dir: images, Agent: true})
	})
	imageAMD64 = sync.OnceValues(func() (string, error) {
		return lab.Image(context.Background(), lab.ImageOptions{Dir: images, Board: amd64})
	})
)

// amd64 is the board with WiFi radios.
const amd64 = "qemu-amd64"

// imageFor returns the image of a board; empty: of the default one.
func imageFor(t *testing.T, board string) string {
	t.Helper()
	make := imageARM64
	if board == amd64 {
		make = imageAMD64
	}
	image, err := make()
	must(t, err)
	return image
}

// boot starts a machine that ends with the test. A failed test shows its console.
func boot(t *testing.T, cfg lab.Config) *lab.Machine {
	t.Helper()
	cfg.Image, cfg.Ports = imageFor(t, cfg.Board), []int{page, agent, updater}
	m, err := lab.Start(t.Context(), t.TempDir(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		m.Close()
		if t.Failed() {
			t.Logf("console:\n%s", m.Console)
		}
	})
	return m
}

// booted is boot, and waits for the page.
func booted(t *testing.T, cfg lab.Config) *lab.Machine {
	t.Helper()
	m := boot(t, cfg)
	must(t, m.AwaitPage(t.Context(), page))
	return m
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// status is the part of GET /api/v1/status that the tests look at.
type status struct {
	Version   string `json:"version"`
	Developer bool   `json:"developer"`
	Library   *struct {
		Roots []struct {
			ID, Name string
			Away     bool
			Items    int
		}
		Music, Films, Problems int
		Trouble                string
		Scan                   struct{ Running bool }
	}
	Device *struct {
		Board    string
		Slot     int
		Data     struct{ State, Reason string }
		Disks    []struct{ ID, Name, Path, Error string }
		Services []service
	}
	Notices []struct{ Code, Message, Hint string }
}

type service struct {
	Name, State, Reason string
	Ready, Healthy      bool
	Restarts            int
	Memory              int64
}

func (s status) service(name string) service {
	if s.Device != nil {
		for _, u := range s.Device.Services {
			if u.Name == name {
				return u
			}
		}
	}
	return service{}
}

func (s status) notice(code string) bool {
	for _, n := range s.Notices {
		if n.Code == code {
			return true
		}
	}
	return false
}

// await waits until the status is as ok wants it.
func await(t *testing.T, m *lab.Machine, what string, ok func(status) bool) status {
	t.Helper()
	var s status
	var err error
	waited := m.Await(t.Context(), what, func() bool {
		var now status
		if err = m.JSON(t.Context(), page, "/api/v1/status", &now); err != nil {
			return false
		}
		s = now
		return ok(s)
	})
	if waited != nil {
		t.Fatalf("%v\nlast status: %+v, %v", waited, s, err)
	}
	return s
}

// allReady tells whether every service is.
func allReady(s status) bool {
	if s.Device == nil || len(s.Device.Services) == 0 {
		return false
	}
	for _, u := range s.Device.Services {
		if !u.Ready || !u.Healthy {
			return false
		}
	}
	return true
}

// tell has the agent do something.
func tell(t *testing.T, m *lab.Machine, what string) {
	t.Helper()
	resp, err := http.Post("http://"+m.Addr(agent)+what, "", nil)
	must(t, err)
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		t.Fatalf("agent: %s: %s", what, resp.Status)
	}
}

// stick makes a USB stick with the demo library and returns it.
func stick(t *testing.T, absent bool) lab.Disk {
	t.Helper()
	library, err := lab.DemoLibrary(t.Context(), func(string) {})
	must(t, err)
	return stickOf(t, library, absent)
}

func stickOf(t *testing.T, dir string, absent bool) lab.Disk {
	t.Helper()
	return lab.Disk{ID: "stick", Path: diskOf(t, dir, "Demo"), USB: true, Absent: absent}
}

// diskOf returns the file of a disk with what is in dir.
func diskOf(t *testing.T, dir, label string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "stick.img")
	must(t, lab.Ext4Disk(t.Context(), file, dir, label, 512<<20))
	return file
}

// scanned tells whether the whole demo library is there.
func scanned(s status) bool {
	return s.Library != nil && s.Library.Music == 13 && s.Library.Films == 2 && !s.Library.Scan.Running
}

// within bounds a wait that has no machine to end it.
func within(t *testing.T, d time.Duration) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), d)
	t.Cleanup(cancel)
	return ctx
}
