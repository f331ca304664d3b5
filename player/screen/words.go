package screen

import (
	"fmt"
	"strings"
	"time"

	"manofwar/netmgr/api"
)

// Language chooses the words of the screen.
type Language string

// The languages.
const (
	English Language = "en"
	German  Language = "de"
)

// In returns the language of a BCP 47 tag, such as "de-AT", or English.
func In(tag string) Language {
	if base, _, _ := strings.Cut(strings.ToLower(tag), "-"); base == "de" {
		return German
	}
	return English
}

// words are the texts of a language. Each of them is there in both; a test holds that.
type words struct {
	welcome, welcomeScan                          string
	welcomeSteps                                  [3]string
	network, password                             string
	connected, connectedScan                      string // of the network
	connectedSteps                                [3]string
	cabled, cabledStep                            string // the first step by cable
	address                                       string
	join, joinText                                string
	joinSteps                                     [3]string
	gone, moved                                   string // of networks
	byCable, joiningCable, captiveCable           string
	joining, lanOnly, lanSince, captive           string
	claim, claimPage                              string
	claimSteps                                    [2]string
	fresh, hint, next, opening, starting, noTitle string
	updating, updateCheck, updateWrite            string
	updateReady, keepPower                        string
	resetting, resetText                          string
	rescue, rescueWhy                             string
	rescueSteps                                   [3]string
	helpScan                                      string
	ends, chapter                                 string
	of, perSecond                                 string // amounts
	moment, minute, minutes, hour, hours, about   string // times that remain
	days                                          [7]string
	months                                        [12]string
	date                                          string // day, number, month
}

var english = words{
	welcome:        "Welcome",
	welcomeScan:    "Scan with your phone’s camera",
	welcomeSteps:   [3]string{"Point your phone’s camera at the code.", "Join the network it offers.", "Pick your WiFi on the page that opens."},
	network:        "Network",
	password:       "Password",
	connected:      "Connected to %s",
	connectedScan:  "Scan to finish",
	cabled:         "Connected by cable",
	cabledStep:     "Put your phone on the same network.",
	connectedSteps: [3]string{"Put your phone back on %s.", "Scan the code.", "Give this TV a name, and it is yours."},
	address:        "Or open in a browser",
	join:           "Join %s",
	joinText:       "No other network is in reach. Everything here plays as before.",
	joinSteps:      [3]string{"Point your phone’s camera at the code.", "Join the network it offers.", "Open the page as ever."},
	gone:           "%s is gone",
	moved:          "%s is gone, now on %s",
	byCable:        "Connected by cable",
	joining:        "Connecting to %s",
	joiningCable:   "Connecting by cable",
	lanOnly:        "%s, but no internet",
	lanSince:       "%s, but no internet since %s",
	captive:        "%s wants a sign-in",
	captiveCable:   "The network at the cable wants a sign-in",
	claim:          "Make it yours",
	claimSteps:     [2]string{"Scan the code, or open %s on your phone.", "Type these six digits there."},
	claimPage:      "Open this TV’s page on your phone.",
	fresh:          "New",
	hint:           "Open %s on your phone and play something.",
	next:           "Next",
	opening:        "Opening",
	starting:       "Starting",
	noTitle:        "Untitled",
	updating:       "Updating",
	updateCheck:    "Checking the update",
	updateWrite:    "Version %s is being installed",
	updateReady:    "Restarting into the new version",
	keepPower:      "Leave it plugged in.",
	resetting:      "Erasing everything",
	resetText:      "Settings, accounts and playlists go. Your media disks are not touched.",
	rescue:         "The memory card needs help",
	rescueWhy:      "What it keeps for you could not be read, so nothing new is saved for now. Your music and films still play.",
	rescueSteps:    [3]string{"Switch off, wait ten seconds, switch on again.", "If this stays, save your settings on the page.", "Then erase the card there, or replace it."},
	helpScan:       "Scan for help",
	ends:           "Ends at %s",
	chapter:        "Chapter %d",
	of:             "%s of %s",
	perSecond:      "%s/s",
	moment:         "a moment left",
	minute:         "1 minute left",
	minutes:        "%d minutes left",
	hour:           "1 hour left",
	hours:          "%d hours left",
	about:          "about %s",
	days:           [7]string{"Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"},
	months: [12]string{
		"January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December",
	},
	date: "%[1]s, %[2]d %[3]s",
}

var german = words{
	welcome:        "Willkommen",
	welcomeScan:    "Mit der Handykamera scannen",
	welcomeSteps:   [3]string{"Richte die Kamera deines Handys auf den Code.", "Tritt dem Netz bei, das es anbietet.", "Wähle dein WLAN auf der Seite, die aufgeht."},
	network:        "Netz",
	password:       "Passwort",
	connected:      "Verbunden mit %s",
	connectedScan:  "Scannen und fertig",
	cabled:         "Per Kabel verbunden",
	cabledStep:     "Geh mit dem Handy ins selbe Netz.",
	connectedSteps: [3]string{"Geh mit dem Handy zurück ins Netz %s.", "Scanne den Code.", "Gib dem Fernseher einen Namen, dann ist er deiner."},
	address:        "Oder im Browser öffnen",
	join:           "Ins Netz %s",
	joinText:       "Kein anderes Netz ist in Reichweite. Alles hier spielt wie zuvor.",
	joinSteps:      [3]string{"Richte die Kamera deines Handys auf den Code.", "Tritt dem Netz bei, das es anbietet.", "Öffne die Seite wie immer."},
	gone:           "%s ist weg",
	moved:          "%s ist weg, jetzt über %s",
	byCable:        "Per Kabel verbunden",
	joining:        "Verbindet sich mit %s",
	joiningCable:   "Verbindet sich per Kabel",
	lanOnly:        "%s, aber kein Internet",
	lanSince:       "%s, aber kein Internet seit %s",
	captive:        "%s verlangt eine Anmeldung",
	captiveCable:   "Das Netz am Kabel verlangt eine Anmeldung",
	claim:          "Mach ihn zu deinem",
	claimSteps:     [2]string{"Scanne den Code, oder öffne %s auf dem Handy.", "Tippe dort diese sechs Ziffern ein."},
	claimPage:      "Öffne die Seite dieses Fernsehers auf dem Handy.",
	fresh:          "Neu",
	hint:           "Öffne %s auf dem Handy und spiel etwas ab.",
	next:           "Als Nächstes",
	opening:        "Wird geöffnet",
	starting:       "Startet",
	noTitle:        "Ohne Titel",
	updating:       "Aktualisierung",
	updateCheck:    "Die Aktualisierung wird geprüft",
	updateWrite:    "Version %s wird eingespielt",
	updateReady:    "Die neue Version startet gleich",
	keepPower:      "Bitte nicht ausstecken.",
	resetting:      "Alles wird gelöscht",
	resetText:      "Einstellungen, Konten und Playlists verschwinden. Deine Platten bleiben, wie sie sind.",
	rescue:         "Die Speicherkarte braucht Hilfe",
	rescueWhy:      "Was sie für dich aufbewahrt, ließ sich nicht lesen. Bis auf Weiteres wird nichts Neues behalten. Musik und Filme laufen weiter.",
	rescueSteps:    [3]string{"Ausstecken, zehn Sekunden warten, einstecken.", "Bleibt es so, sichere auf der Seite deine Einstellungen.", "Lösche dort dann die Karte, oder ersetze sie."},
	helpScan:       "Hilfe per Scan",
	ends:           "Endet um %s",
	chapter:        "Kapitel %d",
	of:             "%s von %s",
	perSecond:      "%s/s",
	moment:         "gleich fertig",
	minute:         "noch 1 Minute",
	minutes:        "noch %d Minuten",
	hour:           "noch 1 Stunde",
	hours:          "noch %d Stunden",
	about:          "etwa %s",
	days:           [7]string{"Sonntag", "Montag", "Dienstag", "Mittwoch", "Donnerstag", "Freitag", "Samstag"},
	months: [12]string{
		"Januar", "Februar", "März", "April", "Mai", "Juni", "Juli", "August", "September", "Oktober", "November", "Dezember",
	},
	date: "%[1]s, %[2]d. %[3]s",
}

func (l Language) words() *words {
	if l == German {
		return &german
	}
	return &english
}

// Starting is the mark, while the rest comes up.
func (l Language) Starting(since time.Time) Boot { return Boot{Since: since, Text: l.words().starting} }

// Welcome asks a phone into the dongle's own network.
func (l Language) Welcome(ssid, passphrase string) Invite {
	w := l.words()
	i := Invite{
		Title: w.welcome, Steps: w.welcomeSteps[:], Caption: w.welcomeScan,
		QR:    api.WiFiQR(ssid, passphrase, false),
		Facts: []Fact{{Name: w.network, Value: ssid}},
	}
	if passphrase != "" {
		i.Facts = append(i.Facts, Fact{Name: w.password, Value: passphrase, Spell: true})
	}
	return i
}

// Join asks a phone into the dongle's own network while there is no other.
func (l Language) Join(ssid, passphrase string) Invite {
	i, w := l.Welcome(ssid, passphrase), l.words()
	i.Title, i.Text, i.Steps = fmt.Sprintf(w.join, ssid), w.joinText, w.joinSteps[:]
	return i
}

// WiFi says in one line that another WiFi is in use than before; empty: none.
func (l Language) WiFi(before, now string) string {
	w := l.words()
	switch {
	case now == "":
		return fmt.Sprintf(w.gone, before)
	case before == "":
		return fmt.Sprintf(w.connected, now)
	}
	return fmt.Sprintf(w.moved, before, now)
}

// Verdict says how far a network reaches, in the quiet line of [Idle]. since is when that began, in the owner's zone; zero:
// nobody knows.
func (l Language) Verdict(link api.Link, since time.Time) string {
	w := l.words()
	connected, joining, captive := w.byCable, w.joiningCable, w.captiveCable
	if link.WiFi != nil {
		name := link.WiFi.SSID
		connected, joining, captive = fmt.Sprintf(w.connected, name), fmt.Sprintf(w.joining, name), fmt.Sprintf(w.captive, name)
	}
	switch {
	case link.State == api.Good:
		return connected
	case link.State == api.Captive:
		return captive
	case link.State == api.LANOnly && since.IsZero():
		return fmt.Sprintf(w.lanOnly, connected)
	case link.State == api.LANOnly:
		return fmt.Sprintf(w.lanSince, connected, l.Clock(since))
	}
	return joining
}

// Connected asks the phone to the page, in the network that the dongle has joined; url holds its address in numbers.
func (l Language) Connected(network, url string) Invite {
	w := l.words()
	steps := w.connectedSteps
	steps[0] = fmt.Sprintf(steps[0], network)
	return Invite{
		Title: fmt.Sprintf(w.connected, network), Steps: steps[:], QR: url, Caption: w.connectedScan,
		Facts: []Fact{{Name: w.address, Value: bare(url)}},
	}
}

// Cabled is Connected for a network at the other end of a cable, which has no name.
func (l Language) Cabled(url string) Invite {
	i, w := l.Connected("", url), l.words()
	i.Title, i.Steps[0] = w.cabled, w.cabledStep
	return i
}

// bare returns an address as a person types it.
func bare(url string) string { return strings.TrimSuffix(strings.TrimPrefix(url, "http://"), "/") }

// Claim shows the code that the page asks for; url may be empty.
func (l Language) Claim(code, url string) Claim {
	w := l.words()
	steps := w.claimSteps
	if url == "" {
		steps[0] = w.claimPage
	} else {
		steps[0] = fmt.Sprintf(steps[0], bare(url))
	}
	return Claim{Title: w.claim, Steps: steps[:], Code: code, QR: url}
}

// Fresh is the heading over what is new.
func (l Language) Fresh() string { return l.words().fresh }

// Hint says what to do where there is nothing new.
func (l Language) Hint(address string) string { return fmt.Sprintf(l.words().hint, address) }

// Next is the word over what comes next.
func (l Language) Next() string { return l.words().next }

// Opening is what [Loading] says.
func (l Language) Opening() string { return l.words().opening }

// Untitled stands for a missing title.
func (l Language) Untitled() string { return l.words().noTitle }

// Update is the step of an update.
type Update int

// The steps.
const (
	Checking Update = iota
	Installing
	Restarting
)

// Update shows how far an update to a version is: done of all bytes, at a rate per second.
func (l Language) Update(step Update, version string, done, all, rate int64) Working {
	w := l.words()
	out := Working{Title: w.updating, Warning: w.keepPower, Part: -1}
	switch step {
	case Checking:
		out.Text = w.updateCheck
	case Restarting:
		out.Text = w.updateReady
	case Installing:
		out.Text = fmt.Sprintf(w.updateWrite, version)
		if all > 0 {
			out.Part, out.Detail = float64(done)/float64(all), l.Rest(done, all, rate)
		}
	}
	return out
}

// Reset shows how far a factory reset is; part is 0 to 1, below that unknown.
func (l Language) Reset(part float64) Working {
	w := l.words()
	return Working{Title: w.resetting, Text: w.resetText, Warning: w.keepPower, Part: part}
}

// Rescue says that the card's data could not be read; detail is for whoever helps.
func (l Language) Rescue(url, detail string) Problem {
	w := l.words()
	return Problem{Title: w.rescue, Why: w.rescueWhy, Do: w.rescueSteps[:], QR: url, Caption: w.helpScan, Detail: detail}
}

// Ends tells when a film will be over.
func (l Language) Ends(at time.Time) string { return fmt.Sprintf(l.words().ends, l.Clock(at)) }

// Chapter names a chapter that has no name, counted from 1.
func (l Language) Chapter(n int) string { return fmt.Sprintf(l.words().chapter, n) }

// Clock writes a time of day.
func (l Language) Clock(t time.Time) string { return t.Format("15:04") }

// Date writes a day: "Sunday, 22 November".
func (l Language) Date(t time.Time) string {
	w := l.words()
	return fmt.Sprintf(w.date, w.days[t.Weekday()], t.Day(), w.months[t.Month()-1])
}

// Rest writes how far something is: "312 of 900 MB · 12 MB/s · about 2 minutes left".
func (l Language) Rest(done, all, rate int64) string {
	w := l.words()
	unit, name := int64(1e6), "MB"
	if all >= 1e9 {
		unit, name = 1e9, "GB"
	}
	amount := func(n int64, digits int) string { return l.number(float64(n)/float64(unit), digits) }
	digits := 0
	if name == "GB" {
		digits = 1
	}
	out := fmt.Sprintf(w.of, amount(min(done, all), digits), amount(all, digits)+" "+name)
	if rate <= 0 {
		return out
	}
	out += " · " + fmt.Sprintf(w.perSecond, l.number(float64(rate)/1e6, 1)+" MB")
	return out + " · " + l.Left(time.Duration(float64(max(all-done, 0))/float64(rate)*float64(time.Second)))
}

// Left writes how long something still takes.
func (l Language) Left(d time.Duration) string {
	w := l.words()
	minutes := int((d + 30*time.Second) / time.Minute)
	hours := int((d + 30*time.Minute) / time.Hour)
	switch {
	case minutes < 1:
		return w.moment
	case minutes == 1:
		return fmt.Sprintf(w.about, w.minute)
	case minutes < 60:
		return fmt.Sprintf(w.about, fmt.Sprintf(w.minutes, minutes))
	case hours == 1:
		return fmt.Sprintf(w.about, w.hour)
	}
	return fmt.Sprintf(w.about, fmt.Sprintf(w.hours, hours))
}

// number writes a number with so many digits behind the point, which some write as a comma.
func (l Language) number(v float64, digits int) string {
	s := fmt.Sprintf("%.*f", digits, v)
	if l == German {
		s = strings.ReplaceAll(s, ".", ",")
	}
	return s
}

// timecode writes a length or a place: 3:07, 1:02:09.
func timecode(d time.Duration) string {
	s := int(max(d, 0) / time.Second)
	if s >= 3600 {
		return fmt.Sprintf("%d:%02d:%02d", s/3600, s/60%60, s%60)
	}
	return fmt.Sprintf("%d:%02d", s/60, s%60)
}
