//go:build vm

package vm

import (
	"os"
	"path/filepath"
	"testing"

	"manofwar/internal/lab"
	"manofwar/internal/slot"
)

// writeAt overwrites bytes of the card.
func writeAt(at int64, data []byte) func(card string) error {
	return func(card string) error {
		f, err := os.OpenFile(card, os.O_RDWR, 0)
		if err != nil {
			return err
		}
		defer f.Close()
		_, err = f.WriteAt(data, at)
		return err
	}
}

// mbrEntry4 is where the MBR describes the fourth partition.
const mbrEntry4 = 446 + 3*16

func TestMissingDataIsMade(t *testing.T) {
	m := booted(t, lab.Config{Prepare: writeAt(mbrEntry4, make([]byte, 16))})
	s := await(t, m, "all services are ready", allReady)
	if s.Device.Data.State != "ok" {
		t.Errorf("/data is %+v; want it made anew", s.Device.Data)
	}
}

func TestCardThatRefusesToBeWritten(t *testing.T) {
	m := booted(t, lab.Config{LockCard: true, Disks: []lab.Disk{stick(t, false)}})
	s := await(t, m, "everything else works", func(s status) bool { return allReady(s) && scanned(s) && s.notice("data-rescue") })
	if s.Device.Data.State != "rescue" {
		t.Errorf("/data is %+v; want rescue", s.Device.Data)
	}
}

func TestDataBeyondRepairIsKept(t *testing.T) {
	m := booted(t, lab.Config{})
	await(t, m, "first boot", allReady)
	m.Close()
	// The card with every copy of the superblock gone: nothing can repair it, and nothing may erase it.
	card := m.Card
	f, err := os.OpenFile(card, os.O_RDWR, 0)
	must(t, err)
	defer f.Close()
	noise := make([]byte, 16<<20)
	for i := range noise {
		noise[i] = byte(i*7 + i>>8)
	}
	info, err := f.Stat()
	must(t, err)
	for at := slot.Data.Start; at < info.Size(); at += int64(len(noise)) {
		_, err := f.WriteAt(noise[:min(int64(len(noise)), info.Size()-at)], at)
		must(t, err)
	}
	again := bootCard(t, card)
	await(t, again, "it comes up in rescue", func(s status) bool {
		return s.Device != nil && s.Device.Data.State == "rescue" && s.notice("data-rescue")
	})
	again.Close()
	got := make([]byte, 4096)
	g, err := os.Open(again.Card)
	must(t, err)
	defer g.Close()
	_, err = g.ReadAt(got, slot.Data.Start)
	must(t, err)
	if string(got) != string(noise[:4096]) {
		t.Error("rescue mode wrote to /data")
	}
}

// bootCard boots a card that another machine has used.
func bootCard(t *testing.T, card string) *lab.Machine {
	t.Helper()
	m, err := lab.Start(t.Context(), t.TempDir(), lab.Config{Image: card, Ports: []int{page, agent, updater}})
	must(t, err)
	t.Cleanup(func() {
		m.Close()
		if t.Failed() {
			t.Logf("console of the second boot:\n%s", m.Console)
		}
	})
	must(t, m.AwaitPage(t.Context(), page))
	return m
}

func TestFullData(t *testing.T) {
	m := booted(t, lab.Config{Card: slot.Data.Start + 2*slot.MinData, Disks: []lab.Disk{stick(t, true)}})
	await(t, m, "all services are ready", allReady)
	tell(t, m, "/fill?dir=/data/agent")
	must(t, m.Plug("stick"))
	s := await(t, m, "the library is there all the same", func(s status) bool { return scanned(s) && s.notice("data-full") })
	if s.Device.Data.State != "full" {
		t.Errorf("/data is %+v; want full", s.Device.Data)
	}
}

func TestMediaComesAndGoes(t *testing.T) {
	m := booted(t, lab.Config{Disks: []lab.Disk{stick(t, true)}})
	await(t, m, "the page asks for a disk", func(s status) bool { return allReady(s) && s.notice("no-media") })
	must(t, m.Plug("stick"))
	await(t, m, "the library is scanned", scanned)
	var films struct{ Items []struct{ ID string } }
	must(t, m.JSON(t.Context(), page, "/api/v1/items?kind=film", &films))

	stream := openMedia(t, m, films.Items[0].ID)
	must(t, m.Unplug(t.Context(), "stick"))
	readUntilItBreaks(t, stream)
	await(t, m, "its library is listed as away", func(s status) bool {
		return s.Library != nil && len(s.Library.Roots) == 1 && s.Library.Roots[0].Away && s.Library.Roots[0].Items == 15 && allReady(s)
	})
	var items struct{ Items []struct{ Away bool } }
	must(t, m.JSON(t.Context(), page, "/api/v1/items?kind=film", &items))
	if len(items.Items) != 2 || !items.Items[0].Away {
		t.Errorf("films %+v; want both, away", items.Items)
	}

	must(t, m.Plug("stick"))
	await(t, m, "the library is back", func(s status) bool {
		return scanned(s) && len(s.Library.Roots) == 1 && !s.Library.Roots[0].Away
	})
}

func TestCorruptMediaFile(t *testing.T) {
	dir := t.TempDir()
	must(t, os.WriteFile(filepath.Join(dir, "noise.mp4"), []byte("this was a film once"), 0o644))
	must(t, os.WriteFile(filepath.Join(dir, "empty.mp3"), nil, 0o644))
	sound := filepath.Join(dir, "sound.mp3")
	must(t, lab.FFmpeg(t.Context(), "-f", "lavfi", "-i", "sine=d=3", "-metadata", "title=Sound", sound))
	must(t, os.Chmod(sound, 0o600)) // and nobody on the dongle is the user that it belongs to
	m := booted(t, lab.Config{Disks: []lab.Disk{stickOf(t, dir, false)}})
	s := await(t, m, "the scan has ended", func(s status) bool {
		return allReady(s) && s.Library != nil && s.Library.Music+s.Library.Problems == 3
	})
	if s.Library.Music != 1 || s.Library.Problems != 2 {
		t.Errorf("library %+v; want one song and two problems", s.Library)
	}
	var all struct {
		Items []struct{ Path, Problem string }
	}
	must(t, m.JSON(t.Context(), page, "/api/v1/items", &all))
	for _, it := range all.Items {
		if (it.Problem == "") != (it.Path == "sound.mp3") {
			t.Errorf("%s: problem %q", it.Path, it.Problem)
		}
	}
}
