package guest

// Storm is what "outside storm" prints: how many commands the player took, and what it took of the machine, idle, before and
// after.
type Storm struct {
	Commands      int
	Before, After Usage
}

// Usage is what a service takes of the machine.
type Usage struct {
	PID      string
	Resident int // memory, in KiB
	Files    int // that are open
	Threads  int
	Children int
}
