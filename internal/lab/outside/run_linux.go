package main

import (
	"encoding/json"
	"errors"
	"net/http"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"manofwar/internal/lab/guest"
)

// runCommand runs a program in a namespace and streams its output.
func runCommand(w http.ResponseWriter, r *http.Request) {
	var c guest.Command
	if err := json.NewDecoder(r.Body).Decode(&c); err != nil || len(c.Args) == 0 {
		http.Error(w, "want a command", http.StatusBadRequest)
		return
	}
	args := c.Args
	if c.Place != "" {
		args = append([]string{"ip", "netns", "exec", c.Place}, args...)
	}
	cmd := exec.CommandContext(r.Context(), args[0], args[1:]...)
	cmd.Env, cmd.Dir, cmd.Stdin = append(environment(), c.Env...), c.Dir, strings.NewReader(c.Input)
	out := flusher{w}
	cmd.Stdout, cmd.Stderr = out, out
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return unix.Kill(-cmd.Process.Pid, unix.SIGKILL) } // and what it has started
	cmd.WaitDelay = 2 * time.Second
	began := monotonic()
	if err := cmd.Start(); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	h := w.Header()
	h.Set("Trailer", guest.Exit)
	h.Set(guest.PID, strconv.Itoa(cmd.Process.Pid))
	h.Set(guest.Began, strconv.FormatInt(began, 10))
	_ = http.NewResponseController(w).Flush() // the lab may have gone: then the command is killed
	err := cmd.Wait()
	h.Set(guest.Exit, "0")
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		h.Set(guest.Exit, exit.String())
	} else if err != nil {
		h.Set(guest.Exit, err.Error())
	}
}

// flusher sends every write at once.
type flusher struct{ w http.ResponseWriter }

func (f flusher) Write(p []byte) (int, error) {
	n, err := f.w.Write(p)
	if err == nil {
		err = http.NewResponseController(f.w).Flush()
	}
	return n, err
}
