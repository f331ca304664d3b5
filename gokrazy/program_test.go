package gokrazy_test

import (
	"archive/tar"
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strings"
	"testing"

	"manofwar/board/qemu"
	"manofwar/board/raspberrypi"
	"manofwar/gokrazy"
	"manofwar/gokrazy/kernel"
	"manofwar/internal/service"
	"manofwar/internal/slot"
	"manofwar/rootfs"
)

// rootOf builds and returns the tree of the root that the image got, as the caller of rootfs.Build sees it.
func rootOf(t *testing.T, o gokrazy.Options) (*rootfs.Tree, error) {
	t.Helper()
	var tree *rootfs.Tree
	o.Root = func(ctx context.Context, ro rootfs.Options) (*rootfs.Tree, error) {
		var err error
		tree, err = testRoot(ctx, ro)
		return tree, err
	}
	_, err := gokrazy.Build(t.Context(), o)
	return tree, err
}

func content(t *testing.T, tree *rootfs.Tree, name string) string {
	t.Helper()
	e, ok := tree.Get(name)
	if !ok {
		t.Errorf("the root has no /%s", name)
		return ""
	}
	r, err := e.Content.Open()
	if err != nil {
		t.Error(err)
		return ""
	}
	defer r.Close()
	var b bytes.Buffer
	if _, err := b.ReadFrom(r); err != nil {
		t.Error(err)
	}
	return b.String()
}

// TestOwnProgram has an owner add a Go program with files, as a gokrazy user would.
func TestOwnProgram(t *testing.T) {
	config := testInstance(t, map[string]string{
		"cmd/hello/main.go": "package main\n\nvar greeting = \"unset\"\n\nfunc main() { println(greeting) }\n",
		"extra/web/a.txt":   "a",
		"config.json": `{
	"Hostname": "mine",
	"Packages": ["manofwar/cmd/hello", "manofwar/init", "manofwar/cmd/manofwar"],
	"PackageConfig": {
		"manofwar/cmd/hello": {
			"GoBuildFlags": ["-ldflags=-X main.greeting=hello"],
			"CommandLineFlags": ["-listen=:8081"],
			"Environment": ["GREETING=hello"],
			"ExtraFilePaths": {"/usr/share/web": "extra/web", "/usr/share/tarred": "extra/tarred", "/etc/one": "extra/web/a.txt"},
			"ExtraFileContents": {"/etc/hello.conf": "text"},
			"WaitForClock": true
		},
		"manofwar/cmd/manofwar": {"Environment": ["DEBUG=1"]}
	},
	"KernelExtraArgs": ["extra=1"]
}
`,
	})
	writeTar(t, filepath.Join(filepath.Dir(config), "extra", "tarred_arm64.tar"))
	tree, err := rootOf(t, testOptions(t, config, qemu.Board()))
	if err != nil {
		t.Fatal(err)
	}
	var units []service.Unit
	if err := json.Unmarshal([]byte(content(t, tree, "etc/manofwar/services.json")), &units); err != nil {
		t.Fatal(err)
	}
	if len(units) != 2 || units[0].Name != "portal" || strings.Join(units[0].Env, " ") != "DEBUG=1" {
		t.Fatalf("units %+v", units)
	}
	got, err := json.Marshal(units[1])
	want := `{"name":"hello","after":["netmgr"],"path":"/user/hello","args":["-listen=:8081"],"env":["HOME=/data/hello","GREETING=hello"]}`
	if err != nil || string(got) != want {
		t.Errorf("unit\n%s\nwant\n%s", got, want)
	}
	if e, ok := tree.Get("user/hello"); !ok || e.Mode != 0o755 {
		t.Errorf("/user/hello: %+v, %v", e, ok)
	}
	if users := content(t, tree, "etc/passwd"); users != "portal\nhello" {
		t.Errorf("users %q", users)
	}
	for name, want := range map[string]string{
		"usr/share/web/a.txt": "a", "etc/one": "a", "etc/hello.conf": "text", "usr/share/tarred/in/tar.txt": "tarred", "etc/hostname": "mine\n", "etc/manofwar/board": "qemu\n",
	} {
		if got := content(t, tree, name); got != want {
			t.Errorf("/%s: %q; want %q", name, got, want)
		}
	}
}

func writeTar(t *testing.T, name string) {
	t.Helper()
	f, err := os.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	w := tar.NewWriter(f)
	for _, h := range []tar.Header{{Name: "./in/", Typeflag: tar.TypeDir, Mode: 0o755}, {Name: "./in/tar.txt", Typeflag: tar.TypeReg, Size: 6, Mode: 0o644}} {
		if err := w.WriteHeader(&h); err != nil {
			t.Fatal(err)
		}
		if h.Size > 0 {
			if _, err := w.Write([]byte("tarred")); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
}

// TestInstanceOfGokrazy has an instance as gokrazy makes them: in no module, or one that is about something else, with
// one per package in builddir.
func TestInstanceOfGokrazy(t *testing.T) {
	source := filepath.Dir(testInstance(t, nil))
	dir := t.TempDir()
	writeTestFile(t, filepath.Join(dir, "go.mod"), "module example.com/other\n")
	dir = filepath.Join(dir, "theirs")
	for name, text := range map[string]string{
		"config.json":                         `{"Hostname": "theirs", "Packages": ["example.com/hello"], "SerialConsole": "disabled"}`,
		"builddir/example.com/hello/go.mod":   "module example.com/hello\n\ngo 1.26\n",
		"builddir/example.com/hello/hello.go": "package main\n\nfunc main() {}\n",
	} {
		writeTestFile(t, filepath.Join(dir, name), text)
	}
	o := testOptions(t, filepath.Join(dir, "config.json"), qemu.Board())
	o.Source = source
	tree, err := rootOf(t, o)
	if err != nil {
		t.Fatal(err)
	}
	if _, ok := tree.Get("user/hello"); !ok {
		t.Error("the root has no /user/hello")
	}
}

func TestBuildErrors(t *testing.T) {
	tool := `{"Hostname": "a", "Packages": ["manofwar/cmd/tool"], "PackageConfig": {"manofwar/cmd/tool": {%}}}`
	for _, tt := range []struct {
		name, config string
		want         []string
	}{
		{"a program that does not build", strings.Replace(tool, "%", `"GoBuildTags": ["broken"]`, 1), []string{"build manofwar/cmd/tool", "undefined: nothing"}},
		{"a package that is not there", `{"Hostname": "a", "Packages": ["manofwar/cmd/absent"]}`, []string{"build manofwar/cmd/absent"}},
		{"a name that is taken", strings.Replace(tool, "%", `"Basename": "portal"`, 1), []string{`config.json: PackageConfig["manofwar/cmd/tool"].Basename: "portal" is the name of`}},
		{"a name that carries rights", strings.Replace(tool, "%", `"Basename": "update"`, 1), []string{`config.json: PackageConfig["manofwar/cmd/tool"].Basename: "update" is the name of`}},
		{"an extra file that is not there", strings.Replace(tool, "%", `"ExtraFilePaths": {"/a": "absent"}`, 1), []string{`PackageConfig["manofwar/cmd/tool"].ExtraFilePaths`, "absent"}},
		{"an extra file that is there already", strings.Replace(tool, "%", `"ExtraFileContents": {"/etc/hostname": "b"}`, 1), []string{"ExtraFileContents", "etc/hostname"}},
		{"another architecture", `{"Hostname": "a", "Packages": [], "Environment": ["GOARCH=amd64"]}`, []string{"config.json: Environment: GOARCH=amd64, but board qemu needs GOARCH=arm64"}},
		{"a kernel package that is none", `{"Hostname": "a", "Packages": [], "KernelPackage": "manofwar/init"}`, []string{"config.json: KernelPackage: not a kernel package", "vmlinuz"}},
		{"a kernel package that is nowhere", `{"Hostname": "a", "Packages": [], "KernelPackage": "example.invalid/kernel"}`, []string{"config.json: KernelPackage", "example.invalid/kernel"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			o := testOptions(t, testInstance(t, map[string]string{
				"config.json":          tt.config,
				"cmd/tool/main.go":     "package main\n\nfunc main() {}\n",
				"cmd/tool/other.go":    "//go:build broken\n\npackage main\n\nvar _ = nothing\n",
				"cmd/tool/README.text": "",
			}), qemu.Board())
			_, err := gokrazy.Build(t.Context(), o)
			wantError(t, err, tt.want...)
			if left, _ := filepath.Glob(filepath.Join(filepath.Dir(o.Out), "*")); len(left) > 0 {
				t.Errorf("left behind: %v", left)
			}
		})
	}
}

func TestMissingModule(t *testing.T) {
	o := testOptions(t, testInstance(t, nil), raspberrypi.Board())
	o.Board.Modules.Extra = append(o.Board.Modules.Extra, "mac80211")
	_, err := gokrazy.Build(t.Context(), o)
	if bad, ok := errors.AsType[*kernel.MissingError](err); !ok || bad.Module != "mac80211" {
		t.Errorf("error %v; want one that names the module", err)
	}
}

// TestReproducible builds twice, in different directories, and compares.
func TestReproducible(t *testing.T) {
	var results []gokrazy.Result
	for i := range 2 {
		o := testOptions(t, testInstance(t, nil), raspberrypi.Board())
		o.NoZstd = false
		if i == 0 {
			o.Out = relative(t, o.Out) // as "make image" gives it
		}
		r, err := gokrazy.Build(t.Context(), o)
		if err != nil {
			t.Fatal(err)
		}
		results = append(results, r)
	}
	if a, b := results[0], results[1]; a.SHA256 != b.SHA256 || a.ZstdSum != b.ZstdSum {
		t.Errorf("two builds of the same sources with the same key differ:\n%+v\n%+v", a, b)
	}
	for _, r := range results[1:] {
		info, err := os.ReadFile(r.Info)
		if err != nil || strings.Contains(string(info), filepath.Dir(r.Image)) {
			t.Errorf("%s: %v, names a directory of this machine", info, err)
		}
		// What anyone has undoes the compression.
		if zstd, err := exec.LookPath("zstd"); err == nil {
			sum := sha256.New()
			cmd := exec.Command(zstd, "-dc", r.Zstd)
			cmd.Stdout = sum
			if err := cmd.Run(); err != nil || hex.EncodeToString(sum.Sum(nil)) != r.SHA256 {
				t.Errorf("zstd -d: %v, or another image", err)
			}
		}
	}
}

func relative(t *testing.T, name string) string {
	t.Helper()
	here, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	if name, err = filepath.Rel(here, name); err != nil {
		t.Fatal(err)
	}
	return name
}

func TestSettings(t *testing.T) {
	o := testOptions(t, testInstance(t, map[string]string{"config.json": `{
		"Hostname": "a", "Packages": [], "SerialConsole": "",
		"KernelExtraArgs": ["extra=1"], "BootloaderExtraLines": ["gpu_mem=16"]
	}`}), raspberrypi.Board())
	r, err := gokrazy.Build(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	a := volume(t, r.Image, slot.A)
	line, err := fs.ReadFile(a, slot.CmdlineName)
	if err != nil || !strings.HasPrefix(string(line), "console=serial0,115200 console=tty1 panic=-1 ") || !strings.HasSuffix(string(line), " extra=1\n") {
		t.Errorf("cmdline.txt: %s %v", line, err)
	}
	text, err := fs.ReadFile(a, slot.ConfigName)
	if err != nil || !strings.HasSuffix(string(text), "\nenable_uart=1\ngpu_mem=16\n") {
		t.Errorf("config.txt: %s %v", text, err)
	}
	for i, line := range strings.Split(string(text), "\n") {
		if len(line) > 98 {
			t.Errorf("config.txt:%d: %d characters; the firmware reads 98", i+1, len(line))
		}
	}
}

func TestDeveloperKey(t *testing.T) {
	file := filepath.Join(t.TempDir(), "config", "manofwar", "developer.key")
	key, made, err := gokrazy.DeveloperKey(file)
	if err != nil || !made {
		t.Fatalf("first use: made %v, %v", made, err)
	}
	again, made, err := gokrazy.DeveloperKey(file)
	if err != nil || made || !key.Equal(again) {
		t.Errorf("second use: made %v, %v, same %v", made, err, key.Equal(again))
	}
	if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v; want that nobody else may read it", info.Mode(), err)
	}
	if err := os.WriteFile(file, []byte("garbage\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, _, err = gokrazy.DeveloperKey(file)
	wantError(t, err, file, "not a developer key")
}

// TestKeys finds the public halves where stage 1 looks for them.
func TestKeys(t *testing.T) {
	o := testOptions(t, testInstance(t, nil), qemu.Board())
	o.Trusted = []gokrazy.TrustedKey{{Name: "release", Public: testKey().Public().(ed25519.PublicKey)}}
	tree, err := rootOf(t, o)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"developer", "release"} {
		if got := content(t, tree, "etc/manofwar/keys/"+name+".pub"); len(got) != 45 || !strings.HasSuffix(got, "=\n") {
			t.Errorf("%s.pub: %q", name, got)
		}
	}
}

// TestModules finds the WiFi driver with its tables in the Raspberry Pi's root, and nothing of the kind in QEMU's.
func TestModules(t *testing.T) {
	tree, err := rootOf(t, testOptions(t, testInstance(t, nil), raspberrypi.Board()))
	if err != nil {
		t.Fatal(err)
	}
	var dep string
	modules := map[string]bool{}
	for _, e := range tree.Entries() {
		if path.Base(e.Path) == "modules.dep" {
			dep = content(t, tree, e.Path)
		}
		if path.Ext(e.Path) == ".ko" {
			modules[kernel.Name(e.Path)] = true
		}
	}
	for _, name := range []string{"brcmfmac", "brcmutil", "brcmfmac_wcc", "brcmfmac_cyw", "brcmfmac_bca"} {
		if !modules[name] || !strings.Contains(dep, strings.ReplaceAll(name, "_", "-")+".ko:") {
			t.Errorf("no module %s, or not in modules.dep", name)
		}
	}
	if len(modules) != 5 {
		t.Errorf("modules %v; want those of the WiFi driver only", modules)
	}
}

// TestAnotherKernel has an instance bring a kernel of its own, with more modules than the board names.
func TestAnotherKernel(t *testing.T) {
	files := map[string]string{
		"kernel/kernel.go":                       "package kernel\n",
		"kernel/vmlinuz":                         "a kernel",
		"kernel/lib/modules/1.2/modules.dep":     "kernel/own.ko:\nkernel/other.ko: kernel/own.ko\n",
		"kernel/lib/modules/1.2/kernel/own.ko":   "own",
		"kernel/lib/modules/1.2/kernel/other.ko": "other",
		"config.json":                            `{"Hostname": "a", "Packages": [], "KernelPackage": "manofwar/kernel"}`,
	}
	tree, err := rootOf(t, testOptions(t, testInstance(t, files), qemu.Board()))
	if err != nil {
		t.Fatal(err)
	}
	if got := content(t, tree, "lib/modules/1.2/kernel/own.ko") + content(t, tree, "lib/modules/1.2/kernel/other.ko"); got != "ownother" {
		t.Errorf("modules %q", got)
	}
}
