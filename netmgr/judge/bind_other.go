//go:build !linux

package judge

import (
	"context"
	"syscall"
	"time"
)

// bindTo leaves the choice of the interface to the system: elsewhere than on Linux links are not managed, only told of.
func bindTo(string) func(network, address string, c syscall.RawConn) error { return nil }

// gateways takes routers for answering where they cannot be asked.
func (p *prober) gateways(context.Context, time.Duration) bool { return len(p.link.Gateways) > 0 }
