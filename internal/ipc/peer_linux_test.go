package ipc_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"manofwar/internal/ipc"
	"manofwar/internal/media"
)

// TestHelperCall is not a test of its own: TestStrangersAreRefused runs it as another user.
func TestHelperCall(t *testing.T) {
	dir := os.Getenv("IPC_TEST_DIR")
	if dir == "" {
		return // only the helper process has work here
	}
	var body string
	err := ipc.NewClient(dir, "echo").Get(t.Context(), "/", &body)
	fmt.Printf("answer=%q denied=%v\n", body, errors.Is(err, media.ErrDenied))
}

func TestStrangersAreRefused(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("needs root to call as another user")
	}
	dir := serve(t, map[int]string{4001: "portal"}, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ipc.WriteJSON(w, "hello "+ipc.Caller(r))
	}))
	for p := dir; p != "/" && p != os.TempDir(); p = filepath.Dir(p) {
		if err := os.Chmod(p, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Chmod(ipc.SocketPath(dir, "echo"), 0o666); err != nil {
		t.Fatal(err)
	}
	self := publicCopy(t, dir)
	for uid, want := range map[uint32]string{0: `answer="hello " denied=false`, 4001: `answer="hello portal" denied=false`, 4002: `answer="" denied=true`} {
		cmd := exec.CommandContext(t.Context(), self, "-test.run=^TestHelperCall$")
		cmd.Env = []string{"IPC_TEST_DIR=" + dir}
		cmd.Dir = "/"
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uid, Gid: uid}}
		out, err := cmd.CombinedOutput()
		if err != nil || !strings.Contains(string(out), want) {
			t.Errorf("user %d: %v\n%s\nwant %s", uid, err, out, want)
		}
	}
}

// publicCopy copies this test's program to where every user can run it.
func publicCopy(t *testing.T, dir string) string {
	t.Helper()
	src, err := os.Open("/proc/self/exe")
	if err != nil {
		t.Fatal(err)
	}
	defer src.Close()
	name := filepath.Join(dir, "helper")
	dst, err := os.OpenFile(name, os.O_CREATE|os.O_WRONLY, 0o755)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(dst, src); err != nil {
		t.Fatal(err)
	}
	if err := dst.Close(); err != nil {
		t.Fatal(err)
	}
	return name
}
