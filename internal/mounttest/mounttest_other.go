//go:build !linux

package mounttest

import "testing"

// Run runs the tests.
func Run(m *testing.M) int { return m.Run() }
