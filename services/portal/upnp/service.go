package upnp

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"manofwar/services/portal/upnp/gena"
	"manofwar/services/portal/upnp/soap"
)

// Service is a part of a device: what can be asked of it, and the variables that this is about.
type Service struct {
	Name      string // in addresses: "transport"
	Type      string // "urn:schemas-upnp-org:service:AVTransport:1"
	ID        string // "urn:upnp-org:serviceId:AVTransport"
	Variables []Variable
	Actions   []Action
	State     func() []gena.Property // the evented variables as they are now

	events *gena.Publisher
}

// Changed has subscribers told. The device must run.
func (s *Service) Changed() {
	if s.events != nil {
		s.events.Changed()
	}
}

// Variable is one that an argument is of, or that is told of.
type Variable struct {
	Name    string
	Type    string // "string", "ui4", "i4", "i2", "ui2", "boolean", "uri"
	Evented bool
	Allowed []string    // of a string; empty: any
	Max     int         // of a number that begins at 0; 0: any
	Fault   *soap.Fault // for a value that is not allowed; nil: the one of every service
}

// Argument is one of an action, with the variable whose values it has.
type Argument struct{ Name, Variable string }

// Action is one that can be asked for. Do gets the arguments, checked against their variables, and returns those of Out. Its error is a
// [soap.Fault], or action failed.
type Action struct {
	Name    string
	In, Out []Argument
	Do      func(ctx context.Context, in map[string]string) (map[string]string, error)
}

// do does what a call asks for.
func (s *Service) do(ctx context.Context, c soap.Call) ([]soap.Argument, error) {
	i := slices.IndexFunc(s.Actions, func(a Action) bool { return a.Name == c.Action })
	if i < 0 {
		return nil, soap.ErrAction
	}
	a := s.Actions[i]
	in := make(map[string]string, len(a.In))
	for _, arg := range a.In {
		value, ok := c.Args[arg.Name]
		if !ok {
			return nil, soap.ErrArgs
		}
		value, err := s.check(arg.Variable, value)
		if err != nil {
			return nil, err
		}
		in[arg.Name] = value
	}
	values, err := a.Do(ctx, in)
	if err != nil {
		return nil, err
	}
	out := make([]soap.Argument, len(a.Out))
	for i, arg := range a.Out {
		out[i] = soap.Argument{Name: arg.Name, Value: values[arg.Name]}
	}
	return out, nil
}

// check returns a value as its variable has it: numbers without blanks, booleans as 0 or 1.
func (s *Service) check(name, value string) (string, error) {
	i := slices.IndexFunc(s.Variables, func(v Variable) bool { return v.Name == name })
	if i < 0 {
		return "", fmt.Errorf("no variable %s", name)
	}
	v := s.Variables[i]
	trimmed := strings.TrimSpace(value)
	switch v.Type {
	case "ui2", "ui4":
		n, err := strconv.ParseUint(trimmed, 10, 32)
		if err != nil {
			return "", soap.ErrArgs
		}
		if v.Max > 0 && n > uint64(v.Max) {
			return "", v.wrong()
		}
		return strconv.FormatUint(n, 10), nil
	case "i2", "i4":
		n, err := strconv.ParseInt(trimmed, 10, 32)
		if err != nil {
			return "", soap.ErrArgs
		}
		return strconv.FormatInt(n, 10), nil
	case "boolean":
		switch strings.ToLower(trimmed) {
		case "1", "true", "yes":
			return "1", nil
		case "0", "false", "no":
			return "0", nil
		}
		return "", soap.ErrArgs
	}
	if len(v.Allowed) > 0 && !slices.Contains(v.Allowed, value) {
		return "", v.wrong()
	}
	return value, nil
}

func (v Variable) wrong() *soap.Fault {
	if v.Fault != nil {
		return v.Fault
	}
	return soap.ErrValue
}

// scpd is the service's description (section 2.5).
func (s *Service) scpd() []byte {
	var b strings.Builder
	b.WriteString(`<?xml version="1.0" encoding="utf-8"?>` + "\n" +
		`<scpd xmlns="urn:schemas-upnp-org:service-1-0"><specVersion><major>1</major><minor>0</minor></specVersion><actionList>`)
	for _, a := range s.Actions {
		b.WriteString("<action><name>" + a.Name + "</name><argumentList>")
		for _, list := range []struct {
			direction string
			args      []Argument
		}{{"in", a.In}, {"out", a.Out}} {
			for _, arg := range list.args {
				fmt.Fprintf(&b, "<argument><name>%s</name><direction>%s</direction><relatedStateVariable>%s</relatedStateVariable></argument>",
					arg.Name, list.direction, arg.Variable)
			}
		}
		b.WriteString("</argumentList></action>")
	}
	b.WriteString("</actionList><serviceStateTable>")
	for _, v := range s.Variables {
		v.describe(&b)
	}
	b.WriteString("</serviceStateTable></scpd>\n")
	return []byte(b.String())
}

func (v Variable) describe(b *strings.Builder) {
	events := map[bool]string{true: "yes", false: "no"}[v.Evented]
	fmt.Fprintf(b, `<stateVariable sendEvents="%s"><name>%s</name><dataType>%s</dataType>`, events, v.Name, v.Type)
	if len(v.Allowed) > 0 {
		b.WriteString("<allowedValueList>")
		for _, a := range v.Allowed {
			b.WriteString("<allowedValue>" + soap.Escape(a) + "</allowedValue>")
		}
		b.WriteString("</allowedValueList>")
	}
	if v.Max > 0 {
		fmt.Fprintf(b, "<allowedValueRange><minimum>0</minimum><maximum>%d</maximum><step>1</step></allowedValueRange>", v.Max)
	}
	b.WriteString("</stateVariable>")
}

// LastChange writes the value of the variable of that name (AVTransport:1, section 2.3.1): what the variables of the one
// instance are. The namespace is the service's.
func LastChange(namespace string, variables map[string]string, channel map[string]bool) string {
	var b strings.Builder
	fmt.Fprintf(&b, `<Event xmlns="%s"><InstanceID val="0">`, namespace)
	for _, name := range slices.Sorted(maps.Keys(variables)) {
		b.WriteString("<" + name)
		if channel[name] {
			b.WriteString(` channel="Master"`)
		}
		b.WriteString(` val="` + soap.Escape(variables[name]) + `"/>`)
	}
	b.WriteString("</InstanceID></Event>")
	return b.String()
}
