package index

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"go.etcd.io/bbolt"
	bbolterrors "go.etcd.io/bbolt/errors"
)

// store is the file. It is open only while it is read or written: bbolt maps all of it into memory.
type store struct {
	path string
	log  *slog.Logger

	mu         sync.Mutex // guards db and generation, and is held while the file is used
	db         *bbolt.DB
	generation uint64 // of the file that has all but what is pending; 0: none has
	dirtyRoots bool   // guarded by Index.mu
	trouble    atomic.Pointer[string]
}

// The file's buckets: roots by ID as JSON, items by root and path as records.
var (
	rootsBucket = []byte("roots")
	itemsBucket = []byte("items")
)

// lockWait is how long to wait for another process that has the file, such as a predecessor that is about to end.
const lockWait = 2 * time.Second

// maxOpenings is how often a process may die while it reads the file before the file is blamed.
const maxOpenings = 2

// beginLoad leaves a mark that [store.endLoad] takes away, a byte for each time. Marks that are found were left by
// processes that died in between: a database can be damaged in ways that no error tells of, such as a page that leads
// to itself.
func (s *store) beginLoad() error {
	f, err := os.OpenFile(s.path+".opening", os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil // opening the file itself says why
	}
	defer f.Close()
	if info, err := f.Stat(); err == nil && info.Size() >= maxOpenings {
		return fmt.Errorf("%w: reading it did not end the last times", errDamaged)
	}
	_, _ = f.Write([]byte{1}) // on a full card there is no mark
	return nil
}

func (s *store) endLoad() {
	_ = os.Remove(s.path + ".opening") // where it cannot be removed it was not made
}

// errDamaged marks a file that cannot be read as a database.
var errDamaged = errors.New("the index is damaged")

func (s *store) open() error {
	return s.guard(func() error {
		db, err := bbolt.Open(s.path, 0o600, &bbolt.Options{Timeout: lockWait, FreelistType: bbolt.FreelistMapType})
		if err != nil {
			return openError(err)
		}
		if err := checkSize(db, s.path); err != nil {
			return errors.Join(err, db.Close())
		}
		if err := prepare(db); err != nil {
			return errors.Join(err, db.Close())
		}
		s.db = db
		return nil
	})
}

// prepare makes the buckets of a new file, and gives it its generation.
func prepare(db *bbolt.DB) error {
	if db.View(func(tx *bbolt.Tx) error { return complete(tx) }) == nil {
		return nil
	}
	return db.Update(func(tx *bbolt.Tx) error {
		if _, err := tx.CreateBucketIfNotExists(rootsBucket); err != nil {
			return err
		}
		items, err := tx.CreateBucketIfNotExists(itemsBucket)
		if err != nil {
			return err
		}
		return items.SetSequence(rand.Uint64() | 1)
	})
}

// complete reports, by an error, a file that lacks a bucket or a generation.
func complete(tx *bbolt.Tx) error {
	if tx.Bucket(rootsBucket) == nil || tx.Bucket(itemsBucket) == nil || tx.Bucket(itemsBucket).Sequence() == 0 {
		return bbolterrors.ErrBucketNotFound
	}
	return nil
}

// close closes the file, if it is open.
func (s *store) close() error {
	db := s.db
	if db == nil {
		return nil
	}
	s.db = nil
	return s.guard(db.Close)
}

// openError tells a file that is no database from one that cannot be had.
func openError(err error) error {
	var path *fs.PathError
	var number syscall.Errno
	if errors.As(err, &path) || errors.As(err, &number) || errors.Is(err, bbolterrors.ErrTimeout) {
		return err
	}
	return fmt.Errorf("%w: %w", errDamaged, err)
}

// checkSize compares the file's size with what its header says: reading a page behind its end would be a bus error.
func checkSize(db *bbolt.DB, path string) error {
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	return db.View(func(tx *bbolt.Tx) error {
		if tx.Size() > info.Size() {
			return fmt.Errorf("%w: it has been cut off", errDamaged)
		}
		return nil
	})
}

// guard calls f. bbolt reads its file as memory and trusts it: what a damaged file or disk makes of that, panics and
// bus errors, comes back as errDamaged.
func (s *store) guard(f func() error) (err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("%w: %v", errDamaged, p)
		}
	}()
	return f()
}

// setAside closes the database and renames its file, so that a person can look at it. A database that is damaged may
// refuse to be closed: then only its name goes.
func (s *store) setAside() {
	_ = s.close() // it has been found damaged: no more is to be learned
	if err := os.Rename(s.path, s.path+".damaged"); err != nil && !errors.Is(err, fs.ErrNotExist) {
		s.log.Warn("damaged index stays", "err", err)
	}
}

// tell notes what keeps the index from being saved; nil: nothing does.
func (s *store) tell(err error) {
	if err == nil {
		s.trouble.Store(nil)
		return
	}
	text := "The library index cannot be saved, so after a restart the library is scanned again: "
	switch {
	case errors.Is(err, syscall.ENOSPC):
		text += "there is no space left for it in " + filepath.Dir(s.path) + ". Remove something there."
	case errors.Is(err, syscall.EROFS):
		text += filepath.Dir(s.path) + " is read-only. Its disk or card may be failing: copy it and replace it."
	case errors.Is(err, fs.ErrNotExist):
		text += "its folder " + filepath.Dir(s.path) + " is missing."
	case errors.Is(err, fs.ErrPermission):
		text += "its folder " + filepath.Dir(s.path) + " may not be written."
	case errors.Is(err, bbolterrors.ErrTimeout):
		text += "another manofwar is using it. Stop that one first."
	default:
		text += err.Error()
	}
	s.trouble.Store(&text)
}
