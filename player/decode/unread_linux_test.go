package decode

import (
	"os"
	"path/filepath"
	"testing"
)

func TestUnreadable(t *testing.T) {
	file := filepath.Join(t.TempDir(), "film.mkv")
	if err := os.WriteFile(file, make([]byte, 100_000), 0o600); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]bool{
		file: false, t.TempDir(): false, file + ".gone": true,
		"/proc/self/mem": true, // whose first page is an input/output error, as all pages of a disk that has gone are
	} {
		if got := unreadable(path); got != want {
			t.Errorf("%s: %v", path, got)
		}
	}
}
