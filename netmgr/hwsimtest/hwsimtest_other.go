//go:build !linux

// Package hwsimtest makes simulated WiFi radios for tests, which is possible on Linux only.
package hwsimtest
