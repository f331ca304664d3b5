// Package atomicfile replaces files so that a power cut leaves either the old content or the new one, never a mixture.
//
// It writes a temporary file beside the target, syncs it, renames it over the target and syncs the directory. On FAT a
// rename is not safe against power cuts: the boot partition is written by other means.
package atomicfile

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
)

// Write replaces the file name with data. Its directory must exist.
func Write(name string, data []byte, perm fs.FileMode) (err error) {
	dir := filepath.Dir(name)
	f, err := os.CreateTemp(dir, "."+filepath.Base(name)+".*")
	if err != nil {
		return fmt.Errorf("replace %s: %w", name, err)
	}
	defer func() {
		if err != nil {
			_ = f.Close() // already closed on the later paths
			_ = os.Remove(f.Name())
			err = fmt.Errorf("replace %s: %w", name, err)
		}
	}()
	if _, err = f.Write(data); err != nil {
		return err
	}
	if err = f.Chmod(perm); err != nil && runtime.GOOS != "windows" {
		return err
	}
	if err = f.Sync(); err != nil {
		return err
	}
	if err = f.Close(); err != nil {
		return err
	}
	if err = os.Rename(f.Name(), name); err != nil {
		return err
	}
	return syncDir(dir)
}

// WriteJSON replaces the file name with v as indented JSON.
func WriteJSON(name string, v any, perm fs.FileMode) error {
	data, err := json.MarshalIndent(v, "", "\t")
	if err != nil {
		return fmt.Errorf("replace %s: %w", name, err)
	}
	return Write(name, append(data, '\n'), perm)
}

// ReadJSON reads what [WriteJSON] wrote into v. The error wraps [fs.ErrNotExist] where there is no such file.
func ReadJSON(name string, v any) error {
	data, err := os.ReadFile(name)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(data, v); err != nil {
		return fmt.Errorf("read %s: %w", name, err)
	}
	return nil
}

// syncDir makes the rename itself durable. Windows has no such call, and needs none: NTFS journals its directories.
func syncDir(dir string) error {
	if runtime.GOOS == "windows" {
		return nil
	}
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
