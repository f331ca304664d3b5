package screen

import (
	"strings"

	player "manofwar/player/api"
)

// troubles are what the player says of items and outputs, in German, by what it says in English: %s is a name. A test
// holds this to the player's own list.
var troubles = []struct{ english, german string }{
	{"%s does not come. It was left out.", "%s kommt nicht. Übersprungen."},
	{"The disk with %s is not connected. It was left out.", "Die Platte mit %s ist nicht angeschlossen. Übersprungen."},
	{"%s is no longer there. It was left out.", "%s ist nicht mehr da. Übersprungen."},
	{"%s is of a kind that cannot be played. It was left out.", "%s ist von einer Art, die sich nicht abspielen lässt. Übersprungen."},
	{"%s cannot be played: ffmpeg is missing.", "%s lässt sich nicht abspielen: ffmpeg fehlt."},
	{"%s was left out: its decoder was ended again and again.", "%s wurde übersprungen: Der Decoder wurde immer wieder beendet."},
	{"%s may not be read. It was left out.", "%s darf nicht gelesen werden. Übersprungen."},
	{"%s could not be read any further.", "%s ließ sich nicht weiter lesen."},
	{"%s is damaged. It was left out.", "%s ist beschädigt. Übersprungen."},
	{"%s is damaged. The rest of it was left out.", "%s ist beschädigt. Der Rest wurde übersprungen."},
	{"Three in a row could not be played, so playback was stopped.", "Drei hintereinander ließen sich nicht abspielen, darum ist jetzt Schluss."},
	{"There is no output for sound.", "Es gibt keinen Ausgang für Ton."},
	{"The sound output does not work.", "Der Tonausgang funktioniert nicht."},
	{"The chosen sound output is not connected.", "Der gewählte Tonausgang ist nicht angeschlossen."},
	{"Another program has the television. The sound goes on.", "Ein anderes Programm hat den Fernseher. Der Ton läuft weiter."},
	{"The television cannot be used. The sound goes on.", "Der Fernseher lässt sich nicht benutzen. Der Ton läuft weiter."},
	{"No television is connected. The sound goes on.", "Kein Fernseher ist angeschlossen. Der Ton läuft weiter."},
}

// Trouble says in one line what the player could not do.
func (l Language) Trouble(p player.Problem) Notice {
	n := Notice{Text: p.Text, Mood: Warning}
	if l != German {
		return n
	}
	for _, t := range troubles {
		before, after, named := strings.Cut(t.english, "%s")
		name, ok := strings.CutPrefix(p.Text, before)
		if !ok || !named && name != "" {
			continue
		}
		if name, ok = strings.CutSuffix(name, after); ok {
			n.Text = strings.Replace(t.german, "%s", name, 1)
			return n
		}
	}
	return n
}
