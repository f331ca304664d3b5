package profiles

import (
	"context"
	"errors"
	"io/fs"
	"slices"
	"time"

	"manofwar/internal/atomicfile"
	"manofwar/netmgr"
)

const learnedName = "learned.json"

// maxChannels is how many channels of one network are remembered, the last heard first.
const maxChannels = 8

// learned is what experience says of one network.
type learned struct {
	Channels []int     `json:"channels,omitempty"` // MHz
	UsedAt   time.Time `json:"used_at,omitzero"`
	FailedAt time.Time `json:"failed_at,omitzero"`
	Failure  string    `json:"failure,omitempty"`
}

// loadLearned reads what experience says. Without it everything works, only later.
func (s *Store) loadLearned() {
	all := make(map[string]learned)
	if err := atomicfile.ReadJSON(s.path(learnedName), &all); err != nil {
		if !errors.Is(err, fs.ErrNotExist) {
			s.options.Log.Warn("earlier uses of networks not read", "err", err)
		}
		return
	}
	for id, l := range all {
		if s.state.find(id) >= 0 {
			l.Channels = l.Channels[:min(len(l.Channels), maxChannels)]
			l.Failure = l.Failure[:min(len(l.Failure), 512)]
			s.learned[id] = l
		}
	}
}

// Joined notes that a known network was joined on a channel.
func (s *Store) Joined(id string, mhz int) {
	s.learn(id, func(l *learned) (important bool) {
		important = !slices.Contains(l.Channels, mhz)
		l.Channels = append([]int{mhz}, slices.DeleteFunc(slices.Clone(l.Channels), func(c int) bool { return c == mhz })...)
		l.Channels = l.Channels[:min(len(l.Channels), maxChannels)]
		l.UsedAt, l.Failure, l.FailedAt = s.now(), "", time.Time{}
		return important
	})
}

// Failed notes that a known network could not be joined, or was left, and why, in words for a person.
func (s *Store) Failed(id string, why netmgr.Failure, reason string) {
	if why == netmgr.NotFound {
		return // it is not there: that is no failing of its
	}
	s.learn(id, func(l *learned) bool {
		important := l.Failure != reason
		l.Failure, l.FailedAt = reason, s.now()
		return important
	})
}

// forgetFailure is for a network whose password was entered anew.
func (s *Store) forgetFailure(id string) {
	s.learn(id, func(l *learned) bool {
		important := l.Failure != ""
		l.Failure, l.FailedAt = "", time.Time{}
		return important
	})
}

func (s *Store) now() time.Time { return s.options.Now().Round(0).Truncate(time.Second) }

// learn changes what is known of a network, and has it written soon where it is important: else with what is.
func (s *Store) learn(id string, change func(*learned) (important bool)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.state.find(id) < 0 {
		return
	}
	l := s.learned[id]
	if change(&l) {
		poke(s.learnt)
	}
	s.learned[id] = l
}

// Channels returns where a known network was joined lately, in MHz, the last first.
func (s *Store) Channels(id string) []int {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return slices.Clone(s.learned[id].Channels)
}

// The pace of writing what was learnt: it lies on an SD card.
const (
	learnSoon  = 10 * time.Second
	learnLater = time.Hour
)

// Run writes what was learnt until ctx ends, and then once more.
func (s *Store) Run(ctx context.Context) {
	timer := time.NewTimer(learnLater)
	defer timer.Stop()
	soon := false
	for {
		select {
		case <-ctx.Done():
			s.saveLearned()
			return
		case <-s.learnt:
			if !soon {
				soon = true
				timer.Reset(learnSoon)
			}
		case <-timer.C:
			s.saveLearned()
			soon = false
			timer.Reset(learnLater)
		}
	}
}

// saveLearned writes if there is news. A card that cannot be written costs a scan after the next start.
func (s *Store) saveLearned() {
	s.mu.RLock()
	all := make(map[string]learned, len(s.learned))
	for id, l := range s.learned {
		all[id] = l
	}
	s.mu.RUnlock()
	s.changing.Lock()
	defer s.changing.Unlock()
	if equalLearned(all, s.written) {
		return
	}
	if err := atomicfile.WriteJSON(s.path(learnedName), all, 0o600); err != nil {
		s.options.Log.Warn("uses of networks not kept", "err", err)
		return
	}
	s.written = all
}

func equalLearned(a, b map[string]learned) bool {
	if len(a) != len(b) {
		return false
	}
	for id, l := range a {
		o, ok := b[id]
		if !ok || !slices.Equal(l.Channels, o.Channels) || !l.UsedAt.Equal(o.UsedAt) || !l.FailedAt.Equal(o.FailedAt) || l.Failure != o.Failure {
			return false
		}
	}
	return true
}
