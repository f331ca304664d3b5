package index

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"sync/atomic"
	"unique"

	"go.etcd.io/bbolt"

	"manofwar/internal/media"
)

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

// Pending reports whether there are changes that are not in the file yet.
func (x *Index) Pending() bool {
	x.mu.RLock()
	defer x.mu.RUnlock()
	return len(x.pending) > 0 || x.store.dirtyRoots
}

// flushBatch is how many changes go into one transaction, so that its memory is bounded.
const flushBatch = 2000

// Flush writes the changes to the file. Where that fails they stay pending, [Index.Trouble] tells why, and the next call tries again.
func (x *Index) Flush() {
	s := x.store
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.generation != 0 && s.trouble.Load() == nil && !x.Pending() {
		return
	}
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
		roots = x.keptRoots()
		x.store.dirtyRoots = false
	}
	return batch, roots
}

// keptRoots returns what the file keeps of the roots: not whether they are there, which every start finds out.
func (x *Index) keptRoots() []media.Root {
	roots := make([]media.Root, 0, len(x.roots))
	for _, r := range x.roots {
		roots = append(roots, media.Root{ID: r.ID, Name: r.Name, Path: r.Path, Disk: r.Disk})
	}
	return roots
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
