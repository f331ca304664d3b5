//go:build gokrazy

package main

import "github.com/peterbourgon/ff/v3/ffcli"

// toolCommands returns nothing on the dongle, which makes no images: the image builder's code would be in the memory of
// every service.
func toolCommands(terminal) []*ffcli.Command { return nil }
