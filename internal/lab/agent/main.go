// Command agent is the lab's hand inside a guest: an image for tests has it as one more service.
//
// It can do what no service of the product may: kill others, and claim to be a core service that has fallen ill. It is never in an image that anyone but the lab makes.
//
//	POST /kill?pid=N&signal=N    sends a signal
//	GET  /clock                  seconds since the kernel started
//	POST /health?reason=TEXT     reports ill health to PID 1; none: good health
//	POST /fill?dir=DIR           fills the file system of DIR to the last byte, DIR/ballast
//	POST /slot?offset=N          writes the body into the inactive slot, which PID 1 opens for it
//	POST /trial, POST /commit    as PID 1's verbs
//
// The last three are the updater's: PID 1 grants them to the copy of the agent that runs under its name.
package main

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	initapi "manofwar/init/api"
)

func main() {
	listen := flag.String("listen", ":7777", "the `port` that the lab forwards")
	flag.Parse()
	if err := run(*listen); err != nil {
		fmt.Fprintln(os.Stderr, "agent:", err)
		os.Exit(1)
	}
}

func run(listen string) error {
	up := updater{init: initapi.NewClient(os.Getenv("RUNTIME_DIRECTORY"))}
	mux := http.NewServeMux()
	for pattern, f := range map[string]func(*http.Request) (any, error){
		"POST /kill": kill, "GET /clock": clock, "POST /health": health, "POST /fill": fill,
		"POST /slot": up.write, "POST /trial": up.trial, "POST /commit": up.commit,
	} {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
			answer, err := f(r)
			if err == nil {
				err = json.NewEncoder(w).Encode(answer)
			}
			if err != nil {
				http.Error(w, err.Error(), http.StatusInternalServerError)
			}
		})
	}
	ln, err := net.Listen("tcp", listen)
	if err != nil {
		return err
	}
	if err := notify("READY=1"); err != nil {
		return err
	}
	return http.Serve(ln, mux)
}

// notify tells PID 1: sd_notify(3).
func notify(state string) error {
	socket := os.Getenv("NOTIFY_SOCKET")
	if socket == "" {
		return nil
	}
	conn, err := net.Dial("unixgram", socket)
	if err != nil {
		return err
	}
	_, err = conn.Write([]byte(state))
	return errors.Join(err, conn.Close())
}

func kill(r *http.Request) (any, error) {
	pid, err := strconv.Atoi(r.FormValue("pid"))
	if err != nil || pid <= 1 {
		return nil, fmt.Errorf("pid %q", r.FormValue("pid"))
	}
	signal, err := strconv.Atoi(r.FormValue("signal"))
	if err != nil {
		return nil, err
	}
	return "sent", syscall.Kill(pid, syscall.Signal(signal))
}

func health(r *http.Request) (any, error) {
	return "told", notify("X_MANOFWAR_HEALTH=" + r.FormValue("reason"))
}

func clock(*http.Request) (any, error) {
	data, err := os.ReadFile("/proc/uptime")
	if err != nil {
		return nil, err
	}
	first, _, _ := strings.Cut(string(data), " ")
	return strconv.ParseFloat(first, 64)
}

func fill(r *http.Request) (any, error) {
	f, err := os.Create(filepath.Join(r.FormValue("dir"), "ballast"))
	if err != nil {
		return nil, err
	}
	defer f.Close()
	for size := 1 << 20; size > 0; size /= 2 {
		for err == nil {
			_, err = f.Write(make([]byte, size))
		}
		if !errors.Is(err, syscall.ENOSPC) {
			return nil, err
		}
		err = nil
	}
	return "full", f.Sync()
}

// updater does what the update service will.
type updater struct{ init *initapi.Client }

func (u updater) write(r *http.Request) (any, error) {
	offset, err := strconv.ParseInt(r.FormValue("offset"), 10, 64)
	if err != nil {
		return nil, err
	}
	f, err := u.init.OpenSlot(r.Context())
	if err != nil {
		return nil, err
	}
	n, err := io.Copy(io.NewOffsetWriter(f, offset), r.Body)
	return n, errors.Join(err, f.Sync(), f.Close())
}

func (u updater) trial(r *http.Request) (any, error) { return "restarting", u.init.Trial(r.Context()) }

func (u updater) commit(r *http.Request) (any, error) { return "committed", u.init.Commit(r.Context()) }
