package lab

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"

	"manofwar/internal/service"
)

// ImageOptions says which image to make.
type ImageOptions struct {
	Dir      string       // where to put it
	Board    string       // empty: [DefaultBoard]
	Agent    bool         // with the lab's agent in it
	Zstd     bool         // with a compressed copy
	Progress func(string) // gets the builder's lines; nil: nobody does
}

// agentPackage is the program that gives the lab a hand inside the guest.
const agentPackage = "manofwar/internal/lab/agent"

// agentUnits are what the agent may do, which no program of Packages could. It also plays the updater, whom PID 1 lets
// write the inactive slot.
var agentUnits = []service.Unit{{
	Spec: service.Spec{
		Name: "agent", Core: true, Memory: 32 << 20, Caps: []string{"kill"},
	},
	Path: "/user/agent", Notify: true,
}, {
	Spec: service.Spec{Name: "update", Memory: 64 << 20},
	Path: "/user/agent", Args: []string{"-listen", ":7778"}, Notify: true,
}}

// Image makes an image with the command that makes everyone's, "manofwar image", and returns its file.
func Image(ctx context.Context, o ImageOptions) (string, error) {
	root, err := ModuleRoot(ctx)
	if err != nil {
		return "", err
	}
	if o.Board == "" {
		o.Board = DefaultBoard
	}
	out := filepath.Join(o.Dir, "manofwar-"+o.Board+".img")
	args := []string{"run", "-ldflags=-X main.version=" + version(), "./cmd/manofwar", "image", "--board", o.Board, "--out", out}
	if !o.Zstd {
		args = append(args, "--no-zst")
	}
	if o.Agent {
		config, units, err := agentInstance(root, o.Dir)
		if err != nil {
			return "", fmt.Errorf("lab: %w", err)
		}
		defer os.Remove(config)
		args = append(args, "--config", config, "--units", units)
	}
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir = root
	if err := runLines(cmd, o.Progress); err != nil {
		return "", fmt.Errorf("lab: manofwar image: %w", err)
	}
	return out, nil
}

// version is what the Makefile exports, so that the image says which sources it was made from.
func version() string {
	if v := os.Getenv("VERSION"); v != "" {
		return v
	}
	return "dev"
}

// ModuleRoot returns the directory of go.mod.
func ModuleRoot(ctx context.Context) (string, error) {
	out, err := exec.CommandContext(ctx, "go", "list", "-m", "-f", "{{.Dir}}", "manofwar").Output()
	if err != nil {
		return "", fmt.Errorf("lab: find the module: %w", err)
	}
	return string(out[:len(out)-1]), nil
}

// GoBuild builds a static program for Linux. env has what the go command is to see besides, such as "GOARCH=arm64".
func GoBuild(ctx context.Context, out, pkg string, env ...string) error {
	return goCommand(ctx, env, "build", "-trimpath", "-ldflags=-s -w", "-o", out, pkg)
}

// GoTest builds the test program of a package with the build tags. env is as for [GoBuild].
func GoTest(ctx context.Context, out, pkg, tags string, env ...string) error {
	return goCommand(ctx, env, "test", "-c", "-ldflags=-s -w", "-tags="+tags, "-o", out, pkg)
}

func goCommand(ctx context.Context, env []string, args ...string) error {
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Env = append(append(os.Environ(), "GOOS=linux", "CGO_ENABLED=0"), env...)
	if err := runLines(cmd, nil); err != nil {
		return fmt.Errorf("lab: go %s: %w", args[0], err)
	}
	return nil
}

// agentInstance writes a copy of the default instance with the agent in it, beside the original so that the same
// go.mod counts, and the agent's unit.
func agentInstance(root, dir string) (config, units string, err error) {
	data, err := os.ReadFile(filepath.Join(root, "gokrazy", "config.json"))
	if err != nil {
		return "", "", err
	}
	var c map[string]any
	if err := json.Unmarshal(data, &c); err != nil {
		return "", "", err
	}
	packages, _ := c["Packages"].([]any)
	c["Packages"] = append(packages, agentPackage)
	c["PackageConfig"] = map[string]any{agentPackage: map[string]any{"DontStart": true}} // the unit below starts it
	if data, err = json.Marshal(c); err != nil {
		return "", "", err
	}
	f, err := os.CreateTemp(filepath.Join(root, "gokrazy"), ".agent-*.json")
	if err != nil {
		return "", "", err
	}
	_, err = f.Write(data)
	if err := errors.Join(err, f.Close()); err != nil {
		return "", "", err
	}
	if data, err = json.Marshal(agentUnits); err != nil {
		return "", "", err
	}
	units = filepath.Join(dir, "units.json")
	return f.Name(), units, os.WriteFile(units, data, 0o600)
}

// runLines runs cmd and hands its output on by lines; the error has the last of them.
func runLines(cmd *exec.Cmd, line func(string)) error {
	if line == nil {
		line = func(string) {}
	}
	r, w := io.Pipe()
	cmd.Stdout, cmd.Stderr = w, w
	var last []string
	read := make(chan struct{})
	go func() {
		defer close(read)
		for lines := bufio.NewScanner(r); lines.Scan(); {
			line(lines.Text())
			last = append(last, lines.Text())
			last = last[max(0, len(last)-20):]
		}
	}()
	err := cmd.Run()
	_ = w.Close() // never fails
	<-read
	if err != nil {
		return fmt.Errorf("%w: %q", err, last)
	}
	return nil
}
