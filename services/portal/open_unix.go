//go:build unix

package portal

import (
	"os"
	"syscall"
)

// openFlags keep open(2) from waiting for a writer where the path is a named pipe.
const openFlags = os.O_RDONLY | syscall.O_NONBLOCK
