package gokrazy_test

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"manofwar/board"
	"manofwar/gokrazy"
	"manofwar/internal/service"
	"manofwar/rootfs"
)

// testInit is a PID 1 that says that it runs, and switches the machine off.
const testInit = `package main

import (
	"fmt"
	"os"
	"syscall"
)

func main() {
	board, err := os.ReadFile("/etc/manofwar/board")
	fmt.Printf("hello from %q %v\n", board, err)
	syscall.Reboot(syscall.LINUX_REBOOT_CMD_POWER_OFF)
}
`

const testMain = "package main\n\nfunc main() { println(\"manofwar\") }\n"

// testInstance makes an instance with stand-ins for our two programs, which build in a second, and returns the path of
// its config.json. Kernel and firmware are the real ones. edit changes the files, by path.
func testInstance(t *testing.T, edit map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	files := map[string]string{
		"init/main.go":         testInit,
		"cmd/manofwar/main.go": testMain,
		"config.json": `{
	"Hostname": "test",
	"Packages": ["manofwar/init", "manofwar/cmd/manofwar"],
	"SerialConsole": "disabled"
}
`,
	}
	for name, text := range edit {
		files[name] = text
	}
	for name, text := range files {
		writeTestFile(t, filepath.Join(dir, name), text)
	}
	// The pinned modules are the project's own.
	for _, name := range []string{"go.mod", "go.sum"} {
		data, err := os.ReadFile(filepath.Join("..", name))
		if err != nil {
			t.Fatal(err)
		}
		writeTestFile(t, filepath.Join(dir, name), string(data))
	}
	return filepath.Join(dir, "config.json")
}

func writeTestFile(t *testing.T, name, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func testKey() ed25519.PrivateKey {
	return ed25519.NewKeyFromSeed(bytes.Repeat([]byte{7}, ed25519.SeedSize))
}

// testRoot is a root with our two programs and the users, and nothing that takes minutes to make.
func testRoot(_ context.Context, o rootfs.Options) (*rootfs.Tree, error) {
	t := new(rootfs.Tree)
	for _, dir := range []string{"boot", "data", "dev", "media", "proc", "run", "sys", "tmp"} {
		if err := t.Add(rootfs.Entry{Path: dir, Mode: fs.ModeDir | 0o755}); err != nil {
			return nil, err
		}
	}
	return t, t.Add(
		rootfs.Entry{Path: "init", Mode: 0o755, Content: o.Init},
		rootfs.Entry{Path: "bin/manofwar", Mode: 0o755, Content: o.Manofwar},
		rootfs.Entry{Path: "etc/hostname", Mode: 0o644, Content: rootfs.Bytes([]byte(o.Hostname + "\n"))},
		rootfs.Entry{Path: "etc/passwd", Mode: 0o644, Content: rootfs.Bytes([]byte(strings.Join(o.Users, "\n")))},
		rootfs.Entry{Path: "lib/firmware/regulatory.db", Mode: 0o644, Content: rootfs.Bytes([]byte(testRules))},
	)
}

// testRules stand for the rules of which channel may be used where.
const testRules = "the rules of every country"

func testOptions(t *testing.T, config string, b board.Board) gokrazy.Options {
	t.Helper()
	if testing.Short() {
		t.Skip("builds an image: seconds")
	}
	if _, err := exec.LookPath("go"); err != nil {
		t.Skip("needs the go command")
	}
	// Compressing the kernel takes most of the time of a build: only those who look at it do.
	fast := *b.Image
	fast.GzipKernel = false
	b.Image = &fast
	return gokrazy.Options{
		Config: config, Board: b, Key: testKey(), KeyName: gokrazy.DeveloperKeyName, Version: "1.2.3", Epoch: 1, NoZstd: true,
		Units: []service.Unit{{Spec: service.Spec{Name: "portal", Core: true}, Path: "/bin/manofwar", Args: []string{"portal"}}},
		Root:  testRoot, Out: filepath.Join(t.TempDir(), "manofwar.img"),
	}
}

// openAt opens a file and returns the section of it from off on.
func openAt(t *testing.T, name string, off, size int64) *io.SectionReader {
	t.Helper()
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return io.NewSectionReader(f, off, size)
}

func wantError(t *testing.T, err error, parts ...string) {
	t.Helper()
	for _, part := range parts {
		if err == nil || !strings.Contains(err.Error(), part) {
			t.Errorf("error %v\nwant one with %q", err, part)
		}
	}
}
