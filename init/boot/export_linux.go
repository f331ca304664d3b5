package boot

import (
	"archive/tar"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// Export writes what can still be read of a /data that cannot be mounted for writing, as a tar archive. It mounts the
// file system at dir, read-only and without replaying its journal, for as long as it takes: nothing on the card changes.
// What cannot be read is listed in the archive's last file.
func (d Data) Export(ctx context.Context, dir string, w io.Writer) (err error) {
	m := Mount{Source: d.Device(), Target: dir, FSType: "ext4", Flags: dataFlags | unix.MS_RDONLY, Data: "noload"}
	if err := m.mount(); err != nil {
		return fmt.Errorf("/data cannot be read at all: %w", err)
	}
	defer func() { err = errors.Join(err, unmount(dir)) }()
	return exportTree(ctx, os.DirFS(dir), w)
}

// unreadableName is the archive's list of what is missing from it.
const unreadableName = "UNREADABLE.txt"

func exportTree(ctx context.Context, tree fs.FS, w io.Writer) error {
	out := tar.NewWriter(w)
	var missing strings.Builder
	err := fs.WalkDir(tree, ".", func(name string, e fs.DirEntry, err error) error {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err == nil {
			err = exportFile(out, tree, name, e)
		}
		if errors.As(err, new(writeError)) {
			return err
		}
		if err != nil {
			fmt.Fprintf(&missing, "%s: %v\n", name, err)
			if e != nil && e.IsDir() {
				return fs.SkipDir
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	if missing.Len() > 0 {
		text := missing.String()
		if err := out.WriteHeader(&tar.Header{Name: unreadableName, Mode: 0o600, Size: int64(len(text))}); err != nil {
			return err
		}
		if _, err := io.WriteString(out, text); err != nil {
			return err
		}
	}
	return out.Close()
}

// writeError is an error of the archive's reader, rather than of the card.
type writeError struct{ error }

// exportFile adds a directory or a regular file. The rest of a file that ends early, or cannot be read to its end, is
// filled with zeros, because the archive has promised its length.
func exportFile(out *tar.Writer, tree fs.FS, name string, e fs.DirEntry) error {
	info, err := e.Info()
	if err != nil {
		return err
	}
	if name == "." || (!info.IsDir() && !info.Mode().IsRegular()) {
		return nil
	}
	h := &tar.Header{Name: filepath.ToSlash(name), Mode: int64(info.Mode().Perm()), ModTime: info.ModTime()}
	if info.IsDir() {
		h.Name, h.Typeflag = h.Name+"/", tar.TypeDir
		return wrapWrite(out.WriteHeader(h))
	}
	f, err := tree.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	h.Size = info.Size()
	if err := out.WriteHeader(h); err != nil {
		return writeError{err}
	}
	r := &remembering{r: f}
	n, err := io.CopyN(out, r, h.Size)
	if n < h.Size {
		if r.err == nil {
			return wrapWrite(err)
		}
		if _, err := io.CopyN(out, zeros{}, h.Size-n); err != nil {
			return writeError{err}
		}
		return fmt.Errorf("from byte %d on: %w", n, r.err)
	}
	return nil
}

func wrapWrite(err error) error {
	if err != nil {
		return writeError{err}
	}
	return nil
}

// remembering tells a reader's error from its writer's.
type remembering struct {
	r   io.Reader
	err error
}

func (r *remembering) Read(p []byte) (int, error) {
	n, err := r.r.Read(p)
	r.err = err
	return n, err
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}
