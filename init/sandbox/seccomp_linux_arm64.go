package sandbox

// extraDenied are calls that only some architectures have: this one has none that matter.
var extraDenied map[string][]uint32
