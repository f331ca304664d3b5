package api

import (
	"context"
	"io"
	"iter"
	"net/http"
	"net/url"
	"os"
	"strconv"

	"manofwar/internal/ipc"
)

// Client calls init.sock. Its methods are the verbs; their errors are [ipc.Client.Call]'s.
type Client struct{ ipc *ipc.Client }

// NewClient returns a client of the init.sock in runDir. Nothing is dialled yet.
func NewClient(runDir string) *Client { return &Client{ipc.NewClient(runDir, Name)} }

// Status returns the state of the machine and of every service.
func (c *Client) Status(ctx context.Context) (s Status, err error) {
	return s, c.ipc.Get(ctx, "/status", &s)
}

// Memory returns what every process occupies.
func (c *Client) Memory(ctx context.Context) (m Memory, err error) {
	return m, c.ipc.Get(ctx, "/memory", &m)
}

// Log returns the last lines that a service logged, at most tail of them.
func (c *Client) Log(ctx context.Context, service string, tail int) (lines []Line, err error) {
	return lines, c.ipc.Get(ctx, "/logs/"+url.PathEscape(service)+"?tail="+strconv.Itoa(tail), &lines)
}

// FollowLog yields the last lines, at most tail of them, and then each new one until ctx ends. Its events' Data is a [Line].
func (c *Client) FollowLog(ctx context.Context, service string, tail int) iter.Seq2[ipc.Event, error] {
	return c.ipc.Events(ctx, "/logs/"+url.PathEscape(service)+"?follow=true&tail="+strconv.Itoa(tail))
}

// Disks returns the file systems on disks that are not the system's own.
func (c *Client) Disks(ctx context.Context) (d []Disk, err error) {
	return d, c.ipc.Get(ctx, "/disks", &d)
}

// Events yields news until ctx ends: see the Event constants.
func (c *Client) Events(ctx context.Context) iter.Seq2[ipc.Event, error] {
	return c.ipc.Events(ctx, "/events")
}

// DiskRequest is the body of a verb about one disk.
type DiskRequest struct {
	ID string `json:"id"`
}

// Mount mounts a disk that was ejected, or that could not be mounted before.
func (c *Client) Mount(ctx context.Context, id string) error {
	return c.ipc.Post(ctx, "/mount", DiskRequest{id}, nil)
}

// Eject unmounts a disk so that it can be pulled out.
func (c *Client) Eject(ctx context.Context, id string) error {
	return c.ipc.Post(ctx, "/eject", DiskRequest{id}, nil)
}

// RetryData checks and repairs /data once more, and restarts the machine if it can be mounted now. It is for a machine
// in rescue only.
func (c *Client) RetryData(ctx context.Context) error {
	return c.ipc.Post(ctx, "/data/retry", nil, nil)
}

// ExportData returns what can still be read of /data as a tar archive, for the caller to close. It is for a machine in
// rescue only. An archive that ends without its end was cut short.
func (c *Client) ExportData(ctx context.Context) (io.ReadCloser, error) {
	return c.ipc.Open(ctx, "/data/export")
}

// EraseData makes a new, empty /data and restarts the machine. It is for a machine in rescue only, and wants the code
// that the machine shows on its screen: whoever erases can see it.
func (c *Client) EraseData(ctx context.Context, code string) error {
	return c.ipc.Post(ctx, "/data/erase", EraseRequest{code}, nil)
}

// EraseRequest is the body of "erase".
type EraseRequest struct {
	Code string `json:"code"`
}

// OpenSlot returns the inactive slot's partition, open for reading and writing, for the caller to fill and close. From
// then on nothing boots it until [Client.Trial] has verified it.
func (c *Client) OpenSlot(ctx context.Context) (*os.File, error) {
	return c.ipc.File(ctx, http.MethodPost, "/slot")
}

// Trial verifies the inactive slot and restarts into it, once: any further restart is back to the present slot, unless
// [Client.Commit] is called before.
func (c *Client) Trial(ctx context.Context) error { return c.ipc.Post(ctx, "/trial", nil, nil) }

// Commit makes the present slot, booted on trial, the one that is booted from now on.
func (c *Client) Commit(ctx context.Context) error { return c.ipc.Post(ctx, "/commit", nil, nil) }

// Restart restarts the machine.
func (c *Client) Restart(ctx context.Context) error { return c.ipc.Post(ctx, "/reboot", nil, nil) }

// PowerOff turns the machine off.
func (c *Client) PowerOff(ctx context.Context) error { return c.ipc.Post(ctx, "/poweroff", nil, nil) }

// FactoryReset restarts the machine with an empty /data. Media disks are not touched.
func (c *Client) FactoryReset(ctx context.Context) error {
	return c.ipc.Post(ctx, "/factory-reset", nil, nil)
}
