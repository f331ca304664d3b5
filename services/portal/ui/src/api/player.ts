import { get, send } from './client'

/** The words of /api/v1/player, as player/api defines them: the screen and the sound of the device itself. */

/** The owner's choices. Times are in seconds. */
export interface Settings {
  /** The card's ID; none: the screen's where there is one, else the best. */
  card?: string
  /** Sound later than pictures by this; may be negative. */
  offset?: number
  /** Likewise, of cards that have one of their own, by ID. */
  offsets?: Record<string, number>
  /** Between songs; 0: gapless. */
  crossfade?: number
  replayGain: 'off' | 'track' | 'album'
  passthrough?: boolean
  /** Drives the screen at the film's frame rate. */
  matchRate: boolean
  /** Turns the television on and switches it over. */
  cec: boolean
  standby?: boolean
  /** The language of the screen, as BCP 47 has it; none: English. */
  language?: string
  /** The zone of its clock, such as "Europe/Berlin"; none: it shows no clock. */
  zone?: string
}

export interface Card {
  id: string
  name: string
  hdmi?: boolean
}

export interface Status {
  display?: { connector: string; name?: string; width: number; height: number; refresh: number }
  sound?: { card: string; rate?: number; channels?: number; sample?: string; cards: Card[] | null }
  settings: Settings
  /** How well pictures and sound have kept together since the item was loaded. */
  sync?: { shown: number; dropped: number; underruns: number; offset: number; drift: number }
}

const path = '/api/v1/player/settings'

export const status = (signal?: AbortSignal) => get<Status>(path, signal)
export const set = (settings: Settings) => send<Status>('PUT', path, settings)

/** Tells a screen that nobody has told yet which language and which time its owner goes by. */
export async function introduce(language: string): Promise<void> {
  const { settings } = await status()
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone
  if (!settings.zone && zone) await set({ ...settings, language, zone })
}
