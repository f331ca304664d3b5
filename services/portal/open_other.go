//go:build !unix

package portal

import "os"

const openFlags = os.O_RDONLY
