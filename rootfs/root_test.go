//go:build linux

package rootfs_test

import (
	"bytes"
	"flag"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"manofwar/rootfs"
)

var update = flag.Bool("update", false, "rewrite the golden files")

func golden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("differs from %s (go test -update rewrites it):\n%s", file, diff(string(want), got))
	}
}

// diff lists the lines that only one of two texts has.
func diff(want, got string) string {
	var b strings.Builder
	lines := func(s string) map[string]bool {
		m := map[string]bool{}
		for l := range strings.Lines(s) {
			m[l] = true
		}
		return m
	}
	w, g := lines(want), lines(got)
	for l := range strings.Lines(want) {
		if !g[l] {
			b.WriteString("- " + l)
		}
	}
	for l := range strings.Lines(got) {
		if !w[l] {
			b.WriteString("+ " + l)
		}
	}
	return b.String()
}

// fakeParts has the parts' files, with their own names as contents.
func fakeParts(t *testing.T) rootfs.Parts {
	t.Helper()
	dir := t.TempDir()
	file := func(name string) {
		t.Helper()
		name = filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(filepath.Base(name)+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	link := func(name, target string) {
		t.Helper()
		if err := os.Symlink(target, filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{
		"codec/ffmpeg", "codec/sources", "codec/copyright/ffmpeg", "codec/copyright/glibc",
		"ext/e2fsck", "ext/mke2fs", "ext/resize2fs", "ext/sources", "ext/copyright/e2fsprogs", "ext/copyright/glibc",
		"base/usr/share/common-licenses/GPL-2",
		"ca/usr/share/ca-certificates/mozilla/A.crt", "ca/usr/share/ca-certificates/mozilla/B.crt", "ca/usr/share/doc/ca-certificates/copyright",
		"tz/usr/share/zoneinfo/Asia/Kolkata", "tz/usr/share/zoneinfo/Etc/UTC", "tz/usr/share/zoneinfo/tzdata.zi",
		"tz/usr/share/zoneinfo/zone1970.tab", "tz/usr/share/zoneinfo/iso3166.tab", "tz/usr/share/doc/tzdata/copyright",
		"legacy/usr/share/zoneinfo/Asia/x", "legacy/usr/share/zoneinfo/right/Asia/Kolkata",
		"regdb/usr/lib/firmware/regulatory.db-upstream", "regdb/usr/lib/firmware/regulatory.db.p7s-upstream",
		"regdb/usr/share/doc/wireless-regdb/copyright",
		"wifi/usr/share/doc/firmware-brcm80211/copyright",
		"wifi/usr/lib/firmware/cypress/cyfmac43430-sdio.bin", "wifi/usr/lib/firmware/cypress/cyfmac43430-sdio.clm_blob",
		"wifi/usr/lib/firmware/cypress/cyfmac43455-sdio.bin", "wifi/usr/lib/firmware/cypress/cyfmac43455-sdio.clm_blob",
		"wifi/usr/lib/firmware/brcm/brcmfmac43430-sdio.raspberrypi,3-model-b.txt",
		"wifi/usr/lib/firmware/brcm/brcmfmac43455-sdio.raspberrypi,3-model-b-plus.txt",
		"wifi/usr/lib/firmware/brcm/brcmfmac43455-sdio.raspberrypi,4-model-b.txt",
		"noto/usr/share/doc/fonts-noto-core/copyright", "wqy/usr/share/doc/fonts-wqy-microhei/copyright",
		"wqy/usr/share/fonts/truetype/wqy/wqy-microhei.ttc",
	} {
		file(name)
	}
	for _, script := range []string{
		"", "Arabic", "Armenian", "Bengali", "Devanagari", "Ethiopic", "Georgian", "Gujarati", "Gurmukhi", "Hebrew", "Kannada",
		"Khmer", "Lao", "Malayalam", "Myanmar", "Sinhala", "Tamil", "Telugu", "Thai",
	} {
		for _, cut := range []string{"Regular", "Bold", "Italic"} {
			file("noto/usr/share/fonts/truetype/noto/NotoSans" + script + "-" + cut + ".ttf")
		}
	}
	link("legacy/usr/share/zoneinfo/Asia/Calcutta", "Kolkata")
	brcm := "wifi/usr/lib/firmware/brcm/brcmfmac"
	for _, chip := range []string{"43430", "43455"} {
		link(brcm+chip+"-sdio.bin", "../cypress/cyfmac"+chip+"-sdio.bin")
		link(brcm+chip+"-sdio.clm_blob", "../cypress/cyfmac"+chip+"-sdio.clm_blob")
	}
	link(brcm+"43430-sdio.raspberrypi,model-zero-2-w.txt", "brcmfmac43430-sdio.raspberrypi,3-model-b.txt")
	link(brcm+"43455-sdio.raspberrypi,3-model-a-plus.txt", "brcmfmac43455-sdio.raspberrypi,3-model-b-plus.txt")
	for _, model := range []string{"4-compute-module", "5-model-b", "5-compute-module", "500"} {
		link(brcm+"43455-sdio.raspberrypi,"+model+".txt", "brcmfmac43455-sdio.raspberrypi,4-model-b.txt")
	}
	at := func(name string) string { return filepath.Join(dir, name) }
	return rootfs.Parts{
		Codec: at("codec"), Ext: at("ext"), Licenses: at("base"), CACertificates: at("ca"), TimeZones: at("tz"), TimeZonesLegacy: at("legacy"),
		RegulatoryDB: at("regdb"), WiFiFirmware: at("wifi"), Fonts: at("noto"), FontsEastAsia: at("wqy"),
	}
}

func options(t *testing.T) rootfs.Options {
	t.Helper()
	return rootfs.Options{
		Parts: fakeParts(t), Init: rootfs.Bytes([]byte("init")), Manofwar: rootfs.Bytes([]byte("manofwar")), WiFi: true,
		Users: []string{"catalog", "portal", "player", "weather-station"}, Hostname: "cinema", Version: "1.2.3",
		Licenses: map[string]rootfs.Content{"manofwar": rootfs.Bytes([]byte("MIT"))},
	}
}

func TestBuild(t *testing.T) {
	tree, err := rootfs.Build(options(t))
	if err != nil {
		t.Fatal(err)
	}
	var list strings.Builder
	if err := tree.List(&list); err != nil {
		t.Fatal(err)
	}
	golden(t, "root.txt", list.String())
	var texts strings.Builder
	for _, name := range []string{"passwd", "group", "hosts", "hostname", "nsswitch.conf", "os-release", "ssl/certs/ca-certificates.crt"} {
		e, ok := tree.Get("etc/" + name)
		if !ok {
			t.Errorf("no /etc/%s", name)
			continue
		}
		texts.WriteString("== /etc/" + name + "\n")
		texts.Write(read(t, e.Content))
	}
	golden(t, "etc.txt", texts.String())
}

func TestBuildIsReproducible(t *testing.T) {
	var images [2][]byte
	for i := range images {
		tree, err := rootfs.Build(options(t)) // the parts lie elsewhere each time
		if err != nil {
			t.Fatal(err)
		}
		if images[i], err = os.ReadFile(writeSquash(t, tree)); err != nil {
			t.Fatal(err)
		}
	}
	if !bytes.Equal(images[0], images[1]) {
		t.Error("two images of the same parts differ")
	}
}

func TestBuildErrors(t *testing.T) {
	for name, test := range map[string]struct {
		change func(*rootfs.Options)
		want   string
	}{
		"no init":         {func(o *rootfs.Options) { o.Init = rootfs.Content{} }, "/init"},
		"no ffmpeg":       {func(o *rootfs.Options) { o.Parts.Codec = t.TempDir() }, "ffmpeg"},
		"no fonts":        {func(o *rootfs.Options) { o.Parts.Fonts = t.TempDir() }, "NotoSans-Regular"},
		"no firmware":     {func(o *rootfs.Options) { o.Parts.WiFiFirmware = t.TempDir() }, "cyfmac43430"},
		"no certificates": {func(o *rootfs.Options) { o.Parts.CACertificates = "/nonexistent" }, "/nonexistent"},
		"bad user":        {func(o *rootfs.Options) { o.Users = []string{"a:b"} }, `"a:b"`},
		"group's name":    {func(o *rootfs.Options) { o.Users = []string{"media"} }, "media"},
		"broken link": {func(o *rootfs.Options) {
			if err := os.Remove(filepath.Join(o.Parts.TimeZones, "usr/share/zoneinfo/Asia/Kolkata")); err != nil {
				t.Fatal(err)
			}
		}, "Calcutta"},
	} {
		o := options(t)
		test.change(&o)
		if _, err := rootfs.Build(o); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: error %v; want one that names %s", name, err, test.want)
		}
	}
}

func TestAccount(t *testing.T) {
	seen := map[uint32]string{}
	for _, name := range []string{"catalog", "stream", "portal", "cast", "seed", "remote", "update", "netmgr", "player", "hello", "weather"} {
		u, err := rootfs.Account(name)
		if err != nil {
			t.Fatal(err)
		}
		if other := seen[u.ID]; other != "" {
			t.Errorf("%s and %s have the number %d", name, other, u.ID)
		}
		seen[u.ID] = name
	}
	// Files on the cards of owners have these numbers.
	for name, id := range map[string]uint32{"catalog": 1000, "player": 1008, "weather": 42291} {
		if u, _ := rootfs.Account(name); u.ID != id {
			t.Errorf("%s: number %d, want %d for ever", name, u.ID, id)
		}
	}
	for _, name := range []string{"", "root:", "Big", "1st", "a b", "a\nroot", strings.Repeat("a", 32)} {
		if _, err := rootfs.Account(name); err == nil {
			t.Errorf("Account(%q) succeeded", name)
		}
	}
}

func TestTreeConflicts(t *testing.T) {
	file := func(path, origin string) rootfs.Entry {
		return rootfs.Entry{Path: path, Mode: 0o644, Content: rootfs.Bytes(nil), Origin: origin}
	}
	dir := rootfs.Entry{Path: "etc", Mode: fs.ModeDir | 0o700}
	for name, test := range map[string]struct {
		entries []rootfs.Entry
		want    []string // in the error; nil: none
	}{
		"twice":          {[]rootfs.Entry{file("etc/a", "one"), file("etc/a", "two")}, []string{"/etc/a", "one", "two"}},
		"below a file":   {[]rootfs.Entry{file("etc", "one"), file("etc/a", "two")}, []string{"/etc/a", "/etc is no directory", "one"}},
		"file over dir":  {[]rootfs.Entry{file("etc/a", "one"), file("etc", "two")}, []string{"/etc"}},
		"directory anew": {[]rootfs.Entry{file("etc/a", "one"), dir, dir}, nil},
		"outside":        {[]rootfs.Entry{file("../a", "one")}, []string{"../a"}},
		"absolute":       {[]rootfs.Entry{file("/a", "one")}, []string{"/a"}},
		"empty link":     {[]rootfs.Entry{{Path: "a", Mode: fs.ModeSymlink}}, []string{"target"}},
		"pipe":           {[]rootfs.Entry{{Path: "a", Mode: fs.ModeNamedPipe}}, []string{"/a"}},
		"no content":     {[]rootfs.Entry{{Path: "a"}}, []string{"content"}},
	} {
		tree := new(rootfs.Tree)
		err := tree.Add(test.entries...)
		if test.want == nil {
			if err != nil {
				t.Errorf("%s: %v", name, err)
			}
			continue
		}
		for _, want := range test.want {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%s: error %v; want one with %q", name, err, want)
			}
		}
	}
}

// What a build machine's umask and owners are does not reach the image.
func TestAddFS(t *testing.T) {
	tree := new(rootfs.Tree)
	err := tree.AddFS("opt", fstest.MapFS{
		"bin/run":   {Data: []byte("x"), Mode: 0o700},
		"etc/conf":  {Data: []byte("x"), Mode: 0o666},
		"bin/alias": {Data: []byte("run"), Mode: fs.ModeSymlink | 0o777},
	}, "a test")
	if err != nil {
		t.Fatal(err)
	}
	var list strings.Builder
	if err := tree.List(&list); err != nil {
		t.Fatal(err)
	}
	golden(t, "addfs.txt", list.String())
	if e, _ := tree.Get("opt/etc"); e.Origin != "a test" {
		t.Errorf("origin %q", e.Origin)
	}
	if err := new(rootfs.Tree).AddFS("opt", fstest.MapFS{"pipe": {Mode: fs.ModeNamedPipe}}, "a test"); err == nil {
		t.Error("a pipe was added")
	}
}
