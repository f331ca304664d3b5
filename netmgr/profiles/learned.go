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

// Learn takes over what the policy has learnt of the known networks. It may be called as often as one likes: what is no news is
// not written.
func (s *Store) Learn(known []netmgr.Known) {
	for _, k := range known {
		s.learn(k.ID, func(l *learned) (important bool) { return l.take(k) })
	}
}

// take takes over what is news, and reports whether it is worth writing soon: a restart would miss it.
func (l *learned) take(k netmgr.Known) (important bool) {
	channels := k.Channels[:min(len(k.Channels), maxChannels)]
	if len(channels) > 0 && !slices.Equal(channels, l.Channels) {
		important = !sameSet(channels, l.Channels)
		l.Channels = slices.Clone(channels)
	}
	if later(k.UsedAt, l.UsedAt) {
		important = important || l.Failure != ""
		l.UsedAt, l.Failure, l.FailedAt = seconds(k.UsedAt), "", time.Time{}
	}
	if later(k.FailedAt, l.FailedAt) && k.FailedAt.After(l.UsedAt) {
		important = important || l.Failure != k.Failure
		l.Failure, l.FailedAt = k.Failure, seconds(k.FailedAt)
	}
	return important
}

// later reports whether a is another moment than b. The policy tells moments by the wall clock of now, so that the same one wobbles;
// and after the clock was set, an earlier one may be news.
func later(a, b time.Time) bool { return !a.IsZero() && a.Sub(b).Abs() > 2*time.Second }

func seconds(t time.Time) time.Time { return t.Round(time.Second) }

func sameSet(a, b []int) bool {
	return slices.Equal(slices.Sorted(slices.Values(a)), slices.Sorted(slices.Values(b)))
}

// forgetFailure is for a network whose password was entered anew.
func (s *Store) forgetFailure(id string) {
	s.learn(id, func(l *learned) bool {
		important := l.Failure != ""
		l.Failure, l.FailedAt = "", time.Time{}
		return important
	})
}

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
