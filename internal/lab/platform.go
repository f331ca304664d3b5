package lab

import (
	"fmt"
	"strconv"
)

// DefaultBoard is the board whose image a [Machine] boots where nobody says otherwise.
const DefaultBoard = "qemu"

// platform is how QEMU plays a board.
type platform struct {
	qemu    string // the emulator's program
	machine string
	cpu     string
	tree    bool     // the firmware says in a device tree what it started; else on the command line
	words   []string // for the kernel, to spare an emulated processor
}

// platforms are those of the boards of [manofwar/board/qemu], by their names. The emulators are Debian's qemu-system-arm
// and qemu-system-x86.
//
// The words of qemu-amd64: mitigations=off spares an emulated processor what no emulator is vulnerable to. With cgroup.memory=nokmem
// the kernel does not rewrite its allocator's code when the first memory cgroup is made. QEMU's processors run in parallel, and one may
// translate such code again between QEMU's note that it is about to change and the change; the other then runs into the breakpoint
// that stood there meanwhile for ever. It was one of 30 boots, and the watchdog ended it.
var platforms = map[string]platform{
	"qemu":       {qemu: "qemu-system-aarch64", machine: "virt", cpu: "cortex-a72", tree: true},
	"qemu-amd64": {qemu: "qemu-system-x86_64", machine: "q35", cpu: "max", words: []string{"mitigations=off", "cgroup.memory=nokmem"}},
}

func platformOf(board string) (platform, error) {
	if board == "" {
		board = DefaultBoard
	}
	p, ok := platforms[board]
	if !ok {
		return platform{}, fmt.Errorf("QEMU does not play board %q", board)
	}
	return p, nil
}

// hardware is the part of QEMU's arguments that also shapes the device tree. memory is in MiB.
func (p platform) hardware(memory, processors int) []string {
	return []string{"-cpu", p.cpu, "-smp", strconv.Itoa(processors), "-m", strconv.Itoa(memory)}
}
