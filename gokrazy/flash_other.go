//go:build !linux

package gokrazy

import (
	"errors"
	"io/fs"
	"os"
	"runtime"
)

const exclusive = 0

func (t *targetFile) flushSome() error { return nil }

func (t *targetFile) dropCache() error { return nil }

func (t *targetFile) done() error { return nil }

// inspectTarget accepts plain files only: here, other programs write disks.
func inspectTarget(name string) (Target, error) {
	info, err := os.Stat(name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return Target{}, &TargetError{Path: name, Err: errors.New("there is no such file")}
	case err != nil:
		return Target{}, &TargetError{Path: name, Err: err}
	case !info.Mode().IsRegular():
		return Target{}, &TargetError{
			Path: name, Err: errors.New("manofwar does not write disks on " + runtime.GOOS),
			Hint: "Write the .img to the card with Raspberry Pi Imager (\"Use custom\") or balenaEtcher. For a dongle without a screen, put a setup.json on its boot partition.",
		}
	}
	return Target{Path: name, Size: info.Size(), File: true}, nil
}
