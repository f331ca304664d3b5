import type { Same } from '../index.svelte'
import type { library as english } from '../en/library'

/** Start, Musik, Filme, die Suche; die Datenträger, von denen sie kommen. */
export const library: Same<typeof english> = {
  'songs.count': { one: '{n} Lied', other: '{n} Lieder' },
  'albums.count': { one: '{n} Album', other: '{n} Alben' },
  'films.count': { one: '{n} Film', other: '{n} Filme' },

  'home.surprise': 'Überrasch mich',
  'home.recent': 'Neu dazugekommen',
  'home.luck': 'Fast vergessene Alben',

  'music.albums': 'Alben',
  'music.songs': 'Lieder',
  'music.filter': 'Musik filtern',
  'album.unknownArtist': 'Unbekannt',
  'album.disc': 'CD {disc}',
  'song.away': 'Platte nicht angeschlossen',

  'films.filter': 'Filme filtern',
  'films.none': 'Noch keine Filme',
  'films.none.text': 'Kopiere Filme auf die Platte, dann erscheinen sie hier.',
  'film.problem': 'Nicht abspielbar',
  'film.video': 'Bild',
  'film.audio': 'Ton',
  'film.subtitles': 'Untertitel',
  'film.subtitles.on': 'Untertitel: {name}',
  'film.subtitles.off': 'Untertitel aus',
  'film.file': 'Datei',
  'film.added': 'seit {time} da',
  'film.frames': '{rate} Bilder pro Sekunde',
  'film.channels': { one: '{n} Kanal', other: '{n} Kanäle' },
  'film.rewind': '10 Sekunden zurück',
  'film.forward': '10 Sekunden vor',
  'film.full': 'Vollbild',
  'film.window': 'Vollbild verlassen',
  'film.preparing': 'Der Film wird vorbereitet. Beim ersten Mal kann es einen Moment dauern.',
  'film.cannot': '{name} spielt keine Filme. Wähl einen anderen Ort.',

  'search.label': 'Musik und Filme suchen',
  'search.clear': 'Leeren',
  'search.start': 'Worauf hast du Lust?',
  'search.start.text': 'Künstler, Album, Lied oder Film. Die Taste / führt von überall hierher.',
  'search.none': 'Nichts gefunden für „{q}“',
  'search.none.text': 'Prüfe die Schreibweise oder nimm weniger Buchstaben.',
  'search.found': { one: '{n} Treffer', other: '{n} Treffer' },
  'search.allSongs': { one: 'Das Lied zeigen', other: 'Alle {n} Lieder zeigen' },

  'empty.nodisk': 'Schließ eine Platte mit Musik oder Filmen an',
  'empty.nodisk.text':
    'Jede USB-Platte und jeder Stick ist recht. Was darauf ist, erscheint hier von selbst, und nichts darauf wird verändert.',
  'empty.nodisk.hosted':
    'Es wurde kein Ordner angegeben. Starte neu mit den Ordnern deiner Musik und Filme: manofwar serve ORDNER',
  'empty.scanning': 'Deine Platte wird durchgesehen',
  'empty.scanning.text': 'Musik und Filme erscheinen hier, sobald sie gefunden sind.',
  'empty.away': 'Deine Platte ist nicht angeschlossen',
  'empty.away.text': 'Schließ {name} wieder an, dann ist alles wieder da.',
  'empty.nothing': 'Nichts Abspielbares auf dieser Platte',
  'empty.nothing.text': 'Auf {name} sind keine Musik- oder Filmdateien, die wir lesen können.',
  'empty.silent': 'Die Bibliothek antwortet nicht',
  'empty.silent.text': 'Sie wird neu gestartet. Sobald sie da ist, zeigt es diese Seite.',
  'empty.device': 'Zum Gerät',

  'scan.start': 'Jetzt durchsehen',
  'scan.running': '{name} wird durchgesehen',
  'scan.files': { one: '{done} von {n} Datei', other: '{done} von {n} Dateien' },
  'scan.rate': '{rate} pro Sekunde',
  'scan.left': 'noch etwa {time}',
  'scan.last': 'Zuletzt durchgesehen {time}',
}
