package mpd

import (
	"context"
	"errors"
	"io"
	"strconv"
	"time"

	"manofwar/internal/media"
	streamapi "manofwar/services/stream/api"
)

// art is the picture that a client reads, a part at a time.
type art struct {
	of   media.ID
	plan streamapi.Plan
	at   time.Time
}

const (
	// keepArt is how long a client's next part is of the picture as it was planned.
	keepArt = time.Minute
	// The bounds of a part, in bytes.
	minChunk = 64
	maxChunk = 1 << 20
)

// picture returns the command that sends a part of a song's picture. The two there are differ in where MPD looks for it;
// here it is found wherever it is. Without one the answer is empty, or an error.
func picture(orEmpty bool) func(*client, context.Context, []string) error {
	return func(c *client, ctx context.Context, args []string) error {
		offset, err := strconv.ParseInt(args[1], 10, 64)
		if err != nil || offset < 0 {
			return errArgument("an offset", args[1])
		}
		plan, err := c.cover(ctx, args[0])
		if errors.Is(err, media.ErrNotFound) {
			if orEmpty {
				return nil
			}
			return fail(codeNoExist, "No file exists")
		}
		if err != nil {
			return err
		}
		size := plan.Size()
		if offset > size {
			return fail(codeArgument, "Bad file offset")
		}
		part := make([]byte, min(int64(c.chunk), size-offset))
		if err := c.server.readPlan(plan, offset, part); err != nil {
			return err
		}
		c.pair("size", strconv.FormatInt(size, 10))
		if plan.Type != "" && orEmpty {
			c.pair("type", plan.Type)
		}
		c.number("binary", len(part))
		_, _ = c.out.Write(part) // noticed when it is flushed
		c.text("\n")
		return nil
	}
}

// cover returns where the bytes of a song's picture are, if it is shared now. A client asks for one many times.
func (c *client) cover(ctx context.Context, uri string) (streamapi.Plan, error) {
	s, err := c.oneSong(ctx, uri)
	if err != nil {
		return streamapi.Plan{}, err
	}
	if c.art.of == s.id && time.Since(c.art.at) < keepArt {
		return c.art.plan, nil
	}
	plan, err := c.server.opts.Planner.Plan(ctx, s.id, "cover", nil)
	if err == nil {
		c.art = art{s.id, plan, time.Now()}
	}
	return plan, err
}

// readPlan fills p with the bytes of a plan's body from offset on.
func (s *Server) readPlan(plan streamapi.Plan, offset int64, p []byte) error {
	for _, part := range plan.Parts {
		size := part.Size()
		if offset >= size {
			offset -= size
			continue
		}
		n := min(int64(len(p)), size-offset)
		if part.Path == "" {
			copy(p, part.Inline[offset:offset+n])
		} else if err := s.readFile(part.Path, part.Offset+offset, p[:n]); err != nil {
			return err
		}
		p, offset = p[n:], 0
	}
	if len(p) > 0 {
		return io.ErrUnexpectedEOF
	}
	return nil
}

func (s *Server) readFile(path string, offset int64, p []byte) error {
	f, _, err := s.opts.Open(path)
	if err != nil {
		return err
	}
	_, err = f.ReadAt(p, offset)
	return errors.Join(err, f.Close())
}

func (c *client) binaryLimit(_ context.Context, args []string) error {
	n, err := strconv.Atoi(args[0])
	if err != nil || n < minChunk {
		return errArgument("a limit of at least 64", args[0])
	}
	c.chunk = min(n, maxChunk)
	return nil
}
