package guest

// Usage is what a service takes of the machine, as "outside usage" prints it.
type Usage struct {
	PID      string
	Resident int // memory, in KiB
	Files    int // that are open
	Threads  int
	Children int
}
