//go:build !linux

package bench

import "errors"

func urgent() (calm func(), err error) { return func() {}, errors.ErrUnsupported }
