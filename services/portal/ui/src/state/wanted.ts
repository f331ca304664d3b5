import type { State, What } from '../api/cast'
import type { Item } from '../api/types'
import type { Heard } from './cast.svelte'
import { type More, own } from './solo.svelte'

/** What a person wants to hear or see. */
export interface Wanted {
  /** As the device selects it. */
  what: What
  /** The songs of it that are known here, so that this page can begin at once. */
  items: Item[]
  /** Of items, to begin with. */
  start?: number
  /** Of what, to begin with, where that is another one. */
  index?: number
  shuffle?: boolean
  /** In seconds. */
  position?: number
  /** Fetches what follows, should this page be on its own. */
  more?: More
}

/** It plays, or is about to. */
export const playsIn = (state: State | undefined) => state === 'playing' || state === 'loading'

/** Tells whether an entry plays on with a problem of that code: without its picture, or its sound. */
export const playsWith = (code: string) => code === 'no-display' || code === 'no-sound'

/** What is shown of a session until the device has made it. */
export function promised(renderer: string, item: Item, like: Partial<Heard> | null): Heard {
  return {
    volume: 100,
    repeat: 'off',
    ...like,
    id: '',
    renderer,
    state: 'loading',
    entry: own(item),
    next: undefined,
    index: 0,
    total: 1,
    epoch: '',
    sequence: 0,
    revision: 0,
    position: 0,
    at: '',
    now: '',
    heard: performance.now(),
    duration: item.duration,
    speed: 1,
    audio: -1,
    subtitle: -1,
    streams: undefined,
    chapters: undefined,
    problem: undefined,
    sleep: undefined,
  }
}
