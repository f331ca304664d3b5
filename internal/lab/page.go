package lab

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"
)

// pollEvery is how often the lab asks a guest that does not answer yet.
const pollEvery = 50 * time.Millisecond

// AwaitPage waits until the guest answers GET /healthz on that port.
func (m *Machine) AwaitPage(ctx context.Context, port int) error {
	return m.Await(ctx, "the page answers", func() bool {
		resp, err := httpGet(ctx, "http://"+m.Addr(port)+"/healthz")
		if err != nil {
			return false
		}
		_, err = io.Copy(io.Discard, resp.Body)
		return resp.Body.Close() == nil && err == nil && resp.StatusCode == http.StatusOK
	})
}

// Await asks ok again and again until it says yes, the machine ends, or ctx does. what says what is awaited.
func (m *Machine) Await(ctx context.Context, what string, ok func() bool) error {
	tick := time.NewTicker(pollEvery)
	defer tick.Stop()
	for !ok() {
		select {
		case <-tick.C:
		case <-m.ended:
			return fmt.Errorf("waiting until %s: %w; its console ends with:\n%s", what, m.endError(), m.Console.Tail(30))
		case <-ctx.Done():
			return fmt.Errorf("waiting until %s: %w; the console ends with:\n%s", what, context.Cause(ctx), m.Console.Tail(30))
		}
	}
	return nil
}

// Expect waits until pattern matches in what the console said after the mark, and returns the match and its groups. The
// end of the machine ends the wait as well.
func (m *Machine) Expect(ctx context.Context, mark int, pattern string) ([]string, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	go func() {
		select {
		case <-m.ended:
			cancel(m.endError())
		case <-ctx.Done():
		}
	}()
	return m.Console.Wait(ctx, mark, pattern)
}

// endError says that the machine has ended, and why where it was not the guest's own wish.
func (m *Machine) endError() error {
	if err := m.Wait(); err != nil {
		return fmt.Errorf("the machine has ended: %w", err)
	}
	return errors.New("the machine has powered off")
}

// JSON asks the guest's port for path and decodes the answer.
func (m *Machine) JSON(ctx context.Context, port int, path string, v any) error {
	resp, err := httpGet(ctx, "http://"+m.Addr(port)+path)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		body, _ := io.ReadAll(io.LimitReader(resp.Body, 4096)) // the status says enough
		return fmt.Errorf("%s: %s: %s", path, resp.Status, body)
	}
	return json.NewDecoder(resp.Body).Decode(v)
}

// askTimeout bounds one question to a guest: an emulated processor may be slow, but not that slow.
const askTimeout = 10 * time.Second

// httpGet is a GET on a connection of its own, so that a guest that was reset leaves no dead one behind. The caller
// closes the body.
func httpGet(ctx context.Context, url string) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	client := http.Client{Timeout: askTimeout, Transport: &http.Transport{DisableKeepAlives: true}}
	return client.Do(req)
}
