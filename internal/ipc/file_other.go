//go:build !linux

package ipc

import (
	"context"
	"errors"
	"net/http"
	"os"
)

// SendFile is for PID 1, which is on Linux.
func SendFile(http.ResponseWriter, *os.File) error { return errors.ErrUnsupported }

// File is for callers of PID 1, which is on Linux.
func (*Client) File(context.Context, string, string) (*os.File, error) {
	return nil, errors.ErrUnsupported
}
