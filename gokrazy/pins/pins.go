//go:build pins

// Package pins keeps the kernel and firmware modules in go.mod, at the versions that the image is made from. Nothing
// builds it: the modules hold files, not Go, and the image builder asks "go list" where they are.
package pins

import (
	_ "github.com/gokrazy/firmware"
	_ "github.com/gokrazy/kernel.rpi"
)
