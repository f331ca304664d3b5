package rootfs

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"path/filepath"
	"strings"
)

// Options say what a root is made of.
type Options struct {
	Parts    Parts    // what is not ours; see [Prepare]
	Init     Content  // PID 1, also modprobe
	Manofwar Content  // the services
	WiFi     bool     // the board has a Raspberry Pi's WiFi
	Users    []string // whom the services run as; see [Account]
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

// Build makes the tree of a root. The caller adds more to it ([Tree.Add]): services.json, kernel modules, an
// owner's programs.
// Its errors name the file that is missing or given twice.
func Build(o Options) (*Tree, error) {
	b := builder{Options: o, tree: new(Tree)}
	for _, part := range []func() error{
		b.skeleton, b.programs, b.etc, b.certificates, b.timeZones, b.regulatory, b.wifi, b.fonts, b.licenses, b.checkLinks,
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
