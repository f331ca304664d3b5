package screen

import (
	"fmt"

	"manofwar/netmgr/api"
)

// wifiWords are those of networks that come and go.
type wifiWords struct {
	gone, now, moved string
	join             string
	joinSteps        [3]string
}

var (
	wifiEnglish = wifiWords{
		gone: "%s is gone", now: "Connected to %s", moved: "%[1]s is gone, now on %[2]s", join: "Join %s",
		joinSteps: [3]string{"There is no network to join just now.", "Scan the code with your phone’s camera.", "Everything here plays as before."},
	}
	wifiGerman = wifiWords{
		gone: "%s ist weg", now: "Verbunden mit %s", moved: "%[1]s ist weg, jetzt über %[2]s", join: "Ins Netz %s",
		joinSteps: [3]string{"Gerade ist kein Netz da.", "Scanne den Code mit der Handykamera.", "Alles hier spielt wie zuvor."},
	}
)

func (l Language) wifi() *wifiWords {
	if l == German {
		return &wifiGerman
	}
	return &wifiEnglish
}

// WiFi says in one line that another WiFi is in use than before; empty: none.
func (l Language) WiFi(before, now string) string {
	w := l.wifi()
	switch {
	case now == "":
		return fmt.Sprintf(w.gone, before)
	case before == "":
		return fmt.Sprintf(w.now, now)
	}
	return fmt.Sprintf(w.moved, before, now)
}

// Join asks a phone into the dongle's own network while there is no other.
func (l Language) Join(ssid, passphrase string) Invite {
	i := l.Welcome(ssid, passphrase)
	w := l.wifi()
	i.Title, i.Steps, i.QR = fmt.Sprintf(w.join, ssid), w.joinSteps[:], api.WiFiQR(ssid, passphrase, false)
	return i
}
