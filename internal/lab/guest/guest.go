// Package guest is how the lab and the program that it has inside a guest, [manofwar/internal/lab/outside], speak to each
// other: HTTP on a port that QEMU forwards.
package guest

// Port is where the program listens.
const Port = 7779

// MAC is the address of the network interface that leads to the port.
const MAC = "52:54:00:c0:ff:01"

// Command is a program to run in the guest.
type Command struct {
	Place string   `json:"place"` // the network namespace, as ip-netns(8) names it; empty: the program's own
	Args  []string `json:"args"`
	Env   []string `json:"env,omitempty"` // "KEY=value"
	Dir   string   `json:"dir,omitempty"`
	Input string   `json:"input,omitempty"` // what it reads on its standard input
}

// Headers of the answer to a [Command]. The last is a trailer.
const (
	PID   = "X-Pid"
	Began = "X-Began" // by the guest's monotonic clock, in nanoseconds
	Exit  = "X-Exit"  // "0", else how it ended, in words
)

// Names of network namespaces that every guest has.
const (
	Dongle  = "dongle"  // the dongle's
	Outside = "outside" // the program's own, with the radios that nobody has taken
)
