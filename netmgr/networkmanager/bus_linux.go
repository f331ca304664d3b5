package networkmanager

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	nm "github.com/Wifx/gonetworkmanager/v2"
	"github.com/godbus/dbus/v5"
)

// bus is one connection to the message bus. All but its handler is for one goroutine.
//
// Requests go past the calls of [github.com/Wifx/gonetworkmanager/v2]: those have no deadline, do not end with a
// context, and share a connection that nobody may close.
type bus struct {
	ctx     context.Context
	conn    *dbus.Conn
	owner   string // NetworkManager's own name on the bus; empty: it does not run
	signals chan *dbus.Signal
	answers chan func()
	broken  chan error // why the connection is of no use any more
	waiting sync.WaitGroup
}

// The limits of the bus.
const (
	// callLimit is how long NetworkManager may take for an answer. It asks polkit, which may ask the user.
	callLimit = 30 * time.Second
	// maxSignals is how many signals may wait; at more the state is read anew.
	maxSignals = 4096
	maxAnswers = 64
)

var (
	errOverrun = errors.New("too many signals at once")
	errClosed  = errors.New("the bus closed the connection")
)

// The bus's own names (D-Bus Specification).
const (
	busName        = "org.freedesktop.DBus"
	busPath        = dbus.ObjectPath("/org/freedesktop/DBus")
	objectManager  = busName + ".ObjectManager"
	objectsPath    = dbus.ObjectPath("/org/freedesktop")
	propertiesName = busName + ".Properties"
)

// handler takes signals from the connection's reader, which it must not stop: answers come by the same way.
type handler struct{ *bus }

func (h handler) DeliverSignal(_, _ string, s *dbus.Signal) {
	select {
	case h.signals <- s:
	default:
		h.fail(errOverrun)
	}
}

// Terminate is called when the connection has ended.
func (h handler) Terminate() { h.fail(errClosed) }

func (b *bus) fail(err error) {
	select {
	case b.broken <- err:
	default:
	}
}

// connect connects to the bus and asks for the signals of NetworkManager. An empty address means the system's bus. The
// connection ends with ctx, and [bus.close] waits for what is under way.
func connect(ctx context.Context, address string) (*bus, error) {
	b := &bus{
		ctx: ctx, signals: make(chan *dbus.Signal, maxSignals), answers: make(chan func(), maxAnswers), broken: make(chan error, 1),
	}
	options := []dbus.ConnOption{dbus.WithContext(ctx), dbus.WithSignalHandler(handler{b})}
	var err error
	if address == "" {
		b.conn, err = dbus.ConnectSystemBus(options...)
	} else {
		b.conn, err = dbus.Connect(address, options...)
	}
	if err != nil {
		return nil, fmt.Errorf("%w (%w)", ErrNoBus, err)
	}
	for _, options := range [][]dbus.MatchOption{
		{dbus.WithMatchSender(busName), dbus.WithMatchMember("NameOwnerChanged"), dbus.WithMatchArg(0, nm.NetworkManagerInterface)},
		{dbus.WithMatchSender(nm.NetworkManagerInterface)},
	} {
		if err := b.conn.AddMatchSignalContext(ctx, options...); err != nil {
			b.close()
			return nil, fmt.Errorf("%w (ask for signals: %w)", ErrNoBus, err)
		}
	}
	// It may be that it does not run: then there is none.
	_ = b.conn.BusObject().CallWithContext(ctx, busName+".GetNameOwner", 0, nm.NetworkManagerInterface).Store(&b.owner)
	return b, nil
}

// close ends the connection and waits for all that runs on it.
func (b *bus) close() {
	_ = b.conn.Close() // the bus may have done so
	b.waiting.Wait()
}

// call sends a request. Requests arrive in the order of their calls. See [caller].
func (b *bus) call(path dbus.ObjectPath, method string, then func(answer []any, err error), args ...any) {
	ctx, cancel := context.WithTimeout(b.ctx, callLimit)
	pending := b.conn.Object(nm.NetworkManagerInterface, path).GoWithContext(ctx, method, dbus.FlagNoAutoStart, make(chan *dbus.Call, 1), args...)
	b.waiting.Go(func() {
		defer cancel()
		answer := <-pending.Done
		if then == nil || b.ctx.Err() != nil {
			return
		}
		select {
		case b.answers <- func() { then(answer.Body, answer.Err) }:
		case <-b.ctx.Done():
		}
	})
}

// ask sends a request and waits for the answer, which it stores.
func (b *bus) ask(path dbus.ObjectPath, method string, answer any, args ...any) error {
	ctx, cancel := context.WithTimeout(b.ctx, callLimit)
	defer cancel()
	call := b.conn.Object(nm.NetworkManagerInterface, path).CallWithContext(ctx, method, dbus.FlagNoAutoStart, args...)
	if answer == nil {
		return call.Err
	}
	return call.Store(answer)
}

// ownerChange reads a signal that tells who NetworkManager is now.
func ownerChange(s *dbus.Signal) (owner string, ok bool) {
	if s.Sender != busName || s.Name != busName+".NameOwnerChanged" || len(s.Body) != 3 {
		return "", false
	}
	name, _ := s.Body[0].(string)
	owner, ok = s.Body[2].(string)
	return owner, ok && name == nm.NetworkManagerInterface
}
