//go:build !linux

package catalog

import "os"

// adviseRandom does nothing: the other systems have no such advice worth giving.
func adviseRandom(*os.File) {}

// isGone reports whether an error means that the whole disk is no longer there: unknown here.
func isGone(error) bool { return false }
