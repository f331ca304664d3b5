//go:build !linux

package supervise

import "errors"

// PSS is Linux's alone.
func PSS(int) (int64, error) { return 0, errors.ErrUnsupported }
