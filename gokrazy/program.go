package gokrazy

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"manofwar/board"
	"manofwar/gokrazy/instance"
	"manofwar/internal/service"
	"manofwar/internal/strictjson"
)

// The packages of this project that an instance lists, and where their programs go. Everyone else's go to /user, as
// gokrazy has it.
const (
	initPackage = "manofwar/init"
	mainPackage = "manofwar/cmd/manofwar"
)

// reserved are names that carry rights with PID 1 or with other services, also where the image has no such service yet: a
// program of somebody's own must not come by them.
var reserved = []string{"root", "init", "portal", "catalog", "stream", "netmgr", "player", "cast", "seed", "remote", "update", "coordinator"}

// program is a Go program for the image.
type program struct {
	pkg  string
	file string // where it was built
	dest string // its path in the root, without the leading slash
}

// own tells whether the program is one of this project's two.
func (p program) own() bool { return p.pkg == initPackage || p.pkg == mainPackage }

// ProgramError says which program does not build, with the tool's own words.
type ProgramError struct {
	Package string
	Output  string
	Err     error
}

func (e *ProgramError) Error() string {
	return fmt.Sprintf("build %s: %v\n%s", e.Package, e.Err, strings.TrimSpace(e.Output))
}

func (e *ProgramError) Unwrap() error { return e.Err }

// goTool runs the go command for an instance.
type goTool struct {
	instance string // the instance's directory
	source   string // a directory of manofwar's module
	env      []string
}

func newGoTool(b board.Board, c *instance.Config, source string) (goTool, error) {
	dir, err := filepath.Abs(filepath.Dir(c.Path))
	if err != nil {
		return goTool{}, err
	}
	if source, err = filepath.Abs(source); err != nil {
		return goTool{}, err
	}
	for _, kv := range c.Environment {
		for _, want := range []string{"GOOS=linux", "GOARCH=" + b.GOARCH} {
			key, _, _ := strings.Cut(want, "=")
			if strings.HasPrefix(kv, key+"=") && kv != want {
				return goTool{}, &strictjson.Error{File: c.Path, Field: "Environment", Err: fmt.Errorf("%s, but board %s needs %s", kv, b.Name, want)}
			}
		}
	}
	env := append(os.Environ(), c.Environment...)
	return goTool{dir, source, append(env, "GOOS=linux", "GOARCH="+b.GOARCH, "CGO_ENABLED=0")}, nil
}

// workDirs returns where the go command may find a package. gokrazy gives a package, or a parent of it, a module of its
// own in the instance's builddir. Without one, the module that the instance is in says which versions are wanted; what
// that does not have, such as kernel and firmware in a directory with nothing but a config.json, is manofwar's choice.
func (g goTool) workDirs(pkg string) []string {
	for p := pkg; p != "." && p != "/"; p = path.Dir(p) {
		dir := filepath.Join(g.instance, "builddir", filepath.FromSlash(p))
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return []string{dir}
		}
	}
	return slices.Compact([]string{g.instance, g.source})
}

// find returns where to run the go command for a package, and the package's own directory. It downloads the module if
// need be. The error is a [*ProgramError] in the words of the place that comes first.
func (g goTool) find(ctx context.Context, pkg string, env []string) (workDir, dir string, err error) {
	for _, w := range g.workDirs(pkg) {
		out, bad := g.run(ctx, w, pkg, env, "list", "-f", "{{.Dir}}", "--", pkg)
		if bad == nil {
			return w, out, nil
		}
		if err == nil {
			err = bad
		}
	}
	return "", "", err
}

// run runs the go command in a directory.
func (g goTool) run(ctx context.Context, workDir, pkg string, env []string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir, cmd.Env = workDir, append(slices.Clone(g.env), env...)
	var out, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &stderr
	err := cmd.Run()
	switch {
	case ctx.Err() != nil:
		return "", ctx.Err()
	case errors.Is(err, exec.ErrNotFound):
		return "", errors.New("the go command is not installed: an image is built from Go programs")
	case err != nil:
		return "", &ProgramError{Package: pkg, Output: stderr.String(), Err: err}
	}
	return strings.TrimSpace(out.String()), nil
}

// dir returns the directory of a package.
func (g goTool) dir(ctx context.Context, pkg string) (string, error) {
	_, dir, err := g.find(ctx, pkg, nil)
	return dir, err
}

// programs builds everything in Packages. An instance that leaves out our two programs gets them all the same: without
// them nothing would start.
func (b *build) programs(ctx context.Context) ([]program, error) {
	pkgs := slices.Clone(b.config.Packages)
	for _, own := range []string{mainPackage, initPackage} {
		if !slices.Contains(pkgs, own) {
			pkgs = slices.Insert(pkgs, 0, own)
		}
	}
	var list []program
	for _, pkg := range pkgs {
		b.Progress("go build " + pkg)
		p := program{pkg: pkg, dest: path.Join("user", b.config.Basename(pkg))}
		switch pkg {
		case initPackage:
			p.dest = "init"
		case mainPackage:
			p.dest = "bin/manofwar"
		}
		p.file = filepath.Join(b.tmp, strings.ReplaceAll(p.dest, "/", "-"))
		if err := b.compile(ctx, p); err != nil {
			return nil, err
		}
		list = append(list, p)
	}
	return list, nil
}

// compile runs go build. The instance's own flags come last, so that they win.
func (b *build) compile(ctx context.Context, p program) error {
	pc := b.config.PackageConfig[p.pkg]
	ldflags := "-s -w -buildid="
	if p.pkg == mainPackage {
		ldflags += " -X main.version=" + b.Version
	}
	args := []string{
		"build", "-o", p.file, "-trimpath", "-buildvcs=false", "-ldflags=" + ldflags,
		"-tags=" + b.tags(p),
	}
	args = append(append(args, pc.GoBuildFlags...), "--", p.pkg)
	workDir, _, err := b.goTool.find(ctx, p.pkg, pc.GoBuildEnvironment)
	if err != nil {
		return err
	}
	_, err = b.goTool.run(ctx, workDir, p.pkg, pc.GoBuildEnvironment, args...)
	return err
}

// tags are what a program is built with.
func (b *build) tags(p program) string {
	return strings.Join(append([]string{"gokrazy", "netgo", "osusergo"}, b.config.PackageConfig[p.pkg].GoBuildTags...), ",")
}

// units returns the complete list for PID 1: ours, then the instance's programs in the order of Packages.
func (b *build) units(programs []program) ([]service.Unit, error) {
	units := slices.Clone(b.Units)
	own := b.config.PackageConfig[mainPackage]
	if len(own.CommandLineFlags) > 0 {
		return nil, b.fieldError(mainPackage, "CommandLineFlags", errors.New("not supported: each service of manofwar has its own; use Environment"))
	}
	for i := range units {
		units[i].Env = append(slices.Clone(units[i].Env), own.Environment...)
	}
	for _, p := range programs {
		pc := b.config.PackageConfig[p.pkg]
		if p.own() || pc.DontStart {
			continue
		}
		name := path.Base(p.dest)
		if slices.Contains(reserved, name) || slices.ContainsFunc(units, func(u service.Unit) bool { return u.Name == name || u.Account() == name }) {
			return nil, b.fieldError(p.pkg, "Basename", fmt.Errorf("%q is the name of one of manofwar's own services: choose another", name))
		}
		u := service.Unit{
			Spec: service.Spec{Name: name},
			Path: "/" + p.dest,
			Args: pc.CommandLineFlags,
			Env:  append([]string{"HOME=/data/" + name}, pc.Environment...),
		}
		if pc.WaitForClock || len(pc.WaitFor) > 0 {
			u.After = []string{"netmgr"}
		}
		units = append(units, u)
	}
	return units, nil
}

func (b *build) fieldError(pkg, field string, err error) error {
	return &strictjson.Error{File: b.Config, Field: fmt.Sprintf("PackageConfig[%q].%s", pkg, field), Err: err}
}
