//go:build !linux

// Package netnstest runs a test in a network of its own, which only Linux can make.
package netnstest
