//go:build linux

package main

import (
	"errors"
	"io"
	"net"
	"path/filepath"
	"testing"
)

func TestNobodyTakesAllConnections(t *testing.T) {
	path := filepath.Join(t.TempDir(), "sock")
	ln, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	l := newLimited(ln)
	accepted := make(chan net.Conn, 2*maxConns)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			accepted <- c
		}
	}()
	dial := func() net.Conn {
		c, err := net.Dial("unix", path)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = c.Close() })
		return c
	}
	var held []net.Conn
	for range maxConns {
		dial()
		held = append(held, <-accepted)
	}
	if _, err := dial().Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
		t.Errorf("one too many: %v; want the end of the connection", err)
	}
	for _, c := range held { // their owner is done with them
		if err := c.Close(); err != nil {
			t.Fatal(err)
		}
	}
	dial()
	(<-accepted).Close()
	if err := ln.Close(); err != nil {
		t.Fatal(err)
	}
	<-done
}
