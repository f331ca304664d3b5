//go:build !linux

// Package nl80211test stands in for the kernel's WiFi, which only Linux has.
package nl80211test
