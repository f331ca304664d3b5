import type { Same } from '../index.svelte'
import type { rooms as english } from '../en/rooms'

/** Mehrere Räume zugleich, und die anderen Geräte zu Hause. */
export const rooms: Same<typeof english> = {
  'rooms.also': 'Auch in',
  'rooms.text': 'Hier läuft dasselbe, zur selben Zeit.',
  'rooms.joins': 'Kommt dazu …',
  'rooms.plays': 'Spielt mit',
  'rooms.waits': 'Wartet mit',
  'rooms.volume': 'Lautstärke von {name}',
  'devices.title': 'Andere Geräte',
  'devices.text': 'Dongles in anderen Räumen, auf denen und mit denen gespielt wird',
  'devices.intro':
    'Geräte, die einander vertrauen, können aufeinander abspielen, einzeln oder mehrere zugleich. Das muss auf der Seite jedes Geräts bestätigt werden.',
  'devices.self': 'Dieses Gerät',
  'devices.id': 'Seine ID zum Vergleichen: {id}',
  'devices.trusted': 'Vertraut',
  'devices.asks': 'Bittet um Vertrauen',
  'devices.found': 'In deinem Netzwerk gefunden',
  'devices.compare':
    'Vertraue ihm nur, wenn seine Seite dieselbe ID zeigt. Ein Gerät, dem du vertraust, kann bestimmen, was hier läuft.',
  'devices.trust': 'Vertrauen',
  'devices.trust.name': '{name} vertrauen',
  'devices.remove': 'Entfernen',
  'devices.remove.name': '{name} entfernen',
  'devices.removed': '{name} wird nicht mehr vertraut.',
  'devices.here': 'Bereit',
  'devices.away': 'Gerade nicht da',
  'devices.waits': 'Wartet, bis es auch diesem Gerät vertraut: Bestätige es auf seiner eigenen Seite.',
  'devices.since': 'Vertraut seit: {ago}',
  'devices.none': 'Kein anderes Gerät gefunden. Es muss an und im selben Netzwerk sein.',
  'devices.noname': 'Ein Gerät ohne Namen',
}
