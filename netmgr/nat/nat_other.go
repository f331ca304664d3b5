//go:build !linux

// Package nat gives the clients of an access point a way out, by Linux's nf_tables.
package nat
