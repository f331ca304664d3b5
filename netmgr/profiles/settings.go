package profiles

import (
	"cmp"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"unicode/utf8"

	"manofwar/internal/atomicfile"
	"manofwar/internal/setup"
	"manofwar/netmgr/api"
)

// Chosen returns the settings. The access point's passphrase is empty where the owner has set none, or where it cannot be read.
func (s *Store) Chosen() api.Settings {
	s.mu.RLock()
	defer s.mu.RUnlock()
	st := s.state
	ap := api.AccessPointSettings{
		SSID: s.accessPointSSID(), Open: st.AccessPoint.Open, Permanent: st.AccessPoint.Permanent, Off: st.AccessPoint.Off,
	}
	ap.Passphrase, _ = s.vault.open(accessPointID, st.AccessPoint.Secret)
	judge := st.Judge
	judge.Operators = slices.Clone(judge.Operators)
	out := api.Settings{Country: &st.Country, AccessPoint: &ap, Judge: &judge, Done: &st.Done}
	if st.Name != "" {
		out.Name = &st.Name
	}
	return out
}

// Choose changes what is not nil and returns all settings. The error is an [*ipc.Error] that says which field is wrong.
func (s *Store) Choose(change api.Settings) (api.Settings, error) {
	err := s.update(func(st *state) error { return s.choose(st, change) })
	if err != nil {
		return api.Settings{}, err
	}
	return s.Chosen(), nil
}

func (s *Store) choose(st *state, change api.Settings) error {
	if change.Name != nil {
		name, err := checkDeviceName(*change.Name)
		if err != nil {
			return err
		}
		st.Name = name
	}
	if c := change.Country; c != nil {
		if err := checkCountry(*c); err != nil {
			return err
		}
		st.Country = *c
	}
	if j := change.Judge; j != nil {
		if err := checkJudge(*j); err != nil {
			return err
		}
		st.Judge = api.JudgeSettings{Off: j.Off, Operators: slices.Clone(j.Operators)}
	}
	if d := change.Done; d != nil {
		st.Done = *d
	}
	if change.AccessPoint != nil {
		return s.chooseAccessPoint(st, *change.AccessPoint)
	}
	return nil
}

func (s *Store) chooseAccessPoint(st *state, ap api.AccessPointSettings) error {
	if len(ap.SSID) > maxSSID {
		return invalid("access_point.ssid", fmt.Sprintf("The name has %d bytes. Names of WiFi networks have 1 to %d.", len(ap.SSID), maxSSID), "Choose a shorter one.")
	}
	if err := checkName(ap.SSID); err != nil {
		return invalid("access_point.ssid", "This name cannot be shown.", "Choose another one.")
	}
	if ap.Passphrase != "" {
		if err := checkPassphrase("access_point.passphrase", ap.Passphrase); err != nil {
			return err
		}
	}
	if ap.SSID == s.defaultSSID(st.Name) {
		ap.SSID = ""
	}
	st.AccessPoint = accessPoint{
		SSID: ap.SSID, Open: ap.Open, Permanent: ap.Permanent, Off: ap.Off, Secret: s.vault.seal(accessPointID, ap.Passphrase),
	}
	return nil
}

// Country returns the country that the owner has chosen; empty: none.
func (s *Store) Country() string {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.state.Country
}

// Judge returns how to find out whether the internet is there.
func (s *Store) Judge() api.JudgeSettings {
	return *s.Chosen().Judge
}

// Passphrase returns the passphrase of the device's own network: the owner's, else one that holds until the next boot.
func (s *Store) Passphrase() string {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if p, err := s.vault.open(accessPointID, s.state.AccessPoint.Secret); err == nil && p != "" {
		return p
	}
	return s.passphrase
}

// accessPointSSID is what the device's own network is called. The lock is held.
func (s *Store) accessPointSSID() string {
	if ssid := s.state.AccessPoint.SSID; ssid != "" {
		return ssid
	}
	return s.defaultSSID(s.state.Name)
}

// defaultSSID is what the device is called and four digits that another device does not have, so that a phone never takes one of two
// for the other.
func (s *Store) defaultSSID(name string) string {
	name = cmp.Or(name, s.options.Name)
	for len(name) > maxSSID-5 {
		_, size := utf8.DecodeLastRuneInString(name)
		name = name[:len(name)-size]
	}
	return strings.TrimSpace(name) + " " + s.vault.mark
}

// passphraseName is the file of the passphrase of this boot, where what is gone at the next boot is kept.
const passphraseName = "access-point-passphrase"

// openPassphrase draws the passphrase of this boot, or finds the one that a predecessor drew: a restart of the service must
// not throw out the phones that are in.
func (s *Store) openPassphrase() error {
	path := ""
	if s.options.RunDir != "" {
		path = filepath.Join(s.options.RunDir, passphraseName)
		if old, err := os.ReadFile(path); err == nil && setup.CheckPassphrase(string(old)) == nil {
			s.passphrase = string(old)
			return nil
		} else if err != nil && !errors.Is(err, fs.ErrNotExist) {
			s.options.Log.Warn("access point's passphrase not read", "err", err)
		}
	}
	p, err := setup.NewPassphrase(rand.Reader)
	if err != nil {
		return err
	}
	s.passphrase = p
	if path == "" {
		return nil
	}
	if err := errors.Join(os.MkdirAll(s.options.RunDir, 0o755), atomicfile.Write(path, []byte(p), 0o600)); err != nil {
		s.options.Log.Warn("access point's passphrase not kept over a restart", "err", err)
	}
	return nil
}
