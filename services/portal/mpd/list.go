package mpd

import (
	"context"
	"strings"
)

// request is a command and its arguments.
type request struct {
	name string
	args []string
}

// overhead is what a command in a list takes beside its own bytes.
const overhead = 64

// commandList takes a command list in, and does it: nothing before its end has come, and nothing after what fails.
func (c *client) commandList(ctx context.Context, lines <-chan string, tell bool) error {
	all, size, err := c.collect(ctx, lines)
	defer func() { _ = c.server.reserve(-size) }() // giving back does not fail
	if err != nil {
		return err
	}
	for n := 0; n < len(all); {
		done, more := 1, additions(all[n:])
		if more > 1 {
			done, err = c.addAll(ctx, all[n:n+more])
		} else if err = c.one(ctx, all[n], n); err != nil {
			return err
		}
		if tell {
			c.text(strings.Repeat("list_OK\n", done))
		}
		n += done
		if err != nil {
			return c.complain(ctx, err, n, all[n].name)
		}
	}
	c.text("OK\n")
	return nil
}

// collect reads the list's commands, and returns how many bytes were reserved for them. A line that cannot be understood
// fails when its turn comes.
func (c *client) collect(ctx context.Context, lines <-chan string) (all []request, size int, err error) {
	for {
		line, err := c.hear(ctx, lines, idleTimeout)
		if err != nil {
			return nil, size, err
		}
		if line == "command_list_end" {
			return all, size, nil
		}
		n := len(line) + overhead
		if size+n > maxList {
			err = errLists
		} else {
			err = c.server.reserve(n)
		}
		if err != nil {
			c.text(fail(codeFull, "%s", err).(*ack).line(len(all), ""))
			_ = c.out.Flush() // it has left if this fails
			return nil, size, err
		}
		size += n
		name, args, err := parseLine(line)
		if err != nil {
			name, args = badLine, []string{name, err.Error()}
		}
		all = append(all, request{name, args})
	}
}

// badLine stands for a line of a list that could not be understood, with the command and what is wrong as its arguments.
// No line can be parsed as this.
const badLine = "bad line"

// additions returns how many commands at the beginning of a list put something at the end of the queue and no more.
func additions(list []request) (n int) {
	for n < len(list) && list[n].name == "add" && len(list[n].args) == 1 {
		n++
	}
	return n
}
