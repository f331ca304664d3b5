package soap_test

import (
	"encoding/xml"
	"errors"
	"maps"
	"strings"
	"testing"

	"manofwar/services/portal/upnp/soap"
)

const service = "urn:schemas-upnp-org:service:AVTransport:1"

func call(action, args string) string {
	return `<?xml version="1.0"?><s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/" s:encodingStyle="http://schemas.xmlsoap.org/soap/encoding/"><s:Body><u:` +
		action + ` xmlns:u="` + service + `">` + args + `</u:` + action + `></s:Body></s:Envelope>`
}

func TestParse(t *testing.T) {
	for _, tt := range []struct {
		body, field string
		want        map[string]string // nil: refused
	}{
		{call("Play", "<InstanceID>0</InstanceID><Speed>1</Speed>"), `"` + service + `#Play"`, map[string]string{"InstanceID": "0", "Speed": "1"}},
		{call("Play", "<a>x &lt;y&gt; &amp;amp;</a>"), "", map[string]string{"a": "x <y> &amp;"}},
		{call("Play", "<a><![CDATA[<b>]]></a>"), "", map[string]string{"a": "<b>"}},
		{call("Play", ""), service + "#Play", map[string]string{}},
		{strings.Replace(call("Play", "<a/>"), "<s:Body>", "<s:Header><x><y/></x></s:Header><s:Body>", 1), "", map[string]string{"a": ""}},
		{call("Play", "<a>1</a>"), service + "#Stop", nil},
		{call("Play", "<a>1</a><a>2</a>"), "", nil},
		{call("Play", "<a><b/></a>"), "", nil},
		{call("Play", strings.Repeat("<a>1</a>", 40)), "", nil},
		{strings.Replace(call("Play", ""), "soap/envelope/", "other/", 1), "", nil},
		{strings.Replace(call("Play", ""), "<s:Envelope", `<!DOCTYPE a [<!ENTITY e "eeee">]><s:Envelope`, 1), "", nil},
		{strings.Replace(call("Play", ""), `"1.0"`, `"1.0" encoding="utf-16"`, 1), "", nil},
		{strings.Replace(call("Play", "<a>1</a>"), "<s:Body>", "<s:Header>"+strings.Repeat("<x>", 40)+strings.Repeat("</x>", 40)+"</s:Header><s:Body>", 1), "", nil},
		{call("Play", "<a>"+strings.Repeat("x", soap.MaxBody)+"</a>"), "", nil},
		{call("Play", "<a>\xff</a>"), "", nil},
		{"", "", nil},
		{"GET / HTTP/1.1", "", nil},
	} {
		c, err := soap.Parse([]byte(tt.body), tt.field)
		if tt.want == nil {
			if err == nil {
				t.Errorf("%.200s is %+v", tt.body, c)
			}
			continue
		}
		if err != nil || c.Service != service || c.Action != "Play" || !maps.Equal(c.Args, tt.want) {
			t.Errorf("%.200s: %+v, %v; want %v", tt.body, c, err, tt.want)
		}
	}
}

func TestAnswers(t *testing.T) {
	c := soap.Call{Service: service, Action: "GetTransportInfo"}
	var got struct {
		Body struct {
			Answer struct {
				XMLName xml.Name
				State   string `xml:"CurrentTransportState"`
			} `xml:",any"`
		} `xml:"http://schemas.xmlsoap.org/soap/envelope/ Body"`
	}
	if err := xml.Unmarshal(soap.Answer(c, []soap.Argument{{Name: "CurrentTransportState", Value: "a<b>&\""}}), &got); err != nil {
		t.Fatal(err)
	}
	if a := got.Body.Answer; a.XMLName.Local != "GetTransportInfoResponse" || a.XMLName.Space != service || a.State != "a<b>&\"" {
		t.Errorf("got %+v", a)
	}
	var fault struct {
		Code int    `xml:"Body>Fault>detail>UPnPError>errorCode"`
		Text string `xml:"Body>Fault>detail>UPnPError>errorDescription"`
	}
	if err := xml.Unmarshal(soap.AnswerFault(&soap.Fault{Code: 701, Text: "<no>"}), &fault); err != nil || fault.Code != 701 || fault.Text != "<no>" {
		t.Errorf("%+v, %v", fault, err)
	}
	if err := error(soap.ErrArgs); !errors.Is(err, soap.ErrArgs) || err.Error() != "UPnP error 402: Invalid Args" {
		t.Errorf("%v", err)
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(call("Play", "<InstanceID>0</InstanceID>")), service+"#Play")
	f.Add([]byte(strings.Replace(call("Play", "<a>&#60;</a>"), "<s:Body>", "<s:Header><x/></s:Header><s:Body>", 1)), "")
	f.Fuzz(func(t *testing.T, body []byte, field string) {
		c, err := soap.Parse(body, field)
		if err != nil {
			return
		}
		if c.Action == "" || len(c.Args) > 32 {
			t.Errorf("%q is %+v", body, c)
		}
		var out []soap.Argument
		for _, v := range c.Args {
			out = append(out, soap.Argument{Name: "a", Value: v})
		}
		if err := xml.Unmarshal(soap.Answer(soap.Call{Service: service, Action: "Play"}, out), new(struct{})); err != nil {
			t.Errorf("the answer to %q: %v", body, err)
		}
	})
}
