package board

// Image is how a board's image is made. Command line and settings are the board's own; an instance's config.json adds
// to them (KernelExtraArgs, BootloaderExtraLines).
type Image struct {
	Cmdline       []string // the kernel's arguments, but for its consoles
	Console       []string // console= arguments; the last one is what PID 1 writes to
	SerialConsole string   // the console= value that joins them when an instance asks for a serial console without naming one
	Config        []string // lines of config.txt; empty: the board has no Raspberry Pi firmware
	SerialConfig  []string // lines that join them when there is a serial console
	GzipKernel    bool     // what starts the kernel can decompress it, and reading less from a card is faster

	Kernel    string   // a package of Debian's that has the kernel; empty: the instance's KernelPackage
	BootFiles []string // what the firmware reads from the boot partition, as patterns in the firmware package
	SlotFiles []string // what it reads from a slot, as patterns in the firmware package
	WiFi      bool     // the Raspberry Pi's WiFi chips want firmware from the root
	Trees     bool     // device trees of the board's models and the overlays come from the kernel package
}

// DeviceTrees returns the file names of the device trees of all models, sorted as in the table and without duplicates.
func (b Board) DeviceTrees() (names []string) {
	seen := map[string]bool{}
	for _, m := range b.Models {
		for _, name := range m.DeviceTree {
			if !seen[name] {
				seen[name] = true
				names = append(names, name)
			}
		}
	}
	return names
}
