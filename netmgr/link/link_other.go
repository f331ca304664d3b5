//go:build !linux

// Package link is the kernel's side of a link, over Linux's rtnetlink(7).
package link
