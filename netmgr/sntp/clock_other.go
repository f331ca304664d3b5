//go:build !linux

package sntp

import (
	"errors"
	"time"
)

// Adjust is not done where the system keeps its own clock.
func Adjust(time.Duration) error { return errors.ErrUnsupported }
