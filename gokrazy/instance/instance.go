// Package instance reads a gokrazy instance's config.json: which Go programs an image holds, how they are built and
// started, and which kernel and firmware it starts from.
//
// The format is gokrazy's own (package config of github.com/gokrazy/internal, which other modules cannot import), so an
// instance made for gokrazy can be built here and the other way round. What gokrazy does and this project does
// otherwise is told apart: a field that cannot be honoured is an error if the image would not do what it says, and a
// warning if another part of manofwar does its job. See [Config.Check].
package instance

import (
	"fmt"
	"os"
	"path"
	"regexp"
	"slices"
	"strings"

	"manofwar/internal/strictjson"
)

// Config is config.json. The fields' meaning is gokrazy's, at https://gokrazy.org/userguide/instance-config/.
type Config struct {
	Hostname              string
	DeviceType            string                   `json:",omitempty"`
	Update                *Update                  `json:",omitempty"`
	Environment           []string                 `json:",omitempty"` // of every "go build"
	Packages              []string                 // the programs, by import path
	PackageConfig         map[string]PackageConfig `json:",omitempty"`
	SerialConsole         string                   `json:",omitempty"` // empty: the board's own; "disabled": none
	GokrazyPackages       *[]string                `json:",omitempty"`
	KernelPackage         *string                  `json:",omitempty"`
	FirmwarePackage       *string                  `json:",omitempty"`
	EEPROMPackage         *string                  `json:",omitempty"`
	KernelExtraArgs       []string                 `json:",omitempty"` // appended to cmdline.txt
	BootloaderExtraLines  []string                 `json:",omitempty"` // appended to config.txt
	BootloaderExtraEEPROM []string                 `json:",omitempty"`
	MountDevices          []MountDevice            `json:",omitempty"`

	InternalCompatibilityFlags *Flags `json:",omitempty"`

	Path string `json:"-"` // of the file, for errors
}

// PackageConfig is how one program is built and started.
type PackageConfig struct {
	GoBuildEnvironment []string          `json:",omitempty"` // "KEY=value"
	GoBuildFlags       []string          `json:",omitempty"`
	GoBuildTags        []string          `json:",omitempty"`
	ExtraFilePaths     map[string]string `json:",omitempty"` // path in the root → file, directory or tar beside config.json
	ExtraFileContents  map[string]string `json:",omitempty"` // path in the root → text
	Basename           string            `json:",omitempty"` // of the program; empty: the package's
	Environment        []string          `json:",omitempty"` // "KEY=value"
	CommandLineFlags   []string          `json:",omitempty"`
	DontStart          bool              `json:",omitempty"` // it is in the image, but not started
	WaitForClock       bool              `json:",omitempty"`
	WaitFor            []string          `json:",omitempty"`
}

// Update holds gokrazy's web interface's settings, of which this project has none.
type Update struct {
	Hostname     string `json:",omitempty"`
	UseTLS       string `json:",omitempty"`
	NoPassword   bool   `json:",omitempty"`
	HTTPPort     string `json:",omitempty"`
	HTTPSPort    string `json:",omitempty"`
	HTTPPassword string `json:",omitempty"`
	CertPEM      string `json:",omitempty"`
	KeyPEM       string `json:",omitempty"`
}

// MountDevice is gokrazy's way to mount a disk.
type MountDevice struct{ Source, Type, Target, Options string }

// Flags are old gokr-packer flags that gokrazy keeps in the file.
type Flags struct {
	Overwrite          string `json:",omitempty"`
	OverwriteBoot      string `json:",omitempty"`
	OverwriteMBR       string `json:",omitempty"`
	OverwriteRoot      string `json:",omitempty"`
	Sudo               string `json:",omitempty"`
	TargetStorageBytes int    `json:",omitempty"`
	Update             string `json:",omitempty"`
	Insecure           bool   `json:",omitempty"`
	Testboot           bool   `json:",omitempty"`
	InitPkg            string `json:",omitempty"`
	OverwriteInit      string `json:",omitempty"`
}

// What an instance has that names none.
const (
	DefaultKernel   = "github.com/gokrazy/kernel.rpi"
	DefaultFirmware = "github.com/gokrazy/firmware"
)

// NoSerial is the SerialConsole that switches it off.
const NoSerial = "disabled"

// Read reads and checks the file. The error is a [*strictjson.Error] where a person must change a field. The warnings say
// which fields have no effect.
func Read(file string) (c *Config, warnings []string, err error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, nil, err
	}
	c, err = Parse(file, data)
	if err != nil {
		return nil, nil, err
	}
	warnings, err = c.Check()
	return c, warnings, err
}

// Parse reads the text of the file. The error is a [*strictjson.Error] with line and column.
func Parse(file string, data []byte) (*Config, error) {
	c := &Config{Path: file}
	return c, strictjson.Unmarshal(file, data, c)
}

// Kernel returns the import path of the kernel package.
func (c *Config) Kernel() string { return or(c.KernelPackage, DefaultKernel) }

// Firmware returns the import path of the firmware package, "" if the instance wants none.
func (c *Config) Firmware() string { return or(c.FirmwarePackage, DefaultFirmware) }

func or(p *string, fallback string) string {
	if p == nil {
		return fallback
	}
	return *p
}

// Basename returns the file name of a package's program.
func (c *Config) Basename(pkg string) string {
	if b := c.PackageConfig[pkg].Basename; b != "" {
		return b
	}
	base := path.Base(pkg)
	// As "go build" does: the last element of example.com/tool/v2 is tool.
	if majorVersion.MatchString(base) && path.Dir(pkg) != "." {
		base = path.Base(path.Dir(pkg))
	}
	return base
}

var (
	majorVersion = regexp.MustCompile(`^v[2-9][0-9]*$|^v1[0-9]+$`)
	hostname     = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$`)
	basename     = regexp.MustCompile(`^[a-z][a-z0-9_-]{0,30}$`) // it becomes a user, too
)

// Check holds the rules that the types do not, and says which fields have no effect here.
func (c *Config) Check() (warnings []string, err error) {
	bad := func(field, format string, args ...any) error {
		return &strictjson.Error{File: c.Path, Field: field, Err: fmt.Errorf(format, args...)}
	}
	if !hostname.MatchString(c.Hostname) {
		return nil, bad("Hostname", "%q, want lower-case letters, digits and dashes, as in \"manofwar\"", c.Hostname)
	}
	if len(c.MountDevices) > 0 {
		return nil, bad("MountDevices", "not supported: PID 1 mounts every disk that is plugged in below /media")
	}
	if len(c.BootloaderExtraEEPROM) > 0 {
		return nil, bad("BootloaderExtraEEPROM", "not supported: the image does not write the EEPROM; use rpi-eeprom-config")
	}
	if c.DeviceType != "" {
		return nil, bad("DeviceType", "%q, want none: the board is chosen when the image is made", c.DeviceType)
	}
	if f := c.InternalCompatibilityFlags; f != nil && *f != (Flags{}) {
		warnings = append(warnings, c.Path+": InternalCompatibilityFlags: ignored: the command line of \"manofwar image\" and \"manofwar flash\" says it")
	}
	if c.GokrazyPackages != nil && len(*c.GokrazyPackages) > 0 {
		warnings = append(warnings, c.Path+": GokrazyPackages: ignored: manofwar's own services bring up the network, the clock and the rest")
	}
	if c.EEPROMPackage != nil && *c.EEPROMPackage != "" {
		warnings = append(warnings, c.Path+": EEPROMPackage: ignored: the image does not write the EEPROM")
	}
	if c.Update != nil && *c.Update != (Update{}) {
		warnings = append(warnings, c.Path+": Update: ignored: the owner claims the dongle with the code on its screen, and updates are signed")
	}
	more, err := c.checkPackages(bad)
	return append(warnings, more...), err
}

// checkPackages holds the rules of Packages, PackageConfig and Environment.
func (c *Config) checkPackages(bad func(field, format string, args ...any) error) (warnings []string, err error) {
	names := map[string]string{}
	for i, pkg := range c.Packages {
		field := fmt.Sprintf("Packages[%d]", i)
		name := c.Basename(pkg)
		switch other, twice := names[name]; {
		case pkg == "" || strings.ContainsAny(pkg, " @"):
			return nil, bad(field, "%q, want an import path without a version, as in \"github.com/gokrazy/rsync/cmd/gokr-rsyncd\"", pkg)
		case !basename.MatchString(name):
			return nil, bad(field, "program name %q, want a lower-case letter and up to 30 more, digits or dashes: set PackageConfig[%q].Basename", name, pkg)
		case twice:
			return nil, bad(field, "the program is called %s, like %s's: set PackageConfig[%q].Basename", name, other, pkg)
		}
		names[name] = pkg
	}
	for pkg, pc := range c.PackageConfig {
		field := fmt.Sprintf("PackageConfig[%q]", pkg)
		if !slices.Contains(c.Packages, pkg) {
			return nil, bad(field, "is not one of Packages")
		}
		for sub, list := range map[string][]string{"Environment": pc.Environment, "GoBuildEnvironment": pc.GoBuildEnvironment} {
			if err := checkPairs(list); err != nil {
				return nil, bad(field+"."+sub, "%w", err)
			}
		}
		for _, m := range []map[string]string{pc.ExtraFilePaths, pc.ExtraFileContents} {
			for dest := range m {
				if !strings.HasPrefix(dest, "/") || path.Clean(dest) != strings.TrimSuffix(dest, "/") {
					return nil, bad(field, "file %q in the image, want a clean absolute path", dest)
				}
			}
		}
		if pc.WaitForClock || len(pc.WaitFor) > 0 {
			warnings = append(warnings, fmt.Sprintf("%s: %s: WaitForClock and WaitFor wait for netmgr to be ready, at most a few seconds", c.Path, field))
		}
	}
	if err := checkPairs(c.Environment); err != nil {
		return nil, bad("Environment", "%w", err)
	}
	return warnings, nil
}

func checkPairs(list []string) error {
	for _, kv := range list {
		if key, _, ok := strings.Cut(kv, "="); !ok || key == "" {
			return fmt.Errorf("%q, want KEY=value", kv)
		}
	}
	return nil
}
