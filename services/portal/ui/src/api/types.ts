/** The words of the JSON API, as internal/media, services/catalog/api, services/stream/api and netmgr/api define them. */

export type Kind = 'music' | 'film'

export interface Stream {
  kind: 'video' | 'audio' | 'subtitle'
  /** ffmpeg's short name: "h264", "aac", "subrip" … */
  codec: string
  /** The codecs parameter of a media type, such as "avc1.640028". */
  rfc6381?: string
  language?: string
  title?: string
  default?: boolean
  width?: number
  height?: number
  frameRate?: number
  sampleRate?: number
  channels?: number
  bitrate?: number
}

export interface Item {
  id: string
  kind: Kind
  root: string
  path: string
  size: number
  modified: string
  added: string
  container?: string
  /** In seconds. */
  duration?: number
  streams?: Stream[]
  title?: string
  artists?: string[]
  album?: string
  albumId?: string
  albumArtists?: string[]
  track?: number
  disc?: number
  year?: number
  genres?: string[]
  cover?: { offset: number; length: number; type?: string }
  /** Why it cannot be played, in words for a person. */
  problem?: string
  /** Its disk is not connected. */
  away?: boolean
}

export interface Album {
  id: string
  title: string
  artists?: string[]
  year?: number
  tracks: number
  /** In seconds. */
  duration: number
  /** The item whose picture stands for the album. */
  coverOf?: string
}

export interface AlbumPage extends Album {
  items: Item[] | null
}

/** One run of a longer list. */
export interface Page<T> {
  total: number
  rows: T[]
}

export interface Root {
  id: string
  name: string
  path: string
  away?: boolean
  /** The disk's ID, for ejecting it; none: the library is a folder. */
  disk?: string
  items: number
  error?: string
}

export interface Scan {
  running: boolean
  root?: string
  found: number
  done: number
  started?: string
  finished?: string
  /** Estimated seconds to go. */
  left?: number
}

export interface Library {
  roots: Root[] | null
  music: number
  films: number
  problems: number
  /** Rises with every change of an item. */
  revision: number
  scan: Scan
  trouble?: string
}

export type LinkState = 'down' | 'associated' | 'lan-only' | 'captive' | 'good'

export interface Link {
  name: string
  state: LinkState
  since: string
  addresses?: string[]
  gateway?: string
  dns?: string[]
  reason?: string
  kind?: 'ethernet' | 'usb' | 'wifi'
  wifi?: WiFi
  /** Where the portal that holds it captive lets one sign in. */
  login?: string
}

/** A link that is in a network by radio. */
export interface WiFi {
  ssid: string
  /** The ID of the known network it is. */
  profile?: string
  bssid: string
  channel: number
  mhz: number
  /** In dBm. */
  signal: number
  security: string
}

/** The device's own network. */
export interface AccessPoint {
  up: boolean
  ssid: string
  open?: boolean
  permanent?: boolean
  off?: boolean
  channel?: number
  address?: string
  clients: number
  /** Why it is not up though it should be. */
  reason?: string
}

export interface Network {
  /** What the owner calls the device. None: nothing. */
  name?: string
  hostname: string
  links: Link[] | null
  clock?: string
  trouble?: string
  state?: LinkState
  /** None: no radio can make one. */
  access_point?: AccessPoint
  country?: string
  /** Nobody has set the device up yet. */
  setup?: boolean
  metered?: boolean
  attempt?: Attempt
}

/** A network in reach. */
export interface Around {
  ssid: string
  /** The name's bytes in base64: it may be no text. */
  raw: string | null
  signal: number
  security: string
  bands: string[] | null
  profile?: string
  /** This device can join it. */
  join: boolean
  reason?: string
  seen: string
}

export interface Arounds {
  networks: Around[] | null
  scanning: boolean
  /** When all channels were last looked at. */
  at?: string
}

/** A known network. Its password never comes back. */
export interface Profile {
  id: string
  name: string
  ssid: string
  raw: string
  open?: boolean
  hidden?: boolean
  metered?: boolean
  factory?: boolean
  /** Not joined by itself. */
  off?: boolean
  failure?: string
  failed_at?: string
  used_at?: string
}

/** A network to know, or a change. Without a passphrase the known one stays; an empty one is an open network's. */
export interface NewProfile {
  name?: string
  ssid?: string
  raw?: string
  passphrase?: string
  hidden?: boolean
  metered?: boolean
  factory?: boolean
  off?: boolean
}

export type AttemptState = 'joining' | 'addressing' | 'connected' | 'wrong-password' | 'not-found' | 'failed'

export interface Attempt {
  id: string
  ssid: string
  state: AttemptState
  reason?: string
  profile?: string
}

export interface NetworkSettings {
  /** What the owner calls the device. None: nothing. */
  name?: string
  country?: string
  access_point?: AccessPointSettings
  judge?: { off: boolean; operators?: string[] | null }
  done?: boolean
}

export interface AccessPointSettings {
  ssid: string
  /** Empty: another one at each start. */
  passphrase?: string
  open: boolean
  permanent: boolean
  off: boolean
}

/** What lets a phone into the device's own network. */
export interface AccessPointKey {
  ssid: string
  passphrase?: string
  open?: boolean
}

/** A time in which the network was one way. */
export interface Period {
  from: string
  state: LinkState
  link?: string
  network?: string
  /** The device's own network was up. */
  own?: boolean
}

export interface Service {
  name: string
  state: string
  ready: boolean
  healthy: boolean
  reason?: string
  restarts: number
  /** In bytes. */
  memory?: number
  since?: string
}

export interface Device {
  board: string
  /** In seconds. */
  uptime: number
  data: { state: string; reason?: string; free?: number; total?: number } | null
  services: Service[] | null
}

/** A state a person should know of. */
export interface Notice {
  code: string
  /** "error": something does not work; "warning": it will not. */
  level?: 'error' | 'warning' | 'info'
  /** What it is about, such as a disk's name. */
  subject?: string
  /** For who wants to know more. */
  detail?: string
  message: string
  hint?: string
  since?: string
}

/** Any part is null while the service it comes from does not answer; a notice then says so. */
export interface Status {
  name: string
  version: string
  developer: boolean
  hosted: boolean
  library: Library | null
  stream: { transcode?: string } | null
  network: Network | null
  device: Device | null
  notices: Notice[] | null
}

export interface LogLine {
  time: string
  level?: string
  text: string
}
