/** A library for the tests: invented artists, albums and films, and on demand a hundred thousand songs. */

import { connected } from './air.mjs'
import { random } from './art.mjs'

const artists = [
  'Mara Lind',
  'The Paper Boats',
  'Óskar & the Tides',
  'Nightjar Quartet',
  'Zoë Ferreira',
  'Kontor Nord',
  '潮騒',
  'Физалия',
  'Blue Hour Ensemble',
  'Tomás Vega',
  'Hollow Pines',
  'Ines Adler',
]
const first = [
  'Harbour',
  'Slow',
  'Northern',
  'Paper',
  'Glass',
  'Salt',
  'Violet',
  'Distant',
  'Copper',
  'Winter',
  'Open',
  'Silver',
  'Quiet',
  'Golden',
  'Midnight',
]
const second = [
  'Lights',
  'Tide',
  'Letters',
  'Garden',
  'Horizon',
  'Machines',
  'Islands',
  'Weather',
  'Rooms',
  'Signals',
  'Rivers',
  'Lanterns',
  'Maps',
  'Echoes',
  'Meridian',
]
const films = [
  ['The Lighthouse Keeper', 2019],
  ['North of Nowhere', 2021],
  ['Salt', 2015],
  ['Die Überfahrt', 2008],
  ['A Quiet Machine', 2023],
  ['Seven Bridges', 1998],
  ['Windfall', 2012],
  ['Der lange Sommer', 1987],
]

const day = 86_400_000
const added = (i) => new Date(Date.now() - i * day * 0.7).toISOString()

function song(album, number, some) {
  return {
    id: `s${album.n}-${number}`,
    kind: 'music',
    root: 'blue',
    path: `${album.artists[0]}/${album.title}/${String(number).padStart(2, '0')}.flac`,
    size: 24_500_000 + number * 1000,
    modified: added(40),
    added: added(album.n),
    container: 'flac',
    duration: 141 + ((album.n * 37 + number * 53) % 170),
    streams: [{ kind: 'audio', codec: 'flac', sampleRate: 44100, channels: 2, bitrate: 870_000 }],
    artists: album.artists,
    album: album.title,
    albumId: album.id,
    albumArtists: album.artists,
    track: number,
    disc: 1,
    year: album.year,
    ...some,
  }
}

/** A library of a household's size. */
export function household() {
  const next = random(5)
  const pick = (list) => list[Math.floor(next() * list.length)]
  const [albums, items] = [[], []]
  for (let n = 0; n < 36; n++) {
    const title =
      n === 7
        ? 'Meditations upon the Long Way Home from the Northern Harbour, Vol. II'
        : `${first[(n * 7) % 15]} ${second[(n * 4 + 3 + Math.floor(n / 15) * 5) % 15]}`
    const album = {
      n,
      id: `a${n}`,
      title,
      artists: [artists[(n * 5) % artists.length]],
      year: 1972 + ((n * 13) % 52),
      tracks: 6 + (n % 7),
      duration: 0,
      coverOf: n % 9 === 5 ? undefined : `s${n}-1`,
    }
    for (let i = 1; i <= album.tracks; i++) {
      const name =
        n === 7 && i === 2
          ? 'Andante ma non troppo, e con molta espressione (remastered, live at the old harbour, second evening)'
          : `${pick(first)} ${pick(second).toLowerCase()}`
      items.push(
        song(album, i, {
          title: name,
          cover: album.coverOf ? { offset: 1, length: 2, type: 'image/svg+xml' } : undefined,
          disc: n === 3 && i > 4 ? 2 : 1,
        }),
      )
    }
    album.duration = album.tracks * 221
    albums.push(album)
  }
  // What is wrong with some files is part of every library.
  items.find((each) => each.id === 's0-5').problem = 'The file ends in the middle of its header.'
  items.find((each) => each.id === 's1-3').away = true
  albums.sort((a, b) => a.artists[0].localeCompare(b.artists[0]) || a.year - b.year)
  films.forEach(([title, year], n) => {
    items.push({
      id: `f${n}`,
      kind: 'film',
      root: 'blue',
      path: `Films/${title} (${year}).mkv`,
      size: 4_700_000_000 + n * 1e8,
      modified: added(90),
      added: added(n * 3),
      container: 'matroska',
      duration: 5400 + n * 517,
      streams: [
        {
          kind: 'video',
          codec: 'h264',
          rfc6381: 'avc1.64001f',
          width: 1920,
          height: 1080,
          frameRate: 23.976,
          bitrate: 5_200_000,
        },
        {
          kind: 'audio',
          codec: 'aac',
          rfc6381: 'mp4a.40.2',
          language: 'en',
          sampleRate: 48000,
          channels: 6,
          bitrate: 384_000,
        },
        { kind: 'subtitle', codec: 'subrip', language: 'de' },
        { kind: 'subtitle', codec: 'hdmv_pgs_subtitle', language: 'fr' },
      ],
      title,
      year,
      genres: ['Drama'],
      cover: n % 4 === 3 ? undefined : { offset: 1, length: 2, type: 'image/svg+xml' },
    })
  })
  items.find((each) => each.id === 'f6').problem =
    'Its picture is encoded as WMV3, which cannot be converted on this device.'
  return { albums, items }
}

/** The nth of a hundred thousand songs. */
export function endless(n) {
  const album = {
    n: n % 36,
    id: `a${n % 36}`,
    title: `${first[n % 15]} ${second[(n >> 4) % 15]}`,
    artists: [artists[n % artists.length]],
    year: 1960 + (n % 60),
  }
  return song(album, (n % 12) + 1, { id: `e${n}`, title: `${second[n % 15]} no. ${n + 1}` })
}

/** The status of a device on which all is well. */
export function status(library) {
  const music = library.items.filter((each) => each.kind === 'music').length
  const since = new Date(Date.now() - 3 * 3_600_000).toISOString()
  const service = (name, memory) => ({ name, state: 'running', ready: true, healthy: true, restarts: 0, memory, since })
  return {
    name: 'livingroom',
    version: '0.1.0',
    developer: true,
    hosted: false,
    library: {
      roots: [{ id: 'blue', name: 'Blue Disk', path: '/media/blue', disk: '5E1C-7A2B', items: library.items.length }],
      music,
      films: library.items.length - music,
      problems: 2,
      revision: 1,
      scan: {
        running: false,
        found: library.items.length,
        done: library.items.length,
        started: since,
        finished: since,
      },
    },
    stream: { transcode: '7.1.5' },
    network: connected(since),
    device: {
      board: 'raspberrypi',
      uptime: 11_000,
      data: { state: 'ok', free: 24_100_000_000, total: 30_200_000_000 },
      services: [
        service('catalog', 14_200_000),
        service('stream', 9_800_000),
        service('portal', 11_300_000),
        service('netmgr', 6_100_000),
      ],
    },
    notices: [],
  }
}

/** What the device lets those do who come without a password: two ways in are open, and one of them does not work. */
export const guests = () => ({
  name: 'Living room',
  choices: {
    renderer: { on: false, libraries: [] },
    server: { on: true, libraries: ['blue'] },
    mpd: { on: true, libraries: [] },
  },
  problems: {
    mpd: {
      code: 'guest-port-taken',
      level: 'error',
      subject: '6600',
      message: 'Port 6600 is taken: another program uses it.',
      hint: 'End that program, such as another music or media server. This is tried again by itself.',
      detail: 'let MPD clients in: listen tcp :6600: bind: address already in use',
    },
  },
})

/** The screen and the sound of a device that plays a film in the cinema's own rate. */
export const screen = () => ({
  state: 'playing',
  display: { connector: 'HDMI-A-1', name: 'LG TV', width: 1920, height: 1080, refresh: 23.976 },
  sound: {
    card: 'vc4hdmi0',
    rate: 48000,
    channels: 2,
    sample: 's24',
    cards: [
      { id: 'vc4hdmi0', name: 'LG TV', hdmi: true },
      { id: 'Headphones', name: 'Headphones' },
      { id: 'D50', name: 'Topping D50 DAC' },
    ],
  },
  settings: { offset: 0.04, replayGain: 'album', matchRate: true, cec: true },
  sync: { shown: 20_114, dropped: 3, underruns: 0, offset: 0.006, drift: -38 },
})
