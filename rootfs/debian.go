package rootfs

import (
	"bytes"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
)

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

// notoFonts are the faces of fonts-noto-core that the player looks for, without the common beginning and end: player/screen
// has the same list. What it has no bold for it thickens, so that only scripts with many readers have one here.
var notoFonts = []string{
	"-Regular", "-Bold", "-Italic",
	"Arabic-Regular", "Arabic-Bold", "Hebrew-Regular", "Hebrew-Bold", "Thai-Regular", "Thai-Bold", "Devanagari-Regular", "Devanagari-Bold",
	"Armenian-Regular", "Bengali-Regular", "Ethiopic-Regular", "Georgian-Regular", "Gujarati-Regular", "Gurmukhi-Regular", "Kannada-Regular",
	"Khmer-Regular", "Lao-Regular", "Malayalam-Regular", "Myanmar-Regular", "Sinhala-Regular", "Tamil-Regular", "Telugu-Regular",
}

// fonts adds those of the television. China's, Japan's and Korea's characters, and signs such as notes and stars, are in
// one file of 5 MB, where Noto's would take 38.
func (b *builder) fonts() error {
	const dir = "usr/share/fonts/truetype/"
	for _, name := range notoFonts {
		name = "noto/NotoSans" + name + ".ttf"
		e := Entry{Path: dir + name, Mode: 0o644, Origin: "fonts-noto-core"}
		if err := b.addFile(e, filepath.Join(b.Parts.Fonts, dir+name)); err != nil {
			return err
		}
	}
	const eastAsia = dir + "wqy/wqy-microhei.ttc"
	return b.addFile(Entry{Path: eastAsia, Mode: 0o644, Origin: "fonts-wqy-microhei"}, filepath.Join(b.Parts.FontsEastAsia, eastAsia))
}

// without is a file system without some files and directories.
type without struct {
	fs.FS
	paths []string
}

// ReadDir implements [fs.ReadDirFS].
func (w without) ReadDir(name string) ([]fs.DirEntry, error) {
	list, err := fs.ReadDir(w.FS, name)
	return slices.DeleteFunc(list, func(d fs.DirEntry) bool { return slices.Contains(w.paths, path.Join(name, d.Name())) }), err
}

// ReadLink implements [fs.ReadLinkFS].
func (w without) ReadLink(name string) (string, error) { return fs.ReadLink(w.FS, name) }

// Lstat implements [fs.ReadLinkFS].
func (w without) Lstat(name string) (fs.FileInfo, error) { return fs.Lstat(w.FS, name) }

// Stat implements [fs.StatFS].
func (w without) Stat(name string) (fs.FileInfo, error) { return fs.Stat(w.FS, name) }
