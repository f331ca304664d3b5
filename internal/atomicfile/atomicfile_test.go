package atomicfile_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"manofwar/internal/atomicfile"
)

func TestWriteReplacesWhole(t *testing.T) {
	dir := t.TempDir()
	name := filepath.Join(dir, "settings.json")
	for _, content := range []string{"long first content", "short"} {
		if err := atomicfile.Write(name, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		got, err := os.ReadFile(name)
		if err != nil || string(got) != content {
			t.Fatalf("got %q, %v; want %q", got, err, content)
		}
	}
	info, err := os.Stat(name)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v; want 0600", info.Mode(), err)
	}
	if left, _ := os.ReadDir(dir); len(left) != 1 {
		t.Errorf("temporary files left: %v", left)
	}
}

func TestWriteFailureKeepsTheOldContent(t *testing.T) {
	dir := t.TempDir()
	name := filepath.Join(dir, "target")
	if err := os.Mkdir(name, 0o700); err != nil { // a rename over a directory fails
		t.Fatal(err)
	}
	if err := atomicfile.Write(name, []byte("x"), 0o600); err == nil {
		t.Fatal("no error")
	}
	if left, _ := os.ReadDir(dir); len(left) != 1 {
		t.Errorf("temporary files left: %v", left)
	}
}

func TestJSONRoundTrip(t *testing.T) {
	name := filepath.Join(t.TempDir(), "v.json")
	var got map[string]int
	if err := atomicfile.ReadJSON(name, &got); !errors.Is(err, fs.ErrNotExist) {
		t.Fatalf("error %v; want fs.ErrNotExist", err)
	}
	if err := atomicfile.WriteJSON(name, map[string]int{"a": 1}, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := atomicfile.ReadJSON(name, &got); err != nil || got["a"] != 1 {
		t.Errorf("got %v, %v", got, err)
	}
	if err := os.WriteFile(name, []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := atomicfile.ReadJSON(name, &got); err == nil {
		t.Error("malformed JSON accepted")
	}
}
