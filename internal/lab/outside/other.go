//go:build !linux

// Command outside is everything around a dongle in the lab's guest. It is for Linux.
package main

func main() {}
