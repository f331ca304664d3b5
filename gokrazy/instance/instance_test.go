package instance_test

import (
	"errors"
	"strings"
	"testing"

	"manofwar/gokrazy/instance"
	"manofwar/internal/strictjson"
)

// full has every field that gokrazy knows and this project honours.
const full = `{
    "Hostname": "living-room",
    "Environment": ["GOARCH=arm64"],
    "Packages": ["manofwar/init", "github.com/gokrazy/rsync/cmd/gokr-rsyncd", "example.com/tool/v2"],
    "PackageConfig": {
        "github.com/gokrazy/rsync/cmd/gokr-rsyncd": {
            "GoBuildEnvironment": ["GOARM64=v8.0"],
            "GoBuildFlags": ["-ldflags=-X main.x=y"],
            "GoBuildTags": ["tag"],
            "ExtraFilePaths": {"/etc/rsync": "extra/rsync"},
            "ExtraFileContents": {"/etc/motd": "hello"},
            "Basename": "rsync",
            "Environment": ["A=b"],
            "CommandLineFlags": ["-listen=:8730"],
            "DontStart": false
        }
    },
    "SerialConsole": "serial0,115200",
    "KernelPackage": "example.com/kernel",
    "FirmwarePackage": "",
    "KernelExtraArgs": ["quiet"],
    "BootloaderExtraLines": ["gpu_mem=16"]
}`

func parse(text string) (*instance.Config, []string, error) {
	c, err := instance.Parse("config.json", []byte(text))
	if err != nil {
		return nil, nil, err
	}
	warnings, err := c.Check()
	return c, warnings, err
}

func TestParse(t *testing.T) {
	c, warnings, err := parse(full)
	if err != nil || len(warnings) > 0 {
		t.Fatal(err, warnings)
	}
	for got, want := range map[string]string{
		c.Kernel():                               "example.com/kernel",
		c.Firmware():                             "",
		c.Basename("example.com/tool/v2"):        "tool",
		c.Basename(c.Packages[1]):                "rsync",
		c.PackageConfig[c.Packages[1]].Basename:  "rsync",
		strings.Join(c.BootloaderExtraLines, ""): "gpu_mem=16",
	} {
		if got != want {
			t.Errorf("got %q; want %q", got, want)
		}
	}
	if c, _, err := parse(`{"Hostname": "a", "Packages": []}`); err != nil || c.Kernel() != instance.DefaultKernel || c.Firmware() != instance.DefaultFirmware {
		t.Errorf("defaults: %v", err)
	}
}

func TestErrorsNameTheField(t *testing.T) {
	with := func(member string) string {
		return `{"Hostname": "a", "Packages": ["example.com/tool"], ` + member + `}`
	}
	for _, tt := range []struct{ text, want string }{
		{`{"Packages": []}`, `config.json: Hostname: "", want`},
		{`{"Hostname": "No Spaces"}`, `config.json: Hostname: "No Spaces", want`},
		{"{\n\t\"Hostname\": \"a\",\n\t\"Package\": []\n}", "config.json:3:2: Package: no such field, want one of BootloaderExtraEEPROM, "},
		{"{\n\t\"Hostname\": \"a\",\n\t\"Packages\": \"b\"\n}", "config.json:3:17: Packages: a JSON string, want a list"},
		{"{\n\t\"Hostname\": \"a\",,\n}", "config.json:2:18: invalid character"},
		{with(`"PackageConfig": {"example.com/tool": {"Flags": []}}`), `PackageConfig["example.com/tool"].Flags: no such field`},
		{with(`"PackageConfig": {"example.com/other": {}}`), `PackageConfig["example.com/other"]: is not one of Packages`},
		{with(`"PackageConfig": {"example.com/tool": {"Environment": ["A"]}}`), `PackageConfig["example.com/tool"].Environment: "A", want KEY=value`},
		{with(`"PackageConfig": {"example.com/tool": {"ExtraFilePaths": {"etc/x": "x"}}}`), `file "etc/x" in the image, want a clean absolute path`},
		{with(`"PackageConfig": {"example.com/tool": {"Basename": "Tool"}}`), `Packages[0]: program name "Tool"`},
		{with(`"Environment": ["=x"]`), `Environment: "=x", want KEY=value`},
		{with(`"MountDevices": [{"Source": "/dev/sda1"}]`), "MountDevices: not supported"},
		{with(`"BootloaderExtraEEPROM": ["x"]`), "BootloaderExtraEEPROM: not supported"},
		{with(`"DeviceType": "odroidhc1"`), "DeviceType:"},
		{`{"Hostname": "a", "Packages": ["example.com/a/tool", "example.com/b/tool"]}`, "Packages[1]: the program is called tool, like example.com/a/tool's"},
		{`{"Hostname": "a", "Packages": ["example.com/tool@v1.2.3"]}`, "want an import path without a version"},
	} {
		_, _, err := parse(tt.text)
		if _, ok := errors.AsType[*strictjson.Error](err); !ok || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s\ngot  %v\nwant %s", tt.text, err, tt.want)
		}
	}
}

func TestWarnings(t *testing.T) {
	_, warnings, err := parse(`{
		"Hostname": "a", "Packages": ["example.com/tool"],
		"PackageConfig": {"example.com/tool": {"WaitForClock": true}},
		"GokrazyPackages": ["github.com/gokrazy/gokrazy/cmd/ntp"],
		"EEPROMPackage": "github.com/gokrazy/rpi-eeprom",
		"Update": {"HTTPPassword": "secret"},
		"InternalCompatibilityFlags": {"Sudo": "always"}
	}`)
	if err != nil {
		t.Fatal(err)
	}
	all := strings.Join(warnings, "\n")
	for _, field := range []string{"WaitForClock", "GokrazyPackages", "EEPROMPackage", "Update", "InternalCompatibilityFlags"} {
		if !strings.Contains(all, field) {
			t.Errorf("no warning about %s in\n%s", field, all)
		}
	}
	if strings.Contains(all, "secret") {
		t.Error("a warning repeats a password")
	}
	if _, warnings, err := parse(`{"Hostname": "a", "Packages": [], "GokrazyPackages": [], "EEPROMPackage": "", "Update": {}}`); err != nil || len(warnings) > 0 {
		t.Errorf("empty fields: %v, %v", warnings, err)
	}
}

func FuzzParse(f *testing.F) {
	f.Add(full)
	f.Fuzz(func(t *testing.T, text string) {
		if _, _, err := parse(text); err != nil {
			if _, ok := errors.AsType[*strictjson.Error](err); !ok {
				t.Errorf("%T does not say where: %v", err, err)
			}
		}
	})
}
