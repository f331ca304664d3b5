package peers

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os/exec"
	"strings"
	"time"

	"manofwar/internal/setup"
	"manofwar/internal/slot"
	netapi "manofwar/netmgr/api"
)

// WithSetup returns a [Config.Prepare] that puts setup.json on the card, as its owner would from a laptop.
func WithSetup(ctx context.Context, s setup.Setup) func(card string) error {
	return func(card string) error {
		text, err := s.JSON()
		if err != nil {
			return err
		}
		cmd := exec.CommandContext(ctx, "mcopy", "-i", fmt.Sprintf("%s@@%d", card, slot.Boot.Start), "-", "::"+setup.Name)
		cmd.Stdin = bytes.NewReader(text)
		if out, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("mcopy: %w: %s", err, out)
		}
		return nil
	}
}

// Ask asks the dongle's page for something, from the dongle itself so that it answers whatever the network does. in is the
// body as JSON; nil: none. out gets the answer; nil: nothing does.
func (w *World) Ask(ctx context.Context, method, path string, in, out any) error {
	var body io.Reader
	if in != nil {
		data, err := json.Marshal(in)
		if err != nil {
			return err
		}
		body = bytes.NewReader(data)
	}
	req, err := http.NewRequestWithContext(ctx, method, "http://127.0.0.1"+path, body)
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := w.Dongle().Client().Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	switch {
	case err != nil:
		return err
	case resp.StatusCode >= http.StatusBadRequest:
		return fmt.Errorf("%s %s: %s: %s", method, path, resp.Status, text)
	case out == nil:
		return nil
	}
	return json.Unmarshal(text, out)
}

// AwaitNetwork waits until the dongle says of its network what ok wants. The error has what it said last.
func (w *World) AwaitNetwork(ctx context.Context, what string, limit time.Duration, ok func(netapi.Status) bool) (s netapi.Status, err error) {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	var last error
	if err := w.Await(ctx, what, func() bool {
		var now netapi.Status
		if last = w.Ask(ctx, http.MethodGet, "/api/v1/network", nil, &now); last == nil {
			s = now
		}
		return last == nil && ok(s)
	}); err != nil {
		return s, fmt.Errorf("%w\nlast status: %s", errors.Join(err, last), asJSON(s))
	}
	return s, nil
}

func asJSON(v any) string {
	text, err := json.Marshal(v)
	if err != nil {
		return err.Error()
	}
	return string(text)
}

// In returns a condition for [World.AwaitNetwork]: the dongle is in that network, with the internet as far as state says.
func In(ssid string, state netapi.State) func(netapi.Status) bool {
	return func(s netapi.Status) bool {
		for _, l := range s.Links {
			if l.WiFi != nil && l.WiFi.SSID == ssid && l.State == state {
				return true
			}
		}
		return false
	}
}

// Kill kills one of the dongle's services, or what has any other name, as nothing but a fault does.
func (w *World) Kill(ctx context.Context, service string) error {
	// The last of its name: PID 1's own child is older than any that it starts.
	_, err := w.Outside().Run(ctx, "pkill", "-9", "-f", "^/bin/manofwar "+service+"$")
	return err
}

// Watch has the dongle, or whoever lives in a place, try the internet again and again. [Watching.Until] waits for what comes of it.
func (p *Place) Watch(ctx context.Context) (*Watching, error) {
	program, err := p.Start(ctx, "/outside", "watch", InternetAddress+":80")
	if err != nil {
		return nil, err
	}
	return &Watching{program}, nil
}

// Watching is a program that tries to connect to the internet, and prints when that begins and ceases to work.
type Watching struct{ *Program }

// Until waits until the internet is reached through the router of that name, later than after by the guest's monotonic clock,
// and returns when. An empty name is for when nothing is reached.
func (w *Watching) Until(ctx context.Context, router string, after time.Duration) (time.Duration, error) {
	want := "works " + router
	if router == "" {
		want = "fails"
	}
	for mark := 0; ; {
		line, err := w.Expect(ctx, mark, `(?m)^(\d+) (.*)\n`)
		if err != nil {
			return 0, err
		}
		mark += strings.Index(w.String()[mark:], line[0]) + len(line[0])
		var at int64
		if _, err := fmt.Sscan(line[1], &at); err != nil {
			return 0, err
		}
		if line[2] == want && time.Duration(at) > after {
			return time.Duration(at), nil
		}
	}
}

// Now returns the name of the router through which the internet was reached when it was last tried; empty: through none.
func (w *Watching) Now() string {
	lines := strings.Split(strings.TrimSpace(w.String()), "\n")
	_, router, _ := strings.Cut(lines[len(lines)-1], " works ")
	return router
}
