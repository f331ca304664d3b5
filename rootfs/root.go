package rootfs

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

// Options say what a root is made of.
type Options struct {
	Parts    Parts   // what is not ours; see [Prepare]
	Init     Content // PID 1, also modprobe
	Manofwar Content // the services
	Modules  fs.FS   // kernel modules: a directory per kernel release, as in /lib/modules; nil: none
	WiFi     bool    // the board has a Raspberry Pi's WiFi
	Users    []string
	Hostname string
	Version  string             // of the image, for os-release; empty: "development"
	Licenses map[string]Content // copyright texts beyond those of the parts, by the name of what they are about
}

// The tables of the root. Nothing in it is ever written: what changes lives in /run, which is memory, and /data.
var (
	directories = []struct {
		path string
		mode fs.FileMode
	}{
		{"bin", 0o755},
		{"boot", 0o755}, // the partition that the firmware reads, when it is written
		{"data", 0o755}, // the rest of the card
		{"dev", 0o755},
		{"etc/manofwar", 0o755},
		{"lib/firmware", 0o755},
		{"lib/modules", 0o755},
		{"media", 0o755}, // the owner's disks, one directory each
		{"proc", 0o555},
		{"run", 0o755},
		{"sbin", 0o755},
		{"sys", 0o555},
		{"tmp", 0o777 | fs.ModeSticky},
		{"var", 0o755},
	}

	links = []struct{ path, target string }{
		{"bin/ffprobe", "ffmpeg"},    // one program, which looks at its name
		{"sbin/modprobe", "/init"},   // the kernel calls it
		{"sbin/fsck.ext4", "e2fsck"}, // the names that mount(8) and people know
		{"sbin/mkfs.ext4", "mke2fs"}, // it makes ext4 of this name by itself
		{"etc/mtab", "/proc/self/mounts"},
		{"etc/resolv.conf", "/run/manofwar/netmgr/resolv.conf"},
		{"etc/localtime", "/run/manofwar/localtime"}, // made by PID 1; while it is missing, time is UTC
		{"var/run", "/run"},
		{"var/tmp", "/tmp"},
	}

	// programs are taken from the parts as they are.
	programs = []struct {
		path, origin string
		dir          func(Parts) string
	}{
		{"bin/ffmpeg", "ffmpeg", func(p Parts) string { return p.Codec }},
		{"sbin/e2fsck", "e2fsprogs", func(p Parts) string { return p.Ext }},
		{"sbin/mke2fs", "e2fsprogs", func(p Parts) string { return p.Ext }},
		{"sbin/resize2fs", "e2fsprogs", func(p Parts) string { return p.Ext }},
	}
)

// Build makes the tree of a root. The caller may add more to it ([Tree.Add]): services.json, an owner's programs.
// Its errors name the file that is missing or given twice.
func Build(o Options) (*Tree, error) {
	b := builder{Options: o, tree: new(Tree)}
	for _, part := range []func() error{
		b.skeleton, b.programs, b.etc, b.certificates, b.timeZones, b.regulatory, b.wifi, b.modules, b.licenses, b.checkLinks,
	} {
		if err := part(); err != nil {
			return nil, fmt.Errorf("build root: %w", err)
		}
	}
	return b.tree, nil
}

type builder struct {
	Options
	tree *Tree
}

func (b *builder) skeleton() error {
	for _, d := range directories {
		if err := b.tree.Add(Entry{Path: d.path, Mode: fs.ModeDir | d.mode}); err != nil {
			return err
		}
	}
	for _, l := range links {
		if err := b.tree.Add(Entry{Path: l.path, Mode: fs.ModeSymlink | 0o777, Link: l.target}); err != nil {
			return err
		}
	}
	return nil
}

func (b *builder) programs() error {
	for name, content := range map[string]Content{"init": b.Init, "bin/manofwar": b.Manofwar} {
		if content.Open == nil {
			return fmt.Errorf("the program /%s is missing", name)
		}
		if err := b.tree.Add(Entry{Path: name, Mode: 0o755, Content: content, Origin: "manofwar"}); err != nil {
			return err
		}
	}
	for _, p := range programs {
		from := filepath.Join(p.dir(b.Parts), path.Base(p.path))
		if err := b.addFile(Entry{Path: p.path, Mode: 0o755, Origin: p.origin}, from); err != nil {
			return err
		}
	}
	return nil
}

// addFile adds e with the content of a file of this machine.
func (b *builder) addFile(e Entry, from string) (err error) {
	if e.Content, err = File(from); err != nil {
		return err
	}
	return b.tree.Add(e)
}

// addText adds a small file of ours.
func (b *builder) addText(at, text string) error {
	return b.tree.Add(Entry{Path: at, Mode: 0o644, Content: Bytes([]byte(text))})
}

func (b *builder) etc() error {
	passwd, group, err := accounts(b.Users)
	if err != nil {
		return err
	}
	host, version := cmp.Or(b.Hostname, "manofwar"), cmp.Or(b.Version, "development")
	for at, text := range map[string]string{
		"etc/passwd":        string(passwd),
		"etc/group":         string(group),
		"etc/hostname":      host + "\n",
		"etc/hosts":         "127.0.0.1 localhost\n::1 localhost ip6-localhost\n127.0.1.1 " + host + "\n",
		"etc/nsswitch.conf": "passwd: files\ngroup: files\nhosts: files dns\n",
		"etc/os-release": fmt.Sprintf("NAME=manofwar\nID=manofwar\nPRETTY_NAME=%q\nVERSION_ID=%q\n",
			"manofwar "+version, version),
	} {
		if err := b.addText(at, text); err != nil {
			return err
		}
	}
	return nil
}

// certificates joins Debian's certificate authorities as its update-ca-certificates does, where Go looks first.
func (b *builder) certificates() error {
	dir := filepath.Join(b.Parts.CACertificates, "usr/share/ca-certificates/mozilla")
	files, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	var all bytes.Buffer
	for _, f := range files {
		text, err := os.ReadFile(filepath.Join(dir, f.Name()))
		if err != nil {
			return err
		}
		all.Write(bytes.TrimRight(text, "\n"))
		all.WriteByte('\n')
	}
	return b.tree.Add(Entry{
		Path: "etc/ssl/certs/ca-certificates.crt", Mode: 0o644, Content: Bytes(all.Bytes()), Origin: "ca-certificates",
	})
}

// noZone are files among the time zones that are none, nor needed to list them.
var noZone = []string{"Factory", "leap-seconds.list", "leapseconds", "localtime", "posixrules", "right", "tzdata.zi", "zone.tab", "zonenow.tab"}

func (b *builder) timeZones() error {
	for _, part := range []string{b.Parts.TimeZones, b.Parts.TimeZonesLegacy} {
		dir := filepath.Join(part, "usr/share/zoneinfo")
		if err := b.tree.AddFS("usr/share/zoneinfo", without{os.DirFS(dir), noZone}, "tzdata"); err != nil {
			return err
		}
	}
	return nil
}

// regulatory adds the rules of which channel may be used where, signed by upstream: the only key that the
// Raspberry Pi's kernel trusts.
func (b *builder) regulatory() error {
	for at, name := range map[string]string{"regulatory.db": "regulatory.db-upstream", "regulatory.db.p7s": "regulatory.db.p7s-upstream"} {
		from := filepath.Join(b.Parts.RegulatoryDB, "usr/lib/firmware", name)
		if err := b.addFile(Entry{Path: "lib/firmware/" + at, Mode: 0o644, Origin: "wireless-regdb"}, from); err != nil {
			return err
		}
	}
	return nil
}

// wifiFirmware is what the driver brcmfmac asks for on the boards with WiFi: Pi 3B and Zero 2 W have the chip 43430,
// 3A+, 3B+, 4 and 5 the 43455. Boards differ in the .txt. Some Zero 2 W have a 43430b0, whose files no Debian has.
var wifiFirmware = []string{
	"cypress/cyfmac43430-sdio.bin", "cypress/cyfmac43430-sdio.clm_blob",
	"cypress/cyfmac43455-sdio.bin", "cypress/cyfmac43455-sdio.clm_blob",
	"brcm/brcmfmac43430-sdio.bin", "brcm/brcmfmac43430-sdio.clm_blob",
	"brcm/brcmfmac43430-sdio.raspberrypi,3-model-b.txt",
	"brcm/brcmfmac43430-sdio.raspberrypi,model-zero-2-w.txt",
	"brcm/brcmfmac43455-sdio.bin", "brcm/brcmfmac43455-sdio.clm_blob",
	"brcm/brcmfmac43455-sdio.raspberrypi,3-model-a-plus.txt",
	"brcm/brcmfmac43455-sdio.raspberrypi,3-model-b-plus.txt",
	"brcm/brcmfmac43455-sdio.raspberrypi,4-model-b.txt",
	"brcm/brcmfmac43455-sdio.raspberrypi,4-compute-module.txt",
	"brcm/brcmfmac43455-sdio.raspberrypi,5-model-b.txt",
	"brcm/brcmfmac43455-sdio.raspberrypi,5-compute-module.txt",
	"brcm/brcmfmac43455-sdio.raspberrypi,500.txt",
}

func (b *builder) wifi() error {
	if !b.WiFi {
		return nil
	}
	for _, name := range wifiFirmware {
		from := filepath.Join(b.Parts.WiFiFirmware, "usr/lib/firmware", filepath.FromSlash(name))
		e := Entry{Path: "lib/firmware/" + name, Mode: 0o644, Origin: "firmware-brcm80211"}
		var err error
		if target, no := os.Readlink(from); no == nil {
			e.Mode, e.Link = fs.ModeSymlink|0o777, target
			err = b.tree.Add(e)
		} else {
			err = b.addFile(e, from)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (b *builder) modules() error {
	if b.Modules == nil {
		return nil
	}
	// Debian's trees point to headers by these names.
	return b.tree.AddFS("lib/modules", without{b.Modules, []string{"*/build", "*/source"}}, "the kernel's modules")
}

// licenses puts the copyright text of every part under the name that Debian's policy gives it, with the common
// licences that those texts only name, and says where the source is.
func (b *builder) licenses() error {
	texts := map[string]string{} // what → file
	var sources strings.Builder
	for _, part := range []string{b.Parts.Codec, b.Parts.Ext} {
		files, err := os.ReadDir(filepath.Join(part, "copyright"))
		if err != nil {
			return err
		}
		for _, f := range files {
			texts[f.Name()] = filepath.Join(part, "copyright", f.Name())
		}
		list, err := os.ReadFile(filepath.Join(part, "sources"))
		if err != nil {
			return err
		}
		sources.Write(list)
	}
	packages := map[string]string{
		"ca-certificates": b.Parts.CACertificates, "tzdata": b.Parts.TimeZones, "wireless-regdb": b.Parts.RegulatoryDB,
	}
	if b.WiFi {
		packages["firmware-brcm80211"] = b.Parts.WiFiFirmware
	}
	for name, dir := range packages {
		texts[name] = filepath.Join(dir, "usr/share/doc", name, "copyright")
	}
	for _, name := range slices.Sorted(maps.Keys(texts)) {
		content, err := File(texts[name])
		if err != nil {
			return err
		}
		if err := b.addLicense(name, content); err != nil {
			return err
		}
	}
	for name, content := range b.Licenses {
		if err := b.addLicense(name, content); err != nil {
			return err
		}
	}
	common := os.DirFS(filepath.Join(b.Parts.Licenses, "usr/share/common-licenses"))
	if err := b.tree.AddFS("usr/share/common-licenses", common, "the licence texts"); err != nil {
		return err
	}
	return b.addText("usr/share/doc/SOURCES", sourcesText+sources.String())
}

func (b *builder) addLicense(name string, content Content) error {
	return b.tree.Add(Entry{Path: "usr/share/doc/" + name + "/copyright", Mode: 0o644, Content: content, Origin: "the licence texts"})
}

const sourcesText = `The programs /bin/ffmpeg, /sbin/e2fsck, /sbin/mke2fs and /sbin/resize2fs are built from these source packages of
Debian and linked with its C library, glibc. Whoever passes this image on must offer them: "make sources" in manofwar
writes them, with the scripts that build the programs, to one archive.

`

// checkLinks finds links to nothing, but for those into the directories that are filled at run time.
func (b *builder) checkLinks() error {
	var broken []error
	for _, e := range b.tree.Entries() {
		if e.Mode.Type() != fs.ModeSymlink {
			continue
		}
		target := strings.TrimPrefix(e.Link, "/")
		if !strings.HasPrefix(e.Link, "/") {
			target = path.Join(path.Dir(e.Path), e.Link)
		}
		if top, _, _ := strings.Cut(target, "/"); top == "run" || top == "proc" || top == "data" {
			continue
		}
		if _, ok := b.tree.Get(target); !ok {
			broken = append(broken, fmt.Errorf("/%s points to %s, which the image does not have", e.Path, e.Link))
		}
	}
	return errors.Join(broken...)
}

// without is a file system without what matches some patterns of [path.Match].
type without struct {
	fs.FS
	patterns []string
}

// ReadDir implements [fs.ReadDirFS].
func (w without) ReadDir(name string) ([]fs.DirEntry, error) {
	list, err := fs.ReadDir(w.FS, name)
	return slices.DeleteFunc(list, func(d fs.DirEntry) bool {
		return slices.ContainsFunc(w.patterns, func(p string) bool {
			match, _ := path.Match(p, path.Join(name, d.Name()))
			return match
		})
	}), err
}

// ReadLink implements [fs.ReadLinkFS].
func (w without) ReadLink(name string) (string, error) { return fs.ReadLink(w.FS, name) }

// Lstat implements [fs.ReadLinkFS].
func (w without) Lstat(name string) (fs.FileInfo, error) { return fs.Lstat(w.FS, name) }

// Stat implements [fs.StatFS].
func (w without) Stat(name string) (fs.FileInfo, error) { return fs.Stat(w.FS, name) }
