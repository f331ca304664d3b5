package station

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"golang.org/x/sys/unix"

	"manofwar/netmgr/ieee80211"
	"manofwar/netmgr/nl80211"
)

func isUnconnected(err error) bool {
	return errors.Is(err, unix.ENOTCONN) || errors.Is(err, unix.EALREADY)
}

// isForgotten tells that the kernel does not know the access point any more.
func isForgotten(err error) bool { return errors.Is(err, unix.ENOENT) }

// isBusy tells that the radio is held on another channel.
func isBusy(err error) bool { return errors.Is(err, unix.EBUSY) }

// fresh is how long an access point may have been silent to be taken for present. The kernel forgets it after 30 s.
const fresh = 10 * time.Second

// find returns the access point to join: of what was heard lately, else where it was last heard, else anywhere. again
// makes it look once more even so.
func (s *Station) find(ctx context.Context, n Network, again bool) (nl80211.BSS, error) {
	heard, err := s.conn.Results(ctx, s.index)
	if err != nil {
		return nl80211.BSS{}, err
	}
	if bss, err := s.pick(n, heard); err == nil && !again {
		return bss, nil
	}
	if n.MHz != 0 {
		heard, err = s.conn.Scan(ctx, s.look(n, again, n.MHz))
		if err != nil && !errors.Is(err, unix.EINVAL) { // which is for a channel that is not allowed any more
			return nl80211.BSS{}, err
		}
		if bss, err := s.pick(n, heard); err == nil {
			return bss, nil
		}
	}
	if heard, err = s.conn.Scan(ctx, s.look(n, again, s.radio.Everywhere()...)); err != nil {
		return nl80211.BSS{}, err
	}
	return s.pick(n, heard)
}

// look asks for the network by its name, which it may hide.
// near looks once more on the channel where a network was heard, which takes a tenth of a second, and reports whether it
// is still there.
func (s *Station) near(ctx context.Context, n Network, mhz int) (nl80211.BSS, bool) {
	began := time.Now()
	heard, err := s.conn.Scan(ctx, s.look(n, true, mhz))
	if err != nil {
		return nl80211.BSS{}, false
	}
	heard = slices.DeleteFunc(heard, func(b nl80211.BSS) bool { return b.Age > time.Since(began)+beacon })
	bss, err := s.pick(n, heard)
	return bss, err == nil
}

// beacon is about the time between two beacons.
const beacon = 100 * time.Millisecond

func (s *Station) look(n Network, flush bool, mhz ...int) nl80211.Scan {
	return nl80211.Scan{Index: s.index, MHz: mhz, SSIDs: []ieee80211.SSID{n.SSID}, Flush: flush && s.radio.Features.ScanFlush}
}

// pick chooses the wanted or else the strongest access point of a network. Where there are only some that cannot be
// joined, it says why.
func (s *Station) pick(n Network, heard []nl80211.BSS) (nl80211.BSS, error) {
	var found []nl80211.BSS
	unfit := error(n.notFound())
	for _, b := range heard {
		if b.SSID != n.SSID || b.Age > fresh {
			continue
		}
		if err := s.fits(n, b); err != nil {
			unfit = err
			continue
		}
		found = append(found, b)
	}
	if len(found) == 0 {
		return nl80211.BSS{}, unfit
	}
	return slices.MaxFunc(found, func(a, b nl80211.BSS) int {
		if a.BSSID == n.BSSID || b.BSSID == n.BSSID {
			return cmp.Compare(one(a.BSSID == n.BSSID), one(b.BSSID == n.BSSID))
		}
		return cmp.Compare(a.Signal, b.Signal)
	}), nil
}

func one(b bool) int {
	if b {
		return 1
	}
	return 0
}

// fits finds out whether an access point wants what is known of the network. One without a password does not do for a network
// that has one: anybody can call himself by its name.
func (s *Station) fits(n Network, b nl80211.BSS) error {
	security := b.Security()
	switch {
	case security.Reason != "":
		return n.unsupported(security.Reason)
	case n.Password == "" && security.Protection != ieee80211.Open:
		return n.unsupported("it wants a password")
	case n.Password != "" && security.Protection == ieee80211.Open:
		return n.unsupported("it asks for no password any more; somebody may be pretending to be it")
	case n.Password == "":
		return nil
	}
	if _, err := choose(s.radio, b.BSS, s.canSAE(n)); err != nil {
		return n.unsupported(reasonIncapable)
	}
	return nil
}

// canSAE reports whether SAE is possible with the radio and the password.
func (s *Station) canSAE(n Network) bool { return !isKey(n.Password) && canSAE(s.radio) }
