// Package soap reads the calls that control points make to a UPnP device, and writes the answers (UPnP Device Architecture
// 1.1, section 3): as much of SOAP 1.1 as UPnP has. Calls come from strangers, so everything about them is bounded.
package soap

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// Call is an action that is asked for.
type Call struct {
	Service string // its type
	Action  string
	Args    map[string]string
}

// Argument is one value of an answer. Their order counts.
type Argument struct{ Name, Value string }

// The bounds of a call.
const (
	MaxBody  = 128 << 10 // in bytes: metadata of a track are some kilobytes
	maxArgs  = 32
	maxDepth = 8
)

// Fault is why an action was not done (section 3.2.2).
type Fault struct {
	Code int
	Text string // for whoever builds control points, in English
}

func (f *Fault) Error() string { return fmt.Sprintf("UPnP error %d: %s", f.Code, f.Text) }

// The faults of every service.
var (
	ErrAction = &Fault{401, "Invalid Action"}
	ErrArgs   = &Fault{402, "Invalid Args"}
	ErrFailed = &Fault{501, "Action Failed"}
	ErrValue  = &Fault{600, "Argument Value Invalid"}
)

var errMalformed = errors.New("not a call")

const envelope = "http://schemas.xmlsoap.org/soap/envelope/"

// Parse reads a call. What the field SOAPACTION says has to be the same, where there is one.
func Parse(body []byte, soapAction string) (c Call, err error) {
	if len(body) > MaxBody || !utf8.Valid(body) {
		return c, errMalformed
	}
	p := parser{d: xml.NewDecoder(bytes.NewReader(body))}
	p.d.CharsetReader = func(charset string, in io.Reader) (io.Reader, error) {
		return nil, fmt.Errorf("%w: in %.20q", errMalformed, charset)
	}
	if c, err = p.call(); err != nil {
		return Call{}, err
	}
	if said := strings.Trim(strings.TrimSpace(soapAction), `"`); said != "" && said != c.Service+"#"+c.Action {
		return Call{}, fmt.Errorf("%w: SOAPACTION names another", errMalformed)
	}
	return c, nil
}

// parser reads one document.
type parser struct{ d *xml.Decoder }

func (p parser) call() (c Call, err error) {
	for _, name := range []string{"Envelope", "Body"} {
		if err := p.enter(envelope, name); err != nil {
			return c, err
		}
	}
	action, err := p.child()
	if err != nil {
		return c, err
	}
	c = Call{Service: action.Name.Space, Action: action.Name.Local, Args: map[string]string{}}
	for {
		arg, err := p.child()
		if errors.Is(err, errEnd) {
			return c, nil
		}
		if err != nil {
			return c, err
		}
		if _, twice := c.Args[arg.Name.Local]; twice || len(c.Args) == maxArgs {
			return c, errMalformed
		}
		if c.Args[arg.Name.Local], err = p.text(); err != nil {
			return c, err
		}
	}
}

// enter goes into the child of that name, past a header.
func (p parser) enter(space, name string) error {
	for {
		e, err := p.child()
		if err != nil {
			return err
		}
		if e.Name.Space == space && e.Name.Local == name {
			return nil
		}
		if e.Name.Local != "Header" {
			return errMalformed
		}
		if err := p.skip(); err != nil {
			return err
		}
	}
}

var errEnd = errors.New("the element ends")

// child goes into the next element; errEnd: there is none.
func (p parser) child() (xml.StartElement, error) {
	for {
		t, err := p.d.Token()
		if err != nil {
			return xml.StartElement{}, fmt.Errorf("%w: %w", errMalformed, err)
		}
		switch t := t.(type) {
		case xml.StartElement:
			return t, nil
		case xml.EndElement:
			return xml.StartElement{}, errEnd
		case xml.Directive:
			return xml.StartElement{}, errMalformed // a document type: nothing of UPnP has one
		}
	}
}

// text reads what an element says, to its end.
func (p parser) text() (string, error) {
	var b strings.Builder
	for {
		t, err := p.d.Token()
		if err != nil {
			return "", fmt.Errorf("%w: %w", errMalformed, err)
		}
		switch t := t.(type) {
		case xml.CharData:
			b.Write(t)
		case xml.EndElement:
			return b.String(), nil
		case xml.StartElement, xml.Directive:
			return "", errMalformed
		}
	}
}

// skip reads past the element that was entered.
func (p parser) skip() error {
	for depth := 1; depth > 0; {
		t, err := p.d.Token()
		if err != nil {
			return fmt.Errorf("%w: %w", errMalformed, err)
		}
		switch t.(type) {
		case xml.StartElement:
			if depth++; depth > maxDepth {
				return errMalformed
			}
		case xml.EndElement:
			depth--
		}
	}
	return nil
}

const (
	head = `<?xml version="1.0" encoding="utf-8"?>` + "\n" +
		`<s:Envelope xmlns:s="` + envelope + `" s:encodingStyle="http://schemas.xmlsoap.org/soap/encoding/"><s:Body>`
	tail = `</s:Body></s:Envelope>` + "\n"
)

// Answer writes what an action has to say (section 3.2.1).
func Answer(c Call, out []Argument) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, `%s<u:%sResponse xmlns:u="%s">`, head, c.Action, Escape(c.Service))
	for _, a := range out {
		fmt.Fprintf(&b, "<%s>%s</%s>", a.Name, Escape(a.Value), a.Name)
	}
	fmt.Fprintf(&b, "</u:%sResponse>%s", c.Action, tail)
	return b.Bytes()
}

// AnswerFault writes why it was not done.
func AnswerFault(f *Fault) []byte {
	return fmt.Appendf(nil, `%s<s:Fault><faultcode>s:Client</faultcode><faultstring>UPnPError</faultstring><detail>`+
		`<UPnPError xmlns="urn:schemas-upnp-org:control-1-0"><errorCode>%d</errorCode><errorDescription>%s</errorDescription></UPnPError>`+
		`</detail></s:Fault>%s`, head, f.Code, Escape(f.Text), tail)
}

// Escape makes s fit to be the text of an element or the value of an attribute.
func Escape(s string) string {
	var b strings.Builder
	_ = xml.EscapeText(&b, []byte(s)) // a strings.Builder takes everything
	return b.String()
}
