package sandbox

import "golang.org/x/sys/unix"

// extraDenied are calls that only some architectures have.
var extraDenied = map[string][]uint32{"amd64": {unix.SYS_IOPL, unix.SYS_IOPERM, unix.SYS_MODIFY_LDT, unix.SYS_USELIB, unix.SYS_USTAT, unix.SYS_SYSFS}}
