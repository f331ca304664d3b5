package wpa

import (
	"crypto/rand"

	"manofwar/netmgr/ieee80211"
)

// Group holds the keys of an access point that all its stations share. It is driven together with their authenticators.
//
// To replace the keys, call [Group.Rotate], then [Authenticator.Rekey] for each station, and when none of them is
// [Authenticator.Rekeying] any more, carry out [Group.Install], so that nobody hears frames whose key he does not know yet.
type Group struct {
	// Sequence returns the last packet number used with a key by its index, the lowest byte first. Without it stations
	// that join later take replays of earlier frames for new.
	Sequence func(index int) [6]byte

	traffic, management GroupKey
	generation          int
	installed           int // the generation that is sent with
}

// NewGroup returns fresh keys, which the access point installs at its start.
func NewGroup() *Group {
	g := &Group{traffic: GroupKey{Index: 2}, management: GroupKey{Index: 5}}
	g.Rotate()
	return g
}

// Rotate makes new keys under other indexes. Stations get them from then on.
func (g *Group) Rotate() {
	g.traffic = GroupKey{Index: 3 - g.traffic.Index, Key: random(groupKeySize(ieee80211.CipherCCMP))}
	g.management = GroupKey{Index: 9 - g.management.Index, Key: random(16)}
	g.generation++
}

// Install returns the actions that let the access point send with the present keys.
func (g *Group) Install() []Action {
	g.installed = g.generation
	return []Action{
		InstallGroup{Index: g.traffic.Index, Cipher: ieee80211.CipherCCMP, Key: g.traffic.Key},
		InstallManagement{Index: g.management.Index, Key: g.management.Key},
	}
}

// give returns the keys as key data for one station, and the packet number of the first. Keys that nothing was sent with yet begin
// at zero: under their indexes there may still be their predecessors' numbers, up to which everything would be a replay.
func (g *Group) give(mfp bool) (d KeyData, rsc [8]byte) {
	traffic, management := g.traffic, g.management
	if g.Sequence != nil && g.installed == g.generation {
		seq := g.Sequence(traffic.Index)
		copy(rsc[:], seq[:])
		management.Sequence = g.Sequence(management.Index)
	}
	d.GTK = &traffic
	if mfp {
		d.IGTK = &management
	}
	return d, rsc
}

// random returns n random bytes. The system's source of them does not fail.
func random(n int) []byte {
	b := make([]byte, n)
	_, _ = rand.Read(b)
	return b
}
