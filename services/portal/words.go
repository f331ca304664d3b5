package portal

import (
	"html/template"
	"net/http"
	"strconv"
	"strings"
)

// words are the messages of the setup pages in one language. {name} is what it is about: a network or the device. The
// page that has scripts keeps its own, in ui/src/i18n.
type words struct {
	Lang string // of HTML

	Choose, ChooseText        string
	Lost, LostText            string // nothing to connect by, on a device that was set up
	Cabled, CabledText        string
	Looking, LookingText      string
	None, NoneText            string
	LookAgain, Other, Known   string
	Strong, Fair, Weak        string
	Locked, OpenNetwork       string
	CannotJoin                string
	Country, CountryAuto, Set string

	Password, PasswordFor, OpenJoin, OpenJoinText string
	HiddenTitle, HiddenText, NetworkName          string
	PasswordKnown, PasswordNone, HidePassword     string
	Metered, Connect, BackToList                  string

	Trying, TryingText, StepJoin, StepAddress, Patience string
	WrongPassword, WrongPasswordText                    string
	NotFound, NotFoundText                              string
	Failed, FailedText                                  string
	TooShort, TooLong, NoName, LongName                 string

	Connected, ConnectedText, NoInternet, NoInternetText string
	Judging                                              string
	SignIn, SignInText, SignInLink, Network              string
	AddressText, StillHere, CloseSheet                   string
	Offline, OfflineText, UseOffline, Finish, OpenNow    string

	NameTitle, NameText, NameLabel, NameLike, Named string
	NameMissing, NameLong, NameOdd                  string

	More, Skip, Save, Added                      string
	Factory, FactoryText, FactoryHow, AfterReset string
	Phone, PhoneText, PhoneHow, PhoneName        string

	Away, AwayText, Hosted, HostedText string
}

var english = words{
	Lang:   "en",
	Choose: "Choose your WiFi", ChooseText: "{name} connects to it by itself from then on.",
	Lost: "No network in reach", LostText: "{name} goes back to a known network as soon as there is one. Your library works without.",
	Cabled: "Connected by cable", CabledText: "{name} needs no WiFi. You can add one for when the cable is pulled.",
	Looking: "Looking for networks", LookingText: "This takes a few seconds.",
	None: "No network found", NoneText: "Move the device closer to the router, or look again.",
	LookAgain: "Look again", Other: "Another network", Known: "known",
	Strong: "strong", Fair: "fair", Weak: "weak",
	Locked: "with password", OpenNetwork: "without password",
	CannotJoin: "Cannot be joined:",
	Country:    "Country", CountryAuto: "Automatic", Set: "Set",

	Password: "Password", PasswordFor: "Password for {name}", OpenJoin: "Join {name}", OpenJoinText: "This network has no password. Whoever is near can join it too.",
	HiddenTitle: "Another network", HiddenText: "For a network that does not show its name. Upper and lower case matter.", NetworkName: "Name of the network",
	PasswordKnown: "Leave it empty to use the one that is known.", PasswordNone: "Leave it empty if the network has none.", HidePassword: "Hide the password",
	Metered: "A phone’s hotspot: use it sparingly", Connect: "Connect", BackToList: "All networks",

	Trying: "Connecting to {name}", TryingText: "This page goes on by itself.", StepJoin: "Finding it and checking the password", StepAddress: "Getting an address",
	Patience:      "Your phone may lose this page for a moment while the radio changes its channel. It comes back.",
	WrongPassword: "Wrong password for {name}", WrongPasswordText: "Upper and lower case matter. It is often on a sticker on the router.",
	NotFound: "{name} was not found", NotFoundText: "Check that it is on and near, then try again.",
	Failed: "{name} could not be joined", FailedText: "Try again, or choose another network.",
	TooShort: "A WiFi password has at least 8 characters.", TooLong: "A WiFi password has at most 63 characters.",
	NoName: "The network’s name is missing.", LongName: "A network’s name has at most 32 characters.",

	Connected: "Connected to {name}", ConnectedText: "All set.", Judging: "Now looking for the internet behind it.",
	NoInternet: "Connected to {name}, without internet", NoInternetText: "Everything at home works. The internet is used as soon as it answers.",
	SignIn: "{name} wants a sign-in", SignInText: "The network lets nobody out before that.", SignInLink: "Sign in", Network: "The network",
	AddressText: "From now on you find it here:", StillHere: "Your phone is still in the device’s own network. Go back to your own WiFi whenever you like.",
	CloseSheet: "You can close this page.",
	Offline:    "Ready, without internet", OfflineText: "Music, films and control work in this network, and you can add a WiFi later.",
	UseOffline: "Use without internet", Finish: "Finish", OpenNow: "Open the library",

	NameTitle: "Give it a name", NameText: "You find it under that name, in your browser and among your other devices.",
	NameLabel: "Name", NameLike: "Living room TV", Named: "It is called {name} now.",
	NameMissing: "The name is missing.", NameLong: "A name has at most 63 characters.", NameOdd: "This name cannot be shown. Choose another one.",

	More: "For when the router fails", Skip: "Skip", Save: "Save", Added: "{name} is known now.",
	Factory: "The router after a reset", FactoryText: "A router that resets itself uses the name and password from its sticker. Add them, and the device finds it again.",
	FactoryHow: "Both are printed on the router’s sticker.", AfterReset: "Router after a reset",
	Phone: "Your phone’s hotspot", PhoneText: "Used when the internet at home is gone, and sparingly.",
	PhoneHow: "Both are in your phone’s settings, under “Personal Hotspot” or “Hotspot”.", PhoneName: "Phone",

	Away: "One moment", AwayText: "The network part of the device is starting. This page goes on by itself.",
	Hosted: "Nothing to set up", HostedText: "This computer looks after its own network.",
}

var german = words{
	Lang:   "de",
	Choose: "Wähle dein WLAN", ChooseText: "{name} verbindet sich von da an von selbst damit.",
	Lost: "Kein Netz in Reichweite", LostText: "{name} kehrt in ein bekanntes Netz zurück, sobald eines da ist. Deine Bibliothek läuft auch ohne.",
	Cabled: "Per Kabel verbunden", CabledText: "{name} braucht kein WLAN. Du kannst eines hinzufügen, falls das Kabel einmal fehlt.",
	Looking: "Suche nach Netzen", LookingText: "Das dauert ein paar Sekunden.",
	None: "Kein Netz gefunden", NoneText: "Stell das Gerät näher an den Router, oder such noch einmal.",
	LookAgain: "Noch einmal suchen", Other: "Anderes Netz", Known: "bekannt",
	Strong: "stark", Fair: "mittel", Weak: "schwach",
	Locked: "mit Passwort", OpenNetwork: "ohne Passwort",
	CannotJoin: "Nicht möglich:",
	Country:    "Land", CountryAuto: "Automatisch", Set: "Übernehmen",

	Password: "Passwort", PasswordFor: "Passwort für {name}", OpenJoin: "Mit {name} verbinden", OpenJoinText: "Dieses Netz hat kein Passwort. Wer in der Nähe ist, kann auch hinein.",
	HiddenTitle: "Anderes Netz", HiddenText: "Für ein Netz, das seinen Namen nicht zeigt. Groß- und Kleinschreibung zählt.", NetworkName: "Name des Netzes",
	PasswordKnown: "Leer lassen, um das bekannte zu nehmen.", PasswordNone: "Leer lassen, wenn das Netz keines hat.", HidePassword: "Passwort verbergen",
	Metered: "Der Hotspot eines Telefons: sparsam benutzen", Connect: "Verbinden", BackToList: "Alle Netze",

	Trying: "Verbinde mit {name}", TryingText: "Diese Seite geht von selbst weiter.", StepJoin: "Suche es und prüfe das Passwort", StepAddress: "Hole eine Adresse",
	Patience:      "Dein Telefon verliert diese Seite vielleicht kurz, während das Funkgerät den Kanal wechselt. Sie kommt zurück.",
	WrongPassword: "Falsches Passwort für {name}", WrongPasswordText: "Groß- und Kleinschreibung zählt. Oft steht es auf einem Aufkleber am Router.",
	NotFound: "{name} wurde nicht gefunden", NotFoundText: "Prüfe, ob es an und in der Nähe ist, dann versuch es noch einmal.",
	Failed: "Die Verbindung mit {name} kam nicht zustande", FailedText: "Versuch es noch einmal, oder wähle ein anderes Netz.",
	TooShort: "Ein WLAN-Passwort hat mindestens 8 Zeichen.", TooLong: "Ein WLAN-Passwort hat höchstens 63 Zeichen.",
	NoName: "Der Name des Netzes fehlt.", LongName: "Der Name eines Netzes hat höchstens 32 Zeichen.",

	Connected: "Mit {name} verbunden", ConnectedText: "Alles fertig.", Judging: "Jetzt wird das Internet dahinter gesucht.",
	NoInternet: "Mit {name} verbunden, ohne Internet", NoInternetText: "Zu Hause läuft alles. Das Internet wird genutzt, sobald es antwortet.",
	SignIn: "{name} verlangt eine Anmeldung", SignInText: "Vorher lässt das Netz niemanden hinaus.", SignInLink: "Anmelden", Network: "Das Netz",
	AddressText: "Ab jetzt findest du es hier:", StillHere: "Dein Telefon ist noch im Netz des Geräts. Geh in dein eigenes WLAN zurück, wann du willst.",
	CloseSheet: "Du kannst diese Seite schließen.",
	Offline:    "Bereit, ohne Internet", OfflineText: "Musik, Filme und Steuerung laufen in diesem Netz, und ein WLAN kannst du später hinzufügen.",
	UseOffline: "Ohne Internet benutzen", Finish: "Fertig", OpenNow: "Bibliothek öffnen",

	NameTitle: "Gib ihm einen Namen", NameText: "Unter diesem Namen findest du es, im Browser und unter deinen anderen Geräten.",
	NameLabel: "Name", NameLike: "Wohnzimmer TV", Named: "Es heißt jetzt {name}.",
	NameMissing: "Der Name fehlt.", NameLong: "Ein Name hat höchstens 63 Zeichen.", NameOdd: "Dieser Name lässt sich nicht anzeigen. Wähle einen anderen.",

	More: "Falls der Router ausfällt", Skip: "Überspringen", Save: "Speichern", Added: "{name} ist jetzt bekannt.",
	Factory: "Der Router nach einem Zurücksetzen", FactoryText: "Ein zurückgesetzter Router nimmt Namen und Passwort von seinem Aufkleber. Füge sie hinzu, und das Gerät findet ihn wieder.",
	FactoryHow: "Beides steht auf dem Aufkleber des Routers.", AfterReset: "Router nach Zurücksetzen",
	Phone: "Der Hotspot deines Telefons", PhoneText: "Für den Fall, dass das Internet zu Hause weg ist, und sparsam genutzt.",
	PhoneHow: "Beides steht in den Einstellungen des Telefons unter „Persönlicher Hotspot“ oder „Hotspot“.", PhoneName: "Telefon",

	Away: "Einen Moment", AwayText: "Der Netzwerkteil des Geräts startet. Diese Seite geht von selbst weiter.",
	Hosted: "Nichts einzurichten", HostedText: "Dieser Computer kümmert sich selbst um sein Netzwerk.",
}

// reasons are netmgr's words for why something is not so, and their German. {x} stands for a name in them. The page that
// has scripts has the same, and a test holds them equal.
var reasons = []struct{ english, german string }{
	{"its security settings are unreadable", "Seine Sicherheitseinstellungen sind nicht lesbar."},
	{"it uses WPA1, which is broken; set the router to WPA2", "Es benutzt WPA1, das gebrochen ist. Stell den Router auf WPA2."},
	{"it uses WEP, which is broken; set the router to WPA2", "Es benutzt WEP, das gebrochen ist. Stell den Router auf WPA2."},
	{"it protects management frames in a way this device does not know; set the router's to optional", "Es schützt Verwaltungsrahmen (PMF) auf unbekannte Art. Stell das am Router auf optional."},
	{"it encrypts without AES-CCMP; set the router to WPA2 (AES)", "Es verschlüsselt ohne AES. Stell den Router auf WPA2 (AES)."},
	{"it encrypts broadcasts by neither AES-CCMP nor TKIP; set the router to WPA2 (AES)", "Es verschlüsselt Rundsendungen auf unbekannte Art. Stell den Router auf WPA2 (AES)."},
	{"it wants a user account (WPA-Enterprise), not a password", "Es verlangt ein Benutzerkonto (WPA-Enterprise) statt eines Passworts."},
	{"it uses Enhanced Open (OWE)", "Es benutzt Enhanced Open (OWE)."},
	{"it allows fast transition only; allow WPA2 without 802.11r on the router", "Es erlaubt nur schnellen Wechsel. Erlaube am Router WPA2 ohne 802.11r."},
	{"it allows only the newest form of WPA3; allow WPA3 (SAE) on the router", "Es erlaubt nur die neueste Art von WPA3. Erlaube am Router WPA3 (SAE)."},
	{"it authenticates in an unknown way", "Es meldet auf unbekannte Art an."},
	{"Wrong password for {x}.", "Falsches Passwort für {x}."},
	{"Its password is not known any more. Enter it again.", "Das Passwort ist nicht mehr bekannt. Gib es neu ein."},
	{"{x} was not found.", "{x} wurde nicht gefunden."},
	{"{x} is not in reach.", "{x} ist nicht in Reichweite."},
	{"{x} are not in reach.", "{x} sind nicht in Reichweite."},
	{"None of the {x} known networks is in reach.", "Keines der {x} bekannten Netze ist in Reichweite."},
	{"Joining {x}.", "Die Verbindung mit {x} entsteht."},
	{"No WiFi is set up.", "Es ist kein WLAN eingerichtet."},
	{"The password is right, but {x} gives this device no address.", "Das Passwort stimmt, aber {x} gibt dem Gerät keine Adresse."},
	{"The WiFi radio could not join {x}.", "Das Funkgerät konnte {x} nicht beitreten."},
	{"The WiFi radio was taken away.", "Das Funkgerät wurde abgezogen."},
	{"The WiFi radio is switched off.", "Das Funkgerät ist ausgeschaltet."},
	{"The WiFi radio does not do what it is told.", "Das Funkgerät tut nicht, was es soll."},
	{"This device has no WiFi radio.", "Dieses Gerät hat kein WLAN."},
	{"Another network was chosen meanwhile.", "Inzwischen wurde ein anderes Netz gewählt."},
	{"This WiFi radio cannot be used. Use a network cable, or another WiFi stick.", "Dieses Funkgerät lässt sich nicht benutzen. Nimm ein Netzwerkkabel oder einen anderen WLAN-Stick."},
	{"No cable is plugged in, or the other end is off.", "Es steckt kein Kabel, oder das andere Ende ist aus."},
	{"It is not connected.", "Nicht verbunden."},
	{"Waiting for an address.", "Wartet auf eine Adresse."},
	{"No router answers on this cable.", "An diesem Kabel antwortet kein Router."},
	{"No router answers on this network.", "In diesem Netz antwortet kein Router."},
	{"No router answers. Only what is in the same network reaches this device.", "Kein Router antwortet. Nur was im selben Netz ist, erreicht dieses Gerät."},
	{"No router answers. Only what is on the same cable or switch reaches this device.", "Kein Router antwortet. Nur was am selben Kabel oder Switch hängt, erreicht dieses Gerät."},
	{"The network has no router to the internet.", "Das Netz hat keinen Router ins Internet."},
	{"The router does not answer.", "Der Router antwortet nicht."},
	{"The network names no name server, so no address on the internet can be found.", "Das Netz nennt keinen Nameserver, deshalb ist im Internet nichts zu finden."},
	{"The internet is there, but the name server of this network does not answer.", "Das Internet ist da, aber der Nameserver dieses Netzes antwortet nicht."},
	{"The router answers, its name server does not.", "Der Router antwortet, sein Nameserver nicht."},
	{"The router answers, the internet behind it does not.", "Der Router antwortet, das Internet dahinter nicht."},
	{"Connections to the internet open, but nothing comes back over them.", "Verbindungen ins Internet gehen auf, aber nichts kommt zurück."},
	{"The internet behind the router reports errors only.", "Das Internet hinter dem Router meldet nur Fehler."},
	{"The router has no internet and answers in its place.", "Der Router hat kein Internet und antwortet an dessen Stelle."},
	{"What comes from the internet is altered or blocked.", "Was aus dem Internet kommt, wird verändert oder gesperrt."},
	{"This network wants you to sign in first.", "Dieses Netz verlangt erst eine Anmeldung."},
	{"The WiFi radio could not make it. It is tried again.", "Das Funkgerät konnte es nicht aufmachen. Es wird wieder versucht."},
	{"No WiFi radio of this device can make a network of its own.", "Kein Funkgerät dieses Geräts kann ein eigenes Netz aufmachen."},
	{"This WiFi radio cannot be in a network and make one of its own at the same time.", "Dieses Funkgerät kann nicht zugleich in einem Netz sein und ein eigenes aufmachen."},
	{"A network of its own is not allowed on the channel of {x}.", "Auf dem Kanal von {x} ist kein eigenes Netz erlaubt."},
}

// reason returns why something is not so, and in which language that is.
func (w *words) reason(english string) (text, lang string) {
	if w.Lang == german.Lang {
		for _, r := range reasons {
			before, after, slot := strings.Cut(r.english, "{x}")
			x, ok := strings.CutPrefix(english, before)
			if x, ok2 := strings.CutSuffix(x, after); ok && ok2 && (slot || x == "") {
				return strings.Replace(r.german, "{x}", x, 1), w.Lang
			}
		}
	}
	if english != "" {
		english = strings.ToUpper(english[:1]) + english[1:]
	}
	return english, "en"
}

// wordsFor returns the messages in the language that the reader prefers of those there are.
func wordsFor(r *http.Request) *words {
	best, weight := &english, 0.0
	for field := range strings.SplitSeq(r.Header.Get("Accept-Language"), ",") {
		tag, params, _ := strings.Cut(strings.TrimSpace(field), ";")
		q := 1.0
		if _, v, ok := strings.Cut(params, "="); ok {
			q, _ = strconv.ParseFloat(strings.TrimSpace(v), 64) // what is no number is 0: not acceptable
		}
		primary, _, _ := strings.Cut(strings.ToLower(tag), "-")
		for _, w := range []*words{&english, &german} {
			if primary == w.Lang && q > weight {
				best, weight = w, q
			}
		}
	}
	return best
}

// say fills a message with a name, which may be anything: it is escaped, and its direction is its own.
func say(message, name string) template.HTML {
	safe := "<bdi>" + template.HTMLEscapeString(name) + "</bdi>"
	return template.HTML(strings.ReplaceAll(template.HTMLEscapeString(message), "{name}", safe)) //nolint:gosec // escaped above
}
