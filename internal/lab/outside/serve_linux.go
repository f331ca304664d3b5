package main

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"

	"manofwar/internal/lab/guest"
)

// serve does what the lab asks for:
//
//	POST /run     a [guest.Command]; the answer is what it prints, as it comes, and its end in the trailers
//	PUT  /file    the body becomes the file ?path=, with ?mode=
//	GET  /dial    a TCP connection to ?address= in the namespace ?place=, by an upgrade of this one
//
// A program that is still running when the lab lets go of its request is killed.
func serve() error {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /run", runCommand)
	mux.HandleFunc("PUT /file", putFile)
	mux.HandleFunc("GET /dial", dial)
	ln, err := net.Listen("tcp", fmt.Sprintf(":%d", guest.Port))
	if err != nil {
		return err
	}
	ready := os.NewFile(3, "settled")
	_, err = fmt.Fprintln(ready, settledWord)
	if err := errors.Join(err, ready.Close()); err != nil {
		return err
	}
	return http.Serve(ln, mux)
}

func putFile(w http.ResponseWriter, r *http.Request) {
	path := r.FormValue("path")
	var mode os.FileMode
	if _, err := fmt.Sscanf(r.FormValue("mode"), "%o", &mode); err != nil {
		http.Error(w, "mode: "+err.Error(), http.StatusBadRequest)
		return
	}
	err := os.MkdirAll(filepath.Dir(path), 0o755)
	if err == nil {
		err = write(path, mode, r.Body)
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
	}
}

func write(path string, mode os.FileMode, from io.Reader) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, mode)
	if err != nil {
		return err
	}
	_, err = io.Copy(f, from)
	return errors.Join(err, f.Close())
}

// monotonic is the guest's clock in nanoseconds, the same for all of its programs.
func monotonic() int64 {
	var t unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &t); err != nil {
		panic(err) // there is no Linux without it
	}
	return t.Nano()
}
