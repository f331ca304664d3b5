//go:build !linux

package cable

import (
	"context"
	"errors"
)

// Cable is a cable that is plugged in.
type Cable struct{}

// Plug needs Linux.
func Plug(context.Context, [2]string, [2]string, Quality) (*Cable, error) {
	return nil, errors.ErrUnsupported
}

// Unplug removes it.
func (*Cable) Unplug() {}
