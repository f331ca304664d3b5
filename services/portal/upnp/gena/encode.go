package gena

import (
	"bytes"
	"encoding/xml"
	"fmt"
)

// encode writes the body of a message (section 4.3.2).
func encode(all []Property) []byte {
	var b bytes.Buffer
	b.WriteString(`<?xml version="1.0" encoding="utf-8"?>` + "\n" + `<e:propertyset xmlns:e="urn:schemas-upnp-org:event-1-0">`)
	for _, p := range all {
		fmt.Fprintf(&b, "<e:property><%s>", p.Name)
		_ = xml.EscapeText(&b, []byte(p.Value)) // a bytes.Buffer takes everything
		fmt.Fprintf(&b, "</%s></e:property>", p.Name)
	}
	b.WriteString("</e:propertyset>\n")
	return b.Bytes()
}
