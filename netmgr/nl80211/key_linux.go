package nl80211

import (
	"context"

	"golang.org/x/sys/unix"

	"manofwar/netmgr/ieee80211"
)

// Key is a key to install.
type Key struct {
	Index    int           // on which interface
	Number   int           // 0 to 3: data; 4 and 5: management frames
	Peer     ieee80211.MAC // whose pairwise key it is; zero: a group's
	Cipher   ieee80211.Suite
	Key      []byte
	Sequence []byte // the packet number up to which frames are replays, the lowest byte first; nil: 0
}

// InstallKey gives a key to the kernel.
func (c *Conn) InstallKey(ctx context.Context, k Key) error {
	a := on(k.Index)
	if k.Peer != (ieee80211.MAC{}) {
		a.mac(unix.NL80211_ATTR_MAC, k.Peer)
	}
	var key encoder
	key.bytes(unix.NL80211_KEY_DATA, k.Key)
	key.u32(unix.NL80211_KEY_CIPHER, uint32(k.Cipher))
	key.u8(unix.NL80211_KEY_IDX, uint8(k.Number))
	if k.Sequence != nil {
		key.bytes(unix.NL80211_KEY_SEQ, k.Sequence)
	}
	kind := uint32(unix.NL80211_KEYTYPE_GROUP)
	if k.Peer != (ieee80211.MAC{}) {
		kind = unix.NL80211_KEYTYPE_PAIRWISE
	}
	key.u32(unix.NL80211_KEY_TYPE, kind)
	a.nest(unix.NL80211_ATTR_KEY, key)
	return c.do(ctx, "install key", unix.NL80211_CMD_NEW_KEY, a)
}

// SetDefaultKey makes an access point send to groups with a key from now on.
func (c *Conn) SetDefaultKey(ctx context.Context, index, number int) error {
	var key encoder
	key.u8(unix.NL80211_KEY_IDX, uint8(number))
	if number >= 4 {
		key.flag(unix.NL80211_KEY_DEFAULT_MGMT)
	} else {
		key.flag(unix.NL80211_KEY_DEFAULT)
		var types encoder
		types.flag(unix.NL80211_KEY_DEFAULT_TYPE_MULTICAST)
		key.nest(unix.NL80211_KEY_DEFAULT_TYPES, types)
	}
	a := on(index)
	a.nest(unix.NL80211_ATTR_KEY, key)
	return c.do(ctx, "set default key", unix.NL80211_CMD_SET_KEY, a)
}

// DeleteKey takes a key from the kernel: a peer's, or with a zero address a group's.
func (c *Conn) DeleteKey(ctx context.Context, index, number int, peer ieee80211.MAC) error {
	a := on(index)
	var key encoder
	key.u8(unix.NL80211_KEY_IDX, uint8(number))
	if peer != (ieee80211.MAC{}) {
		a.mac(unix.NL80211_ATTR_MAC, peer)
	}
	a.nest(unix.NL80211_ATTR_KEY, key)
	return c.do(ctx, "delete key", unix.NL80211_CMD_DEL_KEY, a)
}

// GroupSequence returns the last packet number that an access point used with a group key, the lowest byte first.
func (c *Conn) GroupSequence(ctx context.Context, index, number int) ([6]byte, error) {
	a := on(index)
	a.u8(unix.NL80211_ATTR_KEY_IDX, uint8(number))
	answer, err := c.get(ctx, "read key", unix.NL80211_CMD_GET_KEY, a)
	if err != nil {
		return [6]byte{}, err
	}
	var out [6]byte
	copy(out[:], parse(answer[unix.NL80211_ATTR_KEY])[unix.NL80211_KEY_SEQ])
	return out, nil
}
