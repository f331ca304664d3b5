package sandbox

import "golang.org/x/sys/unix"

// extraDenied are calls that only some architectures have.
var extraDenied = map[string][]uint32{"arm64": {unix.SYS_KEXEC_FILE_LOAD}}
