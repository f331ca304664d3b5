//go:build !linux

package portal

import "net"

func cork(net.Conn, bool) {}
