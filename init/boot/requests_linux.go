package boot

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"

	"manofwar/internal/setup"
)

// FactoryResetName is the empty file by which a person asks for a factory reset, from whatever computer reads FAT.
const FactoryResetName = "factory-reset"

// Requests are what a person put on the boot partition from a laptop.
type Requests struct {
	Setup        []byte // setup.json as it is; nil: there is none
	FactoryReset bool
}

// ReadRequests looks at the boot partition, mounted at dir for as long as it takes.
func ReadRequests(dev, dir string) (r Requests, err error) {
	err = withBootPartition(dev, dir, unix.MS_RDONLY, func() (err error) {
		r, err = readRequests(dir)
		return err
	})
	return r, err
}

func readRequests(dir string) (r Requests, err error) {
	if _, err := os.Lstat(filepath.Join(dir, FactoryResetName)); err == nil {
		r.FactoryReset = true
	} else if !errors.Is(err, fs.ErrNotExist) {
		return r, err
	}
	f, err := os.Open(filepath.Join(dir, setup.Name))
	if errors.Is(err, fs.ErrNotExist) {
		return r, nil
	}
	if err != nil {
		return r, err
	}
	defer f.Close()
	r.Setup, err = io.ReadAll(io.LimitReader(f, setup.MaxSize+1)) // one more than setup.Parse takes
	return r, err
}

// RemoveRequest deletes a file of the boot partition, once what it asked for is done and on the card. A power cut leaves
// the file or, at worst, clusters that belong to none: autoboot.txt is not touched.
func RemoveRequest(dev, dir, name string) error {
	return withBootPartition(dev, dir, 0, func() error { return os.Remove(filepath.Join(dir, name)) })
}
