package mpd

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strconv"

	castapi "manofwar/services/cast/api"
)

// numbers are those of MPD's outputs, which are renderers. One keeps its own as long as it is remembered.
type numbers struct {
	ids  map[string]int
	last int
}

// maxNumbers bounds those that are remembered: every page that ever was is a renderer.
const maxNumbers = 256

// of returns a renderer's number.
func (n *numbers) of(id string) int {
	number, ok := n.ids[id]
	if !ok {
		number = n.last
		n.ids[id] = number
		n.last++
	}
	return number
}

// keep forgets those that are not there, if there are too many.
func (n *numbers) keep(there []castapi.Renderer) {
	if len(n.ids) <= maxNumbers {
		return
	}
	maps.DeleteFunc(n.ids, func(id string, _ int) bool {
		return !slices.ContainsFunc(there, func(r castapi.Renderer) bool { return r.ID == id })
	})
}

// output is a renderer as clients see it.
type output struct {
	castapi.Renderer
	number  int
	enabled bool
}

// outputs returns them all.
func (h *house) outputs(ctx context.Context) ([]output, error) {
	all, err := h.cast.Renderers(ctx)
	if err != nil {
		return nil, err
	}
	s, _, err := h.now(ctx)
	if err != nil {
		return nil, err
	}
	place, err := h.choose(ctx)
	if _, none := errors.AsType[*ack](err); err != nil && !none {
		return nil, err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if plays(s) { // somebody wants it to, on whatever was disabled
		h.off, h.resume = false, false
	}
	h.numbers.keep(all.Renderers)
	list := make([]output, len(all.Renderers))
	for i, r := range all.Renderers {
		list[i] = output{r, h.numbers.of(r.ID), !h.off && (r.ID == place || alsoIn(s, r.ID))}
	}
	return list, nil
}

func plays(s castapi.Session) bool { return s.State == castapi.Playing || s.State == castapi.Loading }

// alsoIn reports whether a session plays on a renderer besides its own.
func alsoIn(s castapi.Session, renderer string) bool {
	return slices.ContainsFunc(s.With, func(r castapi.Room) bool { return r.Renderer == renderer })
}

// output returns the one of that number.
func (h *house) output(ctx context.Context, arg string) (output, error) {
	n, err := strconv.Atoi(arg)
	if err != nil {
		return output{}, errArgument("an integer", arg)
	}
	list, err := h.outputs(ctx)
	if err != nil {
		return output{}, err
	}
	i := slices.IndexFunc(list, func(o output) bool { return o.number == n })
	if i < 0 {
		return output{}, fail(codeNoExist, "No such audio output")
	}
	return list[i], nil
}

// enable has the session go on at an output, as it was before the last one was disabled.
func (h *house) enable(ctx context.Context, o output) error {
	s, ok, err := h.now(ctx)
	if err != nil {
		return err
	}
	if o.enabled && ok && s.Renderer != o.ID {
		return nil // it plays there too
	}
	h.mu.Lock()
	resume := h.off && h.resume
	h.off, h.resume, h.place = false, false, o.ID
	if ok && s.Renderer != o.ID {
		h.place = s.Renderer // until it has moved
	}
	h.mu.Unlock()
	if !ok {
		return nil
	}
	if s.Renderer != o.ID {
		if s, err = h.cast.Move(ctx, s.ID, castapi.Move{Renderer: o.ID}); err != nil {
			return err
		}
	}
	if resume {
		if s, err = h.cast.Control(ctx, s.ID, castapi.Control{Do: "play"}); err != nil {
			return err
		}
	}
	h.did(s)
	return nil
}

// disable pauses what plays if that is on the output: with it there is none. From a room in which it only plays too, it goes.
func (h *house) disable(ctx context.Context, o output) error {
	if !o.enabled {
		return nil
	}
	s, ok, err := h.now(ctx)
	if err != nil {
		return err
	}
	if ok && s.Renderer != o.ID {
		rooms := castapi.With{Renderers: []string{}}
		for _, r := range s.With {
			if r.Renderer != o.ID {
				rooms.Renderers = append(rooms.Renderers, r.Renderer)
			}
		}
		_, err := h.cast.With(ctx, s.ID, rooms)
		return err
	}
	if plays(s) {
		if _, err := h.cast.Control(ctx, s.ID, castapi.Control{Do: "pause"}); err != nil {
			return err
		}
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.off, h.resume = true, plays(s)
	return nil
}

func (c *client) outputs(ctx context.Context, _ []string) error {
	list, err := c.server.house.outputs(ctx)
	if err != nil {
		return err
	}
	for _, o := range list {
		c.number("outputid", o.number)
		c.pair("outputname", o.Name)
		c.pair("plugin", string(o.Kind))
		c.flag("outputenabled", o.enabled)
	}
	return nil
}

// switchOutput returns the command that enables or disables an output, or, without either, does what it is not.
func switchOutput(on, off bool) func(*client, context.Context, []string) error {
	return func(c *client, ctx context.Context, args []string) error {
		h := c.server.house
		o, err := h.output(ctx, args[0])
		if err != nil {
			return err
		}
		if on || !off && !o.enabled {
			err = h.enable(ctx, o)
		} else {
			err = h.disable(ctx, o)
		}
		c.server.tell(outputNews)
		return err
	}
}
