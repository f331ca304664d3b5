package mpd

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"sync"
	"time"

	"manofwar/internal/media"
)

// client is one connection. Its methods are its own goroutine's, but for [client.changed].
type client struct {
	server *Server
	conn   net.Conn
	out    *bufio.Writer
	hidden map[tag]bool // that it does not want to be told
	chunk  int          // bytes of a picture in one answer
	art    art          // the picture that it reads

	mu   sync.Mutex // guards news
	news subsystems // that it has not been told of
	wake chan struct{}
}

// defaultChunk is that of the protocol.
const defaultChunk = 8192

func newClient(s *Server, conn net.Conn) *client {
	return &client{
		server: s, conn: conn, out: bufio.NewWriterSize(patient{conn}, 16<<10),
		hidden: make(map[tag]bool), chunk: defaultChunk, wake: make(chan struct{}, 1),
	}
}

// patient is a connection that waits for a slow reader, but not forever.
type patient struct{ net.Conn }

func (p patient) Write(b []byte) (int, error) {
	if err := p.SetWriteDeadline(time.Now().Add(writeTimeout)); err != nil {
		return 0, err
	}
	return p.Conn.Write(b)
}

// refuse says why it is not let in.
func (c *client) refuse(why string) {
	_, _ = c.out.WriteString(fail(codeSystem, "%s", why).(*ack).line(0, ""))
	_ = c.out.Flush() // it has left if this fails
	_ = c.conn.Close()
}

// errClosed ends a connection that its client closes.
var errClosed = errors.New("closed by the client")

// run talks until the connection ends, for which the error is the reason.
func (c *client) run(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	stop := context.AfterFunc(ctx, func() { _ = c.conn.Close() }) // whoever does not read is not waited for
	defer stop()
	lines := make(chan string)
	var reading sync.WaitGroup
	var readErr error
	reading.Go(func() {
		defer close(lines)
		readErr = c.read(ctx, lines)
	})
	err := c.talk(ctx, lines)
	if errors.Is(err, io.EOF) {
		err = readErr // it was set before the lines ended
	}
	if errors.Is(err, media.ErrInvalid) {
		c.text(asAck(err).line(0, ""))
		_ = c.out.Flush() // it has left if this fails
	}
	cancel()
	_ = c.conn.Close() // which ends the reading
	reading.Wait()
	return err
}

// errForeign says that something else is spoken than this protocol.
var errForeign = errors.New("not a command, which begins with a small letter")

// read passes on what the client says, line by line. As with MPD, a line that no command begins ends the connection, without
// an answer: a page of somebody else's may have a browser POST lines to this port, and the first of them says so.
func (c *client) read(ctx context.Context, lines chan<- string) error {
	in := bufio.NewReaderSize(c.conn, maxLine)
	for {
		line, err := in.ReadSlice('\n')
		if errors.Is(err, bufio.ErrBufferFull) {
			return fmt.Errorf("a line of more than %d bytes: %w", maxLine, media.ErrInvalid)
		}
		if err != nil {
			return err
		}
		if line[0] < 'a' || line[0] > 'z' {
			return errForeign
		}
		select {
		case lines <- strings.TrimSuffix(strings.TrimSuffix(string(line), "\n"), "\r"):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// talk greets and answers.
func (c *client) talk(ctx context.Context, lines <-chan string) error {
	c.text("OK MPD " + version + "\n")
	for {
		if err := c.out.Flush(); err != nil {
			return err
		}
		line, err := c.hear(ctx, lines, idleTimeout)
		if err != nil {
			return err
		}
		name, args, err := parseLine(line)
		switch {
		case name == "":
			c.text(fail(codeUnknown, "No command given").(*ack).line(0, ""))
		case err != nil:
			c.text(asAck(err).line(0, name))
		case name == "command_list_begin", name == "command_list_ok_begin":
			err = c.commandList(ctx, lines, name == "command_list_ok_begin")
		case name == "idle":
			err = c.idle(ctx, lines, args)
		case name == "noidle": // it crossed with the news
		default:
			err = c.one(ctx, request{name, args}, 0)
			if err == nil {
				c.text("OK\n")
			}
		}
		if err := c.told(err); err != nil {
			return err
		}
	}
}

// told returns what of err ends the connection: a mistake, of which the client was told, does not.
func (c *client) told(err error) error {
	if _, ok := errors.AsType[*ack](err); ok {
		return nil
	}
	return err
}

// hear returns the next line; without one for so long, or at the end of the connection, an error.
func (c *client) hear(ctx context.Context, lines <-chan string, within time.Duration) (string, error) {
	t := time.NewTimer(within)
	defer t.Stop()
	select {
	case line, ok := <-lines:
		if !ok {
			return "", io.EOF
		}
		return line, nil
	case <-t.C:
		return "", fmt.Errorf("it has said nothing for %v", within)
	case <-ctx.Done():
		return "", ctx.Err()
	}
}

// one does a command. The error is an [ack] that the client was told of, or ends the connection.
func (c *client) one(ctx context.Context, r request, n int) error {
	err := c.do(ctx, r)
	if err == nil || errors.Is(err, errClosed) {
		return err
	}
	if r.name == badLine {
		r.name = r.args[0]
	}
	return c.complain(ctx, err, n, r.name)
}

// complain tells the client why the nth command was not done, and returns that; where ctx has ended, it returns its error.
func (c *client) complain(ctx context.Context, err error, n int, name string) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	a := asAck(err)
	c.text(a.line(n, name))
	return a
}

// do finds a command and does it.
func (c *client) do(ctx context.Context, r request) error {
	cmd, ok := c.server.commands[r.name]
	switch {
	case r.name == badLine:
		return fail(codeArgument, "%s", r.args[1])
	case !ok:
		return fail(codeUnknown, "unknown command %.40q", r.name)
	case cmd.refused != "":
		return fail(codePermission, "%s", cmd.refused)
	case len(r.args) < cmd.least:
		return fail(codeArgument, "too few arguments for %q", r.name)
	case cmd.most >= 0 && len(r.args) > cmd.most:
		return fail(codeArgument, "too many arguments for %q", r.name)
	}
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	return cmd.do(c, ctx, r.args)
}

// text writes part of an answer. That it cannot be written is noticed when it is flushed.
func (c *client) text(s string) { _, _ = c.out.WriteString(s) }

// pair writes a line of an answer.
func (c *client) pair(name, value string) {
	c.text(name)
	c.text(": ")
	c.text(oneLine(value))
	c.text("\n")
}

func (c *client) number(name string, n int) { c.pair(name, strconv.Itoa(n)) }

func (c *client) flag(name string, on bool) {
	if on {
		c.pair(name, "1")
	} else {
		c.pair(name, "0")
	}
}
