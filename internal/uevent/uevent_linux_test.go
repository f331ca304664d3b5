package uevent

import (
	"context"
	"errors"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

func TestParse(t *testing.T) {
	message := "add@/devices/pci0000:00/usb1/1-1/block/sda/sda1\x00ACTION=add\x00DEVPATH=/devices/x\x00SUBSYSTEM=block\x00" +
		"MAJOR=8\x00DEVNAME=sda1\x00DEVTYPE=partition\x00SEQNUM=1500\x00"
	got, ok := Parse([]byte(message))
	want := Event{Action: "add", Path: "/devices/pci0000:00/usb1/1-1/block/sda/sda1", Subsystem: "block", Name: "sda1"}
	if !ok || got != want {
		t.Errorf("got %+v, %t; want %+v", got, ok, want)
	}
	alias, ok := Parse([]byte("add@/devices/mmc1\x00SUBSYSTEM=sdio\x00MODALIAS=sdio:c00v02D0dA9A6\x00"))
	if !ok || alias.Modalias != "sdio:c00v02D0dA9A6" {
		t.Errorf("got %+v, %t", alias, ok)
	}
	if _, ok := Parse([]byte("libudev\x00\xfe\xed\xca\xfe")); ok {
		t.Error("a message of another kind was taken for the kernel's")
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte("add@/x\x00SUBSYSTEM=block\x00"))
	f.Fuzz(func(_ *testing.T, data []byte) { Parse(data) })
}

func TestNextEndsWithItsContext(t *testing.T) {
	u, err := Open()
	if err != nil {
		t.Skip("needs the kernel's device messages: ", err)
	}
	defer u.Close()
	for range 2 { // the first end must not spoil the next wait
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
		for {
			if _, err := u.Next(ctx); err != nil {
				if !errors.Is(err, context.DeadlineExceeded) {
					t.Error(err)
				}
				break
			}
		}
		cancel()
	}
}

func TestNextHearsTheKernelOnly(t *testing.T) {
	u, err := Open()
	if err != nil {
		t.Skip("needs the kernel's device messages: ", err)
	}
	defer u.Close()
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.NETLINK_KOBJECT_UEVENT)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	made := []byte("add@/made/up\x00SUBSYSTEM=block\x00")
	if err := unix.Sendto(fd, made, 0, &unix.SockaddrNetlink{Family: unix.AF_NETLINK, Groups: 1}); err != nil {
		t.Skip("needs root: it sends to the kernel's group: ", err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	for {
		ev, err := u.Next(ctx)
		if err != nil {
			break
		}
		if ev.Path == "/made/up" {
			t.Fatal("a program's message was taken for the kernel's")
		}
	}
}
