package native

import (
	"errors"
	"io/fs"
	"path/filepath"

	"manofwar/internal/atomicfile"
	"manofwar/player/api"
)

// defaults are the settings of an owner who has chosen nothing.
var defaults = api.Settings{ReplayGain: "track", MatchRate: true, CEC: true}

// kept is what outlives the process.
type kept struct {
	Settings api.Settings `json:"settings"`
	Volume   int          `json:"volume"` // 0 to 100
}

// store keeps it in one file.
type store struct{ path string }

func newStore(dir string) store { return store{filepath.Join(dir, "settings.json")} }

// load returns what was kept, or the defaults. With an error it returns the defaults as well: music is to play though a file
// is damaged.
func (s store) load() (kept, error) {
	k := kept{Settings: defaults, Volume: firstVolume}
	err := atomicfile.ReadJSON(s.path, &k)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return k, nil
	case err != nil:
		return kept{Settings: defaults, Volume: firstVolume}, err
	}
	k.Volume = min(max(k.Volume, 0), 100)
	return k, nil
}

// firstVolume is what a new dongle plays at: an amplifier may be turned up.
const firstVolume = 60

func (s store) save(k kept) error { return atomicfile.WriteJSON(s.path, k, 0o600) }
