package peers

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"manofwar/internal/lab"
	"manofwar/internal/lab/guest"
)

// Place is a network namespace in the guest, and whoever lives in it. Programs there are root, and have the peers' Debian.
type Place struct {
	world *World
	Name  string
	Radio string // its WiFi interface, such as "wlan1"; empty: none
}

// NewPlace makes a place with a radio that nobody has taken.
func (w *World) NewPlace(ctx context.Context, name string) (*Place, error) {
	if len(w.radios) == 0 {
		return nil, fmt.Errorf("lab: no radio is left for %s", name)
	}
	radio := w.radios[0]
	w.radios = w.radios[1:]
	p := &Place{world: w, Name: name, Radio: "wlan" + strconv.Itoa(radio)}
	if _, err := w.Outside().Run(ctx, "sh", "-ec",
		fmt.Sprintf("ip netns add %[1]s; ip -n %[1]s link set lo up; iw phy phy%[2]d set netns name %[1]s", name, radio)); err != nil {
		return nil, err
	}
	return p, nil
}

// Run runs a program to its end and returns what it printed. The error has it too.
func (p *Place) Run(ctx context.Context, args ...string) (string, error) {
	program, err := p.Start(ctx, args...)
	if err != nil {
		return "", err
	}
	defer program.Kill()
	err = program.Wait()
	return program.String(), err
}

// Start starts a program, which ends with ctx at the latest.
func (p *Place) Start(ctx context.Context, args ...string) (*Program, error) {
	return p.start(ctx, guest.Command{Place: p.Name, Args: args})
}

func (p *Place) start(ctx context.Context, command guest.Command) (*Program, error) {
	body, err := json.Marshal(command)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(ctx)
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+p.world.address+"/run", bytes.NewReader(body))
	if err != nil {
		cancel()
		return nil, err
	}
	what := p.Name + ": " + strings.Join(command.Args, " ")
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := client.Do(req)
	if err == nil {
		err = statusError(resp, http.StatusOK)
	}
	if err != nil {
		cancel()
		return nil, fmt.Errorf("%s: %w", what, err)
	}
	program := &Program{Console: new(lab.Console), what: what, cancel: cancel, ended: make(chan struct{})}
	program.PID, _ = strconv.Atoi(resp.Header.Get(guest.PID)) // the program outside wrote it
	began, _ := strconv.ParseInt(resp.Header.Get(guest.Began), 10, 64)
	program.Began = time.Duration(began)
	go program.follow(resp)
	return program, nil
}

// statusError is the answer's body as an error, unless its status is the one wanted.
func statusError(resp *http.Response, want int) error {
	if resp.StatusCode == want {
		return nil
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(io.LimitReader(resp.Body, 64<<10))
	return errors.Join(fmt.Errorf("%s: %s", resp.Status, bytes.TrimSpace(text)), err)
}

// Write writes a file in the guest. All places have the same files.
func (p *Place) Write(ctx context.Context, path string, mode uint32, content io.Reader) error {
	query := url.Values{"path": {path}, "mode": {strconv.FormatUint(uint64(mode), 8)}}
	req, err := http.NewRequestWithContext(ctx, http.MethodPut, "http://"+p.world.address+"/file?"+query.Encode(), content)
	if err != nil {
		return err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if err := statusError(resp, http.StatusOK); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	return nil
}

// Dial connects as a program of the place would. address must be numbers.
func (p *Place) Dial(ctx context.Context, address string) (net.Conn, error) {
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", p.world.address)
	if err != nil {
		return nil, err
	}
	query := url.Values{"place": {p.Name}, "address": {address}}
	if _, err := fmt.Fprintf(conn, "GET /dial?%s HTTP/1.1\r\nHost: guest\r\n\r\n", query.Encode()); err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	buffered := bufio.NewReader(conn)
	resp, err := http.ReadResponse(buffered, nil)
	if err == nil {
		err = statusError(resp, http.StatusSwitchingProtocols)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("%s: dial %s: %w", p.Name, address, err), conn.Close())
	}
	return upgraded{conn, buffered}, nil
}

// upgraded is a connection whose first bytes may have been read already.
type upgraded struct {
	net.Conn
	r io.Reader
}

func (u upgraded) Read(p []byte) (int, error) { return u.r.Read(p) }

// Program is a program in the guest. What it prints is its Console.
type Program struct {
	*lab.Console
	PID   int           // in the guest
	Began time.Duration // when it was started, by the guest's monotonic clock

	what   string
	cancel context.CancelFunc
	ended  chan struct{}
	exit   string // how it ended; not before ended is closed
	err    error  // why that is not known
}

// follow reads until the program has ended.
func (p *Program) follow(resp *http.Response) {
	defer close(p.ended)
	defer resp.Body.Close()
	_, p.err = io.Copy(p.Console, resp.Body)
	p.exit = resp.Trailer.Get(guest.Exit)
}

// Wait waits until the program has ended, and returns an error unless it succeeded.
func (p *Program) Wait() error {
	<-p.ended
	if p.err != nil {
		return fmt.Errorf("%s: %w\n%s", p.what, p.err, p.Tail(30))
	}
	if p.exit != "0" {
		return fmt.Errorf("%s: %s\n%s", p.what, p.exit, p.Tail(30))
	}
	return nil
}

// Expect waits until the program has printed what pattern matches, and returns the match and its groups. Its end ends the
// wait as well.
func (p *Program) Expect(ctx context.Context, mark int, pattern string) ([]string, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	go func() {
		select {
		case <-p.ended:
			cancel(errors.Join(errors.New("it has ended"), p.Wait()))
		case <-ctx.Done():
		}
	}()
	match, err := p.Console.Wait(ctx, mark, pattern)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", p.what, err)
	}
	return match, nil
}

// Kill ends the program and what it has started, as SIGKILL does, and waits until it is gone.
func (p *Program) Kill() {
	p.cancel()
	<-p.ended
}
