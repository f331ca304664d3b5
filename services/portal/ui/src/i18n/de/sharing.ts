import type { Same } from '../index.svelte'
import type { sharing as english } from '../en/sharing'

/** Was die dürfen, die ohne Passwort kommen. */
export const sharing: Same<typeof english> = {
  'sharing.title': 'Freigaben',
  'sharing.text': 'Apps und Fernseher zu Hause hier abspielen und in die Bibliotheken schauen lassen',
  'sharing.open':
    'Nichts davon kennt ein Passwort: Was du hier einschaltest, kann jeder in deinem Netzwerk benutzen. Zu sehen sind nur die Bibliotheken, die du auswählst, und keine deiner Dateien kann geändert oder gelöscht werden.',
  'sharing.name': 'Dieses Gerät erscheint dort als „{name}“.',
  'sharing.name.change': 'Namen unter Netzwerk ändern',
  'sharing.renderer': 'Auf diesem Fernseher abspielen',
  'sharing.renderer.text':
    'Apps wie BubbleUPnP und Home Assistant schicken Musik und Filme auf den Fernseher und können anhalten, was dort läuft. Von deinen Bibliotheken ist nichts zu sehen.',
  'sharing.server': 'Von anderen Fernsehern aus stöbern',
  'sharing.server.text': 'Fernseher, Konsolen und Player finden deine Musik und Filme und spielen sie selbst ab.',
  'sharing.mpd': 'Musik mit MPD-Apps',
  'sharing.mpd.text': 'M.A.L.P., ncmpcpp, mpc und ähnliche stöbern in deiner Musik und spielen sie hier ab. Port 6600.',
  'sharing.by.renderer': 'Als UPnP-Renderer (DLNA)',
  'sharing.by.server': 'Als UPnP-Medienserver (DLNA)',
  'sharing.by.mpd': 'Als Music Player Daemon (MPD)',
  'sharing.libraries': 'Freigegebene Bibliotheken',
  'sharing.none': 'Noch ist nichts freigegeben: Wähle eine Bibliothek aus.',
  'sharing.all': 'Alle freigeben',
  'sharing.tvOnly': 'Was ein anderes Gerät schickt, läuft nur auf dem Fernseher. Dort geht es weiter.',
  'sharing.away': 'Nicht angeschlossen',
  'notice.guest-port-taken': 'Port {subject} ist belegt: Ein anderes Programm benutzt ihn.',
  'notice.guest-port-taken.hint':
    'Beende dieses Programm, etwa einen anderen Musik- oder Medienserver. Danach klappt es hier von selbst.',
  'notice.guest-no-port': 'Für MPD wurde kein Port angegeben.',
  'notice.guest-no-port.hint': 'Starte manofwar mit einem, der das Netzwerk hereinlässt: manofwar serve --mpd :6600',
  'notice.guest-trouble': 'Das funktioniert gerade nicht.',
  'notice.guest-trouble.hint': 'Es wird von selbst wieder versucht.',
}
