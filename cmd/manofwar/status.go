package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/peterbourgon/ff/v3/ffcli"

	"manofwar/internal/ipc"
	"manofwar/internal/media"
)

func statusCommand(term terminal) *ffcli.Command {
	flags := newFlags("status", term)
	asJSON := flags.Bool("json", false, "print the server's answer as it is")
	log := flags.String("log", "", "print the last lines of this `service`'s log instead")
	return &ffcli.Command{
		Name: "status", ShortUsage: "manofwar status [flags] [URL]", FlagSet: flags,
		ShortHelp: "show how a running manofwar is doing",
		LongHelp: "Asks the one at URL, or the one that \"manofwar serve\" runs on this computer.\n\n" +
			"  manofwar status http://manofwar.local\n  manofwar status --log catalog http://manofwar.local",
		Exec: func(ctx context.Context, args []string) error {
			if len(args) > 1 {
				return usageError(term, "status: one URL at most, got %q", args)
			}
			base := "http://" + defaultListen
			if len(args) == 1 {
				base = args[0]
			}
			return status(ctx, term.out, base, *log, *asJSON)
		},
	}
}

// statusTimeout bounds the question; a healthy server answers at once.
const statusTimeout = 10 * time.Second

func status(ctx context.Context, out io.Writer, base, log string, asJSON bool) error {
	base = strings.TrimRight(base, "/")
	if !strings.Contains(base, "://") {
		base = "http://" + base
	}
	ctx, cancel := context.WithTimeout(ctx, statusTimeout)
	defer cancel()
	path, show := "/api/v1/status", printStatus
	if log != "" {
		path, show = "/api/v1/services/"+url.PathEscape(log)+"/log", printLog
	}
	body, err := fetch(ctx, base+path)
	if err != nil {
		return fmt.Errorf("status of %s: %w", base, err)
	}
	if asJSON {
		_, err := out.Write(body)
		return err
	}
	return show(out, body)
}

// maxAnswer bounds what is read of an answer, in bytes.
const maxAnswer = 16 << 20

func fetch(ctx context.Context, address string) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, err
	}
	resp, err := http.DefaultClient.Do(req)
	if ue, ok := errors.AsType[*url.Error](err); ok {
		err = ue.Err // the rest repeats the address
	}
	if err != nil {
		return nil, &media.Error{Op: "ask", Err: err, Hint: "Is manofwar running there? Name its address if it is another, as in: manofwar status http://manofwar.local"}
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err != nil {
		return nil, err
	}
	if resp.StatusCode != http.StatusOK {
		var e ipc.Error
		if json.Unmarshal(body, &e) == nil && e.Message != "" {
			return nil, &e
		}
		return nil, errors.New(resp.Status)
	}
	return body, nil
}
