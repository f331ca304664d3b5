//go:build !linux

// Package packet opens packet(7) sockets, which only Linux has.
package packet
