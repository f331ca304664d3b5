package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"time"

	"manofwar/internal/ipc"
	"manofwar/internal/media"
	"manofwar/player/api"
)

// runDir is where the dongle's sockets are: this program has another root.
const runDir = "/proc/1/root/run/manofwar"

const (
	// answerLimit is how long the player may take to answer a command, calmLimit how long to come to rest after many.
	answerLimit = 20 * time.Second
	calmLimit   = time.Minute
	// calmTick is how often it is asked meanwhile.
	calmTick = 20 * time.Millisecond
)

// tellPlayer sends the dongle's player a request, if words has a method, a path and a body of one, and prints as JSON what the
// player says once it has opened what it is to play.
func tellPlayer(words []string) error {
	if len(words) == 3 {
		c := ipc.NewClient(runDir, api.Name)
		if err := call(func(ctx context.Context) error {
			return c.Call(ctx, words[0], words[1], json.RawMessage(words[2]), nil)
		}); err != nil {
			return err
		}
	}
	return printCalm(api.NewClient(runDir))
}

// printCalm prints what the player says once it is calm.
func printCalm(p *api.Client) error {
	now, err := calm(p)
	if err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(now)
}

// calm waits until what was asked for last is so, and looks whether the player's words fit together.
func calm(p *api.Client) (now api.Status, err error) {
	deadline := time.Now().Add(calmLimit)
	for {
		if err := call(func(ctx context.Context) (err error) { now, err = p.Status(ctx); return err }); err != nil {
			return now, err
		}
		if now.State != api.Loading {
			break
		}
		if time.Now().After(deadline) {
			return now, fmt.Errorf("it does not open what it was to play within %v; it is at %v", calmLimit, time.Duration(now.Position))
		}
		time.Sleep(calmTick)
	}
	if (now.Item == nil) != (now.State == api.Idle) || now.Position < 0 || now.Duration > 0 && now.Position > now.Duration {
		return now, fmt.Errorf("it is %s of %+v at %v of %v", now.State, now.Item, time.Duration(now.Position), time.Duration(now.Duration))
	}
	return now, nil
}

// call does one thing. A command that means nothing now may be refused; none may go without an answer.
func call(do func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(context.Background(), answerLimit)
	defer cancel()
	err := do(ctx)
	if errors.Is(err, media.ErrInvalid) || errors.Is(err, media.ErrNotFound) {
		return nil
	}
	return err
}
