//go:build linux

// Command init is PID 1 of the dongle, in both of its phases, and two small helpers that must be its equals in trust.
//
//   - In the initramfs it is stage 1: it verifies the slot that the firmware chose, mounts its root and executes itself there.
//   - In the root it is the supervisor: it prepares /data, starts the services of services.json and answers init.sock.
//   - As "init exec" it is the shim that puts a service into its sandbox ([manofwar/init/sandbox]).
//   - As /sbin/modprobe it loads a module that the kernel asks for.
//
// After boot it is the only process that is root. It links nothing of networks but Unix sockets, and nothing of media.
package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"manofwar/init/boot"
	"manofwar/init/sandbox"
)

// phase2Arg is how stage 1 says to the next program that it has done its part.
const phase2Arg = "phase2"

func main() {
	var err error
	switch mode := argument(); {
	case filepath.Base(os.Args[0]) == "modprobe":
		err = modprobe(os.Args[1:])
	case mode == "exec":
		err = sandbox.Exec()
	case os.Getpid() != 1:
		err = errors.New("init is PID 1 of the dongle: the kernel starts it")
	case mode == phase2Arg:
		phase2()
	default:
		stage1()
	}
	if err != nil {
		if !errors.Is(err, errNoModule) {
			fmt.Fprintln(os.Stderr, err)
		}
		os.Exit(1)
	}
}

func argument() string {
	if len(os.Args) < 2 {
		return ""
	}
	return os.Args[1]
}

// errNoModule ends modprobe without a word.
var errNoModule = errors.New("no such module")

// modprobe is what the kernel calls as "/sbin/modprobe -q -- name". A module that does not exist is an error for the
// exit code, but nothing to print: the kernel asks for many that there never were.
func modprobe(args []string) error {
	modules, err := boot.OpenModules("/")
	if err != nil {
		return err
	}
	for _, name := range args {
		if name == "" || name[0] == '-' {
			continue
		}
		if err := modules.Load(name); errors.Is(err, fs.ErrNotExist) {
			return errNoModule
		} else if err != nil {
			return err
		}
	}
	return nil
}
