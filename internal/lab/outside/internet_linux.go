package main

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"time"
)

// internet answers for everyone on the internet at port 80 of this namespace: what phones and operators are asked for where
// they are, else a page that says by which name this internet goes. While the file of its name below /run/captive is there, it is a portal that
// has everybody sign in first.
func internet(name string) error {
	ln, err := net.Listen("tcp", ":80")
	if err != nil {
		return err
	}
	fmt.Println("listening")
	server := http.Server{ReadHeaderTimeout: 10 * time.Second, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, err := os.Stat("/run/captive/" + name)
		switch {
		case err == nil && r.Host != portal:
			http.Redirect(w, r, "http://"+portal+"/sign-in", http.StatusFound)
		case err == nil && r.Method == http.MethodPost:
			_ = os.Remove("/run/captive/" + name) // signed in
			fmt.Fprintln(w, "welcome")
		case err == nil:
			fmt.Fprintln(w, "<form method=post>sign in</form>")
		case r.URL.Path == "/generate_204":
			w.WriteHeader(http.StatusNoContent)
		case r.URL.Path == "/hotspot-detect.html": // Apple's
			fmt.Fprintln(w, "<HTML><HEAD><TITLE>Success</TITLE></HEAD><BODY>Success</BODY></HTML>")
		default:
			fmt.Fprintln(w, name)
		}
	})}
	return server.Serve(ln)
}

// portal is the host that a captive network's redirect leads to.
const portal = "portal.hotel.example"

// watch tries to connect to an address again and again, and prints the guest's clock and what changed.
func watch(address string) error {
	const patience, pause = 250 * time.Millisecond, 20 * time.Millisecond
	for last := ""; ; time.Sleep(pause) {
		now := "fails"
		if answer, err := ask(address, patience); err == nil {
			now = "works " + answer
		}
		if now == last {
			continue
		}
		last = now
		if _, err := fmt.Println(monotonic(), now); err != nil {
			return errors.New("nobody reads")
		}
	}
}

// ask connects, and asks the other end for its name.
func ask(address string, patience time.Duration) (string, error) {
	conn, err := net.DialTimeout("tcp", address, patience)
	if err != nil {
		return "", err
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(patience)); err != nil {
		return "", err
	}
	if _, err := fmt.Fprint(conn, "GET / HTTP/1.0\r\n\r\n"); err != nil {
		return "", err
	}
	text, err := io.ReadAll(io.LimitReader(conn, 4096))
	if err != nil {
		return "", err
	}
	_, body, ok := strings.Cut(string(text), "\r\n\r\n")
	if !ok {
		return "", io.ErrUnexpectedEOF
	}
	return strings.TrimSpace(body), nil
}
