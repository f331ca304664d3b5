//go:build linux

// Command outside is everything around a dongle in the lab's guest: radios, routers, phones, the internet. The dongle itself
// is an image as everyone has it, and knows nothing of this program.
//
// The lab puts it into the initramfs, beside the image's own, and has the kernel start it first (rdinit=/outside). It takes
// the guest's network interface and most of its radios away into network namespaces, leaves a copy of itself there, and then
// becomes the image's init. The copy has a Debian of its own as its root, is root in it, and does what the lab asks for over
// HTTP; see serve. Words on the kernel's command line say how:
//
//	outside.radios=N   simulated radios to make
//	outside.dongle=N   how many of them the dongle keeps
//	outside.modules=…  drivers to load before, with commas between them
//	outside.alone      there is no dongle: nothing follows
//
// Inside the guest it plays some small parts as well, as a program in a namespace:
//
//	outside internet NAME   the two operators whom a dongle asks whether the internet is there, and a page that says NAME
//	outside watch ADDR      says when a TCP connection to ADDR begins and ceases to be possible
//	outside storm SEED N PATH…   throws N random commands at the dongle's player, which has those files to play
//	outside player [METHOD PATH BODY]   sends the player a request; like storm, prints what it says once it is calm
//	outside usage SERVICE   prints what one of the dongle's services takes of the machine
package main

import (
	"errors"
	"fmt"
	"os"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "outside:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if os.Getpid() == 1 {
		return first()
	}
	if len(args) == 0 {
		return errors.New("say what to do")
	}
	switch part := args[0]; {
	case part == "enter":
		if err := enterDebian(); err != nil {
			return err
		}
		return settle()
	case part == "settle":
		return settle()
	case part == "serve":
		return serve()
	case part == "internet" && len(args) == 2:
		return internet(args[1])
	case part == "watch" && len(args) == 2:
		return watch(args[1])
	case part == "storm" && len(args) > 3:
		return runStorm(args[1], args[2], args[3:])
	case part == "player" && (len(args) == 1 || len(args) == 4):
		return tellPlayer(args[1:])
	case part == "usage" && len(args) == 2:
		return printUsage(args[1])
	}
	return fmt.Errorf("%q is no part of mine", args)
}
