package cast

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"manofwar/internal/atomicfile"
	"manofwar/internal/media"
	"manofwar/services/cast/api"
	"manofwar/services/cast/queue"
	"manofwar/services/cast/renderer"
)

// What is kept: sessions.json, small and written often, and beside it the queues, each in a file of its own that is
// written once per revision and named after it. A queue is on the card before sessions.json names it, and the one before
// is removed after that, so that a power cut at any point leaves a whole.
const (
	keptName  = "sessions.json"
	queueName = "queue-"
)

const (
	// saveAfter is how long a change may stay unsaved: more of them make one write.
	saveAfter = time.Second
	// saveEvery is how often the card is written to at the most, so that it does not wear out, and how often the position is
	// kept while something plays: that much is heard again after a power cut.
	saveEvery = 10 * time.Second
	// saveAgain is when to try again after the card has refused.
	saveAgain = 30 * time.Second
)

// kept is what is in sessions.json.
type kept struct {
	Life     string        `json:"life"` // of the device: other after a restart of the whole
	Numbers  uint64        `json:"numbers"`
	Settings api.Settings  `json:"settings"`
	Sessions []keptSession `json:"sessions"`
}

// keptSession is a session without the entries of its queue.
type keptSession struct {
	ID       string         `json:"id"`
	Place    string         `json:"place"`
	Name     string         `json:"name"` // of the place
	Queue    string         `json:"queue"`
	Kept     queue.Kept     `json:"kept"`
	Used     time.Time      `json:"used"`
	With     []string       `json:"with,omitempty"` // the places that follow
	Want     bool           `json:"want,omitempty"`
	Over     bool           `json:"over,omitempty"`
	Parked   bool           `json:"parked,omitempty"`
	Plays    uint64         `json:"plays"`
	Key      string         `json:"key,omitempty"`
	Seek     uint64         `json:"seek,omitempty"`
	Next     string         `json:"next,omitempty"` // the key under which the renderer has what follows
	Entry    string         `json:"entry,omitempty"`
	NextIs   string         `json:"nextIs,omitempty"` // the entry that it is
	Position media.Duration `json:"position"`
	Speed    float64        `json:"speed"`
	Audio    *int           `json:"audio,omitempty"`
	Subtitle *int           `json:"subtitle,omitempty"`
	Sleep    time.Time      `json:"sleep,omitzero"`
	SleepEnd bool           `json:"sleepEnd,omitempty"`
	Volume   *int           `json:"volume,omitempty"` // to go back to from a fade
	Problem  *api.Problem   `json:"problem,omitempty"`

	Links map[media.ID]api.Link `json:"links,omitempty"` // what of the queue is not in the library
}

// store is the directory in which it is kept.
type store struct {
	dir     string
	life    string
	written map[string]bool // the queues that are there
	last    []byte          // what was written last, but for positions
	wrote   time.Time       // when; zero: not yet
	replace func(name string, data []byte, perm fs.FileMode) error
}

func newStore(dir, runDir string) *store {
	return &store{dir: dir, life: life(runDir), written: make(map[string]bool), replace: atomicfile.Write}
}

// life names the time since the device was last started: the kernel's boot ID (random(4)) where there is one, and the
// directory of the sockets, which is made anew with every start on a computer.
func life(runDir string) string {
	boot, _ := os.ReadFile("/proc/sys/kernel/random/boot_id") // another system has none
	return strings.TrimSpace(string(boot)) + " " + runDir
}

// restore makes the sessions that were kept. What cannot be read is left out: a queue is not worth refusing to start for.
func (c *Service) restore() error {
	var k kept
	err := atomicfile.ReadJSON(filepath.Join(c.store.dir, keptName), &k)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		c.log.Warn("sessions not read", "err", err)
	}
	c.settings, c.numbers = k.Settings, k.Numbers
	for _, s := range k.Sessions {
		data, err := os.ReadFile(filepath.Join(c.store.dir, filepath.Base(s.Queue)))
		if err != nil {
			c.log.Warn("queue not read", "err", err)
			continue
		}
		q, err := queue.Read(bytes.NewReader(data), s.Kept, c.chance())
		if err != nil {
			c.log.Warn("queue not read", "file", s.Queue, "err", err)
			continue
		}
		c.store.written[s.Queue] = true
		c.revive(s, q, k.Life == c.store.life)
	}
	return nil
}

func (c *Service) newQueue() *queue.Queue { return queue.New(c.chance()) }

// chance returns a source of it for one queue.
func (c *Service) chance() *rand.Rand {
	return rand.New(rand.NewPCG(c.random.Uint64(), c.random.Uint64()))
}

// revive makes a session again. After a restart of the whole device it waits, paused; else it goes on, and its renderer
// may still be playing it.
func (c *Service) revive(k keptSession, q *queue.Queue, same bool) {
	now := time.Now()
	s := newSession(k.ID, k.Place, q)
	s.used, s.plays, s.speed, s.links = k.Used, k.Plays, k.Speed, k.Links
	s.want, s.over, s.parked = k.Want && same, k.Over, k.Parked || !same
	if e, ok := q.Current(); ok {
		s.begin(e, time.Duration(k.Position), now)
		s.now.audio, s.now.subtitle = k.Audio, k.Subtitle
		if k.Entry == e.Key.String() {
			s.now.key, s.now.seek.Number = k.Key, max(k.Seek, 1)
		}
	}
	if same {
		s.sleep, s.problem = sleep{at: k.Sleep, end: k.SleepEnd}, k.Problem
	}
	if s.follow(now); s.next != nil && s.next.entry.Key.String() == k.NextIs {
		s.next.key, s.next.given = k.Next, k.Next != "" && same
	}
	p := c.place(k.Place)
	p.info.Name, p.session = k.Name, s.id
	if k.Volume != nil && same {
		p.level = renderer.Level{Volume: *k.Volume, Known: true}
	}
	for _, id := range k.With {
		if other := c.place(id); id != s.place && other.session == "" && other.follows == "" {
			other.follows = s.id
			s.with = append(s.with, id)
		}
	}
	c.sessions[s.id] = s
}

// save keeps what has changed, until ctx ends, and then once more.
func (c *Service) save(ctx context.Context, healthy func(error)) {
	tick := time.NewTicker(saveEvery)
	defer tick.Stop()
	for last := false; !last; {
		moved := true
		select {
		case <-ctx.Done():
		case <-tick.C:
			if !c.moving() {
				continue
			}
		case <-c.stale.keep:
			moved = false
			pause(ctx, max(saveAfter, time.Until(c.store.wrote.Add(saveEvery))))
		}
		before := c.store.wrote
		last = ctx.Err() != nil
		err := c.keep(moved || last)
		if c.store.wrote != before {
			tick.Reset(saveEvery)
		}
		if err != nil {
			err = fmt.Errorf("what plays is not remembered: %w", err)
		}
		healthy(err)
		if err != nil && pause(ctx, saveAgain) {
			tell(c.stale.keep)
		}
	}
}

// moving reports whether something plays, and so has another position than was kept.
func (c *Service) moving() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, s := range c.sessions {
		if s.state() == api.Playing {
			return true
		}
	}
	return false
}

// keep writes everything as it is now, unless nothing is other than it was written but positions, and these have not moved
// far enough to matter.
func (c *Service) keep(moved bool) error {
	k, queues, err := c.record()
	if err != nil {
		return err
	}
	is := k.still()
	if !moved && bytes.Equal(is, c.store.last) {
		return nil
	}
	c.store.last = nil
	if err := c.store.write(k, queues); err != nil {
		return err
	}
	c.store.last = is
	return nil
}

// still is k without positions.
func (k kept) still() []byte {
	k.Sessions = slices.Clone(k.Sessions)
	for i, s := range k.Sessions {
		if s.Want {
			k.Sessions[i].Position = 0
		}
	}
	slices.SortFunc(k.Sessions, func(a, b keptSession) int { return strings.Compare(a.ID, b.ID) })
	return encode(k)
}

// record returns what is to be kept, with the queues that have not been written.
func (c *Service) record() (k kept, queues map[string][]byte, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := time.Now()
	k = kept{Life: c.store.life, Numbers: c.numbers, Settings: c.settings, Sessions: []keptSession{}}
	queues = make(map[string][]byte)
	for _, s := range c.sessions {
		r := s.record(c.place(s.place), now)
		if !c.store.written[r.Queue] {
			var b bytes.Buffer
			if err := s.queue.Write(&b); err != nil {
				return k, nil, err
			}
			queues[r.Queue] = b.Bytes()
		}
		k.Sessions = append(k.Sessions, r)
	}
	return k, queues, nil
}

// record returns what is kept of the session. It is written down when nobody holds the lock any more, so it shares nothing
// that will change.
func (s *session) record(p *place, now time.Time) keptSession {
	k := keptSession{
		ID: s.id, Place: s.place, With: slices.Clone(s.with), Name: p.info.Name, Queue: fmt.Sprintf("%s%s-%d", queueName, s.id, s.queue.Revision()),
		Kept: queue.Kept{Index: s.queue.Index(), Repeat: s.queue.Repeat(), Revision: s.queue.Revision()},
		Used: s.used, Want: s.want, Over: s.over, Parked: s.parked, Plays: s.plays,
		Key: s.now.key, Seek: s.now.seek.Number, Entry: s.now.entry.Key.String(), Position: media.Duration(s.position(now)),
		Speed: s.speed, Audio: s.now.audio, Subtitle: s.now.subtitle, Sleep: s.sleep.at, SleepEnd: s.sleep.end, Problem: s.problem,
		Links: s.links,
	}
	if s.next != nil {
		k.Next, k.NextIs = s.next.key, s.next.entry.Key.String()
	}
	if s.sleep.fade(now) < 1 {
		volume := p.level.Volume
		k.Volume = &volume
	}
	return k
}

// write keeps it, and removes the queues that are no longer named. It is called by one goroutine.
func (st *store) write(k kept, queues map[string][]byte) error {
	st.wrote = time.Now()
	for name, data := range queues {
		if err := st.replace(filepath.Join(st.dir, name), data, 0o600); err != nil {
			return err
		}
		st.written[name] = true
	}
	data, err := json.MarshalIndent(k, "", "\t")
	if err != nil {
		return err
	}
	if err := st.replace(filepath.Join(st.dir, keptName), data, 0o600); err != nil {
		return err
	}
	named := make(map[string]bool)
	for _, s := range k.Sessions {
		named[s.Queue] = true
	}
	files, err := os.ReadDir(st.dir)
	if err != nil {
		return fmt.Errorf("clear up: %w", err)
	}
	for _, f := range files {
		name := f.Name()
		if strings.HasPrefix(strings.TrimPrefix(name, "."), queueName) && !named[name] {
			err = errors.Join(err, os.Remove(filepath.Join(st.dir, name)))
			delete(st.written, name)
		}
	}
	return err
}
