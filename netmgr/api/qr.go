package api

import "strings"

// WiFiQR returns the text of a QR code that lets a phone join a network: what ZXing defined and the cameras of Android
// and iOS read. Without a passphrase the network is open.
func WiFiQR(ssid, passphrase string, hidden bool) string {
	escape := strings.NewReplacer(`\`, `\\`, `;`, `\;`, `,`, `\,`, `:`, `\:`, `"`, `\"`)
	var b strings.Builder
	b.WriteString("WIFI:")
	if passphrase == "" {
		b.WriteString("T:nopass;S:" + escape.Replace(ssid) + ";")
	} else {
		b.WriteString("T:WPA;S:" + escape.Replace(ssid) + ";P:" + escape.Replace(passphrase) + ";")
	}
	if hidden {
		b.WriteString("H:true;")
	}
	b.WriteString(";")
	return b.String()
}
