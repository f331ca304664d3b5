package upnp

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"strings"

	"manofwar/services/portal/upnp/soap"
)

// describe answers with the device's description (section 2.3).
func (d *Device) describe(w http.ResponseWriter, _ *http.Request) {
	answerXML(w, http.StatusOK, d.description())
}

// maxName is how long a name may be for those who show it, in bytes (section 2.3).
const maxName = 63

func (d *Device) description() []byte {
	name := strings.ToValidUTF8(d.Name(), "")
	for len(name) > maxName {
		name = strings.ToValidUTF8(name[:maxName], "")
	}
	var b strings.Builder
	b.WriteString(`<?xml version="1.0" encoding="utf-8"?>` + "\n" +
		`<root xmlns="urn:schemas-upnp-org:device-1-0" xmlns:dlna="urn:schemas-dlna-org:device-1-0">` +
		`<specVersion><major>1</major><minor>0</minor></specVersion><device>`)
	for _, e := range [][2]string{
		{"deviceType", d.deviceType()},
		{"friendlyName", name},
		{"manufacturer", Manufacturer},
		{"modelDescription", "media on a stick"},
		{"modelName", "manofwar"},
		{"modelNumber", d.Version},
		{"UDN", "uuid:" + d.UUID},
	} {
		b.WriteString("<" + e[0] + ">" + soap.Escape(e[1]) + "</" + e[0] + ">")
	}
	fmt.Fprintf(&b, `<dlna:X_DLNADOC>%s</dlna:X_DLNADOC><serviceList>`, d.DLNA)
	for _, s := range d.Services {
		fmt.Fprintf(&b, "<service><serviceType>%s</serviceType><serviceId>%s</serviceId><SCPDURL>/%[3]s/scpd.xml</SCPDURL>"+
			"<controlURL>/%[3]s/control</controlURL><eventSubURL>/%[3]s/event</eventSubURL></service>", s.Type, s.ID, s.Name)
	}
	b.WriteString("</serviceList></device></root>\n")
	return []byte(b.String())
}

// UUID makes a device's from what is its alone and what kind it is (RFC 9562, section 5.8).
func UUID(seed, kind string) string {
	b := sha256.Sum256([]byte(seed + "\x00" + kind))
	b[6], b[8] = b[6]&0x0F|0x80, b[8]&0x3F|0x80
	h := hex.EncodeToString(b[:16])
	return h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]
}
