package index

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
	"unique"

	"go.etcd.io/bbolt"
	bbolterrors "go.etcd.io/bbolt/errors"

	"manofwar/internal/media"
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

// Open reads the index out of dir. It always succeeds: an index that cannot be read starts empty, and one that cannot
// be written lives in memory; see [Index.Trouble].
func Open(dir string, log *slog.Logger) *Index {
	x := &Index{
		roots: map[media.ID]*root{}, byID: map[uint64]*entry{}, byPath: map[uint64]*entry{}, pending: map[string]*entry{},
		store: &store{path: filepath.Join(dir, "index.db"), log: log},
	}
	x.store.mu.Lock()
	defer x.store.mu.Unlock()
	x.open()
	x.Refresh()
	return x
}

// open loads the file. A damaged one is set aside; what could be read of it begins another. The caller holds store.mu.
func (x *Index) open() {
	s := x.store
	err := s.beginLoad()
	if err == nil {
		err = s.open()
	}
	if err == nil {
		err = s.guard(x.load)
	}
	s.endLoad()
	if errors.Is(err, errDamaged) {
		s.log.Warn("index damaged, scanning again", "path", s.path, "err", err)
		s.setAside()
		s.generation = 0
		err = s.open()
		x.markAll()
	}
	s.tell(errors.Join(err, s.close()))
}

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
		text += "the memory card is full. Remove something from it."
	case errors.Is(err, syscall.EROFS):
		text += "the memory card is read-only. It may be failing: copy it and replace it."
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

// Trouble says what keeps the index from being saved, in words for a person; empty: nothing does.
func (x *Index) Trouble() string {
	if t := x.store.trouble.Load(); t != nil {
		return *t
	}
	return ""
}

// load reads the whole file into memory. Where parts of it are damaged, the rest is loaded before the error comes.
func (x *Index) load() error {
	x.mu.Lock()
	defer x.mu.Unlock()
	var damage error
	err := x.store.db.View(func(tx *bbolt.Tx) error {
		x.store.generation = tx.Bucket(itemsBucket).Sequence()
		for _, bucket := range []struct {
			name []byte
			load func(key string, value []byte) error
		}{{rootsBucket, x.loadRoot}, {itemsBucket, x.loadItem}} {
			err := tx.Bucket(bucket.name).ForEach(func(k, sealed []byte) error {
				value, err := unseal(string(k), sealed)
				if err == nil {
					err = bucket.load(string(k), value)
				}
				if err != nil {
					damage = fmt.Errorf("%w: %q: %w", errDamaged, k, err)
				}
				return nil
			})
			if err != nil {
				return err
			}
		}
		return nil
	})
	return errors.Join(err, damage)
}

func (x *Index) loadRoot(_ string, value []byte) error {
	r := &root{items: new(atomic.Int64)}
	if err := json.Unmarshal(value, &r.Root); err != nil {
		return err
	}
	r.Away = true // until it is found
	x.roots[r.ID] = r
	return nil
}

// loadItem adds one item. Those of another version, or of a library that is not known, are left to the scan.
func (x *Index) loadItem(key string, record []byte) error {
	rootID, path, _ := strings.Cut(key, "\x00")
	r := x.roots[media.ID(rootID)]
	if r == nil {
		return nil
	}
	slash := strings.LastIndexByte(path, '/') + 1
	e := &entry{root: r.ID, dir: unique.Make(path[:slash]), name: strings.Clone(path[slash:])}
	if err := decodeRecord(record, e); err != nil {
		if errors.Is(err, errVersion) {
			return nil
		}
		return err
	}
	if x.byID[e.id] != nil {
		return errRecord
	}
	x.byID[e.id] = e
	x.byPath[pathID(e.root, path)] = e
	r.items.Add(1)
	x.revision++
	return nil
}

// Pending returns how many changes are not in the file yet.
func (x *Index) Pending() int {
	x.mu.RLock()
	defer x.mu.RUnlock()
	return len(x.pending)
}

// flushBatch is how many changes go into one transaction, so that its memory is bounded.
const flushBatch = 2000

// Flush writes the changes to the file. Where that fails they stay pending, [Index.Trouble] tells why, and the next call tries again.
func (x *Index) Flush() {
	s := x.store
	s.mu.Lock()
	defer s.mu.Unlock()
	err := s.open()
	if err == nil {
		err = s.guard(x.adopt)
	}
	for more := true; more && err == nil; {
		more, err = x.flushSome()
	}
	if errors.Is(err, errDamaged) {
		s.log.Warn("index damaged, writing it anew", "path", s.path, "err", err)
		s.setAside()
	}
	s.tell(errors.Join(err, s.close()))
}

// adopt makes everything pending if the file is not the one that was read or written last: it was set aside, or removed.
func (x *Index) adopt() error {
	s := x.store
	return s.db.View(func(tx *bbolt.Tx) error {
		if g := tx.Bucket(itemsBucket).Sequence(); g != s.generation {
			x.markAll()
			s.generation = g
		}
		return nil
	})
}

// markAll makes everything pending, for a file that is new.
func (x *Index) markAll() {
	x.mu.Lock()
	defer x.mu.Unlock()
	for _, e := range x.byPath {
		x.pending[e.key()] = e
	}
	x.store.dirtyRoots = true
}

// flushSome writes one batch, and reports whether there is more. The caller holds store.mu.
func (x *Index) flushSome() (more bool, err error) {
	batch, roots := x.takePending()
	if len(batch) == 0 && roots == nil {
		return false, nil
	}
	err = x.store.guard(func() error {
		return x.store.db.Update(func(tx *bbolt.Tx) error { return write(tx, batch, roots) })
	})
	if err != nil {
		x.putBack(batch)
	}
	return err == nil && len(batch) == flushBatch, err
}

func write(tx *bbolt.Tx, batch map[string]*entry, roots []media.Root) error {
	for _, r := range roots {
		data, err := json.Marshal(r)
		if err == nil {
			err = tx.Bucket(rootsBucket).Put([]byte(r.ID), seal(string(r.ID), data))
		}
		if err != nil {
			return err
		}
	}
	items := tx.Bucket(itemsBucket)
	for key, e := range batch {
		var err error
		if e == nil {
			err = items.Delete([]byte(key))
		} else {
			err = items.Put([]byte(key), seal(key, encodeRecord(e)))
		}
		if err != nil {
			return fmt.Errorf("write %q: %w", key, err)
		}
	}
	return nil
}

// takePending takes a batch of changes, and the roots if they have changed.
func (x *Index) takePending() (batch map[string]*entry, roots []media.Root) {
	x.mu.Lock()
	defer x.mu.Unlock()
	batch = x.pending
	if len(batch) > flushBatch {
		batch = make(map[string]*entry, flushBatch)
		for k, e := range x.pending {
			if batch[k] = e; len(batch) == flushBatch {
				break
			}
		}
		for k := range batch {
			delete(x.pending, k)
		}
	} else {
		x.pending = map[string]*entry{}
	}
	if x.store.dirtyRoots {
		roots = make([]media.Root, 0, len(x.roots))
		for _, r := range x.roots {
			roots = append(roots, r.Root)
		}
		x.store.dirtyRoots = false
	}
	return batch, roots
}

// putBack makes a batch that was not written pending again, but for what has changed since.
func (x *Index) putBack(batch map[string]*entry) {
	x.mu.Lock()
	defer x.mu.Unlock()
	for k, e := range batch {
		if _, newer := x.pending[k]; !newer {
			x.pending[k] = e
		}
	}
	x.store.dirtyRoots = true
}

// Close writes what is pending. Where that fails the scan after the next start finds it again.
func (x *Index) Close() { x.Flush() }
