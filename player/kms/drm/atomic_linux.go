package drm

import "runtime"

// Flags of a commit (drm_mode.h, DRM_MODE_ATOMIC_ and DRM_MODE_PAGE_FLIP_EVENT).
const (
	WithFlip     = 0x01   // [Card.Flips] tells when it is on the screen
	TestOnly     = 0x0100 // whether it could be done
	NonBlock     = 0x0200 // return before it is on the screen; EBUSY while an earlier one is not
	AllowModeset = 0x0400 // it may make the screen black for a while
)

// Commit is a set of properties that change at once, or not at all.
type Commit struct {
	objects, counts, properties []uint32
	values                      []uint64
}

// Set adds a property of an object. All of one object's are set one after the other.
func (t *Commit) Set(object uint32, p Property, value uint64) {
	if n := len(t.objects); n == 0 || t.objects[n-1] != object {
		t.objects, t.counts = append(t.objects, object), append(t.counts, 0)
	}
	t.counts[len(t.counts)-1]++
	t.properties, t.values = append(t.properties, p.ID), append(t.values, value)
}

// All calls f with everything that is set, in order.
func (t *Commit) All(f func(object, property uint32, value uint64)) {
	i := 0
	for k, object := range t.objects {
		for range t.counts[k] {
			f(object, t.properties[i], t.values[i])
			i++
		}
	}
}

// Commit carries out what is set. number comes back in the [Flip]. Errors are the kernel's: EINVAL, ERANGE and ENOSPC say
// that the hardware cannot do that; EACCES that somebody else is the card's master; EBUSY as at [NonBlock].
func (c *Card) Commit(t *Commit, flags uint32, number uint64) error {
	var pin runtime.Pinner
	defer pin.Unpin()
	return do(c, commitAtomic, &modeAtomic{
		flags: flags, objectCount: uint32(len(t.objects)), objects: pointer(&pin, t.objects), counts: pointer(&pin, t.counts),
		properties: pointer(&pin, t.properties), values: pointer(&pin, t.values), user: number,
	})
}
