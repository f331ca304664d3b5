package stream

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"strings"
	"syscall"
	"time"

	"manofwar/internal/container"
	"manofwar/internal/media"
	catalog "manofwar/services/catalog/api"
)

// source is an item's file, open for the length of one request: a file offset that two requests share would be a race,
// and an open file would keep a disk from being ejected.
type source struct {
	catalog.File
	f        *os.File
	size     int64
	modified time.Time
}

// openSource opens an item's file. Its errors wrap the sentinels of internal/media.
func openSource(file catalog.File) (*source, error) {
	s := &source{File: file}
	var err error
	if s.f, err = os.Open(file.Path); err != nil {
		return nil, s.explain(err)
	}
	info, err := s.f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = fmt.Errorf("it is not a file: %w", media.ErrNotFound)
	}
	if err != nil {
		s.close()
		return nil, s.explain(err)
	}
	s.size, s.modified = info.Size(), info.ModTime()
	return s, nil
}

func (s *source) close() { _ = s.f.Close() } // it was only read

// key names this version of the file.
func (s *source) key() key { return key{s.Path, s.size, s.modified.UnixNano()} }

// key is a version of a file.
type key struct {
	path     string
	size     int64
	modified int64
}

// generation changes whenever the same file would be delivered in other bytes than before.
const generation = "1"

// version is a short name for the file's version, for ETags and names.
func (k key) version() string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%s\x00%s\x00%d\x00%d", generation, k.path, k.size, k.modified))
	return hex.EncodeToString(sum[:8])
}

// explain turns an error into one for a person, who knows the file by its path in the library.
func (s *source) explain(err error) error {
	if e, ok := errors.AsType[*media.Error](err); ok {
		if e.Path == "" {
			e.Path = s.Item.Path
		}
		return err
	}
	if pe, ok := errors.AsType[*fs.PathError](err); ok {
		err = pe.Err
	}
	e := &media.Error{Op: "play", Path: s.Item.Path, Err: err}
	switch {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.ENOTDIR):
		e.Err, e.Hint = fmt.Errorf("%w: %w", media.ErrNotFound, err), "It was moved or deleted. The library will notice by itself."
	case errors.Is(err, syscall.EIO), errors.Is(err, syscall.ENXIO), errors.Is(err, syscall.ENODEV):
		e.Err, e.Hint = fmt.Errorf("%w: %w", media.ErrAway, err), "Plug the disk in again."
	case errors.Is(err, fs.ErrPermission):
		e.Err, e.Hint = fmt.Errorf("%w: %w", media.ErrDenied, err), "Make the file readable for manofwar."
	case errors.Is(err, container.ErrFormat):
		kind := strings.ToUpper(strings.TrimPrefix(path.Ext(s.Item.Path), "."))
		e.Err = fmt.Errorf("%w: it is a file of type %s, and films are streamed from MP4, MOV, MKV and WebM", media.ErrUnsupported, kind)
		e.Hint = "It can be downloaded and played with another program."
	case errors.Is(err, media.ErrCorrupt):
		e.Hint = "If it is still being copied, try again when that is done; otherwise copy it again from where it came from."
	}
	return e
}
