package screen

// aging is a cache that forgets what has not been asked for lately: what is used goes into its young half, and when
// that is full it takes the place of the old one. It holds up to limit of whatever weigh counts.
type aging[K comparable, V any] struct {
	limit      int
	weigh      func(V) int
	young, old map[K]V
	weight     int // of young
}

// get returns what is kept under the key, else what build makes.
func (c *aging[K, V]) get(key K, build func() V) V {
	v, ok := c.young[key]
	if ok {
		return v
	}
	if v, ok = c.old[key]; !ok {
		v = build()
	}
	w := c.weigh(v)
	if c.weight+w > c.limit/2 || c.young == nil {
		c.old, c.young, c.weight = c.young, map[K]V{}, 0
	}
	c.young[key] = v
	c.weight += w
	return v
}
