package rootfs

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

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
		"fonts-noto-core": b.Parts.Fonts, "fonts-wqy-microhei": b.Parts.FontsEastAsia,
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
